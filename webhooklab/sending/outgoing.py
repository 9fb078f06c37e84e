"""A delivery as the request that is sent on: exactly what came, but for what belongs to one hop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from webhooklab.errors import SendArgumentError
from webhooklab.headers import Headers, Pair
from webhooklab.records import Delivery
from webhooklab.redaction import MASK, is_secret_header, is_secret_parameter
from webhooklab.sending.targets import Target
from webhooklab.sources import REPLAY_HEADER

FORWARDED_HEADER: Final = "webhooklab-forwarded"
"""Says which capture files have forwarded a delivery, so that none does so twice."""
KEY_HEADER: Final = "webhooklab-idempotency-key"
"""The same for all tries of one forward at one delivery."""

NewBody: TypeAlias = bytes | str | dict[str, Any] | list[Any]
"""Bytes as they are, text as UTF-8, a dict or a list as JSON."""
Changes: TypeAlias = Mapping[str, str | None] | None
"""Headers to send in place of a delivery's own; None takes one away."""
Transform: TypeAlias = Callable[[Delivery], Any]

_ONE_HOP: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
    }
)
"""RFC 9110, section 7.6.1, with what older proxies send; the body is here, so nobody is to wait."""
_FRAMING: Final = frozenset({"host", "content-length"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request to send. `shown` is its URL without secrets; `seq` as in the delivery's file."""

    seq: int
    method: str
    url: str
    raw_target: bytes
    headers: tuple[Pair, ...] = field(repr=False)
    body: bytes = field(repr=False)
    shown: str


def outgoing(delivery: Delivery, target: Target) -> Outgoing:
    """The request that sends a delivery to a target. Raises `PathRefused`."""
    raw_target, url = target.address_for(delivery.path, delivery.query_string)
    return Outgoing(
        seq=delivery.seq,
        method=delivery.method,
        url=url,
        raw_target=raw_target,
        headers=_passed_on(delivery.headers, target.host.decode("ascii"), delivery.body),
        body=delivery.body,
        shown=target.shown_for(delivery.path),
    )


def _passed_on(headers: Headers, host: str, body: bytes) -> tuple[Pair, ...]:
    """Headers in order, with duplicates, but those of one hop; Host and length where they were."""
    named = {
        name.strip().lower()
        for value in headers.get_list("connection")
        for name in value.split(",")
    }
    leave = (_ONE_HOP | named) - _FRAMING
    ours = {"host": host, "content-length": str(len(body))}
    kept: list[Pair] = [] if "host" in headers else [("Host", host)]
    for name, value in headers:
        lower = name.lower()
        if lower in _FRAMING:
            if lower in ours:  # the first of several
                kept.append((name, ours.pop(lower)))
        elif lower not in leave:
            kept.append((name, value))
    return tuple(kept)


def with_headers(pairs: Iterable[Pair], changes: Changes) -> tuple[Pair, ...]:
    """The pairs with some set, where they were or at the end, or taken away (None)."""
    left = dict(changes or {})
    spelled = {name.lower(): name for name in left}
    kept: list[Pair] = []
    for name, value in pairs:
        key = spelled.get(name.lower())
        if key is None:
            kept.append((name, value))
        elif left.get(key) is not None:
            kept.append((name, str(left.pop(key))))
    return (*kept, *((name, value) for name, value in left.items() if value is not None))


def check_headers(changes: Changes) -> None:
    """Raise `SendArgumentError` for headers= that cannot be sent; no value is in its text."""
    if not isinstance(changes, Mapping | None):
        raise SendArgumentError("headers=: pass a dict of names and texts; None takes one away.")
    for name, value in (changes or {}).items():
        if not isinstance(name, str) or not (value is None or isinstance(value, str)):
            raise SendArgumentError(
                f"headers=: {name!r} needs a text, or None to leave that header out."
            )
        if name.lower() in _FRAMING | _ONE_HOP:
            raise SendArgumentError(f"headers=: {name} is set by what sends: leave it out.")


def body_from(given: object) -> bytes:
    """The bytes of a new body. Raises `SendArgumentError`."""
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    if isinstance(given, dict | list):
        try:
            return json.dumps(given, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise SendArgumentError(
                f"The body cannot be sent as JSON: {type(error).__name__}."
            ) from None
    raise SendArgumentError(
        f"A body is bytes, str, or a dict or list (sent as JSON), not {type(given).__name__}."
    )


def without_ours(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """The pairs without those that this package adds when it sends something on."""
    ours = (FORWARDED_HEADER, KEY_HEADER, REPLAY_HEADER)
    return tuple(pair for pair in pairs if not pair[0].lower().startswith(ours))


def with_body(request: Outgoing, body: bytes, *, plain: bool = False) -> Outgoing:
    """The request with another body, and its length; `plain`: it has no content coding."""
    changes: dict[str, str | None] = {"Content-Length": str(len(body))}
    if plain:
        changes["Content-Encoding"] = None
    return replace(request, body=body, headers=with_headers(request.headers, changes))


def has_credentials(headers: Iterable[Pair], query_string: str) -> bool:
    """Whether a request carries what opens doors; what was masked in an export does not."""
    if any(is_secret_header(name) and value != MASK for name, value in headers):
        return True
    parts = (part for each in query_string.split("&") for part in each.split(";"))
    fields = (part.partition("=") for part in parts)
    return any(is_secret_parameter(name) and value not in ("", MASK) for name, _, value in fields)
