"""A sample made into a request: with new ids, the time, and the provider's signature."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from webhooklab import clock, providers, verification
from webhooklab.errors import ProviderError
from webhooklab.headers import Pair
from webhooklab.signatures import SecretPair, Secrets, sign

FORM = "application/x-www-form-urlencoded"
_place = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to send. `url` may have become longer than the one that was given."""

    method: str
    url: str
    headers: tuple[Pair, ...] = field(repr=False)
    body: bytes = field(repr=False)


@cache
def _written(name: str) -> dict[str, dict[str, Any]]:
    """What is written down for one provider: event types to headers and body."""
    text = files(__package__).joinpath(f"{name}.json").read_text("utf-8")
    written: dict[str, dict[str, Any]] = json.loads(text)
    return written


@cache
def event_types() -> dict[str, list[str]]:
    """The event types that there are samples of, by provider."""
    found = sorted(each.name for each in files(__package__).iterdir())
    names = [name.removesuffix(".json") for name in found if name.endswith(".json")]
    return {name: list(_written(name)) for name in names}


@cache
def secrets_of(provider: str) -> SecretPair | None:
    """Made-up secrets with which the provider's samples can be signed; None: it does not sign."""
    known = providers.find(provider)
    return verification.invent(known.name, known.name) if known.schemes else None


def build(
    provider: str,
    event_type: str | None = None,
    *,
    now_us: int,
    identity: str,
    secret: Secrets | None = None,
    url: str = "http://127.0.0.1/",
) -> Sample:
    """The sample of an event type (None: the provider's first), as sent at `now_us`.

    `identity` is what its ids are made of: the same one, the same event. `secret`: None: it is not
    signed. `url`: where it will be sent, which some providers sign. Raises `ProviderError` where
    there is no such sample, `CheckArgumentError` for a secret that does not fit.
    """
    known = providers.find(provider)
    written = _chosen(known.name, event_type)
    values = _values(now_us, identity)
    filled = _filled(written, values)
    content_type = filled.get("content_type", FORM if "form" in filled else "application/json")
    body = _body(filled)
    headers = [*filled["headers"].items(), ("Content-Type", content_type)]
    if secret is not None and known.schemes:
        signed = sign(
            known.schemes,
            secret=secret,
            body=body,
            now_us=now_us,
            url=url,
            content_type=content_type,
            message_id=str(values["uuid"]),
        )
        headers, body, url = [*headers, *signed.headers], signed.body, signed.url or url
    return Sample("POST", url, tuple(headers), body)


def _chosen(name: str, event_type: str | None) -> dict[str, Any]:
    known = event_types().get(name)
    if known is None:
        raise ProviderError(
            f"There is no sample of {name}; there are of {', '.join(event_types())}."
        )
    if event_type is not None and event_type not in known:
        raise ProviderError(
            f"Of {name} there are samples of {', '.join(known)}, not {event_type!r}."
        )
    return _written(name)[event_type or known[0]]


def _values(now_us: int, identity: str) -> dict[str, str | int]:
    digest = hashlib.sha256(identity.encode()).hexdigest()
    seconds = now_us // 1_000_000
    return {
        "id": digest[:20],
        "hex": digest[:32],
        "uuid": "-".join(
            (digest[:8], digest[8:12], "4" + digest[13:16], "a" + digest[17:20], digest[20:32])
        ),
        "digits": f"{int(digest[:15], 16):018d}"[:18],
        "int": int(digest[:8], 16),
        "now": clock.to_datetime(now_us).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "now_s": seconds,
        "now_ms": now_us // 1_000,
        "now_text": str(seconds),
    }


def _filled(value: Any, values: dict[str, str | int]) -> Any:
    """The data with its places filled in; a text that is nothing but a place becomes the value."""
    if isinstance(value, dict):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    if not isinstance(value, str):
        return value
    whole = _place.fullmatch(value)
    if whole and whole[1] in values:
        return values[whole[1]]
    return _place.sub(lambda found: str(values.get(found[1], found[0])), value)


def _body(filled: dict[str, Any]) -> bytes:
    if "form" in filled:
        return urlencode(filled["form"]).encode()
    return json.dumps(filled["body"], separators=(",", ":"), ensure_ascii=False).encode()
