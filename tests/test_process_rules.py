"""Rules and secrets in a listener's process: they hold without a kernel, functions do not."""

import hashlib
import hmac
import subprocess
import time

import pytest

from tests.raw_http import post
from tests.waiting import until
from webhooklab import Lab, Response
from webhooklab.answering import Calls, Rule, Rules, answer_told
from webhooklab.checking import Checks
from webhooklab.errors import AnswerError, AttachedError, CheckArgumentError
from webhooklab.processes import Connection, Hub, Leading, Orders, Registry
from webhooklab.records import Answer

pytestmark = pytest.mark.usefixtures("listener_ends")

SECRET = "correct horse battery staple"


@pytest.fixture
def lab(file):
    with Lab(file, listener="process") as opened:
        yield opened


@pytest.fixture
def kernel(kernels, file):
    return lambda: kernels.born(file, listener="process")


def signed(body, secret=SECRET):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return (f"X-Hub-Signature-256: sha256={mac}", "X-GitHub-Event: ping")


def test_rules_are_those_of_any_lab(lab):
    rule = lab.respond(503, body={"wait": 9}, headers={"Retry-After": 9}, times=2)
    answers = [post(lab.url) for _ in range(3)]
    assert [each.status for each in answers] == [503, 503, 200]
    assert (answers[0].body, answers[0].headers["retry-after"]) == (b'{"wait":9}', "9")
    assert (rule.answered, rule.path) == (2, "/")
    assert "answers 503 for 0 more deliveries" in repr(rule)
    assert lab.events.status.tolist() == [503, 503, 200]
    lab.respond(404, path="/gone").stop()
    assert post(lab.url, path="gone").status == 200
    lab.respond(500, path="/a", delay=0.05)
    assert any("answers 500" in each for each in lab.health().rules)
    assert post(lab.url, path="a").status == 500
    lab.respond()
    assert post(lab.url, path="a").status == 200
    with pytest.raises(AnswerError):
        lab.respond(99)


def test_a_notice_says_what_senders_get(lab, monkeypatch):
    monkeypatch.setattr("webhooklab.lookout.NOTICES_SECONDS", 0)
    lab.respond(503)
    assert "This Lab answers 503 for all deliveries (lab.respond)." in lab._describe().notices


def test_a_function_here_answers_there(lab, capfd):
    seen = []

    def answer(delivery):
        seen.append(delivery.seq)
        if delivery.body == b"fail":
            raise ValueError("my own mistake")
        return Response(202, delivery.body[::-1], {"X-Seq": delivery.seq})

    rule = lab.respond(answer, path="/ask")
    got = post(lab.url, b"abc", path="ask")
    assert (got.status, got.body, got.headers["x-seq"]) == (202, b"cba", "1")
    assert post(lab.url, b"fail", path="ask").status == 500
    assert post(lab.url, b"abc").status == 200
    assert seen == [1, 2]
    assert lab.events.status.tolist() == [202, 500, 200]
    assert "my own mistake" in capfd.readouterr().err
    assert "raised ValueError" in lab.log.reason.iloc[-1]
    assert "answers what answer returns" in repr(rule)


def test_the_last_static_rule_answers_while_the_kernel_is_away(file, kernel):
    first = kernel()
    code = (
        "lab.respond(503, path='/a')\n"
        "lab.respond(lambda delivery: 202)\n"
        "lab.respond(418, path='/static')\n"
    )
    first.say(f"exec({code!r}); say(0)")
    first.hear()
    paths = ("", "a", "static")
    assert [post(first.url, path=path).status for path in paths] == [202, 202, 418]
    first.kill()
    until(lambda: post(first.url).status == 200)
    assert [post(first.url, path=path).status for path in paths] == [200, 503, 418]
    with Lab(file, listener="process") as lab:
        assert [each.split()[1] for each in lab.health().rules] == ["418", "503"]
        lab.respond(lambda _: 201)
        assert [post(lab.url, path=path).status for path in paths] == [201, 201, 201]


