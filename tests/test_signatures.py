"""Signatures made and verified here: what holds, what does not, and what is said of it."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooklab import samples, verify
from webhooklab.headers import Headers
from webhooklab.providers import PROVIDERS
from webhooklab.signatures import Scheme, Verifier, invent, sign, table
from webhooklab.signatures.limits import MAX_SIGNED_JSON_BYTES
from webhooklab.verification import sign as sign_for
from webhooklab.verification import verifier

NOW = 1_767_225_600
URL = "https://lab.example.com/hooks?kind=a%3Ab"
FORM = "application/x-www-form-urlencoded"
SNS_CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-7ff5318490ec.pem"
SCHEMES = {name: value for name, value in vars(table).items() if isinstance(value, Scheme)}
OF_SNS = dict.fromkeys(("Message", "MessageId", "Timestamp", "TopicArn"), "x")
OF_SNS |= {"Type": "Notification", "SigningCertURL": SNS_CERTIFICATE}
BODY = json.dumps({"id": 1, "value": [{"clientState": ""}], "signature": {}, **OF_SNS}).encode()
each_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))


class Signed:
    """One signed delivery of a scheme, and what verifies it."""

    def __init__(self, scheme: Scheme, body: bytes = BODY, content_type: str = "application/json"):
        self.scheme = scheme
        self.secret = invent(scheme, "a test")
        made = sign(
            [scheme],
            secret=self.secret.signing,
            body=body,
            now_us=NOW * 10**6,
            url=URL,
            content_type=content_type,
        )
        self.headers = Headers([("content-type", content_type), *made.headers])
        self.body, self.url = made.body, made.url

    def check(self, **changed):
        given = {"url": self.url, "now_us": NOW * 10**6} | changed
        secret = given.pop("secret", self.secret.verifying)
        tolerance = given.pop("tolerance", None)
        found = Verifier([self.scheme], secret, tolerance_seconds=tolerance)
        headers, body = given.pop("headers", self.headers), given.pop("body", self.body)
        return found.check(headers, body, **given)

    def with_header(self, name: str, value: str) -> Headers:
        return Headers((n, value if n.lower() == name else v) for n, v in self.headers)


@pytest.fixture(scope="module")
def signed():
    return {name: Signed(scheme) for name, scheme in SCHEMES.items()}


@pytest.mark.parametrize("name", SCHEMES)
class TestEachScheme:
    def test_what_is_signed_here_verifies_here(self, signed, name):
        assert signed[name].check().status == "valid"

    def test_another_secret_does_not(self, signed, name):
        other = invent(SCHEMES[name], "another").verifying
        assert signed[name].check(secret=other).status == "invalid"

    def test_nor_does_a_changed_body(self, signed, name):
        scheme, delivery = SCHEMES[name], signed[name]
        found = delivery.check(body=delivery.body.replace(b'"id":', b'"ie":'))
        assert found.status == ("valid" if scheme.covers else "invalid")

    def test_one_of_several_secrets_will_do(self, signed, name):
        delivery = signed[name]
        both = []
        for secret in (invent(SCHEMES[name], "another").verifying, delivery.secret.verifying):
            both += [secret] if isinstance(secret, str | bytes) else secret
        assert delivery.check(secret=both).status == "valid"

    def test_without_any_signature_it_is_unsigned(self, signed, name):
        assert signed[name].check(headers=Headers(), body=b"{}").status == "unsigned"

    def test_no_secret_is_no_verdict(self, signed, name):
        for secret in ("", b"", [], None):
            found = signed[name].check(secret=secret)
            assert found.status == "unverifiable"
            assert "empty" in found.reason

    def test_the_reason_never_has_the_secret(self, signed, name):
        secret = signed[name].secret.verifying
        for each in [secret] if isinstance(secret, str | bytes) else secret:
            text = each if isinstance(each, str) else each.decode("latin-1")
            for other in (text, text[:-3] + "!!!", "whsec_" + text, text * 2):
                for body in (signed[name].body, b"{}"):
                    found = signed[name].check(secret=other, body=body)
                    assert text not in found.reason
        assert text not in repr(signed[name].secret)

    def test_every_flipped_bit_of_what_is_signed_is_found(self, signed, name):
        """In the body, in the signature and in the headers that are signed."""
        delivery, scheme = signed[name], SCHEMES[name]
        if not scheme.covers:
            for body in flips(delivery.body, limit=400):
                assert delivery.check(body=body).status in ("invalid", "unsigned"), body
        for header in (name.replace("-*", "-1") for name in scheme.headers):
            if header in NOT_SIGNED or header not in delivery.headers:
                continue
            for value in flips(delivery.headers[header].encode("latin-1"), limit=400):
                changed = delivery.with_header(header, value.decode("latin-1"))
                assert delivery.check(headers=changed).status == "invalid", (header, value)


IN_A_HEADER = [name for name, scheme in SCHEMES.items() if scheme.header]


@pytest.mark.parametrize("name", IN_A_HEADER)
def test_a_cut_or_odd_signature_is_invalid(signed, name):
    delivery = signed[name]
    header = SCHEMES[name].header.replace("-*", "-1")
    value = delivery.headers[header]
    for odd in ("", value[:-1], value + "=", value.swapcase(), "\0", "é" * 70, "=", ",", ";;"):
        found = delivery.check(headers=delivery.with_header(header, odd))
        assert found.status == "invalid", odd
    assert delivery.check(headers=delivery.with_header(header, value)).status == "valid"


IN_THE_BODY = [name for name, scheme in SCHEMES.items() if not scheme.header]


@pytest.mark.parametrize("name", IN_THE_BODY)
def test_so_is_one_in_the_body(signed, name):
    delivery, path = signed[name], SCHEMES[name].signature_path
    for odd in ("=", "x", "é" * 70, "\0"):
        body = json.loads(delivery.body)
        place = body["value"][0] if "*" in path else body
        *above, last = [key for key in path.split(".") if key not in ("value", "*")]
        for key in above:
            place = place[key]
        place[last] += odd
        assert delivery.check(body=json.dumps(body).encode()).status == "invalid", odd


NOT_SIGNED = {
    "paypal-cert-url",
    "paypal-auth-algo",
    "x-twilio-webhooks-signature-settings",
    "x-hubspot-signature-version",
}
"""They say how to verify; nobody signs them."""


def flips(value: bytes, limit: int):
    """The value with one bit flipped, for every bit up to the limit, spread over it."""
    bits = len(value) * 8
    for bit in range(0, bits, max(1, bits // limit)):
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


AGED = [name for name, scheme in SCHEMES.items() if scheme.tolerance_seconds]


@pytest.mark.parametrize("name", AGED)
def test_age_is_held_against_the_tolerance(signed, name):
    scheme, delivery = SCHEMES[name], signed[name]
    limit = int(scheme.tolerance_seconds)
    at = {seconds: delivery.check(now_us=(NOW + seconds) * 10**6) for seconds in (limit, limit + 1)}
    assert at[limit].status == "valid"
    assert at[limit + 1].status == "invalid"
    assert f"is {limit + 1} s old, the tolerance is {limit} s" in at[limit + 1].reason
    early = delivery.check(now_us=(NOW - limit - 1) * 10**6)
    assert early.status == ("invalid" if scheme.ahead else "valid")
    wide = delivery.check(now_us=(NOW + limit + 1) * 10**6, tolerance=limit + 1)
    assert wide.status == "valid"
    unknown = delivery.check(now_us=None)
    assert unknown.status == "valid"
    assert "not checked" in unknown.reason


@pytest.mark.parametrize("name", AGED)
def test_a_signed_time_that_is_none_is_refused(name):
    scheme = SCHEMES[name]
    for odd in ("", "soon", "1e9", "-1", "9" * 5_000, "0x10", "\u0661\u0667"):
        message = _signed_at(scheme, odd)
        if message is not None:
            headers, body = message
            found = Verifier([scheme], "whsec_" + base64.b64encode(b"k" * 32).decode()).check(
                headers, body, url=URL, now_us=NOW * 10**6
            )
            assert found.status == "invalid", odd
            assert "timestamp" in found.reason


def _signed_at(scheme: Scheme, time: str) -> tuple[Headers, bytes] | None:
    """What a sender with a broken clock would sign; for the schemes that have it in a header."""
    if scheme.algorithm != "hmac-sha256" or not isinstance(scheme.signed, str):
        return None
    fields = {"{body}": "{}", "{field:t}": time, "{field:ts}": time}
    names = [name for name in scheme.headers if name != scheme.header]
    text = scheme.signed
    for name in names:
        text = text.replace(f"{{header:{name}}}", time)
    for place, value in fields.items():
        text = text.replace(place, value)
    if text == "{}":
        return None
    key = b"k" * 32
    if scheme.key == "text":
        key = b"whsec_" + base64.b64encode(key)
    digest = hmac.digest(key, text.encode(), hashlib.sha256)
    written = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    value = scheme.prefix + written
    if "{field:" in scheme.signed:
        name = "ts" if "{field:ts}" in scheme.signed else "t"
        value = f"{name}={time}{scheme.separator}{value}"
    return Headers([(scheme.header, value), *((name, time) for name in names)]), b"{}"


class TestWhatIsSaid:
    @pytest.mark.parametrize("name", ["MAILGUN", "GRAPH"])
    def test_of_a_signature_inside_json_that_is_too_long_to_look_for_it(self, signed, name):
        body = signed[name].body
        room = MAX_SIGNED_JSON_BYTES - len(body)
        assert signed[name].check(body=b" " * room + body).status == "valid"
        found = signed[name].check(body=b" " * (room + 1) + body)
        assert found.status == "unverifiable"
        assert "JSON of more than 2,097,152 bytes is not read" in found.reason

    def test_of_a_signature_beside_json_of_any_length(self, signed):
        scheme = SCHEMES["LINEAR"]
        delivery = Signed(scheme, b'{"long": "' + b"x" * MAX_SIGNED_JSON_BYTES + b'"}')
        late = delivery.check(now_us=(NOW + 1_000) * 10**6)
        assert (delivery.check().status, late.status) == ("valid", "invalid")
        form = b"timestamp=1&token=t&signature=" + b"0" * 64 + b"&text=" + b"x" * 3_000_000
        typed = Headers([("content-type", FORM)])
        assert Verifier([table.MAILGUN_FORM], "secret").check(typed, form).status == "invalid"

    def test_of_a_url_that_is_missing(self, signed):
        for name in ("TWILIO", "SQUARE", "HUBSPOT", "MANDRILL"):
            found = signed[name].check(url=None)
            assert found.status == "unverifiable"
            assert "pass url=" in found.reason

    def test_of_another_url(self, signed):
        for name in ("TWILIO", "SQUARE", "HUBSPOT", "MANDRILL"):
            found = signed[name].check(url="https://lab.example.com/other")
            assert found.status == "invalid"

    def test_of_a_certificate_that_is_missing(self, signed):
        found = signed["PAYPAL"].check(secret="WH-SAMPLE")
        assert found.status == "unverifiable"
        assert "secret=[webhook_id, certificate]" in found.reason

    @pytest.mark.parametrize(
        "address",
        [
            "https://api.paypal.com.evil.example/v1/notifications/certs/a",
            "http://api.paypal.com/v1/notifications/certs/a",
            "https://api.paypal.com/v1/notifications/certs/../../a",
            "https://evil.example/?https://api.paypal.com/v1/notifications/certs/a",
            "https://api.paypal.com/v1/notifications/certs/a\n",
            "",
        ],
    )
    def test_of_a_certificate_that_is_somebody_elses(self, signed, address):
        delivery = signed["PAYPAL"]
        found = delivery.check(headers=delivery.with_header("paypal-cert-url", address))
        assert found.status == "invalid"
        assert "PAYPAL-CERT-URL" in found.reason

    def test_of_a_body_that_a_relay_wrote_anew(self):
        data = {"a": 1, "text": "é & <b>", "path": "x/y", "list": [1.5, None]}
        compact = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
        delivery = Signed(table.HUB_SHA256, compact)
        for rewritten in (json.dumps(data), json.dumps(data, indent=2)):
            found = delivery.check(body=rewritten.encode())
            assert found.status == "unverifiable"
            assert "relay" in found.reason
        assert delivery.check(body=json.dumps(data | {"a": 2}).encode()).status == "invalid"
        assert delivery.check(body=b"[" * 5_000).status == "invalid"
        assert delivery.check(body=b" " + b"[" * 500_000).status == "invalid"

    def test_of_a_body_in_which_one_letter_was_changed(self):
        """Though to JSON it is the same: an escape in capitals."""
        delivery = Signed(table.HUB_SHA256, b'{"text":"\\u00e9"}')
        assert delivery.check(body=b'{"text":"\\u00E9"}').status == "invalid"

    def test_of_a_secret_that_is_of_another_kind(self):
        found = verify(
            "gitlab", headers={"X-Gitlab-Token": "x"}, body=b"", secret="whsec_" + "A" * 32
        )
        assert found.status == "unverifiable"
        for provider, secret in (
            ("standardwebhooks", "whsec_not base64!"),
            ("discord", "not hex"),
            ("discord", "00" * 31),
            ("sendgrid", "AAAA"),
            ("sendgrid", "-----BEGIN PUBLIC KEY-----"),
            ("paypal", ["WH-1", "-----BEGIN CERTIFICATE-----"]),
            ("postmark", "no colon"),
        ):
            headers = {scheme.header: "x" for scheme in _schemes(provider)}
            found = verify(provider, headers=headers, body=b"{}", secret=secret)
            assert found.status == "unverifiable", provider
            assert len(found.reason) > 20
            with pytest.raises(ValueError, match=_title(provider)):
                verifier(provider, secret)

    def test_of_who_does_not_sign(self):
        found = verify("cloudevents", headers={}, body=b"", secret="x")
        assert found.status == "unsigned"
        assert "Authorization" in found.reason
        found = verify("unisender-go", headers={}, body=b"", secret="x")
        assert found.status == "unverifiable"
        for provider in ("cloudevents", "unisender-go"):
            with pytest.raises(ValueError, match=r"Cloud|Unisender"):
                verifier(provider, "x")
            with pytest.raises(ValueError, match=r"Cloud|Unisender"):
                sign_for(provider, body=b"", secret="x", now=NOW)

    def test_of_who_is_unknown(self):
        with pytest.raises(
            ValueError, match=r"No provider is called 'nobody'\. Known are amazon_ses"
        ):
            verify("nobody", headers={}, body=b"", secret="x")


def _schemes(name):
    return next(each.schemes for each in PROVIDERS if each.name == name)


def _title(name):
    return next(each.title for each in PROVIDERS if each.name == name)


HUB = {"X-Hub-Signature-256": "sha256=" + hmac.digest(b"k", b"{}", "sha256").hex()}


class TestWhatIsTaken:
    @pytest.mark.parametrize(
        "headers",
        [
            HUB,
            list(HUB.items()),
            json.dumps(list(HUB.items())),
            json.dumps(list(HUB.items())).encode(),
            json.dumps(HUB),
            Headers(HUB.items()),
            {name.lower().encode(): value.encode() for name, value in HUB.items()},
            {name.upper(): [value] for name, value in HUB.items()},
            {"other": None, "number": 3} | HUB,
        ],
    )
    def test_headers_in_many_forms(self, headers):
        assert verify("github", headers=headers, body="{}", secret=b"k").status == "valid"

    @pytest.mark.parametrize("body", [b"{}", "{}", bytearray(b"{}"), memoryview(b"{}")])
    def test_bodies_in_many_forms(self, body):
        assert verify("github", headers=HUB, body=body, secret=["a", "k"]).status == "valid"

    @pytest.mark.parametrize("provider", [None, 5, "", "gitub"])
    def test_a_provider_that_is_none(self, provider):
        with pytest.raises(ValueError, match=f"No provider is called {provider!r}"):
            verify(provider, headers=HUB, body=b"", secret="k")

    @pytest.mark.parametrize("headers", ["{broken", "3", 3, [1], [("a",)], "\ud800", None])
    def test_headers_that_are_none(self, headers):
        found = verify("github", headers=headers, body=b"", secret="k")
        assert found.status == "unverifiable"

    @pytest.mark.parametrize(
        "now", [NOW, float(NOW), datetime.fromtimestamp(NOW, UTC), "2026-01-01T00:00:00Z"]
    )
    def test_now_in_many_forms(self, now):
        made = sign_for("stripe", body=b"{}", secret="whsec_x", now=now)
        late = verify("stripe", headers=made.headers, body=b"{}", secret="whsec_x", now=NOW + 412)
        assert late.reason == "the timestamp is 412 s old, the tolerance is 300 s"
        with pytest.raises(ValueError, match="now is no time"):
            verify("stripe", headers=made.headers, body=b"{}", secret="whsec_x", now="soon")

    def test_the_stronger_of_two_signatures_decides(self):
        weak = {"X-Hub-Signature": "sha1=" + hmac.digest(b"k", b"{}", "sha1").hex()}
        assert verify("github", headers=weak, body=b"{}", secret="k").status == "valid"
        both = weak | {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        assert verify("github", headers=both, body=b"{}", secret="k").status == "invalid"

    def test_an_hmac_and_an_ed25519_signature_in_one_header(self):
        old, new = invent(table.STANDARD, "x"), invent(table.STANDARD_ED25519, "x")
        made = [
            sign([scheme], secret=pair.signing, body=b"{}", now_us=NOW * 10**6, message_id="m")
            for scheme, pair in ((table.STANDARD, old), (table.STANDARD_ED25519, new))
        ]
        signatures = " ".join(dict(each.headers)["webhook-signature"] for each in made)
        headers = dict(made[0].headers) | {"webhook-signature": signatures}
        for secret in (old.verifying, new.verifying, [old.verifying, new.verifying]):
            found = verify("standardwebhooks", headers=headers, body=b"{}", secret=secret)
            assert found.status == "valid"

    def test_raw_bytes_are_a_key_of_standard_webhooks(self):
        key = bytes(range(200, 232))
        written = "whsec_" + base64.b64encode(key).decode()
        made = sign_for("svix", body=b"{}", secret=written, now=NOW)
        assert verify("svix", headers=made.headers, body=b"{}", secret=key).status == "valid"
        unpadded = written.rstrip("=")
        assert verify("svix", headers=made.headers, body=b"{}", secret=unpadded).status == "valid"

    def test_signing_while_a_secret_is_rotated(self):
        made = sign_for("stripe", body=b"{}", secret=["old", "new"], now=NOW)
        for secret in ("old", "new"):
            assert (
                verify("stripe", headers=made.headers, body=b"{}", secret=secret).status == "valid"
            )

    def test_signing_says_what_is_missing(self):
        with pytest.raises(ValueError, match="pass url="):
            sign_for("square", body=b"{}", secret="x", now=NOW)
        public = samples.secrets_of("discord").verifying
        with pytest.raises(ValueError, match="private key"):
            sign_for("discord", body=b"{}", secret=public, now=NOW)


class TestTwilio:
    form = b"b=2&a=1&a=0&a=1&c=%C3%A9+%2B"

    def test_a_form(self):
        delivery = Signed(table.TWILIO, self.form, FORM)
        assert delivery.check().status == "valid"
        assert delivery.check(body=b"a=0&a=1&b=2&c=%c3%a9%20%2b").status == "valid"
        assert delivery.check(body=b"a=0&a=1&b=2&c=e").status == "invalid"

    def test_json_is_signed_by_its_hash_in_the_url(self):
        delivery = Signed(table.TWILIO, b'{"a": 1}')
        assert "&bodySHA256=" in delivery.url
        assert delivery.check(body=b'{"a": 2}').reason.startswith("the body was changed")

    @pytest.mark.parametrize(
        ("signed_url", "called"),
        [
            ("https://x.example:443/a", "https://x.example/a"),
            ("https://x.example/a", "https://x.example:443/a"),
            ("http://x.example:80/a?b=c", "http://x.example/a?b=c"),
            ("https://x.example/a", "https://x.example:8443/a"),
        ],
    )
    def test_with_and_without_port(self, signed_url, called):
        made = sign([table.TWILIO], secret="t", body=b"", now_us=0, url=signed_url)
        found = verify("twilio", headers=made.headers, body=b"", secret="t", url=called)
        assert found.status == "valid"

    def test_too_many_fields(self):
        delivery = Signed(table.TWILIO, self.form, FORM)
        assert delivery.check(body=b"a&" * 20_000).status == "invalid"
        assert delivery.check(url="http://[broken").status == "invalid"


hostile_text = st.text(max_size=30) | st.sampled_from(
    ["\ud800", "t=1,v1=", "t=,v1=00", "v1,", "v1a,AA==", "sha256=zz", "ts=1;h1=", "a\0", "=" * 9]
)


@settings(max_examples=250, deadline=None, database=None)
@given(data=st.data())
def test_no_header_and_no_body_makes_it_raise(data):
    provider = data.draw(st.sampled_from([each for each in PROVIDERS if each.schemes]))
    names = [header for scheme in provider.schemes for header in scheme.headers]
    name = st.sampled_from([*names, "content-type", "authorization"]) | hostile_text
    headers = data.draw(st.lists(st.tuples(name, hostile_text), max_size=6))
    body = data.draw(
        st.binary(max_size=40)
        | hostile_text
        | st.sampled_from([b'{"signature":{"timestamp":1}}', b'{"value":[{"clientState":[]}]}'])
    )
    secret = data.draw(
        st.sampled_from(SECRETS) | hostile_text.map(lambda text: text.encode("utf-8", "replace"))
    )
    found = verify(
        provider.name,
        headers=headers,
        body=body,
        secret=secret,
        url=data.draw(st.none() | hostile_text),
        method=data.draw(hostile_text),
        now=data.draw(st.none() | st.just(NOW)),
    )
    assert found.status in ("valid", "invalid", "unsigned", "unverifiable")
    assert found.reason


SECRETS = ["x", "whsec_" + "A" * 32, "00" * 32, ["WH-1"], ["a", "b"], "user:password"]


def test_a_lab_does_not_load_what_only_key_pairs_need():
    code = (
        "import sys, tempfile\n"
        "from webhooklab import Lab, verify\n"
        "with Lab(None) as lab:\n"
        "    verify('github', headers={'X-Hub-Signature-256': 'sha256='}, body=b'', secret='k')\n"
        "    print('cryptography' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "False"
