"""Signatures checked on receipt, by secrets that stay in memory."""

import gc
import hashlib
import hmac
import json
import time

import pytest

from tests.raw_http import Client, post, request
from webhooklab import Lab, providers, samples
from webhooklab.errors import AttachedError, CheckArgumentError, ClosedError, ProviderError
from webhooklab.providers import registering
from webhooklab.verification import sign

SECRET = "correct horse battery staple"


def signed(body, secret=SECRET):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return (f"X-Hub-Signature-256: sha256={mac}", "X-GitHub-Event: ping", "X-GitHub-Delivery: 1")


def send(lab, *headers, body=b'{"zen": 1}', path="hooks"):
    status = post(lab.url, body, path, headers).status
    return status, lab[-1]


def test_without_a_check_nobody_has_looked(lab):
    assert send(lab, *signed(b'{"zen": 1}'))[1].verified == "unchecked"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        (signed(b'{"zen": 1}'), "valid"),
        (signed(b'{"zen": 1}', "wrong"), "invalid"),
        ((), "unsigned"),
        (signed(b'{"zen": 2}'), "invalid"),
    ],
)
@pytest.mark.parametrize("reject", [False, True])
def test_each_delivery_gets_a_verdict_and_is_kept(lab, headers, verdict, reject):
    lab.verify_with("github", SECRET, reject=reject)
    status, delivery = send(lab, *headers)
    assert delivery.verified == verdict
    assert delivery.verified_reason
    refused = reject and verdict in ("invalid", "unsigned")
    assert status == delivery.status == (401 if refused else 200)


def test_the_time_of_receipt_counts(lab):
    lab.verify_with("standardwebhooks", "whsec_" + "A" * 32)
    old = samples.build(
        "standardwebhooks", now_us=1_000_000_000_000_000, identity="1", secret="whsec_" + "A" * 32
    )
    headers = [f"{name}: {value}" for name, value in old.headers]
    delivery = send(lab, *headers, body=old.body)[1]
    assert delivery.verified == "invalid"
    assert "tolerance" in delivery.verified_reason


def test_a_delivery_cannot_escape_by_looking_like_somebody_elses(lab):
    lab.verify_with("github", SECRET)
    assert send(lab, "Stripe-Signature: t=1,v1=00")[1].verified == "unsigned"


def test_checks_go_by_path_the_longest_first_and_providers_stand_side_by_side(lab):
    lab.verify_with("github", "another")
    lab.verify_with("github", SECRET, path="/hooks/deep")
    lab.verify_with("stripe", "whsec_x", path="/hooks")
    body = b'{"zen": 1}'
    assert send(lab, *signed(body), path="hooks")[1].verified == "invalid"
    assert send(lab, path="hooks")[1].verified == "unsigned"
    assert send(lab, *signed(body), path="hooks/deep/er")[1].verified == "valid"
    assert send(lab, *signed(body), path="else")[1].verified == "invalid"
    lab.verify_with("github", SECRET)  # in place of the first
    assert send(lab, *signed(body), path="else")[1].verified == "valid"


def test_several_secrets_while_one_is_rotated(lab):
    lab.verify_with("github", ["new", SECRET])
    body = b'{"zen": 1}'
    assert send(lab, *signed(body, "new"))[1].verified == "valid"
    assert send(lab, *signed(body))[1].verified == "valid"


def test_discord_sees_a_wrongly_signed_ping_refused(lab):
    keys = samples.secrets_of("discord")
    body = b'{"type":1}'
    signed_now = sign("discord", body=body, secret=keys.signing, now=time.time())
    good = [f"{name}: {value}" for name, value in signed_now.headers]
    bad = ["X-Signature-Ed25519: " + "00" * 64, "X-Signature-Timestamp: 1700000000"]
    assert post(lab.url, body, "hooks", bad).status == 200  # nobody can tell
    lab.verify_with("discord", keys.verifying)
    answers = [post(lab.url, body, "hooks", headers) for headers in (good, bad)]
    assert [
        (each.status, lab[seq].verified) for each, seq in zip(answers, (2, 3), strict=True)
    ] == [
        (200, "valid"),
        (401, "invalid"),
    ]
    assert answers[0].body == b'{"type":1}'


def test_what_was_captured_earlier_can_be_checked(lab):
    send(lab, *signed(b'{"zen": 1}'))
    send(lab, *signed(b'{"zen": 1}', "wrong"))
    send(lab, *signed(b'{"zen": 1}'), path="else")
    assert set(lab.events["verified"]) == {"unchecked"}
    lab.verify_with("github", SECRET, path="/hooks", earlier=True)
    assert list(lab.events["verified"]) == ["valid", "invalid", "unchecked"]


