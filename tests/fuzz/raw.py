"""Targets as a search that knows only bytes drives them: what they say, and what it begins with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.fuzz import bodies, files, frames, http, providers, signatures
from tests.inputs import files as corpora
from tests.test_find import CASES
from tests.test_signatures import URL
from webhooklab.providers import PROVIDERS
from webhooklab.relay.protocol import encode


@dataclass(frozen=True)
class Raw:
    """`read` makes of any bytes what the target takes."""

    read: Callable[[bytes], Any]
    wholes: Iterable[bytes] | Callable[..., Iterable[bytes]]

    def begun(self, *staged: Any) -> list[bytes]:
        """The inputs to begin with; some are made of what is staged for the target."""
        return list(self.wholes(*staged) if callable(self.wholes) else self.wholes)


def _bytes(data: bytes) -> bytes:
    return data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _body(data: bytes) -> list[tuple[str | None, bytes]]:
    number, body = (data or b"\0")[0], data[1:]
    return [(bodies.TYPES[number % len(bodies.TYPES)], body)]


def _bodies() -> list[bytes]:
    small = [body for body in corpora("hostile/json").values() if len(body) < 2_000]
    types = range(len(bodies.TYPES))
    return [bytes([number]) + body for body in bodies.WHOLES for number in types] + [
        bytes([number % len(types)]) + body for number, body in enumerate(small)
    ]


def _file(names: list[str]) -> Raw:
    """The first byte says which file; an edit puts all the others in the place of its content."""

    def read(data: bytes) -> tuple[str, list[tuple[int, int, bytes]]]:
        return names[(data or b"\0")[0] % len(names)], [(0, 2**20, data[1:])]

    return Raw(
        read, lambda folder: [bytes([at]) + folder.wholes[name] for at, name in enumerate(names)]
    )


SIGNED = {
    provider.name: [each for each in signatures.SIGNED.values() if each.scheme in provider.schemes]
    for provider in PROVIDERS
    if provider.schemes
}
"""Signed deliveries, by their provider."""


def _signed(data: bytes) -> dict[str, object]:
    """Of the first two bytes one says which provider, the other which secret, and whether when."""
    provider, secret = (data + b"\0\0")[:2]
    name = list(SIGNED)[provider % len(SIGNED)]
    known = [(each.secret.verifying, each.url) for each in SIGNED[name]]
    known += [(each, URL) for each in signatures.SECRETS]
    key, url = known[secret % 128 % len(known)]
    headers, body = providers.parts(data[2:])
    return {
        "provider": name,
        "headers": headers,
        "body": body,
        "secret": key,
        "url": url,
        "now": signatures.NOW if secret < 128 else None,
    }


def _signatures() -> Iterable[bytes]:
    for provider, deliveries in enumerate(SIGNED.values()):
        for secret, each in enumerate(deliveries):
            whole = providers.block(each.headers.pairs, each.body)
            yield from (bytes([provider, byte]) + whole for byte in (secret, 128 + secret, 40))


TEXTS = [f"whole{suffix}" for suffix in files.SUFFIXES if suffix != ".parquet"]
"""What is read here; Parquet is read by Arrow, in C++, where nothing is seen."""
FILTERS = [case["filter"].encode() for case in CASES["cases"]]
TIMES = [b"2026-03-04T12:00:00.5+01:00", b"20260304T1200Z", b"1772625600.5", b"-1"]

RAW = {
    "bodies_damaged": Raw(_body, _bodies()),
    "exports_damaged": _file(TEXTS),
    "loaded_whole_or_not_at_all": _file([*TEXTS, *files.FOREIGN]),
    "filters": Raw(_text, FILTERS),
    "instants": Raw(_text, TIMES),
    "relay_frames": Raw(_bytes, [encode(each).encode() for each in frames.FRAMES]),
    "smee_events": Raw(
        lambda data: (data[2:], [*data[:2]]), [b"\5\x20" + each for each in frames.SMEE]
    ),
    "webhookrelay_said": Raw(_bytes, frames.WEBHOOK_RELAY),
    "envelopes": Raw(_bytes, [frames.ENVELOPE, frames.ENVELOPE + b"body"]),
    "interpretations": Raw(_bytes, providers.WHOLES),
    "requests_damaged": Raw(_bytes, http.WHOLES),
    "signatures_invented": Raw(_signed, [*_signatures()]),
}
