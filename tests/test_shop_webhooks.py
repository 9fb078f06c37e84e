"""Webhooks as a subscriber gets them, without faults."""

from __future__ import annotations

import hmac
import threading
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.shop_parts import TIMEOUT_SECONDS, Answer, Receiver, Request
from webhooklab import Lab, samples
from webhooklab.demo import DrainTimeout, Shop, ShopArgumentError
from webhooklab.demo.defaults import MAX_ATTEMPTS_IN_FLIGHT, RETRY_DELAYS_SECONDS
from webhooklab.providers import PROVIDERS, Provider

ATTEMPTS = len(RETRY_DELAYS_SECONDS) + 1


def test_every_change_arrives_once_signed_and_in_order() -> None:
    with Receiver() as receiver, Shop(seed=3, webhook_url=receiver.url) as shop:
        changes = shop.advance(150)
        shop.drain()
        truth, judge = shop.truth, Webhook(shop.secret)
        for request in receiver.requests:
            judge.verify(request.body, request.headers)
        for change in changes:
            (request,) = receiver.of(change.event_id)
            assert request.json()["type"] == change.event_type
            assert request.json()["data"] == change.state
            assert request.json()["timestamp"] == change.state["updated_at"]
            versions = receiver.versions(change.entity_id)
            assert versions == sorted(versions)
    assert len(receiver.requests) == 150
    assert (truth.outcome == "delivered").all()
    assert (truth.attempts == 1).all()
    assert (truth.delivered_at > truth.occurred_at).all()
    flags = truth[["lost", "duplicate", "reordered", "delayed"]]
    assert not flags.any(axis=None)


def test_another_secret_or_a_changed_body_does_not_verify() -> None:
    with Receiver() as receiver, Shop(webhook_url=receiver.url) as shop, Shop() as other:
        shop.advance()
        (request,) = receiver.wait(1)
        with pytest.raises(WebhookVerificationError):
            Webhook(other.secret).verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(shop.secret).verify(request.body + b" ", request.headers)


def test_a_secret_of_ones_own_signs() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    with Receiver() as receiver, Shop(secret=secret, webhook_url=receiver.url) as shop:
        shop.advance()
        (request,) = receiver.wait(1)
    Webhook(secret).verify(request.body, request.headers)


SIGNING = [each for each in PROVIDERS if each.schemes]


@pytest.mark.parametrize("provider", SIGNING, ids=lambda each: each.name)
def test_it_signs_as_any_provider_does(lab: Lab, provider: Provider) -> None:
    name = provider.name
    with Shop(seed=3, scheme=name, webhook_url=lab.url + name) as shop:
        lab.verify_with(shop.scheme, shop.secret)
        (change,) = shop.advance()
        shop.drain()
        delivery = lab[-1]
        assert (delivery.verified, delivery.status) == ("valid", 200), delivery.verified_reason
        assert delivery.json()["data"] == change.state
        lab.verify_with(name, samples.secrets_of(name).verifying, earlier=True)
    assert lab[-1].verified == "invalid"


def test_as_github_and_only_so(lab: Lab) -> None:
    with Shop(scheme="github", webhook_url=lab.url) as shop:
        shop.advance()
        shop.drain()
        assert "signs as github" in repr(shop)
        assert shop.secret not in repr(shop) + repr(shop._signing)
    headers = lab[-1].headers
    digest = hmac.digest(shop.secret.encode(), lab[-1].body, "sha256").hex()
    assert headers["x-hub-signature-256"] == f"sha256={digest}"
    assert not [name for name, _ in headers if name.startswith("webhook-")]


def test_while_a_secret_is_rotated_it_signs_with_both() -> None:
    secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "A" * 32]
    with Receiver() as receiver, Shop(secret=secrets, webhook_url=receiver.url) as shop:
        shop.advance()
        (request,) = receiver.wait(1)
    for secret in secrets:
        Webhook(secret).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("scheme", "secret", "told"),
    [
        ("nobody", None, "No provider is called"),
        ("cloudevents", None, "not signed"),
        ("github", "", "empty"),
        ("discord", "not hex", "hex"),
        ("github", 42, "text or bytes"),
    ],
)
def test_what_cannot_sign_is_refused(scheme: str, secret: Any, told: str) -> None:
    with pytest.raises(ShopArgumentError, match=told):
        Shop(scheme=scheme, secret=secret)


@pytest.mark.parametrize("secret", ["whsec_***", "whsec_c2hvcnQ=", "whsec_ä", "whsec_" + "A" * 200])
def test_a_bad_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ShopArgumentError) as caught:
        Shop(secret=secret)
    assert secret not in str(caught.value)


def test_a_thin_payload_has_only_id_and_object() -> None:
    with Receiver() as receiver, Shop(payload="thin", webhook_url=receiver.url) as shop:
        (change,) = shop.advance()
        (request,) = receiver.wait(1)
    assert request.json() == {
        "type": change.event_type,
        "timestamp": change.state["updated_at"],
        "data": {"id": change.entity_id, "object": change.entity_type},
    }


