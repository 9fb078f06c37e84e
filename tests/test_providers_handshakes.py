"""What a provider asks before it sends events, and what it is answered."""

import hashlib
import hmac
import json

import pytest

from tests.provider_cases import request
from webhooklab.headers import Headers
from webhooklab.providers import find, interpret, recognise
from webhooklab.records import Request


def asked(provider: str, received: Request, secret: str | None = None):
    """The answer of the provider that is recognised, which must be this one."""
    assert recognise(received) is find(provider)
    return find(provider).handshake(received, secret)


def called(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""):
    pairs = Headers((headers or {}).items())
    return Request(received_at=0, method=method, target=target, headers=pairs, body=body)


SLACK = {"X-Slack-Signature": "v0=x", "X-Slack-Request-Timestamp": "1"}


def test_slack_is_given_its_challenge():
    body = {"token": "t", "challenge": "3eZbrw1a", "type": "url_verification"}
    for headers in (SLACK, {}):
        answer = asked("slack", request(headers, body))
        assert answer.status == 200
        assert json.loads(answer.body) == {"challenge": "3eZbrw1a"}
    assert asked("slack", request(SLACK, body | {"challenge": 3})) is None


def test_zoom_is_given_its_token_with_a_hash_by_the_secret():
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    answer = asked("zoom", request({"x-zm-signature": "v0=x"}, body), "secret")
    digest = hmac.new(b"secret", b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert json.loads(answer.body) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": digest,
    }
    assert asked("zoom", request({"x-zm-signature": "v0=x"}, body)) is None


def test_zoom_s_token_is_no_way_to_have_a_forged_body_signed():
    token = 'v0:1700000000:{"event":"meeting.started"}'
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    assert asked("zoom", request({"x-zm-signature": "v0=x"}, body), "secret") is None


def test_zoom_s_validation_is_known_by_its_body_alone():
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    assert interpret(request({}, body)).provider == "zoom"
    assert interpret(request({}, {"event": "meeting.started", "payload": {}})).provider is None


def test_discord_is_given_a_pong():
    headers = {"X-Signature-Ed25519": "00", "X-Signature-Timestamp": "1"}
    answer = asked("discord", request(headers, {"type": 1, "application_id": "1", "id": "2"}))
    assert json.loads(answer.body) == {"type": 1}
    assert asked("discord", request(headers, {"type": 1})) == answer
    assert ("Content-Type", "application/json") in answer.headers
    ping = {"version": 1, "type": 0, "application_id": "1"}
    assert asked("discord", request(headers, ping)).status == 204
    for kind in (2, True, "1"):
        assert asked("discord", request(headers, {"type": kind, "application_id": "1"})) is None


def test_meta_is_given_its_challenge_as_text():
    target = "/hooks?hub.mode=subscribe&hub.challenge=%3Cb%3E1158201444&hub.verify_token=mine"
    answer = asked("meta", called("GET", target), "not the verify token")
    assert answer.body == b"<b>1158201444"
    assert ("Content-Type", "text/plain") in answer.headers
    assert ("X-Content-Type-Options", "nosniff") in answer.headers
    assert asked("meta", called("POST", target)) is None
    assert asked("meta", called("GET", target.replace("subscribe", "other"))) is None


def test_microsoft_graph_is_given_its_token_as_text():
    answer = asked("microsoft_graph", called("POST", "/?validationToken=Validation%3A%20Te+st"))
    assert answer.status == 200
    assert answer.body == b"Validation: Te st"
    assert ("Content-Type", "text/plain") in answer.headers
    assert asked("microsoft_graph", called("GET", "/?validationToken=x")) is None


def test_twitch_is_given_its_challenge_as_text():
    headers = {
        "Twitch-Eventsub-Message-Id": "m",
        "Twitch-Eventsub-Message-Type": "webhook_callback_verification",
    }
    body = {"challenge": "pogchamp-kappa-360noscope", "subscription": {"type": "stream.online"}}
    assert asked("twitch", request(headers, body)).body == b"pogchamp-kappa-360noscope"
    headers["Twitch-Eventsub-Message-Type"] = "notification"
    assert asked("twitch", request(headers, body)) is None


def test_dropbox_is_given_its_challenge_as_text():
    answer = asked(
        "dropbox", called("GET", "/?challenge=a%20b", {"User-Agent": "DropboxWebhooks/1.0"})
    )
    assert answer.body == b"a b"
    assert ("X-Content-Type-Options", "nosniff") in answer.headers


def test_a_sender_of_cloudevents_may_send():
    headers = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    answer = asked("cloudevents", called("OPTIONS", "/", headers))
    assert ("WebHook-Allowed-Origin", "eventemitter.example.com") in answer.headers
    assert ("WebHook-Allowed-Rate", "120") in answer.headers
    del headers["WebHook-Request-Rate"]
    answer = asked("cloudevents", called("OPTIONS", "/", headers))
    assert ("WebHook-Allowed-Rate", "*") in answer.headers
    assert asked("cloudevents", called("POST", "/", headers)) is None
    for origin in ("a b", "\x01", "é", "x" * 300, ""):
        odd = called("OPTIONS", "/", {"WebHook-Request-Origin": origin})
        assert asked("cloudevents", odd) is None


@pytest.mark.parametrize("name", ["slack", "zoom", "twitch", "discord", "meta", "dropbox"])
def test_what_is_not_text_is_not_answered(name):
    handshake = find(name).handshake
    for value in (None, 1, [], {}, {"challenge": []}, {"payload": {"plainToken": {}}}, [1]):
        assert handshake(request({}, {"type": "url_verification", "challenge": value}), "s") is None
        assert handshake(request({}, value), "s") is None


@pytest.mark.parametrize(
    ("provider", "headers", "body", "number"),
    [
        ("slack", SLACK | {"X-Slack-Retry-Num": "2"}, {}, 2),
        ("bitbucket", {"X-Event-Key": "repo:push", "X-Attempt-Number": "3"}, {}, 2),
        ("square", {"x-square-hmacsha256-signature": "x", "square-retry-number": "5"}, {}, 5),
        (
            "twitch",
            {"Twitch-Eventsub-Message-Id": "m", "Twitch-Eventsub-Message-Retry": "1"},
            {},
            1,
        ),
        ("hubspot", {"X-HubSpot-Signature": "x"}, [{"attemptNumber": 4}], 4),
        ("docusign", {"X-DocuSign-Signature-1": "x"}, {"retryCount": 7}, 7),
        ("hookdeck", {"X-Hookdeck-EventID": "e", "X-Hookdeck-Attempt-Count": "2"}, {}, 1),
        ("slack", SLACK | {"X-Slack-Retry-Num": "-1"}, {}, None),
        ("slack", SLACK | {"X-Slack-Retry-Num": "9" * 5_000}, {}, None),
        ("slack", SLACK | {"X-Slack-Retry-Num": "\u0661"}, {}, None),
        ("github", {"X-GitHub-Event": "push"}, {}, None),
    ],
)
def test_the_number_of_a_retry(provider, headers, body, number):
    assert find(provider).retries.number_of(request(headers, body)) == number