def test_it_survives_columns_derived_again(lab):
    lab.verify_with("github", SECRET)
    send(lab, *signed(b'{"zen": 1}'))
    lab.map(entity_id="zen")
    assert lab.events["verified"].tolist() == ["valid"]


def test_the_lab_s_own_url_is_what_is_signed_unless_another_is_named(lab):
    for url, verdict in ((None, "valid"), ("https://public.example/hooks", "invalid")):
        lab.verify_with("twilio", "token", path="/hooks", url=url)
        sample = samples.build(
            "twilio", now_us=1_700_000_000_000_000, identity="1", secret="token",
            url=lab.url + "hooks",
        )  # fmt: skip
        headers = [f"{name}: {value}" for name, value in sample.headers]
        assert send(lab, *headers, body=sample.body)[1].verified == verdict


@pytest.mark.parametrize(
    ("provider", "secret", "told"),
    [
        ("nobody", SECRET, "No provider is called"),
        ("github", "", r"not set\?$"),
        ("standardwebhooks", "whsec_!!!" + SECRET, "base64"),
        ("cloudevents", SECRET, "not signed"),
        ("github", 42, "a secret is text or bytes"),
    ],
)
def test_what_cannot_be_checked_with_is_said_without_the_secret(lab, provider, secret, told):
    with pytest.raises(CheckArgumentError, match=told) as raised:
        lab.verify_with(provider, secret)
    assert SECRET not in str(raised.value)


def test_the_secret_is_nowhere_but_in_memory(lab, file, caplog):
    check = lab.verify_with("github", SECRET, reject=True)
    send(lab, *signed(b'{"zen": 1}', "wrong"))
    said = repr(check) + repr(lab) + lab.events.to_csv() + lab.log.to_csv() + caplog.text
    lab.close()
    stored = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert SECRET not in said
    assert SECRET.encode() not in stored


def test_who_does_not_listen_does_not_check(file):
    with Lab(file) as lab:
        pass
    with pytest.raises(ClosedError):
        lab.verify_with("github", SECRET)
    assert issubclass(AttachedError, Exception)


