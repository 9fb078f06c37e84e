"""Two deliveries, or two answers, held against each other. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape
from typing import Any, Final, TypeAlias

import pandas as pd

from webhooklab import bodies, differences
from webhooklab.defaults import MAX_DIFFERENCE_BYTES
from webhooklab.headers import Headers, Pair
from webhooklab.records import Delivery
from webhooklab.redaction import mask_pairs, mask_query

MAX_LINES: Final = 1_000
MAX_LINE_CHARACTERS: Final = 500
"""Of each side, as it is shown; `patch` is of the whole."""
_BYTES_A_LINE: Final = 16

Row: TypeAlias = tuple[str, str, str]
"""How the sides are here ("=", "~", "-" or "+"), and a line of each."""

_STYLE: Final = """
<style>
.whl-diff {font-family: var(--jp-code-font-family, monospace); font-size: 12px;
  border-collapse: collapse; table-layout: fixed; width: 100%}
.whl-diff td, .whl-diff th {text-align: left !important; vertical-align: top; white-space: pre-wrap;
  overflow-wrap: anywhere; padding: 0 6px; color: var(--jp-ui-font-color1, inherit)}
.whl-diff td:first-child, .whl-diff th:first-child {width: 1.2em}
.whl-diff .gone {background: rgba(213, 94, 0, .22)}
.whl-diff .come {background: rgba(0, 114, 178, .22)}
</style>
"""


@dataclass(frozen=True)
class Side:
    """One of the two: what is said of it in a line each, its headers and its body."""

    name: str
    facts: Mapping[str, str]
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str | None:
        """What the body says it is."""
        return self.headers.get("content-type")


@dataclass(frozen=True, repr=False)
class Diff:
    """What differs between `left` and `right`. In a notebook both, side by side.

    `patch`: the JSON Patch (RFC 6902) that makes the right body of the left one, [] where they say
    the same; None where `why_no_patch` says why there is none.
    """

    left: Side
    right: Side
    patch: list[dict[str, Any]] | None
    why_no_patch: str = ""

    @property
    def headers(self) -> list[tuple[str, list[str], list[str]]]:
        """The headers that differ: name in lower case, the values of each side; masked."""
        shown = [_values(mask_pairs(side.headers.pairs)) for side in (self.left, self.right)]
        left, right = (_values(side.headers.pairs) for side in (self.left, self.right))
        names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
        return [(name, shown[0].get(name, []), shown[1].get(name, [])) for name in names]

    @property
    def same(self) -> bool:
        """Whether nothing differs: what was said of both, headers, and bodies byte for byte."""
        return (
            self.left.facts == self.right.facts
            and not self.headers
            and self.left.body == self.right.body
        )

    def rows(self) -> list[Row]:
        """Both sides, line beside line: facts, headers that differ, bodies."""
        facts = [(f"{k}: {v}", f"{k}: {self.right.facts[k]}") for k, v in self.left.facts.items()]
        known: list[Row] = [("=" if left == right else "~", left, right) for left, right in facts]
        headers: list[Row] = [
            (_mark(left, right), _said(name, left), _said(name, right))
            for name, left, right in self.headers
        ]
        return known + headers + _aligned(*_lines(self.left, self.right))

    def __repr__(self) -> str:
        count = len(self.patch or ())
        changes = f"{count} {'change' if count == 1 else 'changes'} in the body"
        what = self.why_no_patch if self.patch is None else changes
        rows = [row for row in self.rows() if row[0] != "="]
        shown = [f"{mark} {a!r:.90} | {b!r:.90}" for mark, a, b in rows[:40]]
        more = [f"... {len(rows) - 40} more"] if len(rows) > 40 else []
        title = f"<Diff {self.left.name} | {self.right.name}: {what}; headers {len(self.headers)}>"
        return "\n".join([title, *shown, *more])

    def _repr_html_(self) -> str:
        cells = "".join(_html(row) for row in self.rows())
        head = (
            f"<tr><th></th><th>{escape(self.left.name)}</th><th>{escape(self.right.name)}</th></tr>"
        )
        said = f"<p>{escape(self.why_no_patch)}</p>" if self.why_no_patch else ""
        return f'{_STYLE}{said}<table class="whl-diff">{head}{cells}</table>'


def side_of(thing: Delivery | pd.Series) -> Side:
    """A delivery, or a row of `lab.attempts`: the answer of a target. Raises `TypeError`."""
    if isinstance(thing, Delivery):
        query = f"?{mask_query(thing.query_string)}" if thing.query_string else ""
        facts = {"request": f"{thing.method} {thing.path}{query}"}
        return Side(f"delivery {thing.seq}", facts, thing.headers, thing.body)
    if not isinstance(thing, pd.Series) or "response_body" not in thing.index:
        raise TypeError(
            f"{type(thing).__name__} cannot be compared: pass a seq, a delivery (lab[42]) or a row "
            "of lab.attempts (lab.attempts.iloc[-1])."
        )
    return _answer(thing)


def _answer(row: pd.Series) -> Side:
    said, body = row["response_headers_json"], row["response_body"]
    headers = Headers() if pd.isna(said) else Headers.from_json(said)
    names = [name for name in ("status", "error") if name in row.index]
    facts = {name: "" if pd.isna(row[name]) else str(row[name]) for name in names}
    content = body if isinstance(body, bytes) else b""
    return Side(f"answer of {row.get('target', 'a target')}", facts, headers, content)


def diff(left: Side, right: Side) -> Diff:
    """What differs. Never raises for anything that came from the wire."""
    if len(left.body) + len(right.body) > MAX_DIFFERENCE_BYTES:
        return Diff(left, right, None, f"together over {MAX_DIFFERENCE_BYTES:,} bytes: no patch")
    try:
        values = [bodies.parse_json(each.body, each.content_type) for each in (left, right)]
        patch = differences.patch(*values)
    except ValueError:
        return Diff(left, right, None, "not both are JSON: no patch")
    except (RecursionError, TypeError):  # too deep; a number that only Decimal holds
        return Diff(left, right, None, "JSON that no patch can be made of")
    return Diff(left, right, patch)


def _values(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append(value)
    return found


def _said(name: str, values: list[str]) -> str:
    return "\n".join(f"{name}: {value}" for value in values)


def _mark(left: Sized, right: Sized) -> str:
    """How two that differ are shown: changed, gone or come."""
    return ("~" if right else "-") if left else "+"


def _lines(left: Side, right: Side) -> tuple[list[str], list[str]]:
    """Both bodies in the best form that both have: JSON, text, bytes."""
    sides = (left, right)
    for form in (_as_json, _as_text):
        try:
            first, second = (_cut(form(each)) for each in sides)
        except (ValueError, RecursionError, TypeError):
            continue
        return first, second
    first, second = (_cut(_as_bytes(each)) for each in sides)
    return first, second


def _as_json(side: Side) -> Iterator[str]:
    value = bodies.parse_json(side.body, side.content_type)
    # RFC 8259: the order of keys says nothing.
    return iter(
        json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str).split("\n")
    )


def _as_text(side: Side) -> Iterator[str]:
    if b"\0" in side.body:
        raise ValueError("not text")
    return iter(bodies.decode(side.body, side.content_type, errors="strict").split("\n"))


def _as_bytes(side: Side) -> Iterator[str]:
    for start in range(0, len(side.body), _BYTES_A_LINE):
        part = side.body[start : start + _BYTES_A_LINE]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:08x}  {part.hex(' '):<47}  {shown}"


def _cut(lines: Iterator[str]) -> list[str]:
    kept = [line for line, _ in zip(lines, range(MAX_LINES), strict=False)]
    more = ["... more lines"] if next(lines, None) is not None else []
    shown = [
        line if len(line) <= MAX_LINE_CHARACTERS else line[:MAX_LINE_CHARACTERS] + "..."
        for line in kept
    ]
    return shown + more


def _aligned(left: list[str], right: list[str]) -> list[Row]:
    rows: list[Row] = []
    for what, a, b, c, d in SequenceMatcher(None, left, right, autojunk=True).get_opcodes():
        for offset in range(max(b - a, d - c)):
            ours = left[a + offset : a + offset + 1] if a + offset < b else []
            theirs = right[c + offset : c + offset + 1] if c + offset < d else []
            mark = "=" if what == "equal" else _mark(ours, theirs)
            rows.append((mark, "".join(ours), "".join(theirs)))
    return rows


def _html(row: Row) -> str:
    mark, left, right = row
    gone = ' class="gone"' if mark in "~-" else ""
    come = ' class="come"' if mark in "~+" else ""
    shown = "" if mark == "=" else mark
    return (
        f"<tr><td>{shown}</td><td{gone}>{_visible(left)}</td><td{come}>{_visible(right)}</td></tr>"
    )


def _visible(text: str) -> str:
    return escape(
        "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
    )
