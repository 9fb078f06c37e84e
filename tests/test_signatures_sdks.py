"""The providers' own libraries and ours believe each other, and doubt the same."""

import json
import random
import time
from urllib.parse import urlencode

import pytest

from tests.signature_sdks import SDKS, URL, VERIFY_ONLY, secrets
from webhooklab import verify
from webhooklab.verification import sign

DELIVERIES = 250
"""For each library and direction."""
FORM = "application/x-www-form-urlencoded"
WORDS = ("é", "李小龍", "\U0001f34e", "a b", "%41", "+", "&=", '"', "\\", "</script>", "\u2028", "")


@pytest.fixture(params=SDKS)
def sdk(request):
    """A library, or a skip that says which is not installed."""
    return SDKS[request.param]()


def bodies(*, is_form: bool):
    chance = random.Random(7)
    for number in range(DELIVERIES):
        fields = {
            f"{chance.choice(WORDS)}k{each}": "".join(chance.choices(WORDS, k=3))
            for each in range(chance.randrange(6))
        }
        if is_form:
            yield urlencode(fields)
        else:
            spaces = chance.choice([None, 2])
            yield json.dumps({"n": number} | fields, indent=spaces, ensure_ascii=number % 2 == 0)


def ours(sdk, headers, body, secret) -> str:
    typed = headers | {"content-type": FORM if sdk.is_form else "application/json"}
    found = verify(
        sdk.provider, headers=typed, body=body.encode(), secret=secret, url=URL, now=time.time()
    )
    return found.status


def changed(body: str, chance: random.Random) -> str:
    """One bit of one letter is another."""
    places = [place for place, letter in enumerate(body) if letter.isalnum() and letter.isascii()]
    place = chance.choice(places)
    return body[:place] + chr(ord(body[place]) ^ 1) + body[place + 1 :]


@pytest.mark.parametrize("sdk", [name for name in SDKS if name not in VERIFY_ONLY], indirect=True)
def test_what_it_signs_verifies_here(sdk):
    signing, verifying = secrets(sdk.provider)
    for body in bodies(is_form=sdk.is_form):
        assert ours(sdk, sdk.signs(body, signing), body, verifying) == "valid", body


def test_what_is_signed_here_it_believes(sdk):
    signing, verifying = secrets(sdk.provider)
    chance, doubted = random.Random(8), 0
    for body in bodies(is_form=sdk.is_form):
        made = sign(
            sdk.provider,
            body=body.encode(),
            secret=signing,
            now=time.time(),
            url=URL,
            content_type=FORM if sdk.is_form else "application/json",
        )
        headers = dict(made.headers)
        assert sdk.believes(headers, body, verifying), body
        if any(letter.isalnum() for letter in body):
            other = changed(body, chance)
            assert not sdk.believes(headers, other, verifying)
            assert ours(sdk, headers, other, verifying) == "invalid", other
            doubted += 1
    assert doubted > DELIVERIES / 2


def test_another_secret_is_doubted_by_both(sdk):
    signing, _ = secrets(sdk.provider)
    made = sign(
        sdk.provider,
        body=b"a=1" if sdk.is_form else b"{}",
        secret=signing,
        now=time.time(),
        url=URL,
        content_type=FORM if sdk.is_form else "application/json",
    )
    body, headers = made.body.decode(), dict(made.headers)
    other = {"discord": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}
    other["sendgrid"] = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt"
        "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="
    )
    secret = other.get(sdk.provider, "whsec_" + "B" * 32)
    assert not sdk.believes(headers, body, secret)
    assert ours(sdk, headers, body, secret) == "invalid"
