"""Deliveries signed as their provider would: for samples, tests and the Shop."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from webhooklab import bodies, clock
from webhooklab.errors import CheckArgumentError, SecretError
from webhooklab.headers import Headers, Pair
from webhooklab.signatures.keys import Key, Secrets, read, several
from webhooklab.signatures.material import Material, names
from webhooklab.signatures.plan import Plan
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Signed:
    """What to send: `headers` to add, and body and URL, which some schemes add to."""

    headers: tuple[Pair, ...] = field(repr=False)
    body: bytes = field(repr=False)
    url: str | None = None


def sign(
    schemes: Sequence[Scheme],
    *,
    secret: Secrets,
    body: bytes,
    now_us: int,
    url: str | None = None,
    method: str = "POST",
    content_type: str | None = None,
    message_id: str | None = None,
) -> Signed:
    """Sign a delivery by the first scheme that the secret fits, at `now_us`.

    `message_id` is sent where the scheme has a place for one; None: it follows from body and time.
    Raises `CheckArgumentError` for a secret that does not fit, and where a URL is needed, but None.
    """
    scheme, keys = _fitting(schemes, secret)
    identity = message_id or hashlib.sha256(body + b"%d" % now_us).hexdigest()[:27]
    if url and scheme.address:
        url = scheme.address(url, body, content_type)
    body = _with_fields(scheme, _completed(scheme, body, now_us, identity), now_us, identity)
    beside = _beside(scheme, now_us, identity)
    typed = [("content-type", content_type)] if content_type else []
    material = Material(Headers([*typed, *beside]), body, url=url, method=method)
    material.fields = _fields(scheme, now_us)
    signatures = [_signature(scheme, key, material) for key in keys]
    if scheme.header is None:
        return Signed((), _with(body, scheme.signature_path, signatures[0]), url)
    return Signed((*beside, *_header(scheme, material, signatures)), body, url)


def _fitting(schemes: Sequence[Scheme], secret: Secrets) -> tuple[Scheme, list[Key]]:
    for scheme in schemes:
        keys = read(scheme.key, several(secret))
        if keys:
            return scheme, keys
    raise SecretError("no scheme of this provider signs with a secret of this kind")


def _signature(scheme: Scheme, key: Key, material: Material) -> str:
    if scheme.algorithm == "token":
        token: bytes = key.material
        return token.decode("latin-1")
    if key.material is None:
        raise SecretError("signing needs the private key, in PEM")
    plan = Plan(scheme, [key], None)
    material.extra = key.extra
    try:
        return plan.written(plan.messages(material)[0]).decode()
    except Problem as problem:
        raise CheckArgumentError(str(problem)) from None


def _header(scheme: Scheme, material: Material, signatures: list[str]) -> list[Pair]:
    """All signatures in one header, where it has room for several; else numbered, or the first."""
    assert scheme.header is not None
    written = [scheme.prefix + each for each in signatures]
    if scheme.header.endswith("-*"):
        return [(f"{scheme.header[:-1]}{n}", each) for n, each in enumerate(written, start=1)]
    if scheme.separator is None:
        places = (scheme.header, scheme.second) if scheme.second else (scheme.header,)
        return list(zip(places, written, strict=False))
    fields = [f"{name}={value}" for name, value in material.fields.items()]
    return [(scheme.header, scheme.separator.join([*fields, *written]))]


def _beside(scheme: Scheme, now_us: int, identity: str) -> list[Pair]:
    """The headers that the signature needs beside it: the time, and the message's id."""
    time = _time(scheme, now_us)
    signed = scheme.signed if isinstance(scheme.signed, str) else ""
    timed = names(scheme.timestamp or "", "header")
    pairs = [(name, time if name in timed else identity) for name in names(signed, "header")]
    more = [
        (name, value.replace("{time}", time).replace("{id}", identity))
        for name, value in scheme.beside
    ]
    return [*pairs, *more]


def _fields(scheme: Scheme, now_us: int) -> dict[str, str]:
    return {name: _time(scheme, now_us) for name in names(scheme.timestamp or "", "field")}


def _with_fields(scheme: Scheme, body: bytes, now_us: int, identity: str) -> bytes:
    """The body with what the scheme keeps in it: the time as text if it is signed as such."""
    signed = scheme.signed if isinstance(scheme.signed, str) else ""
    timed = names(scheme.timestamp or "", "json")
    inside = names(signed, "json")
    for path in inside:
        body = _with(body, path, _time(scheme, now_us) if path in timed else identity)
    for path in set(timed) - set(inside):
        body = _with(body, path, int(_time(scheme, now_us)))
    return body


def _completed(scheme: Scheme, body: bytes, now_us: int, identity: str) -> bytes:
    """The body with what the signature needs in it, where that is not there."""
    time, own = _time(scheme, now_us), body.decode("utf-8", "replace")
    for name, value in scheme.inside:
        said = value.replace("{time}", time).replace("{id}", identity).replace("{body}", own)
        body = body if _has(body, name) else _with(body, name, said)
    return body


def _has(body: bytes, name: str) -> bool:
    data = bodies.parse_json(body)
    return isinstance(data, dict) and name in data


def _time(scheme: Scheme, now_us: int) -> str:
    if scheme.unit == "rfc3339":
        return clock.to_datetime(now_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(now_us // (1_000_000 if scheme.unit == "s" else 1_000))


def _with(body: bytes, path: str, value: str | int) -> bytes:
    data = bodies.parse_json(body)
    _put(data, path.split("."), value)
    written = bodies.dump_json(data)
    assert written is not None
    return written


def _put(data: Any, keys: list[str], value: str | int) -> None:
    if keys[0] == "*":
        for item in data if isinstance(data, list) else []:
            _put(item, keys[1:], value)
    elif not isinstance(data, dict):
        raise CheckArgumentError(
            "this provider's signature is inside the body, so that must be an object"
        )
    elif len(keys) == 1:
        data[keys[0]] = value
    else:
        _put(data.setdefault(keys[0], [{}] if keys[1] == "*" else {}), keys[1:], value)
