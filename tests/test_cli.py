"""The command, as a user runs it: real processes, real HTTP."""

import re
import signal

import httpx
import pytest

from tests import command, raw_http
from webhooklab import read
from webhooklab.cli import main
from webhooklab.relay import limits


def test_listen_captures_until_ctrl_c_and_export_writes_what_came(tmp_path):
    with command.start("listen", "c.db", "--port", "0", cwd=tmp_path) as listening:
        url = re.search(r"http://\S+", command.line_with(listening, "listening"))[0]
        assert httpx.post(url + "hooks", content=b"\xff\x00").status_code == 200
        assert "/hooks" in command.line_with(listening, "POST")
        listening.send_signal(signal.SIGINT)
        assert listening.wait(20) == 0

    exported = command.run("export", "c.db", "out.csv", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert read(tmp_path / "out.csv")["body"].tolist() == [b"\xff\x00"]
    assert read(tmp_path / "c.db")["path"].tolist() == ["/hooks"]


def test_a_sender_has_no_power_over_the_terminal(tmp_path):
    with command.start("listen", "c.db", "--port", "0", cwd=tmp_path) as listening:
        url = re.search(r"http://\S+", command.line_with(listening, "listening"))[0]
        event = '{"type": "\\u001b]0;owned\\u0007\\ud800"}'
        headers = ("webhook-id: 1", "webhook-timestamp: 1", "Content-Type: application/json\x9b2J")
        assert raw_http.post(url, event.encode(), "\x9b2J", headers).status == 200
        line = command.line_with(listening, "POST")
        listening.send_signal(signal.SIGINT)
        assert listening.wait(20) == 0
    assert line.strip().isprintable()
    assert r"POST /\x9b2J" in line
    assert r"\x1b]0;owned\x07" in line


def test_export_takes_a_filter(tmp_path):
    with command.start("listen", "c.db", "--port", "0", cwd=tmp_path) as listening:
        url = re.search(r"http://\S+", command.line_with(listening, "listening"))[0]
        for path in ("a", "b"):
            httpx.post(url + path, json={"path": path})
        listening.send_signal(signal.SIGTERM)
        assert listening.wait(20) == 0
    done = command.run("export", "c.db", "b.jsonl", "--where", "path:/b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "b.jsonl")["body"].tolist() == [b'{"path":"b"}']


@pytest.mark.parametrize(
    ("content", "out", "says"),
    [(b"not a database at all", "out.csv", "not a capture file"), (None, "out.xls", "suffix")],
)
def test_what_cannot_be_exported_is_one_sentence_and_no_traceback(tmp_path, content, out, says):
    if content is None:
        with command.start("listen", "c.db", "--port", "0", cwd=tmp_path) as listening:
            command.line_with(listening, "listening")
            listening.send_signal(signal.SIGTERM)
            listening.wait(20)
    else:
        (tmp_path / "c.db").write_bytes(content)
    done = command.run("export", "c.db", out, cwd=tmp_path)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / out).exists()


def test_listen_says_who_listens_already(tmp_path):
    with command.start("listen", "c.db", "--port", "0", cwd=tmp_path) as first:
        command.line_with(first, "listening")
        second = command.run("listen", "c.db", cwd=tmp_path)
        assert second.returncode == 1
        assert f"process {first.pid}" in second.stdout + second.stderr
        first.send_signal(signal.SIGTERM)
        first.wait(20)


def test_shop_answers_its_api_and_sends_webhooks(tmp_path):
    with command.start("shop", "--seed", "1", "--rate", "50", cwd=tmp_path) as shop:
        url = re.search(r"http://\S+", command.line_with(shop, "API"))[0]
        key = command.line_with(shop, "key").split()[1]
        answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"})
        assert isinstance(answer.json(), list)
        shop.send_signal(signal.SIGTERM)
        assert shop.wait(20) == 0


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_demo_prints_a_url_that_answers_until_it_is_stopped(tmp_path, end):
    with command.start("demo", "here", "--no-browser", cwd=tmp_path) as demo:
        url = command.line_with(demo, "/lab/tree/01_first_webhook.ipynb?token=").strip()
        assert httpx.get(url, follow_redirects=True, timeout=30).status_code == 200
        assert (tmp_path / "here" / "01_first_webhook.ipynb").exists()
        demo.send_signal(end)
        assert demo.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_help_names_every_command_and_cuts_no_sentence(tmp_path):
    shown = command.run("--help", cwd=tmp_path).stdout
    for name in main.commands:
        assert re.search(rf"^  {name} .*[^.]\.$", shown, re.MULTILINE), name


def test_a_relays_limits_are_said_with_what_they_are(tmp_path):
    shown = " ".join(command.run("relay", "--help", cwd=tmp_path).stdout.split())
    for option, limit in (
        ("--queue-rows", limits.QUEUE_ROWS),
        ("--kept-seconds", limits.KEPT_SECONDS),
        ("--channels-per-address", limits.CHANNELS_PER_ADDRESS),
    ):
        assert re.search(rf"{option} \w+ [^\[]+\[default: {limit}\]", shown), option
