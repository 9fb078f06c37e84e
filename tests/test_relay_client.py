"""A lab behind a relay of its own: a real relay, in its own process."""

import base64
import hashlib
import hmac
import json
import signal
import stat
import time
from pathlib import Path

import pandas as pd
import pytest

from tests import command
from tests.raw_http import Client, request
from tests.relay_parts import RelayProcess, running
from tests.target_parts import Target
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.errors import ExposureError
from webhooklab.relay.link import pauses


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    with running(folder, "--channels-per-address", "1000", "--new-burst", "1000") as process:
        yield process


def connected(exposure):
    until(lambda: exposure.state.startswith("connected"))
    return exposure


def send(exposure, path="", *, method="POST", headers=(), body=b"{}"):
    host = exposure.url.split("/")[2].encode()
    with Client(exposure.url) as client:
        asked = request(method, client.path + path, headers=headers, body=body)
        return client.ask(asked.replace(b"Host: test", b"Host: " + host, 1))


def test_a_delivery_arrives_as_it_was_sent_and_its_sender_gets_the_labs_answer(lab, relay):
    lab.respond(lambda delivery: {"got": delivery.text})
    exposure = connected(lab.expose(relay.url))
    assert lab.public_url == exposure.url
    assert exposure.url.startswith(relay.url)
    headers = ("X-A: 1", "x-a: \xe9")
    answer = send(exposure, "a%2Fb//c?x=%20&x=", method="PURGE", headers=headers, body=b"\xc3\xa9")
    assert (answer.status, json.loads(answer.body)) == (200, {"got": "é"})
    row = lab[-1]
    assert (row.method, row.path, row.query_string) == ("PURGE", "/a%2Fb//c", "x=%20&x=")
    assert (row.source, row.body, row.status) == ("relay", b"\xc3\xa9", 200)
    assert row.headers.get_list("x-a") == ["1", "\xe9"]
    assert row.remote.startswith("127.")
    assert lab.check()


def test_a_signature_over_the_public_url_is_valid_without_saying_which_that_is(lab, relay):
    exposure = connected(lab.expose(relay.url))
    lab.verify_with("twilio", "token")
    url = f"{exposure.url}sms?a=b"
    mac = hmac.new(b"token", f"{url}Body1From2".encode(), hashlib.sha1).digest()
    headers = (
        "Content-Type: application/x-www-form-urlencoded",
        f"X-Twilio-Signature: {base64.b64encode(mac).decode()}",
    )
    send(exposure, "sms?a=b", headers=headers, body=b"Body=1&From=2")
    send(exposure, "other?a=b", headers=headers, body=b"Body=1&From=2")
    assert [row.verified for row in lab] == ["valid", "invalid"]
    lab.verify_with("twilio", "token", earlier=True)
    assert [row.verified for row in lab] == ["valid", "invalid"]


def test_what_is_sent_while_the_lab_is_away_comes_later_in_order_at_the_same_url(file, relay):
    with Lab(file) as lab:
        exposure = connected(lab.expose(relay.url))
        url = exposure.url
        assert send(exposure, "0").status == 200
    assert "keeps what is sent" in exposure.state
    assert [send(exposure, str(number)).status for number in range(1, 40)] == [202] * 39
    with Lab(file) as lab:
        again = lab.expose("relay", base_url=relay.url)
        assert again.url == url
        lab.wait(40, after=0)
        assert [row.path for row in lab] == [f"/{number}" for number in range(40)]
        assert list(lab.events["status"]) == [200] + [202] * 39
        until(lambda: "behind" not in again.state)
        assert [row.received_at for row in lab] == sorted(row.received_at for row in lab)


