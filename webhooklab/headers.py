"""HTTP header fields as they came: in order, with duplicates, in the sender's spelling.

Values are text, one character per byte (ISO-8859-1), so that no byte is lost:
`value.encode("latin-1")` gives back what was on the wire (RFC 9110, section 5.5).
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, KeysView
from typing import Final, TypeAlias

import orjson

from webhooklab.redaction import mask_pairs

Pair: TypeAlias = tuple[str, str]

NAME_CHARACTER: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
"""A character of a field's name, or of a method (RFC 9110, section 5.6.2)."""
FIELD_VALUE: Final = r"[\t\x20-\x7e\x80-\xff]*"
"""What may stand in a field (RFC 9110, section 5.5)."""
BODILESS: Final = (204, 304)
"""Statuses whose answers have no body, and so no length of one (RFC 9110, section 8.6)."""
MISFRAMED: Final = "the body's framing is malformed"

_dense = json.JSONEncoder(separators=(",", ":")).encode


class Headers:
    """Header pairs, looked up without regard to case. Immutable. Its repr is masked."""

    __slots__ = ("_first", "pairs")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: tuple[Pair, ...] = tuple(pairs)
        first: dict[str, str] = {}
        for name, value in self.pairs:
            first.setdefault(name.lower(), value)
        self._first = first

    @property
    def names(self) -> KeysView[str]:
        """The names in lower case, each once."""
        return self._first.keys()

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default` when the header is absent."""
        return self._first.get(name.lower(), default)

    def get_list(self, name: str) -> list[str]:
        """All values of `name`, in order; an empty list when the header is absent."""
        wanted = name.lower()
        return [value for key, value in self.pairs if key.lower() == wanted]

    def to_json(self) -> str:
        """The pairs as JSON, a list of `[name, value]`: the column `headers_json`. All ASCII."""
        try:
            text = orjson.dumps(self.pairs)
        except TypeError:  # a lone surrogate
            return _dense(self.pairs)
        is_plain = text.isascii() and b"\x7f" not in text
        return text.decode() if is_plain else _dense(self.pairs)

    @classmethod
    def from_json(cls, text: str) -> Headers:
        """Headers from the column `headers_json`."""
        return cls((name, value) for name, value in json.loads(text))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._first

    def __getitem__(self, name: str) -> str:
        return self._first[name.lower()]

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(mask_pairs(self.pairs))!r})"


def is_misframed(version: str, names: Container[str]) -> bool:
    """Whether a request has chunks in HTTP/1.0, which knows none.

    Who goes by one and who by the other end it in two places: a request may hide between them
    (RFC 9112, sections 6.1 and 11.2). Tornado refuses all else that could be read in two ways.
    """
    return version == "HTTP/1.0" and "Transfer-Encoding" in names


def parse_header_block(block: bytes) -> tuple[Pair, ...]:
    """The pairs of a request's header block, exactly as it was sent.

    For a block that an HTTP parser has already found to be well-formed (RFC 9112: a request
    line, then `name: value` lines); this only keeps what such a parser normalises away.
    """
    lines = block.decode("latin-1").strip("\r\n").split("\n")
    return tuple(_pair(line) for line in lines[1:])


def parse_status_block(block: bytes) -> tuple[int, tuple[Pair, ...]]:
    """Split a response's header block into status and pairs.

    Raises `ValueError` for what does not begin like HTTP/1.1 (RFC 9112, section 4).
    """
    lines = block.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if version != "HTTP/1.1":
        raise ValueError("not HTTP/1.1")
    return int(rest[:3]), tuple(_pair(line) for line in lines[1:])


def _pair(line: str) -> Pair:
    name, _, value = line.partition(":")
    return name, value.strip(" \t\r")