def test_a_kernel_that_stands_still_keeps_no_sender_waiting(kernel):
    process = kernel()
    process.say("lab.respond(204); lab.respond(lambda delivery: 202, path='/'); say(0)")
    process.hear()
    assert post(process.url).status == 202
    process.say("import ctypes; say(1); ctypes.PyDLL(None).usleep(4_000_000); say(2)")
    process.hear()
    begun = time.monotonic()
    statuses = [post(process.url).status for _ in range(3)]
    assert time.monotonic() - begun < 2.5
    assert statuses == [200, 200, 200], "a rule of the same path was replaced by the function"
    assert process.hear() == 2
    until(lambda: post(process.url).status == 202)
    assert "is away" in process.ask("lab.log.reason.iloc[-1]")


def test_only_who_leads_has_a_say(file, kernel):
    kernel()
    with pytest.warns(UserWarning, match="sees its rows"):
        lab = Lab(file, listener="process")
    for call in (lambda: lab.respond(503), lambda: lab.verify_with("github", SECRET)):
        with pytest.raises(AttachedError):
            call()
    lab.close()


def test_secrets_are_given_checked_by_and_nowhere_to_be_seen(lab, file):
    lab.verify_with("github", ["older", SECRET], reject=True)
    assert post(lab.url, b"{}", headers=signed(b"{}")).status == 200
    assert post(lab.url, b"{}", headers=signed(b"{}", "older")).status == 200
    assert post(lab.url, b"{}", headers=signed(b"{}", "wrong")).status == 401
    assert lab.events.verified.tolist() == ["valid", "valid", "invalid"]
    pid = lab._parts.listening.remote.pid
    secret = SECRET.encode()
    places = [f"/proc/{pid}/cmdline", f"/proc/{pid}/environ", *file.parent.iterdir()]
    places += Registry()._folder.iterdir()
    # By another process: to close a capture file here drops SQLite's locks on it.
    kept = subprocess.run(["cat", *map(str, places)], capture_output=True, check=True).stdout
    assert b"X-Hub-Signature" in kept
    assert secret not in kept
    with pytest.raises(CheckArgumentError, match="No provider"):
        lab.verify_with("nobody", SECRET)
    with pytest.raises(CheckArgumentError):
        lab.verify_with("github", None)


def test_a_check_holds_while_no_kernel_is_there_and_after_a_restart(file, kernel):
    first = kernel()
    first.say(f"lab.verify_with('github', {SECRET!r}, path='/hooks'); say(0)")
    first.hear()
    first.kill()
    assert post(first.url, b"{}", path="hooks", headers=signed(b"{}")).status == 200
    with Lab(file, listener="process") as lab:
        assert lab[-1].verified == "valid"
        invalid = lab._parts.store.delivery(1)
        post(lab.url, b"{}", path="hooks", headers=signed(b"{}", "wrong"))
        assert lab._parts._refusal((), lab[-1], unverified=False), "it is not fetched for"
        assert not lab._parts._refusal((), invalid, unverified=False)
        with pytest.raises(CheckArgumentError, match="from before this kernel"):
            lab.send_sample("github", path="/hooks")
        lab.verify_with("github", SECRET, path="/hooks")
        assert lab.send_sample("github", path="/hooks").verified == "valid"


def test_samples_are_signed_with_what_they_are_checked_by(lab):
    assert lab.send_sample("standardwebhooks").verified == "valid"
    assert lab.send_sample("standardwebhooks", tampered=True).verified == "invalid"


def test_what_was_captured_before_is_checked_again(lab):
    post(lab.url, b"{}", headers=signed(b"{}"))
    assert lab.events.verified.tolist() == ["unchecked"]
    lab.verify_with("github", SECRET, earlier=True)
    assert lab.events.verified.tolist() == ["valid"]


def test_a_kernel_that_gives_a_rule_is_asked_however_soon_after_another_was_away():
    leading, rules = Leading(lambda: None), Rules()
    orders = Orders(leading, rules, Checks(), lambda _: None)
    told = {**Rule(maker=Calls(len, lambda _: None)).told(), "function": "0"}
    answer = {"answer": answer_told(Answer(201)), "problem": None}
    orders._add_rule(dict(told))
    assert orders._ask("0", 1).problem, "nobody leads"
    hub = Hub(lambda *_: None, lambda _: None)
    with Connection(hub.address, hub.key, lambda *_: answer, lambda _: None):
        until(lambda: hub.peers)
        leading.begin(hub.peers[0], 1)
        orders._add_rule(dict(told))
        assert orders._ask("0", 2).answer.status == 201
    hub.close()
