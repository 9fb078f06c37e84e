"""What the inbox sends by hand: at a click, to one target, asked about where need be."""

import pytest

from tests.raw_http import post
from tests.raw_server import HANG, free_port
from tests.store_parts import arrival
from tests.target_parts import QUICK, Target, ok
from tests.test_inbox_feed import Browser
from tests.waiting import until
from webhooklab import Lab, verify
from webhooklab.inbox.actions import Actions
from webhooklab.verification import invent

AWAY = "http://192.0.2.1/hooks"
"""An address for documentation (RFC 5737): nobody is there."""
PAGE = ("Origin", "https://evil.example")
LOGIN = ("Authorization", "Bearer s3cret")


class Hand:
    """Somebody who clicks, and reads what is said."""

    def __init__(self, lab, kind="resend"):
        self.lab = lab
        self.kind = kind
        self.browser = Browser()
        act = lab._shown()._actions._act
        self.actions = Actions(act, self.browser.send)

    def send(self, **message):
        self.actions.order({"kind": self.kind, "id": "1", **message})
        return self

    def said(self):
        answer = {"resend": "resent", "forward": "forwarded"}[self.kind]
        until(lambda: len(self.browser.of(answer)) > 1)
        [heard, told] = self.browser.of(answer)
        assert heard["outcome"] == "heard"
        self.browser.forget()
        return told["outcome"], told["text"]


@pytest.fixture
def captured(file):
    with Lab(file) as lab:
        headers = [("Host", "lab"), ("X-A", "1"), ("X-A", "2"), ("Content-Encoding", "gzip")]
        sent = {"/in?q=1": headers, "/in?q=2": [PAGE], "/in": [LOGIN]}
        lab._parts.store.append([arrival(b"{}", *each) for each in sent.items()])
        yield lab


def test_a_delivery_is_sent_to_the_url_that_was_typed(captured):
    with Target() as target:
        outcome, text = Hand(captured).send(seq=1, to=target.url).said()
        assert (outcome, text.partition(" after")[0]) == ("sent", f"{target.url} answered 200")
        [got] = target.got
        assert got.line == "POST /hooks?q=1 HTTP/1.1"
        assert got.all("x-a") == ["1", "2"]
        assert got.body == b"{}"
    assert list(captured.attempts["seq"]) == [1]


def test_what_was_edited_is_sent_and_what_was_not_stays(captured):
    with Target() as target:
        changes = {"X-A": None, "X-B": "new"}
        Hand(captured).send(seq=1, to=target.url, headers=changes, body='{"é": 1}').said()
        [got] = target.got
        assert (got.all("x-a"), got.all("x-b"), got.all("content-encoding")) == ([], ["new"], [])
        assert got.body == '{"é": 1}'.encode()


def test_it_goes_to_a_forwards_target_with_what_the_forward_says(captured):
    with Target() as target:
        url = f"{target.url}?token=s3cret"
        captured.forward(url, name="mine", headers={"X-F": "f"}, auth=("me", "pw"), retry=QUICK)
        outcome, text = Hand(captured).send(seq=1, forward="mine").said()
        assert outcome == "sent"
        assert "s3cret" not in text
        [got] = target.got
        assert got.line == "POST /hooks?token=s3cret&q=1 HTTP/1.1"
        assert got.one("x-f") == "f"
        assert got.one("authorization").startswith("Basic ")
        assert Hand(captured).send(seq=1, forward="other").said()[0] == "failed"


SECRET = "a-secret-that-stays"


def signed_by(got):
    """Whether a request that a target got is signed, as GitHub would, by the lab's secret."""
    return verify("github", headers=got.pairs, body=got.body, secret=SECRET).status


