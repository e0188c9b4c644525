"""Which addresses of a text stand as nearly all do, so that nobody needs to look at them twice?

This is what matching costs. So no statement of ours runs for a single "@": two patterns that begin with it look at
all of them, one at the domains, and one, over the text written backwards, at what stands before.
"""

from __future__ import annotations

import re
from itertools import compress

# Each finds every "@" of a text, with nothing more where no ordinary domain or local part stands at it.
_DOMAINS = re.compile(
    r"@(?:(?:[a-z0-9\-]++\.)+[a-z]{2,24}+(?=[ >\"),;:<\t\x1e]|\.?$|\.[ \x1e]|\r?\n[^.\s]))?", re.ASCII
)
_LOCALS_BACKWARDS = re.compile(
    r"@([a-zA-Z0-9][\w.+\-]{0,63}+(?<![_.+\-])(?=[ <\"(\[,:>\t\x1e]|$|\n$|\n\r?[\w ,;:>)\]\"\n]))?", re.ASCII
)
_AT = re.compile("@")


def ordinary(text: str) -> tuple[list[str], list[int]]:
    """The ordinary addresses of a text, and where every other "@" stands."""
    if "@" not in text:
        return [], []
    domains = _DOMAINS.findall(text)
    locals_ = "\n".join(_LOCALS_BACKWARDS.findall(text[::-1]))[::-1].split("\n")
    addresses = map(str.__add__, locals_, domains)
    if "" not in locals_ and "@" not in domains:
        return list(addresses), []
    is_ordinary = [bool(local) and domain != "@" for local, domain in zip(locals_, domains, strict=True)]
    others = [at.start() for at, is_one in zip(_AT.finditer(text), is_ordinary, strict=True) if not is_one]
    return list(compress(addresses, is_ordinary)), others