def test_failures_are_retried_until_a_2xx() -> None:
    def answer(_request: Request, count: int) -> Answer:
        return {1: 500, 2: 302, 3: 429}.get(count, 202), {"location": "http://127.0.0.1:9/"}

    with Receiver(answer) as receiver, Shop(speed=200, webhook_url=receiver.url) as shop:
        (change,) = shop.advance()
        shop.drain()
        row = shop.truth.loc[1]
        for request in receiver.requests:
            Webhook(shop.secret).verify(request.body, request.headers)
    assert len(receiver.of(change.event_id)) == 4
    assert len({request.body for request in receiver.requests}) == 1
    assert (row.outcome, row.attempts) == ("delivered", 4)


def test_after_the_last_retry_it_gives_up() -> None:
    refuse = Receiver(lambda *_: (500, {}))
    with refuse as receiver, Shop(speed=20, webhook_url=receiver.url) as shop:
        shop.advance()
        shop.drain()
        row = shop.truth.loc[1]
    times = [request.at for request in receiver.requests]
    assert len(times) == ATTEMPTS == row.attempts
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert all(w >= d / 20 * 0.9 for w, d in zip(waits, RETRY_DELAYS_SECONDS, strict=True))
    assert row.outcome == "failed"
    assert row.isna().delivered_at


def test_nobody_listening_is_a_failure_like_any_other() -> None:
    with Receiver() as receiver:
        url = receiver.url
    with Shop(speed=500, webhook_url=url) as shop:
        shop.advance(3)
        shop.drain()
        assert (shop.truth.outcome == "failed").all()
        assert (shop.truth.attempts == ATTEMPTS).all()


def test_retry_after_is_respected_and_the_timestamp_is_fresh() -> None:
    def answer(_request: Request, count: int) -> Answer:
        return (503, {"Retry-After": "1"}) if count == 1 else (200, {})

    with Receiver(answer) as receiver, Shop(speed=500, webhook_url=receiver.url) as shop:
        shop.advance()
        shop.drain()
        first, second = receiver.requests
        Webhook(shop.secret).verify(second.body, second.headers)
    assert second.at - first.at >= 1.0
    assert second.event_id == first.event_id
    assert second.body == first.body
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    sent = datetime.fromtimestamp(int(first.headers["webhook-timestamp"]), UTC)
    assert abs((datetime.now(UTC) - sent).total_seconds()) < TIMEOUT_SECONDS


def test_410_disables_until_send_to() -> None:
    gone = Receiver(lambda *_: (410, {}))
    with gone as receiver, Receiver() as new, Shop(speed=100, webhook_url=receiver.url) as shop:
        shop.advance()
        shop.drain()
        shop.advance(3)
        shop.drain()
        assert len(receiver.requests) == 1
        assert shop.truth.outcome.tolist() == ["disabled"] * 4
        assert shop.truth.attempts.tolist() == [1, 0, 0, 0]
        assert "disabled" in repr(shop)
        shop.send_to(new.url)
        shop.advance(2)
        shop.drain()
        assert len(new.requests) == 2
        assert "disabled" not in repr(shop)


def test_send_to_takes_the_retries_along_and_none_ends_them() -> None:
    refuse = Receiver(lambda *_: (500, {}))
    with refuse as receiver, Receiver() as new, Shop(webhook_url=receiver.url) as shop:
        shop.advance()
        receiver.wait(1)
        shop.send_to(new.url)
        shop.drain()
        assert len(new.requests) == 1
        assert shop.truth.outcome.tolist() == ["delivered"]
        shop.send_to(None)
        shop.advance()
        shop.drain()
        assert shop.truth.outcome.tolist() == ["delivered", "no subscriber"]
    assert len(new.requests) == 1


@pytest.mark.parametrize("url", ["localhost:8000/x", "/hooks", "ftp://127.0.0.1/", "http://", ""])
def test_what_is_no_url_is_refused(url: str) -> None:
    with Shop() as shop, pytest.raises(ShopArgumentError, match="absolute"):
        shop.send_to(url)
    with pytest.raises(ShopArgumentError, match="absolute"):
        Shop(webhook_url=url)


def test_concurrency_is_bounded_and_used() -> None:
    full = threading.Semaphore(0)
    go = threading.Event()

    def answer(_request: Request, _count: int) -> Answer:
        full.release()
        go.wait(TIMEOUT_SECONDS)
        return 200, {}

    with Receiver(answer) as receiver, Shop(seed=1, webhook_url=receiver.url) as shop:
        shop.advance(300)
        assert all(full.acquire(timeout=TIMEOUT_SECONDS) for _ in range(MAX_ATTEMPTS_IN_FLIGHT))
        go.set()
        shop.drain()
    assert receiver.most_at_once == MAX_ATTEMPTS_IN_FLIGHT
    assert len(receiver.requests) == 300


def test_drain_says_when_it_was_not_enough_time() -> None:
    go = threading.Event()

    def answer(_request: Request, _count: int) -> Answer:
        go.wait(TIMEOUT_SECONDS)
        return 200, {}

    with Receiver(answer) as receiver, Shop(webhook_url=receiver.url) as shop:
        shop.advance()
        receiver.wait(1)
        with pytest.raises(DrainTimeout, match="1 deliveries") as caught:
            shop.drain(timeout=0.01)
        assert caught.value.pending == 1
        assert shop.truth.outcome.tolist() == ["pending"]
        go.set()
        shop.drain()
        assert shop.truth.outcome.tolist() == ["delivered"]