def test_an_edited_delivery_is_signed_anew_and_the_secret_stays(captured):
    captured.verify_with("github", SECRET, path="/github")
    seq = captured.send_sample("github").seq
    assert captured._describe().as_message()["signers"] == ["github"]
    with Target() as target:
        hand = Hand(captured)
        hand.send(seq=seq, to=target.url, body='{"edited": 1}').said()
        hand.send(seq=seq, to=target.url, body='{"edited": 2}', resign=True).said()
        assert [signed_by(got) for got in target.got] == ["invalid", "valid"]
        captured._parts.checks.clear()
        captured.verify_with("github", SECRET, path="/elsewhere")
        outcome, text = hand.send(seq=seq, to=target.url, resign=True).said()
        assert (outcome, "lab.verify_with" in text) == ("failed", True)
        assert len(target.got) == 2
    captured.verify_with("github", SECRET)
    outcome, text = hand.send(seq=seq, to=AWAY, resign=True).said()
    assert (outcome, "new signature" in text) == ("confirm", True)
    shown = captured._describe().as_message()
    assert SECRET not in f"{shown} {captured._parts.checks.active} {text}"


@pytest.mark.parametrize(("provider", "signs"), [("discord", False), ("stripe", True)])
def test_a_public_key_signs_nothing(captured, provider, signs):
    captured.verify_with(provider, invent(provider, "seed").verifying)
    assert (captured._parts.checks.signers == (provider,)) is signs


def test_what_comes_from_now_on_is_forwarded(captured):
    with Target() as target:
        hand = Hand(captured, "forward").send(to=target.url, where="path:/wanted")
        outcome, text = hand.said()
        assert (outcome, target.url in text) == ("sent", True)
        for path in ("unwanted", "wanted"):
            assert post(f"{captured.url}{path}", b"new").status == 200
        until(lambda: target.got)
        assert hand.send(to=target.url, where="after:never").said()[0] == "failed"
        assert hand.send(to=captured.url).said()[0] == "failed"  # it would go round in circles
        assert hand.send(to=AWAY).said()[0] == "confirm"
        assert list(captured._parts.sending.forwards) == [target.url]
        assert [got.body for got in target.got] == [b"new"]
    assert list(captured.attempts["seq"]) == [5]


def test_credentials_leave_this_machine_only_when_that_is_confirmed(captured):
    hand = Hand(captured)
    outcome, text = hand.send(seq=3, to=AWAY).said()
    assert (outcome, "192.0.2.1 is not this machine" in text) == ("confirm", True)
    assert "s3cret" not in text
    assert captured.attempts.empty
    with Target() as target:
        assert hand.send(seq=3, to=target.url).said()[0] == "sent"
        assert target.got[0].one("authorization") == "Bearer s3cret"


def test_what_a_web_page_made_a_browser_send_is_asked_about_first(captured):
    with Target() as target:
        hand = Hand(captured)
        outcome, text = hand.send(seq=2, to=target.url).said()
        assert (outcome, "a web page of another origin sent it" in text) == ("confirm", True)
        assert target.got == []
        # No other value than true is a confirmation.
        assert hand.send(seq=2, to=target.url, confirmed="yes").said()[0] == "confirm"
        assert hand.send(seq=2, to=target.url, confirmed=True).said()[0] == "sent"


def test_what_cannot_be_sent_says_why(captured):
    hand = Hand(captured)
    assert hand.send(seq=1, to=f"http://127.0.0.1:{free_port()}/").said()[0] == "refused"
    assert hand.send(seq=1, to="file:///etc/passwd").said()[0] == "failed"
    assert hand.send(seq=99, to="http://127.0.0.1/").said() == (
        *("failed", "Delivery 99 is no longer there."),
    )
    outcome, text = hand.send(seq=1, to="http://127.0.0.1/", headers={"Host": "x"}).said()
    assert (outcome, "Host is set by what sends" in text) == ("failed", True)
    assert hand.send(to="http://127.0.0.1/").said()[0] == "failed"
    with Target(ok(status=302)) as target:
        assert hand.send(seq=1, to=target.url).said()[0] == "refused"
    captured.close()
    outcome, text = hand.send(seq=1, to="http://127.0.0.1/").said()
    assert (outcome, "closed" in text) == ("failed", True)


def test_a_target_that_hangs_holds_up_neither_others_nor_the_close(captured):
    with Target(HANG) as slow, Target() as quick:
        hand = Hand(captured)
        hand.send(seq=1, to=slow.url)
        until(lambda: slow.got)
        hand.send(seq=1, to=quick.url)
        until(lambda: "sent" in [each["outcome"] for each in hand.browser.of("resent")])
        captured.close()
        until(lambda: "failed" in [each["outcome"] for each in hand.browser.of("resent")])
