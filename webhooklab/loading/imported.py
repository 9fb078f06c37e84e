"""What every reader gives: one delivery of a file, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from string import punctuation
from typing import Any, Final
from urllib.parse import quote, urlsplit

from webhooklab.headers import NAME_CHARACTER, Headers, Pair
from webhooklab.instants import parse_instant
from webhooklab.records import Request
from webhooklab.redaction import MASK
from webhooklab.sources import IMPORTED

_is_token: Final = re.compile(f"{NAME_CHARACTER}{{1,64}}").fullmatch
_breaks: Final = re.compile(r"[\r\n\0]").search
_STATUSES: Final = range(100, 1000)


@dataclass(frozen=True, slots=True)
class Imported:
    """A request of a file; `status` is what its sender got, None where the file does not say."""

    request: Request
    status: int | None = None


class RowError(ValueError):
    """A file has something that is no delivery. `row` says where: "line 3", "entry 7"."""

    def __init__(self, row: str, why: object) -> None:
        super().__init__(f"{row}: {why}")


def imported(
    *,
    received_at: int,
    method: object,
    target: object,
    headers: Iterable[Pair],
    body: bytes,
    remote: object = None,
    status: object = None,
) -> Imported:
    """A delivery of what a file says. Raises `ValueError` for what no request could have been.

    `received_at` is in microseconds since the epoch: see `instant`.
    """
    request = Request(
        received_at=received_at,
        method=_method(method),
        target=_line(target, "target"),
        headers=_headers(headers),
        body=body,
        source=IMPORTED,
        remote=_line(remote, "remote") if remote is not None else None,
    )
    known = isinstance(status, int) and status in _STATUSES
    return Imported(request, int(status) if known else None)  # type: ignore[call-overload]


def instant(value: object) -> int:
    """A time of receipt in microseconds since the epoch. Raises `ValueError` for what is none."""
    when = parse_instant(value)
    if when is None:
        raise ValueError(f"no time of receipt in {_shown(value)}")
    return when


def is_masked(request: Request) -> bool:
    """Whether credentials were masked in the file it is from, so that no signature can be told."""
    return f"={MASK}" in request.query_string or any(v == MASK for _, v in request.headers)


def target_of(url: object) -> str:
    """Path and query of a URL, undecoded; %-encoded is what no request has there (RFC 3986).

    Raises `ValueError`.
    """
    parts = urlsplit(text(url, "url"))
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), punctuation)


def text(value: Any, what: str) -> str:
    """Text that can be stored. Raises `ValueError` for another type, and for lone surrogates."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is no text but {type(value).__name__}")  # noqa: TRY004 - one error
    if not value.isascii():
        value.encode()
    return value


def latin(value: str) -> str:
    """Header text as we keep it, one character a byte: what is beyond was UTF-8 on the wire."""
    return value if max(value, default="") <= "\xff" else value.encode().decode("latin-1")


def _method(value: object) -> str:
    method = text(value, "method")
    if not _is_token(method):
        raise ValueError(f"{_shown(value)} is no method")
    return method


def _headers(given: Iterable[Pair]) -> Headers:
    headers = Headers((name, value) for name, value in given)
    if not _all_fine(headers.pairs):
        for name, value in headers.pairs:
            _line(value, _name(name))
    return headers


def _all_fine(pairs: tuple[Pair, ...]) -> bool:
    """Whether all are header fields: looked at all together, because there are very many."""
    try:
        whole = text("".join(chain.from_iterable(pairs)), "headers")
    except (TypeError, ValueError):
        return False
    named = all(name and ":" not in name for name, _ in pairs)
    return named and _breaks(whole) is None


def _name(value: object) -> str:
    name = _line(value, "header name")
    if not name or ":" in name:
        raise ValueError(f"{_shown(value)} is no header name")
    return name


def _line(value: object, what: str) -> str:
    line = text(value, what)
    if _breaks(line):
        raise ValueError(f"{what} breaks its line")
    return line


def _shown(value: object) -> str:
    return ascii(value)[:60]
