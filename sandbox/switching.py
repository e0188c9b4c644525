"""How are an emulator's switches set? By name, each keeping its type; an unknown one is refused and the known named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def changed(switches: S, given: Mapping[str, Any]) -> S:
    """These switches, with some set; whole numbers are taken for fractions, and None where None may stand."""
    known = {one.name for one in fields(switches)}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"unknown switches {unknown}; known: {sorted(known)}")
    fitting = dict(given)
    for name, value in given.items():
        now = getattr(switches, name)
        if type(now) is float and type(value) is int:
            fitting[name] = float(value)
        elif now is not None and value is not None and type(value) is not type(now):
            raise ValueError(f"{name} takes a {type(now).__name__}")
    return replace(switches, **fitting)
