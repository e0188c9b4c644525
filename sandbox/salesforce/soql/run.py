"""What does a statement answer? Bound to the org's schema it chooses, orders and cuts rows; shapes do the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import Field, Schema, SObject
from sandbox.salesforce.soql import aggregate
from sandbox.salesforce.soql.filters import Filter, Test
from sandbox.salesforce.soql.language import (
    All,
    Among,
    Compare,
    Condition,
    FieldsOf,
    Function,
    Negation,
    Operand,
    Path,
    Query,
    Selected,
    SelectedChildren,
    complaint,
    is_aggregate,
)
from sandbox.salesforce.soql.names import Accessor, Column, Names, Records, Row
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.shape import Shape

MAX_OFFSET = 2_000
MAX_ALL_FIELDS = 200


@dataclass(frozen=True)
class Session:
    """What a statement is run against: the caller's view of the schema, the rows, the time and the time zone."""

    schema: Schema
    records: Records
    now: datetime
    zone: ZoneInfo
    base: str
    """Prefix of the record addresses in the answer, such as `/services/data/v59.0`."""
    deleted: bool = False
    """Whether rows in the Recycle Bin are seen (queryAll)."""


@dataclass(frozen=True)
class Answer:
    """The rows a statement chose, and how each becomes a record of the answer."""

    rows: Sequence[Row]
    render: Callable[[Row], dict[str, Any]]
    columns: tuple[tuple[str, Accessor], ...]
    """Dotted names and values of the plain columns, for results as CSV."""
    sobject: str
    named_ids: tuple[str, ...]
    """The record ids that the conditions spell out."""
    counts_rows: bool


def run(text: str, session: Session) -> Answer:
    """The answer to a statement, or an ApiError with the service's own text."""
    query = parse(text)
    return _Statement(text, session, query, _source(text, session.schema, query)).answer()


