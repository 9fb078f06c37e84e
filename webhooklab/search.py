"""The filter language of `lab.find` and of the inbox: what it means, and as SQL.

    order refund            rows that contain both words
    "order refund"          ... this phrase
    type:order.shipped      field:value; type:order also finds order.shipped; * stands for any text
    -path:/test             without
    after:2026-03-01 before:2026-03-01T12:00Z

Letters match without regard to case (A to Z). A word is looked for in the columns of `WORDS` and
in the body. A field that does not exist is not a field: `urn:x` is a word.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from webhooklab.defaults import MAX_FILTER_CHARACTERS, MAX_FILTER_TERMS
from webhooklab.errors import FilterError
from webhooklab.instants import parse_instant

WORDS: Final = (
    *("method", "path", "query_string", "provider"),
    *("event_type", "event_id", "entity_type", "entity_id"),
)
"""The columns in which a word is looked for, beside the body."""

ALIASES: Final = {
    "type": "event_type",
    "id": "event_id",
    "query": "query_string",
    "content": "content_type",
    "reason": "verified_reason",
    "header": "headers_json",
}
"""Short names of fields."""

EXACT: Final = frozenset(
    {
        *("seq", "source", "method", "provider", "event_id", "entity_type", "entity_id"),
        *("entity", "version", "verified", "remote", "status"),
    }
)
"""Fields whose whole value is compared; `event_type` also by its first parts."""

CONTAINS: Final = frozenset(
    {"path", "query_string", "content_type", "verified_reason", "headers_json", "body"}
)
"""Fields in which the value is looked for."""

TIMES: Final = frozenset({"after", "before"})
"""Bounds on `received_at`: at or after, and before."""

_SHORTEST_UNIX_TIME: Final = 9

_TOKEN: Final = re.compile(
    r'(?P<minus>-?)(?:(?P<field>[a-z_]+):)?(?P<value>"(?:\\.|[^"\\])*"?|\S+)'
)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `field` None is a word or a phrase."""

    field: str | None
    value: str
    negated: bool = False


def parse(text: str | None) -> list[Term]:
    """Read a filter; None and "" have no conditions.

    A quote that is still open is closed at the end, so that a filter can be read as it is typed.
    Raises `FilterError` for a time that is none, and for a filter of more than
    `MAX_FILTER_CHARACTERS` or `MAX_FILTER_TERMS`.
    """
    text = text or ""
    if len(text) > MAX_FILTER_CHARACTERS:
        raise FilterError(f"The filter is longer than {MAX_FILTER_CHARACTERS:,} characters.")
    # What is stored has "?" for lone surrogates, which are no text: so has the filter.
    text = text.encode("utf-8", "replace").decode("utf-8")
    terms = [_term(match) for match in _TOKEN.finditer(text)]
    if len(terms) > MAX_FILTER_TERMS:
        raise FilterError(f"The filter has more than {MAX_FILTER_TERMS} conditions.")
    for term in terms:
        if term.field in TIMES and _instant(term.value) is None:
            raise FilterError(
                f"{term.field}:{term.value} is not a time: write it as "
                f"{term.field}:2026-03-01 or {term.field}:2026-03-01T12:30 (UTC)."
            )
    return terms


def _instant(value: str) -> int | None:
    # A short number is rather a year, or a date without its dashes, than a time in 1970.
    is_short_number = value.isdigit() and len(value) < _SHORTEST_UNIX_TIME
    return None if is_short_number else parse_instant(value)


def _term(match: re.Match[str]) -> Term:
    negated = bool(match["minus"])
    field = match["field"]
    name = ALIASES.get(field, field)
    if field is None or name in EXACT | CONTAINS | TIMES | {"event_type"}:
        return Term(name, _unquote(match["value"]), negated)
    return Term(None, _unquote(match[0][negated:]), negated)


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    closed = len(value) > 1 and value.endswith('"')
    return re.sub(r"\\(.)", r"\1", value[1:-1] if closed else value[1:])


def to_sql(terms: list[Term]) -> tuple[str, list[object]]:
    """The conditions as an SQL expression over the table `deliveries`, with its parameters.

    It is for a WHERE, which takes NULL for no. There SQLite looks no further than it must, which
    it does inside functions, such as coalesce: so none is around a condition.
    """
    parts: list[str] = ["1"]
    parameters: list[object] = []
    for term in terms:
        sql, values = _condition(term)
        parts.append(f"({sql}){' IS NOT TRUE' if term.negated else ''}")
        parameters += values
    return " AND ".join(parts), parameters


def _condition(term: Term) -> tuple[str, list[object]]:
    if term.field is None:
        return _word(term.value)
    if term.field in TIMES:
        comparison = ">=" if term.field == "after" else "<"
        return f"received_at {comparison} ?", [_instant(term.value)]
    if term.field in CONTAINS:
        return _contains(term.field, term.value)
    return _whole(term.field, term.value)


def _word(value: str) -> tuple[str, list[object]]:
    found = [_contains(name, value) for name in (*WORDS, "body")]
    sql = " OR ".join(sql for sql, _ in found)
    return sql, [parameter for _, parameters in found for parameter in parameters]


def _contains(name: str, value: str) -> tuple[str, list[object]]:
    # As bytes: a body need not be text, and may have zero bytes in it.
    found = f"instr(CAST(lower(CAST({name} AS TEXT)) AS BLOB), ?) > 0"
    if name == "headers_json":
        value = json.dumps(value)[1:-1]
    if name in ("body", "headers_json"):
        found = f"(SELECT {found} FROM raws WHERE raws.seq = deliveries.seq)"
    return found, [_ascii_lower(value).encode()]


def _whole(name: str, value: str) -> tuple[str, list[object]]:
    if name == "entity":
        return _either(_equals("entity_id", value), _equals("entity_type", value))
    if name == "event_type":
        return _event_type(value)
    return _equals(name, value)


def _event_type(value: str) -> tuple[str, list[object]]:
    exact, values = _either(_equals("event_type", value), _begins("event_type", f"{value}."))
    # What this lets through is looked at again, as in `_equals`.
    likely, pattern = _like("event_type", f"{value}*")
    return f"{likely} AND ({exact})", [*pattern, *values]


def _either(
    one: tuple[str, list[object]], other: tuple[str, list[object]]
) -> tuple[str, list[object]]:
    return f"{one[0]} OR {other[0]}", one[1] + other[1]


def _equals(name: str, value: str) -> tuple[str, list[object]]:
    if "*" in value:
        return _like(name, value)
    # NOCASE is fast but, like LIKE, takes a zero byte for the end: what it lets through is looked
    # at again.
    exact = f"{name} = ? COLLATE NOCASE AND lower(CAST({name} AS TEXT)) = ?"
    return f"({exact})", [value, _ascii_lower(value)]


def _begins(name: str, value: str) -> tuple[str, list[object]]:
    if "*" in value:
        return _like(name, f"{value}*")
    return f"instr(lower({name}), ?) = 1", [_ascii_lower(value)]


def _like(name: str, value: str) -> tuple[str, list[object]]:
    pattern = re.sub(r"([\\%_])", r"\\\1", value).replace("*", "%")
    return f"{name} LIKE ? ESCAPE '\\'", [pattern]


_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _ascii_lower(text: str) -> str:
    return text.translate(_LOWER)