class TestHandshakes:
    def slack(self, lab, path="slack"):
        body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"}).encode()
        return post(lab.url, body, path, ("Content-Type: application/json",))

    def test_a_challenge_is_answered_and_carries_no_event(self, lab):
        assert json.loads(self.slack(lab).body) == {"challenge": "abc"}
        delivery = lab[-1]
        assert (delivery.provider, delivery.event_count) == ("slack", 0)
        assert delivery.event_type == "url_verification"
        assert delivery.entity_id is None
        assert lab.unbatched.empty

    def test_it_stays_one_when_columns_are_derived_again(self, lab):
        self.slack(lab)
        lab.map(entity_id="challenge")
        assert lab[-1].event_count == 0
        assert lab[-1].entity_id is None

    def test_meta_s_is_a_get(self, lab):
        target = "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=x"
        with Client(lab.url) as client:
            answer = client.ask(request("GET", "/" + target))
        assert answer.body == b"42"
        assert lab[-1].event_count == 0

    def test_zoom_s_needs_the_secret(self, lab):
        body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"p"}}'
        head = ("x-zm-signature: v0=0", "x-zm-request-timestamp: 1")
        assert post(lab.url, body, "zoom", head).body == b""
        lab.verify_with("zoom", SECRET, path="/zoom")
        told = json.loads(post(lab.url, body, "zoom", head).body)
        assert told["encryptedToken"] == hmac.new(SECRET.encode(), b"p", "sha256").hexdigest()

    def test_a_rule_does_not_stand_in_its_way_but_a_wrong_signature_does(self, lab):
        lab.respond(503)
        assert self.slack(lab).status == 200
        lab.verify_with("slack", SECRET, reject=True)
        assert self.slack(lab).status == 401

    @pytest.mark.parametrize(
        ("provider", "method", "query", "answer"),
        [
            ("whatsapp", "GET", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=abc", b"abc"),
            ("graph", "POST", "validationToken=abc", b"abc"),
            ("dropbox", "GET", "challenge=abc", b"abc"),
        ],
    )
    def test_one_that_is_never_signed_is_not_refused_for_that(
        self, lab, provider, method, query, answer
    ):
        lab.verify_with(provider, SECRET, reject=True)
        with Client(lab.url) as client:
            assert client.ask(request(method, f"/?{query}")).body == answer
            assert (lab[-1].status, lab[-1].verified) == (200, "unsigned")
            assert client.ask(request(method, "/")).status == 401

    def test_but_only_if_its_provider_is_the_one_that_is_checked(self, lab):
        lab.verify_with("github", SECRET, reject=True)
        with Client(lab.url) as client:
            assert client.ask(request("GET", "/?challenge=abc")).status == 401

    def test_one_that_fails_loses_no_delivery(self, lab):
        before = providers.registered()

        def broken(request, secret):
            if secret != "any":
                raise RuntimeError("registered by a user")
            return providers.find("slack").handshake(request, secret)

        providers.register("acme", header="x-acme", handshake=broken)
        try:
            body = b'{"type":"url_verification","challenge":"abc"}'
            assert post(lab.url, body, "acme", ("x-acme: 1",)).status == 200
        finally:
            registering._registry = registering.Registry(before)
        assert lab[-1].provider == "acme"

    def test_off_with_one_switch(self, file):
        with Lab(file, handshakes=False) as lab:
            assert self.slack(lab).body == b""
            assert lab[-1].event_count == 0


class TestSamples:
    @pytest.mark.parametrize("provider", samples.event_types())
    def test_every_sample_arrives_recognised_and_valid(self, lab, provider):
        delivery = lab.send_sample(provider)
        assert delivery.provider == provider
        assert delivery.verified == ("unchecked" if provider == "cloudevents" else "valid")
        assert delivery.status == 200

    def test_a_tampered_one_is_invalid_and_still_read(self, lab):
        delivery = lab.send_sample("github", tampered=True)
        assert delivery.verified == "invalid"
        assert delivery.event_type == "issues.opened"
        assert delivery.json()

    def test_it_is_signed_with_the_secret_that_was_given(self, lab):
        lab.verify_with("stripe", "whsec_mine")
        assert lab.send_sample("stripe", "payment_intent.succeeded").verified == "valid"
        assert lab.send_sample("stripe", secret="whsec_other").verified == "invalid"

    def test_made_up_secrets_do_not_outlive_real_ones(self, lab):
        lab.send_sample("github")
        lab.verify_with("github", SECRET, path="/github")
        assert lab.send_sample("github").verified == "valid"
        assert send(lab, *signed(b"{}"), body=b"{}", path="github")[1].verified == "valid"

    def test_what_there_is_no_sample_of(self, lab):
        with pytest.raises(ProviderError, match="Of github there are samples of"):
            lab.send_sample("github", "nothing.happened")
        with pytest.raises(ProviderError, match="There is no sample of jira; there are of"):
            lab.send_sample("jira")


class TestRetries:
    def test_the_delays_beside_the_published_ones(self, lab):
        lab.respond(503, times=2)
        lab.send_sample("svix", again=2)
        lab.send_sample("svix")
        found = lab.retries()
        assert found["attempt"].tolist() == [0, 1, 2]
        assert found["answered"].isna().tolist() == [True, False, False]
        assert found["answered"].tolist()[1:] == [503, 503]
        assert (found["waited"].dropna().dt.total_seconds() > 0).all()
        assert found["published"].dt.total_seconds().tolist()[1:] == [5, 300]
        assert lab.retries("stripe").empty

    def test_what_the_delivery_says_of_itself(self, lab):
        body = b'{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}'
        for number in ("", "1", "2"):
            head = ("X-Slack-Request-Timestamp: 1", "X-Slack-Signature: v0=0")
            more = (f"X-Slack-Retry-Num: {number}",) if number else ()
            post(lab.url, body, "slack", (*head, *more, "Content-Type: application/json"))
        assert lab.retries()["number"].tolist()[1:] == [1, 2]

    def test_in_a_notebook_there_is_a_picture_and_without_retries_a_sentence(self, lab):
        pytest.importorskip("matplotlib")
        assert "No event" in lab.retries()._repr_html_()
        lab.send_sample("github", again=1)
        page = lab.retries()._repr_html_()
        assert "data:image/png" in page
        axes = lab.retries().plot()
        axes.figure.canvas.draw()
        assert "1 s" in [each.get_text() for each in axes.get_yticklabels()]
        axes.figure.clear()
        gc.collect()


def test_what_is_not_valid_is_not_fetched_for(lab):
    fetcher = lab.fetch_related("http://127.0.0.1:9/orders/{id}", name="one")
    lab.verify_with("github", SECRET)
    send(lab, body=b'{"id": 1}')
    fetcher.drain()
    assert "signature is unsigned" in lab.fetches["error"].iloc[0]
