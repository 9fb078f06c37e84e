"""What was sent on, as the inbox's browser gets it: live, masked, bounded."""

import base64
import json

from tests.raw_server import free_port
from tests.store_parts import arrival
from tests.target_parts import QUICK, Target, ok
from tests.test_inbox_feed import Browser, describe
from tests.waiting import until
from webhooklab import Lab
from webhooklab.inbox import limits
from webhooklab.inbox.answers import Answers
from webhooklab.inbox.feed import Feed
from webhooklab.inbox.tries import Tries


def send(lab, count=1):
    return [each.seq for each in lab._parts.store.append([arrival(b"{}") for _ in range(count)])]


def tries(lab, seq, budget=limits.SHOWN_TRIES_BYTES):
    return json.loads(Tries(lab._parts.store).of(seq, budget))


def test_attempts_come_with_the_answer_and_without_its_credentials(file):
    answer = ok(b"\xff\x00taken", 503, "Set-Cookie: session=s3cret", "X-A: 1")
    with Target(answer) as target, Lab(file) as lab:
        forward = lab.forward(target.url, retry=QUICK)
        [seq] = send(lab)
        forward.drain()
        found = tries(lab, seq)
        assert (found["count"], found["at"]) == (4, 4)
        assert [each["attempt"] for each in found["tries"]] == [4, 3, 2, 1]
        assert [each["final"] for each in found["tries"]] == [True, False, False, False]
        newest = found["tries"][0]
        assert (newest["target"], newest["status"]) == (target.url, 503)
        assert newest["sender"] == f"forward:{target.url}"
        assert base64.b64decode(newest["body"]) == b"\xff\x00taken"
        assert ["X-A", "1"] in newest["headers"]
        assert newest["masked"]
        assert "s3cret" not in json.dumps(found)


def test_bodies_beyond_the_budget_are_left_out_and_come_when_asked_for(file):
    with Target(ok(b"x" * 1_000)) as target, Lab(file) as lab:
        forwards = [lab.forward(target.url, name=f"f{n}") for n in range(3)]
        [seq] = send(lab)
        for each in forwards:
            each.drain()
        found = tries(lab, seq, 2_500)["tries"]
        assert [each["left_out"] for each in found] == [0, 0, 1_000]
        assert found[2]["body"] is None
        browser = Browser()
        answers = Answers(lab._parts.store, lambda _text: b"", browser.send)
        answers.answer({"kind": "tries", "seq": seq, "whole": True})
        [(message, buffer)] = browser.messages
        assert (message["kind"], message["seq"], message["whole"]) == ("tries", seq, True)
        assert [each["left_out"] for each in json.loads(buffer)["tries"]] == [0, 0, 0]


def test_the_browser_is_told_of_attempts_by_itself(file):
    with Target() as target, Lab(file) as lab:
        browser = Browser()
        feed = Feed(lab._parts.store, describe, browser.send)
        feed.step()
        forward = lab.forward(target.url)
        seqs = send(lab, 8)
        forward.drain()
        feed.step()
        [told] = browser.of("attempted")
        assert (told["after"], told["through"], sorted(told["seqs"])) == (0, 8, seqs)
        pushed = browser.of("tries")
        assert len(pushed) == limits.PUSHED_NEWS
        assert {each["seq"] for each in pushed} <= set(seqs)
        browser.forget()
        feed.step(last=True)
        assert browser.of("attempted") == []
        assert browser.of("state")[-1]["attempted"] == 8


def test_a_lab_describes_what_it_forwards_without_secrets(file):
    with Target(ok(status=500)) as target, Lab(file) as lab:
        forward = lab.forward(f"{target.url}?token=s3cret", name="orders", retry=0)
        [described] = lab._describe().pulls
        assert (described.kind, described.name, described.failing) == ("Forward", "orders", False)
        send(lab, 2)
        forward.drain()
        [described] = lab._describe().pulls
        assert described.failing
        assert described.counts == "0 sent in 2 tries (2 given up)"
        assert described.error == "the target answered 500"
        assert "s3cret" not in json.dumps(lab._describe().as_message())
        target.answer = lambda _got: ok()
        send(lab)
        forward.drain()
        [described] = lab._describe().pulls
        assert not described.failing
        forward.stop()
        assert lab._describe().pulls[0].doing == "stopped"


def test_a_target_that_is_away_is_described_as_failing(file):
    with Lab(file) as lab:
        lab.forward(f"http://127.0.0.1:{free_port()}/", name="gone", retry=QUICK)
        send(lab)
        until(lambda: lab._describe().pulls[0].failing)
        assert "cannot be reached" in lab._describe().pulls[0].doing
        assert "1 waiting" in lab._describe().pulls[0].doing