def test_its_key_is_the_owners_alone_and_in_no_words(lab, relay, tmp_path, caplog):
    caplog.set_level("DEBUG")
    exposure = connected(lab.expose(relay.url))
    send(exposure)
    kept = [each for each in (tmp_path / "state").rglob("*.json") if each.parent.name == "relays"]
    key = json.loads(kept[0].read_bytes())["channel"]["key"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(kept[0].parent.stat().st_mode) == 0o700
    said = " ".join([repr(exposure), repr(vars(exposure)), exposure.state, caplog.text])
    assert key not in said


def test_revoked_is_404_and_the_next_one_is_another(lab, relay):
    exposure = connected(lab.expose(relay.url))
    exposure.revoke()
    assert send(exposure).status == 404
    assert "404" in exposure.state
    other = connected(lab.expose(relay.url))
    assert other.url != exposure.url
    assert send(other).status == 200


def test_a_relay_that_has_forgotten_the_channel_says_what_to_do(lab, tmp_path):
    with running(tmp_path) as relay:
        exposure = connected(lab.expose(relay.url))
        relay.kill()
        for each in tmp_path.glob("relay.db*"):
            each.unlink()
        relay.start()
        until(lambda: "revoke() it" in exposure.state, 30)
        exposure.revoke()
        other = connected(lab.expose(relay.url))
        assert other.url != exposure.url
        assert send(other).status == 200


def test_exposing_again_takes_the_place_of_the_earlier_and_another_lab_says_so(
    lab, relay, tmp_path
):
    first = connected(lab.expose(relay.url))
    second = connected(lab.expose(relay.url))
    assert (first.url, first.closed) == (second.url, True)
    # A copy of the state on another machine reads the same channel.
    folder = tmp_path / "state" / "webhooklab" / "relays"
    with Lab(tmp_path / "other.db") as other:
        kept = json.loads(next(folder.iterdir()).read_bytes())
        exposure = connected(other.expose(relay.url))
        exposure.close()
        name = next(each for each in folder.iterdir() if json.loads(each.read_bytes()) != kept)
        name.write_text(json.dumps(kept))
        taking = connected(other.expose(relay.url))
        until(lambda: "another lab has taken" in second.state)
        assert second.closed
        assert any("Expose the lab again" in notice for notice in second.notices)
        assert send(taking).status == 200
        assert (len(other), len(lab)) == (1, 0)


def test_one_that_cannot_be_had_leaves_the_earlier_one_as_it_is(lab, relay):
    exposure = connected(lab.expose(relay.url))
    for given in ("http://127.0.0.1:9", f"{relay.url}status", "https://smee.io", "webhookrelay"):
        with pytest.raises(ExposureError):
            lab.expose(given)
    assert not exposure.closed
    assert lab.public_url == exposure.url
    assert send(exposure).status == 200


def test_a_relay_that_is_not_there_says_whose_move_it_is(lab, relay):
    with pytest.raises(ExposureError, match="webhooklab relay"):
        lab.expose("http://127.0.0.1:9")
    with pytest.raises(ExposureError, match="gives no channel"):
        lab.expose(f"{relay.url}status")


def test_a_late_answer_is_a_202_in_the_row_too(lab, relay):
    lab.respond(418, delay=2.5)
    exposure = connected(lab.expose(relay.url))
    assert send(exposure).status == 202
    until(lambda: lab[-1].status == 202)


def test_what_the_relay_dropped_is_a_row_a_notice_and_a_hole(tmp_path):
    with running(tmp_path, "--kept-seconds", "0") as relay:
        with Lab(tmp_path / "c.db") as lab:
            exposure = connected(lab.expose(relay.url))
            send(exposure, "seen")
        with Lab(tmp_path / "c.db") as lab:
            lost_at = pd.Timestamp.now("UTC")
            assert send(exposure, "lost").status == 202
            relay.stop()
            relay.start()  # it drops what is too old when it starts
            until(lambda: relay.status()["queued"] == 0)
            again = connected(lab.expose(relay.url))
            assert send(again, "next").status == 200
            until(lambda: any("has dropped 1 deliveries" in each for each in again.notices))
            assert any("has dropped 1 deliveries" in reason for reason in lab.log["reason"])
            spans = lab.listened
            inside = (spans["started_at"] <= lost_at) & (spans["stopped_at"] >= lost_at)
            assert not inside.any()


def test_what_the_lab_takes_not_is_left_out_and_said(tmp_path, relay):
    with Lab(tmp_path / "c.db", max_body_bytes=100) as lab:
        exposure = connected(lab.expose(relay.url))
        assert send(exposure, body=b"x" * 200).status in (202, 413)
        assert send(exposure, body=b"x").status == 200
        assert [row.body for row in lab] == [b"x"]
        assert any("100 bytes" in reason for reason in lab.log["reason"])


def test_with_a_process_that_listens_it_is_read_by_the_kernel(file, relay):
    with Lab(file, listener="process", outlives=False) as lab:
        exposure = connected(lab.expose(relay.url))
        assert send(exposure).status == 200
        assert lab[-1].source == "relay"


def test_pauses_grow_are_bounded_and_never_the_same():
    waits = [wait for wait, _ in zip(pauses(), range(30), strict=False)]
    assert 0 < min(waits) < 0.5
    assert 1 < max(waits) <= 30
    assert len(set(waits)) == 30


def test_a_relay_put_back_from_a_copy_does_not_have_new_ones_taken_for_old(tmp_path):
    folder = tmp_path / "relay"
    folder.mkdir()
    relay = RelayProcess(folder)
    with Lab(tmp_path / "c.db") as lab:
        exposure = connected(lab.expose(relay.url))
        relay.stop()
        copies = {each: each.read_bytes() for each in Path(folder).iterdir()}
        relay.start()
        connected(exposure)
        assert [send(exposure, f"old{n}").status for n in range(3)] == [200] * 3
        relay.kill()
        for each in folder.iterdir():
            each.unlink()
        for each, content in copies.items():
            each.write_bytes(content)
        until(lambda: not exposure.state.startswith("connected"))
        relay.start()
        connected(exposure)
        assert [send(exposure, f"new{n}").status for n in range(2)] == [200] * 2
        assert [row.path for row in lab][3:] == ["/new0", "/new1"]
    relay.stop()


def test_it_is_read_without_a_notebook(tmp_path, relay):
    process = command.start("listen", "c.db", "--expose", relay.url, cwd=tmp_path)
    with process:
        url = command.line_with(process, "public URL: ").split()[-1]
        with Client(url) as client:
            asked = request("POST", f"{client.path}x", body=b"hello")
            assert client.ask(asked).status in (200, 202)
        assert "POST /x" in command.line_with(process, "Delivery 1")
        process.terminate()
        said = process.communicate(timeout=30)[1]
    assert "connected to 127.0.0.1" in said
    assert read(tmp_path / "c.db")["source"].tolist() == ["relay"]


def test_without_a_notebook_it_is_forwarded_too(tmp_path, relay):
    with Target() as target:
        options = ("--expose", relay.url, "--forward", target.url)
        process = command.start("listen", "c.db", *options, cwd=tmp_path)
        with process:
            url = command.line_with(process, "public URL: ").split()[-1]
            with Client(url) as client:
                asked = request("POST", f"{client.path}x?a=1", body=b"hello")
                assert client.ask(asked).status in (200, 202)
            until(lambda: target.got)
            process.terminate()
            process.communicate(timeout=30)
    assert (target.got[0].target, target.got[0].body) == ("/hooks?a=1", b"hello")


def test_a_relay_that_stands_still_is_noticed_and_holds_up_nobody(lab, tmp_path, monkeypatch):
    """As when a network swallows all: there is no farewell, and no reset."""
    monkeypatch.setattr("webhooklab.relay.socket.LINK_PING_SECONDS", 0.3)
    with running(tmp_path) as relay:
        exposure = connected(lab.expose(relay.url))
        relay.process.send_signal(signal.SIGSTOP)
        try:
            until(lambda: exposure.state.startswith("reconnecting"))
            assert any("may wait there" in notice for notice in lab._describe().notices)
            begun = time.monotonic()
            exposure.close()
            again = lab.expose(relay.url)
            again.close()
            assert time.monotonic() - begun < 5, "it waits for no close handshake"
        finally:
            relay.process.send_signal(signal.SIGCONT)
        connected(lab.expose(relay.url))


def test_what_cannot_be_exposed_is_said_and_nobody_listens(tmp_path):
    done = command.run("listen", "c.db", "--expose", "http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 1
    assert "webhooklab relay" in done.stderr
    assert command.run("status", cwd=tmp_path).stdout == "Nobody listens.\n"
