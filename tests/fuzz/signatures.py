"""Signatures of all schemes: valid for what was signed, and for nothing else."""

from hypothesis import strategies as st

from tests.fuzz.mutations import SPICES, damaged
from tests.fuzz.registry import target
from tests.test_signatures import BODY, NOW, SCHEMES, SECRETS, Signed, hostile_text
from webhooklab import verify
from webhooklab.headers import Headers
from webhooklab.providers import PROVIDERS
from webhooklab.signatures import Verifier

SIGNED = {name: Signed(scheme) for name, scheme in SCHEMES.items()}
BODIES = st.tuples(st.sampled_from(sorted(SIGNED)), damaged([BODY]))
STATUSES = {"valid", "invalid", "unsigned", "unverifiable"}


@target(BODIES, bounded=200)
def bodies_altered(drawn: tuple[str, bytes]) -> None:
    """A signature that covers the body holds for these bytes alone."""
    name, body = drawn
    delivery = SIGNED[name]
    status = delivery.check(body=body).status
    assert status in STATUSES
    if not delivery.scheme.covers and body != delivery.body:
        assert status != "valid"


@st.composite
def headers_altered(draw: st.DrawFn) -> tuple[str, Headers]:
    name = draw(st.sampled_from(sorted(SIGNED)))
    pairs = list(SIGNED[name].headers.pairs)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(pairs) - 1))
        key, value = pairs[at]
        changed = draw(damaged([value.encode("latin-1")], 3)).decode("latin-1")
        pairs[at : at + draw(st.integers(0, 1))] = [(key, changed)] * draw(st.integers(0, 2))
        if not pairs:
            break
    return name, Headers(pairs)


@target(headers_altered(), bounded=200)
def signatures_altered(drawn: tuple[str, Headers]) -> None:
    """Whatever is done to the headers, a body that was not signed is never valid."""
    name, headers = drawn
    delivery = SIGNED[name]
    assert delivery.check(headers=headers).status in STATUSES
    status = delivery.check(headers=headers, body=b'{"forged":1}').status
    assert status in STATUSES
    if not delivery.scheme.covers:
        assert status != "valid"


@st.composite
def invented(draw: st.DrawFn) -> dict[str, object]:
    provider = draw(st.sampled_from([each for each in PROVIDERS if each.schemes]))
    names = [header for scheme in provider.schemes for header in scheme.headers]
    texts = hostile_text | st.sampled_from(SPICES).map(lambda each: each.decode("latin-1"))
    return {
        "provider": provider.name,
        "headers": draw(st.lists(st.tuples(st.sampled_from([*names, "date"]), texts), max_size=6)),
        "body": draw(st.binary(max_size=40) | hostile_text | damaged([BODY])),
        "secret": draw(st.sampled_from(SECRETS)),
        "url": draw(st.none() | hostile_text),
        "method": draw(hostile_text),
        "now": draw(st.none() | st.just(NOW)),
    }


@target(invented(), bounded=200)
def signatures_invented(given: dict[str, object]) -> None:
    """`verify` never raises on anything from the wire, and says why."""
    found = verify(given.pop("provider"), **given)
    assert found.status in STATUSES
    assert found.reason


KEYS = ["secret", b"\0", "whsec_", "whsec_AAAA", "-----BEGIN PUBLIC KEY-----", "a:b", ""]
ONE = st.tuples(st.sampled_from(sorted(SCHEMES)), st.sampled_from(KEYS) | st.text(max_size=30))


@target(ONE, bounded=100)
def secrets_odd(drawn: tuple[str, str]) -> None:
    """A secret of any form is a verdict, and no reason has it."""
    name, secret = drawn
    found = Verifier([SCHEMES[name]], secret).check(
        SIGNED[name].headers, SIGNED[name].body, url=SIGNED[name].url, now_us=NOW * 10**6
    )
    assert found.status in STATUSES - {"valid"}
