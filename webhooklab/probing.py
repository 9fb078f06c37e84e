"""Does a public URL lead here? A signed test delivery through it, and what became of it.

The test delivery is an ordinary one: it is captured, of the type `webhooklab.check`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx

from webhooklab import clock
from webhooklab.calling import is_here
from webhooklab.defaults import CHECK_TIMEOUT_SECONDS
from webhooklab.envelope import VIA_HEADER
from webhooklab.exposure import Exposure
from webhooklab.records import Delivery
from webhooklab.store import Store
from webhooklab.verification import sign, verify

EVENT_TYPE: Final = "webhooklab.check"
_SCHEME: Final = "standardwebhooks"
_PATH: Final = "check/a%2Fb"
_QUERY: Final = "said=%20twice&said="
_ROWS: Final = 500
_LATER_SECONDS: Final = CHECK_TIMEOUT_SECONDS / 3
"""How long a delivery may take that its sender has been answered for."""
_ADVICE: Final = {
    404: "The Jupyter server does not know this URL (any more): call lab.expose() again.",
    503: "The Jupyter server knows the URL, and finds nobody listening: open the Lab again, and "
    "call lab.expose().",
}
"""What to do when the Jupyter server itself says so."""
_ALTERED: Final = (
    "Something on the way changes what is sent, so that signatures over it cannot be checked here: "
    "look for a proxy, tunnel or relay that rewrites requests."
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way, and how it went."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """What became of a test delivery: `hops` in order, and `advice` where it did not get through.

    `seq` is the delivery's, None when it did not come.
    """

    hops: tuple[Hop, ...]
    seq: int | None
    advice: str | None

    @property
    def ok(self) -> bool:
        """Whether it came, unaltered, with its signature valid."""
        return self.seq is not None and all(hop.ok for hop in self.hops)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        lines = [f"{'ok  ' if hop.ok else 'FAIL'} {hop.name}: {hop.detail}" for hop in self.hops]
        return "\n".join([*lines, *([self.advice] if self.advice else [])])


@dataclass(frozen=True, slots=True)
class _Test:
    """What is sent. `sent_at` is in microseconds since the epoch."""

    message_id: str
    secret: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    sent_at: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back; `status` None: nothing, for the reason in `detail`."""

    status: int | None
    detail: str
    ours: bool = False


def check(exposure: Exposure, store: Store) -> Check:
    """Send a test delivery to the public URL, and follow it into the capture file.

    Blocks for at most `CHECK_TIMEOUT_SECONDS`.
    """
    if exposure.url is None:
        hop = Hop("public URL", ok=False, detail=f"not known yet: {exposure.state}")
        return Check((hop,), None, exposure.blame(None))
    before = store.head
    test = _test()
    path = _PATH if exposure.deep else ""
    answer = _send(f"{exposure.url}{path}", test)
    delivery = _came(store, before, test.message_id, 0.0 if exposure.answers else _LATER_SECONDS)
    first = Hop("public URL", ok=delivery is not None, detail=answer.detail)
    if delivery is None:
        return Check((first,), None, _advice(exposure, answer))
    hops = (first, *_hops(delivery, test, f"/{path}"))
    altered = None if all(hop.ok for hop in hops) else _ALTERED
    return Check(hops, delivery.seq, altered)


def _test() -> _Test:
    now = clock.now_us()
    message_id = f"msg_{secrets.token_hex(12)}"
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    at = clock.to_datetime(now)
    body = json.dumps({"type": EVENT_TYPE, "timestamp": at.isoformat(), "data": {}}).encode()
    signed = sign(_SCHEME, body=body, secret=secret, now=at, message_id=message_id)
    typed = (("Content-Type", "application/json"), *signed.headers)
    return _Test(message_id, secret, signed.body, typed, now)


def _send(url: str, test: _Test) -> _Answer:
    begun = clock.monotonic()
    try:
        with _client(url) as client:
            got = client.post(f"{url}?{_QUERY}", content=test.body, headers=test.headers)
    except httpx.HTTPError as error:
        return _Answer(None, f"no answer ({type(error).__name__}: {error})")
    took = (clock.monotonic() - begun) * 1_000
    ours = VIA_HEADER.lower() in got.headers
    return _Answer(got.status_code, f"answered {got.status_code} in {took:,.0f} ms", ours)


def _client(url: str) -> httpx.Client:
    return httpx.Client(
        timeout=CHECK_TIMEOUT_SECONDS,
        follow_redirects=False,
        trust_env=not is_here(url),
        verify=httpx.create_ssl_context(),  # SSL_CERT_FILE as it is now
    )


def _came(store: Store, before: int, message_id: str, seconds: float) -> Delivery | None:
    """The test delivery, among all that came meanwhile, and within so many seconds from now."""
    deadline = clock.monotonic() + seconds
    while True:
        for row in store.following(before, _ROWS):
            if row.headers.get("webhook-id") == message_id:
                return row
            before = row.seq
        left = deadline - clock.monotonic()
        if store.wait_beyond(before, max(0.0, left)) <= before and left <= 0:
            return None


def _hops(delivery: Delivery, test: _Test, path: str) -> Iterator[Hop]:
    arrived = clock.from_datetime(delivery.received_at)
    committed = clock.from_datetime(delivery.stored_at)
    where = "listener" if delivery.source == "local" else delivery.source
    sender = f", from {delivery.remote}" if delivery.remote else ""
    yield Hop(where, ok=True, detail=f"received after {_ms(arrived - test.sent_at)}{sender}")
    yield Hop(
        "capture file",
        ok=True,
        detail=f"committed +{_ms(committed - arrived)}, as delivery {delivery.seq}",
    )
    altered = _altered(delivery, test, path)
    yield Hop("request", ok=not altered, detail=altered or "arrived as it was sent")
    verified = verify(
        _SCHEME,
        headers=delivery.headers,
        body=delivery.body,
        secret=test.secret,
        now=delivery.received_at,
    )
    yield Hop("signature", ok=verified.status == "valid", detail=verified.status)


def _altered(delivery: Delivery, test: _Test, path: str) -> str:
    parts = {
        "method": delivery.method == "POST",
        "path": delivery.path == path,
        "query": delivery.query_string == _QUERY,
        "body": delivery.body == test.body,
    }
    return ", ".join(f"{name} altered" for name, same in parts.items() if not same)


def _advice(exposure: Exposure, answer: _Answer) -> str:
    if answer.ours and answer.status in _ADVICE:
        return _ADVICE[answer.status]
    return exposure.blame(answer.status)


def _ms(microseconds: int) -> str:
    return f"{microseconds / 1_000:,.0f} ms"
