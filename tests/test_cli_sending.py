"""The commands that send on: forward, replay, listen --forward. In processes of their own."""

import signal

from tests import command
from tests.raw_http import post
from tests.target_parts import Target, ok
from tests.waiting import until
from webhooklab import Lab, verify


def stopped(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return out, err, process.returncode


def test_replay_sends_what_matches_and_says_what_came_of_it(file, tmp_path):
    answers = iter([ok(), ok(b"", 500)])
    with Lab(file) as lab:
        for body in (b"one refund", b"other", b"two refund"):
            post(lab.url, body)
    with Target(lambda _: next(answers)) as target:
        url = target.url.replace("://", "://me:pa55@")
        run = command.run(
            "replay", file, "--to", url, "--where", "refund", "--rate", 10, cwd=tmp_path
        )
        assert target.bodies == [b"one refund", b"two refund"]
    assert run.returncode == 1, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].split()[:2] == ["1", "200"]
    assert lines[1].split()[:2] == ["3", "500"]
    assert lines[2].startswith("1 of 2 were taken")
    assert "pa55" not in run.stdout + run.stderr
    with Lab(file) as lab:
        assert list(lab.attempts["seq"]) == [1, 3]


def test_replay_signs_anew_by_a_secret_from_the_environment(file, tmp_path, monkeypatch):
    with Lab(file) as lab:
        lab.send_sample("stripe")
        secret = lab._parts.checks.find("/stripe", "stripe").secret
    monkeypatch.setenv("HOOK_SECRET", secret)
    with Target() as target:
        given = ("replay", file, "--to", target.url, "--secret-env")
        run = command.run(*given, "HOOK_SECRET", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        (got,) = target.got
        assert verify("stripe", headers=got.pairs, body=got.body, secret=secret).status == "valid"
        run = command.run(*given, "NOT_SET", cwd=tmp_path)
        assert (run.returncode, "NOT_SET is not set" in run.stderr) == (1, True)
        run = command.run("replay", file, "--to", "nonsense", cwd=tmp_path)
        assert run.stderr.startswith("Error: 'nonsense' is not")


def test_forward_beside_a_lab_and_again_after_it_has_ended(file, tmp_path):
    with Target() as target, Lab(file) as lab:
        post(lab.url, b"before")
        given = ("forward", file, "--to", target.url)
        process = command.start(*given, cwd=tmp_path)
        command.line_with(process, "forwarding what comes")
        post(lab.url, b"1")
        until(lambda: len(lab.attempts) == 1, 60)
        assert target.bodies == [b"1"]
        out, _, code = stopped(process)
        assert code == 0
        assert "sent 1 in 1 tries" in out
        post(lab.url, b"2")
        process = command.start(*given, cwd=tmp_path)
        until(lambda: target.bodies == [b"1", b"2"], 60)
        stopped(process)
        run = command.run("forward", file, "--to", lab.url, cwd=tmp_path)
        assert "this Lab itself" in run.stderr


def test_listen_and_forward(file, tmp_path):
    with Target() as target:
        process = command.start("listen", file, "--forward", target.url, cwd=tmp_path)
        command.line_with(process, "forwarding to")
        url = command.line_with(process, "listening at").split()[2]
        post(url, b"x")
        until(lambda: target.bodies == [b"x"], 60)
        _, err, code = stopped(process)
        assert (code, "Traceback" in err) == (0, False)
