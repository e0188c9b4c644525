"""Is this a SOQL statement, and how is it built? A recursive descent over the grammar of the SOQL reference."""

from __future__ import annotations

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.language import (
    AGGREGATES,
    DATE_PARTS,
    PLAIN,
    All,
    Among,
    Any,
    Compare,
    Condition,
    FieldsOf,
    Function,
    Literal,
    Negation,
    Operand,
    Ordering,
    Path,
    Query,
    Selected,
    SelectedChildren,
    SelectItem,
    complaint,
)
from sandbox.salesforce.soql.ranges import COUNTED_RANGES, PLAIN_RANGES
from sandbox.salesforce.soql.tokens import Token, tokens

MAX_STATEMENT = 100_000
MAX_STRING = 4_000
MAX_PATH = 6

_CLAUSES = frozenset(
    {"FROM", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR"}
    | {"UPDATE", "USING", "ALL", "AND", "OR", "ASC", "DESC", "NULLS", "AS"}
)
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_FUNCTIONS = AGGREGATES | DATE_PARTS | PLAIN


def parse(text: str) -> Query:
    """The statement's parts; ApiError MALFORMED_QUERY with the place when it is none."""
    if len(text) > MAX_STATEMENT:
        raise ApiError(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_STATEMENT} characters.")
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected()

    def query(self) -> Query:
        self._expect_word("SELECT")
        select = [self._select_item()]
        while self._accept_sign(","):
            select.append(self._select_item())
        self._expect_word("FROM")
        source = self._name()
        alias = self._alias()
        if self._accept_word("USING"):
            self._expect_word("SCOPE")
            self._name()
        where = self._logical() if self._accept_word("WHERE") else None
        self._with_clause()
        group_by: list[Operand] = []
        having: Condition | None = None
        if self._accept_word("GROUP"):
            self._expect_word("BY")
            group_by = self._list_of_operands()
            having = self._logical() if self._accept_word("HAVING") else None
        order_by = self._order_by()
        limit = self._count() if self._accept_word("LIMIT") else None
        offset_at = self._peek().at
        offset = self._count() if self._accept_word("OFFSET") else None
        self._for_clauses()
        return Query(
            select=tuple(select),
            source=source.text,
            source_at=source.at,
            alias=alias,
            where=where,
            group_by=tuple(group_by),
            having=having,
            order_by=order_by,
            limit=limit,
            offset=offset,
            offset_at=offset_at,
        )

    # -- the select list

    def _select_item(self) -> SelectItem:
        if self._accept_sign("("):
            inner = self.query()
            self._expect_sign(")")
            return SelectedChildren(inner)
        token = self._peek()
        if token.is_word("FIELDS") and self._peek(1).is_sign("("):
            self._next += 2
            which = self._name()
            if not which.is_word("ALL", "STANDARD", "CUSTOM"):
                raise self._unexpected(which)
            self._expect_sign(")")
            return FieldsOf(which.text.upper(), token.at)
        what = self._operand()
        following = self._peek()
        if following.kind == "word" and following.text.upper() not in _CLAUSES:
            self._next += 1
            return Selected(what, following.text)
        return Selected(what, None)

    def _operand(self) -> Operand:
        token = self._name()
        if token.text.upper() in _FUNCTIONS and self._peek().is_sign("("):
            self._next += 1
            if token.is_word("COUNT") and self._accept_sign(")"):
                return Function("COUNT", None, token.at)
            argument = self._path(self._name())
            self._expect_sign(")")
            return Function(token.text.upper(), argument, token.at)
        return self._path(token)

    def _path(self, first: Token) -> Path:
        parts = [first.text]
        while self._accept_sign("."):
            parts.append(self._name().text)
        if len(parts) > MAX_PATH:
            raise self._complaint(first, "SOQL relationships may only reach up 5 levels")
        return Path(tuple(parts), first.at)

    def _list_of_operands(self) -> list[Operand]:
        found = [self._operand()]
        while self._accept_sign(","):
            found.append(self._operand())
        return found

    # -- FROM, WITH, FOR

    def _alias(self) -> str | None:
        if self._accept_word("AS"):
            return self._name().text
        following = self._peek()
        if following.kind == "word" and following.text.upper() not in _CLAUSES:
            self._next += 1
            return following.text
        return None

    def _with_clause(self) -> None:
        """Security modes change nothing here: every field the caller may not see is already missing."""
        if self._accept_word("WITH") and not self._accept_word("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"):
            raise self._unexpected()

    def _for_clauses(self) -> None:
        while self._accept_word("FOR"):
            if not self._accept_word("VIEW", "REFERENCE", "UPDATE"):
                raise self._unexpected()
            while self._accept_sign(","):
                self._name()
        if self._accept_word("UPDATE") and not self._accept_word("TRACKING", "VIEWSTAT"):
            raise self._unexpected()
        if self._peek().is_word("ALL") and self._peek(1).is_word("ROWS"):
            raise self._complaint(self._peek(), "ALL ROWS not allowed in this context")

    # -- conditions

    def _logical(self) -> Condition:
        """AND and OR do not mix without parentheses, and NOT stands only at the front."""
        if self._accept_word("NOT"):
            return Negation(self._simple())
        first = self._simple()
        for word, build in (("AND", All), ("OR", Any)):
            if self._peek().is_word(word):
                parts = [first]
                while self._accept_word(word):
                    parts.append(self._simple())
                return build(tuple(parts))
        return first

    def _simple(self) -> Condition:
        if self._accept_sign("("):
            inner = self._logical()
            self._expect_sign(")")
            return inner
        if self._peek().is_word("NOT"):
            raise self._unexpected()
        left = self._operand()
        token = self._peek()
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._next += 1
            return Compare(left, _COMPARISONS[token.text], self._literal())
        if self._accept_word("LIKE"):
            return Compare(left, "LIKE", self._literal())
        if self._accept_word("IN"):
            return Among(left, False, self._members())
        if token.is_word("NOT"):
            self._next += 1
            self._expect_word("IN")
            return Among(left, True, self._members())
        if token.is_word("INCLUDES", "EXCLUDES"):
            raise self._complaint(token, f"{token.text.upper()} needs a multi-select picklist", "INVALID_FIELD")
        raise self._unexpected()

    def _members(self) -> tuple[Literal, ...] | Query:
        self._expect_sign("(")
        if self._peek().is_word("SELECT"):
            inner = self.query()
            self._expect_sign(")")
            return inner
        values = [self._literal()]
        while self._accept_sign(","):
            values.append(self._literal())
        self._expect_sign(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._peek()
        self._next += 1
        if token.kind == "string":
            if len(token.text) > MAX_STRING:
                raise self._complaint(token, f"string literal exceeds {MAX_STRING} characters")
            return Literal("string", token.text, token.at, token.pattern)
        if token.kind in ("date", "datetime"):
            return Literal(token.kind, token.text, token.at)
        if token.is_sign("+", "-") or token.kind == "number":
            number = token if token.kind == "number" else self._peek()
            if token.kind == "sign":
                self._next += 1
            if number.kind != "number":
                raise self._unexpected(number)
            return Literal("number", -float(number.text) if token.text == "-" else float(number.text), token.at)
        if token.is_word("NULL"):
            return Literal("null", None, token.at)
        if token.is_word("TRUE", "FALSE"):
            return Literal("boolean", token.text.upper() == "TRUE", token.at)
        if token.kind == "word" and token.text.upper() in PLAIN_RANGES:
            return Literal("range", token.text.upper(), token.at)
        if token.kind == "word" and token.text.upper() in COUNTED_RANGES:
            self._expect_sign(":")
            return Literal("range", token.text.upper(), token.at, count=self._count())
        raise self._unexpected(token)

    # -- ORDER BY and numbers

    def _order_by(self) -> tuple[Ordering, ...]:
        if not self._accept_word("ORDER"):
            return ()
        self._expect_word("BY")
        found = [self._ordering()]
        while self._accept_sign(","):
            found.append(self._ordering())
        return tuple(found)

    def _ordering(self) -> Ordering:
        by = self._operand()
        descending = self._accept_word("DESC")
        if not descending:
            self._accept_word("ASC")
        nulls_last = False
        if self._accept_word("NULLS"):
            nulls_last = self._accept_word("LAST")
            if not nulls_last:
                self._expect_word("FIRST")
        return Ordering(by, descending, nulls_last)

    def _count(self) -> int:
        token = self._peek()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._next += 1
        return int(token.text)

    # -- tokens

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _name(self) -> Token:
        token = self._peek()
        if token.kind != "word" or token.is_word("SELECT", "FROM", "WHERE"):
            raise self._unexpected()
        self._next += 1
        return token

    def _accept_word(self, *words: str) -> bool:
        return self._accept(self._peek().is_word(*words))

    def _accept_sign(self, sign: str) -> bool:
        return self._accept(self._peek().is_sign(sign))

    def _accept(self, fits: bool) -> bool:
        self._next += fits
        return fits

    def _expect_word(self, word: str) -> None:
        if not self._accept_word(word):
            raise self._unexpected()

    def _expect_sign(self, sign: str) -> None:
        if not self._accept_sign(sign):
            raise self._unexpected()

    def _unexpected(self, token: Token | None = None) -> ApiError:
        found = token or self._peek()
        return self._complaint(found, f"unexpected token: '{found.text}'")

    def _complaint(self, token: Token, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
        return complaint(self._text, token.at, code, message)