def _source(text: str, schema: Schema, query: Query) -> SObject:
    sobject = schema.get(query.source)
    if sobject is None:
        raise complaint(
            text,
            query.source_at,
            "INVALID_TYPE",
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be sure "
            "to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )
    return sobject


class _Statement:
    """A query, a sub-select or a list of children, bound to its object."""

    def __init__(self, text: str, session: Session, query: Query, sobject: SObject) -> None:
        self._text = text
        self._session = session
        self._query = query
        self._sobject = sobject
        self.names = Names(text, session.schema, session.records, sobject, query.alias)
        self.filter = Filter(text, self.names, session.now, session.zone, self._sub_select, self._measure)
        self._test: Test | None = self.filter.test(query.where) if query.where else None
        if sobject.name == "ContentDocumentLink" and not _names_a_link(query.where):
            raise self._malformed(
                query.source_at,
                "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId "
                "or LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
            )
        if query.offset is not None and query.offset > MAX_OFFSET:
            message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise complaint(text, query.offset_at, "NUMBER_OUTSIDE_VALID_RANGE", message)

    def answer(self) -> Answer:
        query = self._query
        if query.counts_rows:
            if len(query.select) > 1:
                raise self._malformed(query.source_at, "unexpected token: ','")
            return self._answer(self._cut(self._chosen(self._candidates())), lambda row: {}, ())
        if query.group_by or any(isinstance(one, Selected) and is_aggregate(one.what) for one in query.select):
            return self._grouped()
        if query.having is not None:
            raise self._malformed(query.source_at, "HAVING needs a GROUP BY clause")
        render, columns = self._projection()
        return self._answer(self._cut(self._ordered(self._chosen(self._candidates()))), render, columns)

    def _answer(
        self,
        rows: Sequence[Row],
        render: Callable[[Row], dict[str, Any]],
        columns: tuple[tuple[str, Accessor], ...],
    ) -> Answer:
        named = tuple(dict.fromkeys(self.filter.named_ids))
        return Answer(rows, render, columns, self._sobject.name, named, self._query.counts_rows)

    def _grouped(self) -> Answer:
        grouping = aggregate.Grouping(self._text, self._query, self.names)
        having = None
        if self._query.having is not None:
            session = self._session
            measured = Filter(
                self._text, self.names, session.now, session.zone, self._sub_select, grouping.measure, True
            )
            having = measured.test(self._query.having, top=False)
        rows = list(aggregate.grouped(grouping, self._chosen(self._candidates()), having))
        return self._answer(self._cut(rows), grouping.render, ())

    # -- rows

    def _candidates(self) -> Iterable[Row]:
        """All rows, or just the named ones when the clause can be true for no others."""
        records, deleted = self._session.records, self._session.deleted
        if not _names_own_ids(self._query.where):
            return records.rows(self._sobject.name, deleted=deleted)
        ids = dict.fromkeys(one for one in self.filter.named_ids if one.startswith(self._sobject.prefix))
        found = [row for one in ids if (row := records.row(self._sobject.name, one)) is not None]
        return [row for row in found if deleted or not (row.get("IsDeleted") or row.get("IsArchived"))]

    def _chosen(self, rows: Iterable[Row]) -> list[Row]:
        test = self._test
        return list(rows) if test is None else [row for row in rows if test(row)]

    def _ordered(self, rows: list[Row]) -> list[Row]:
        for ordering in reversed(self._query.order_by):
            get = self._sort_value(ordering.by)
            empty = [row for row in rows if get(row) is None]
            full = [row for row in rows if get(row) is not None]
            full.sort(key=get, reverse=ordering.descending)
            rows = full + empty if ordering.nulls_last else empty + full
        return rows

    def _sort_value(self, by: Operand) -> Accessor:
        if isinstance(by, Function):
            return aggregate.date_part(self._text, by, self.names)[1]
        column = self.names.column(by)
        if not column.field.sortable:
            raise self._malformed(by.at, f"field '{column.field.name}' can not be sorted in a query call")
        if column.field.type in ("id", "reference", "date", "datetime"):
            return column.get

        def get(row: Row) -> Any:
            value = column.get(row)
            return value.casefold() if isinstance(value, str) else value

        return get

    def _cut(self, rows: list[Any]) -> list[Any]:
        if self._query.offset is not None:
            rows = rows[self._query.offset : self._query.offset + MAX_OFFSET]
        return rows if self._query.limit is None else rows[: self._query.limit]

    # -- what conditions refer to

    def _sub_select(self, query: Query) -> frozenset[str]:
        if query.order_by or query.group_by or query.limit is not None or query.offset is not None:
            raise self._malformed(query.source_at, "Semi join sub-selects may only have a WHERE clause")
        if _has_sub_select(query.where):
            raise self._malformed(query.source_at, "Nesting of semi join sub-selects is not supported")
        first = query.select[0]
        if len(query.select) != 1 or not isinstance(first, Selected) or not isinstance(first.what, Path):
            raise self._malformed(query.source_at, "Semi join sub-selects must have exactly one field in SELECT")
        inner = _Statement(self._text, self._session, query, _source(self._text, self._session.schema, query))
        column = inner.names.column(first.what)
        if column.field.type not in ("id", "reference"):
            raise self._malformed(first.what.at, "Semi join sub-selects can only query id fields")
        members = {column.get(row) for row in inner._chosen(inner._candidates())}
        self.filter.named_ids.extend(inner.filter.named_ids)
        return frozenset(members - {None})

    def _measure(self, operand: Operand) -> tuple[Field, Accessor]:
        if not isinstance(operand, Function) or is_aggregate(operand):
            raise self._malformed(operand.at, "aggregate functions are not allowed in a WHERE clause")
        return aggregate.date_part(self._text, operand, self.names)

    # -- what is selected

    def _projection(self) -> tuple[Callable[[Row], dict[str, Any]], tuple[tuple[str, Accessor], ...]]:
        session = self._session
        shape = Shape(session.schema, session.records, session.base)
        columns: dict[str, Accessor] = {}
        for item in self._query.select:
            if isinstance(item, SelectedChildren):
                shape.put(*self._children(item.query))
                continue
            for column, alias in self._selected(item):
                name = alias or ".".join(column.path)
                if name in columns:
                    message = f"duplicate field selected: {name}"
                    raise complaint(self._text, self._query.source_at, "INVALID_FIELD", message)
                columns[name] = column.get
                if alias:
                    shape.put(alias, column.get)
                else:
                    shape.add(column)
        kind = self._sobject.name
        return lambda row: shape.render(kind, row), tuple(columns.items())

    def _selected(self, item: Selected | FieldsOf) -> list[tuple[Column, str | None]]:
        if isinstance(item, FieldsOf):
            limit = self._query.limit
            if item.which != "STANDARD" and (limit is None or limit > MAX_ALL_FIELDS):
                message = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_ALL_FIELDS}"
                raise self._malformed(item.at, message)
            wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}[item.which]
            fields = [one for one in self._sobject.fields.values() if one.custom in wanted]
            return [(self.names.column(Path((one.name,), item.at)), None) for one in fields]
        what = item.what
        if isinstance(what, Function):
            if what.name not in ("TOLABEL", "FORMAT") or what.argument is None:
                raise self._malformed(what.at, f"{what.name} needs a GROUP BY clause")
            return [(self.names.column(what.argument), item.alias)]
        if item.alias is not None:
            raise self._malformed(what.at, "only aggregate expressions use field aliasing")
        return [(self.names.column(what), None)]

    def _children(self, query: Query) -> tuple[str, Accessor]:
        session = self._session
        relationship = self._sobject.children_by(query.source)
        child = session.schema.get(relationship.child) if relationship else None
        if relationship is None or relationship.relationship is None or child is None:
            raise complaint(
                self._text,
                query.source_at,
                "INVALID_TYPE",
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to "
                "use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
                "reference your WSDL or the describe call for the appropriate names.",
            )
        key = relationship.field
        inner = _Statement(self._text, session, query, child)
        render, _ = inner._projection()

        def get(row: Row) -> dict[str, Any] | None:
            rows = session.records.pointing_at(child.name, key, row["Id"])
            seen = [one for one in rows if session.deleted or not one.get("IsDeleted", False)]
            found = inner._cut(inner._ordered(inner._chosen(seen)))
            if not found:
                return None
            return {"totalSize": len(found), "done": True, "records": [render(one) for one in found]}

        return relationship.relationship, get

    def _malformed(self, at: int, message: str) -> ApiError:
        return complaint(self._text, at, "MALFORMED_QUERY", message)


