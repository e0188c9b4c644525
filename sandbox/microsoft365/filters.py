"""Which items does a `$filter` want, and which questions does the service not answer? Recipients, for one.

The grammar is odata-query's; what may be asked of which property, and with which code the rest is refused, is ours.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from sandbox.microsoft365.errors import TOO_COMPLEX, Refused, bad_filter
from sandbox.microsoft365.mailbox import Item

Test = Callable[[Item], bool]
_COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_DATES = frozenset(
    {"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime", "start/dateTime", "end/dateTime"}
)
_ADDRESSES = frozenset({"from/emailAddress/address", "sender/emailAddress/address"})
_TEXTS = frozenset({"subject", "internetMessageId", "conversationId", "importance", "displayName", "type"})
_FLAGS = frozenset({"isRead", "isDraft", "hasAttachments", "isCancelled", "isOrganizer"})
_KNOWN = _DATES | _ADDRESSES | _TEXTS | _FLAGS


def wanted(text: str, kind: str) -> tuple[Test, list[str]]:
    """The test a filter stands for, and the properties it names in their order."""
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
    except ODataException:
        raise Refused(400, "BadRequest", "Invalid filter clause.") from None
    return _test(tree, kind), list(dict.fromkeys(_properties(tree)))


def check_order(orderby: str | None, filtered: Sequence[str], kind: str) -> list[tuple[str, bool]]:
    """The order asked for, each with whether it descends. What is sorted by stands first in the filter, in order."""
    order: list[tuple[str, bool]] = []
    for part in (orderby or "").split(","):
        words = part.split()
        if not words:
            continue
        if words[0] not in _KNOWN or words[1:] not in ([], ["asc"], ["desc"]):
            raise Refused(400, "BadRequest", f"Could not find a property named '{words[0]}' on type '{kind}'.")
        order.append((words[0], words[1:] == ["desc"]))
    names = [name for name, _ in order]
    if filtered and names and list(filtered[: len(names)]) != names:
        raise Refused(400, "InefficientFilter", TOO_COMPLEX)
    return order


def value_of(item: Item, name: str) -> Any:
    """A property of an item by its path."""
    at: Any = item.row
    for step in name.split("/"):
        at = at.get(step) if isinstance(at, dict) else None
    if name in _DATES and isinstance(at, str):
        return datetime.fromisoformat(at[:19]).replace(tzinfo=UTC)
    return at.casefold() if name in _ADDRESSES and isinstance(at, str) else at


def _test(node: Any, kind: str) -> Test:
    if isinstance(node, ast.BoolOp):
        left, right = _test(node.left, kind), _test(node.right, kind)
        if isinstance(node.op, ast.And):
            return lambda item: left(item) and right(item)
        return lambda item: left(item) or right(item)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _test(node.operand, kind)
        return lambda item: not inner(item)
    if isinstance(node, ast.Compare):
        return _comparison(node)
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.CollectionLambda):
        return _member(node, kind)
    raise bad_filter()


def _comparison(node: Any) -> Test:
    compare = _COMPARE.get(type(node.comparator))
    name = _name(node.left)
    if compare is None or name not in _KNOWN:  # `in`, and everything the store has no index for
        raise bad_filter()
    literal = _literal(node.right, name)

    def test(item: Item) -> bool:
        value = value_of(item, name)
        return value is not None and compare(value, literal)

    return test


def _call(node: Any) -> Test:
    function, names = node.func.name.casefold(), [_name(one) for one in node.args[:1]]
    allowed = _ADDRESSES | _TEXTS if function == "startswith" else _TEXTS if function == "contains" else frozenset()
    if len(node.args) != 2 or names[0] not in allowed or not isinstance(node.args[1], ast.String):
        raise bad_filter()
    name, text = names[0], node.args[1].val.casefold()
    check = str.startswith if function == "startswith" else str.__contains__
    return lambda item: check(str(value_of(item, name) or "").casefold(), text)


def _member(node: Any, kind: str) -> Test:
    """`any` over a list: addresses of contacts, categories, and extended properties; recipients never."""
    owner = _name(node.owner)
    if not isinstance(node.operator, ast.Any) or node.lambda_ is None:
        raise bad_filter()
    if kind == "event" and owner == "attendees":
        raise Refused(400, "UnsupportedEntityExpression", "The entity expression is not supported.")
    pairs = dict(_equalities(node.lambda_.expression, node.lambda_.identifier.name))
    if owner == "emailAddresses" and kind == "contact" and set(pairs) == {"address"}:
        return lambda item: any(
            str(one.get("address")).casefold() == pairs["address"].casefold() for one in item.row["emailAddresses"]
        )
    if owner == "categories" and set(pairs) == {""}:
        return lambda item: pairs[""] in item.row["categories"]
    if owner == "singleValueExtendedProperties" and set(pairs) == {"id", "value"}:
        return lambda item: item.extended.get(pairs["id"].casefold()) == pairs["value"]
    raise bad_filter()


def _equalities(node: Any, variable: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        yield from _equalities(node.left, variable)
        yield from _equalities(node.right, variable)
    elif isinstance(node, ast.Compare) and isinstance(node.comparator, ast.Eq) and isinstance(node.right, ast.String):
        path = _name(node.left).split("/")
        if path[0] != variable:
            raise bad_filter()
        yield "/".join(path[1:]), node.right.val
    else:
        raise bad_filter()


def _name(node: Any) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.owner)}/{node.attr}"
    return str(node.name) if isinstance(node, ast.Identifier) else ""


def _literal(node: Any, name: str) -> Any:
    if name in _DATES:
        if not isinstance(node, ast.DateTime):  # quoted dates are refused, as is a day without a time
            raise bad_filter()
        try:
            found = datetime.fromisoformat(node.val)
        except ValueError:
            raise bad_filter() from None
        return found.replace(tzinfo=found.tzinfo or UTC)
    if name in _FLAGS and isinstance(node, ast.Boolean):
        return node.val.casefold() == "true"
    if isinstance(node, ast.String) and name not in _FLAGS:
        return node.val.casefold() if name in _ADDRESSES else node.val
    raise bad_filter()


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        yield from _properties(node.left)
        yield from _properties(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from _properties(node.operand)
    elif isinstance(node, ast.Compare):
        yield _name(node.left)
    elif isinstance(node, ast.Call):
        yield _name(node.args[0])
    elif isinstance(node, ast.CollectionLambda):
        yield _name(node.owner)