def _has_sub_select(condition: Condition | None) -> bool:
    if condition is None or isinstance(condition, Compare):
        return False
    if isinstance(condition, Among):
        return isinstance(condition.values, Query)
    if isinstance(condition, Negation):
        return _has_sub_select(condition.part)
    return any(_has_sub_select(part) for part in condition.parts)


def _names_own_ids(condition: Condition | None) -> bool:
    """Whether the clause holds only for rows whose Id it spells out, so that no other row need be looked at."""
    if isinstance(condition, All):
        return any(_names_own_ids(part) for part in condition.parts)
    if isinstance(condition, Compare):
        return condition.operator == "=" and _is_id(condition.left) and condition.right.kind == "string"
    if isinstance(condition, Among):
        return not condition.negated and _is_id(condition.left) and not isinstance(condition.values, Query)
    return False


def _names_a_link(condition: Condition | None) -> bool:
    """Whether a condition at the top of the clause names documents or the entities they hang on."""
    if isinstance(condition, All):
        return any(_names_a_link(part) for part in condition.parts)
    if not isinstance(condition, Compare | Among) or not isinstance(condition.left, Path):
        return False
    named = condition.left.parts[-1].lower() in ("contentdocumentid", "linkedentityid")
    return named and (isinstance(condition, Among) or condition.operator == "=")


def _is_id(operand: Operand) -> bool:
    return isinstance(operand, Path) and len(operand.parts) == 1 and operand.parts[0].lower() == "id"
