"""Replays: rows of any file go out again, at the pace that was asked for, changed where asked."""

import _thread
import gzip
import json
import threading
import time

import pandas as pd
import pytest

from tests.raw_http import Client, post, request
from tests.raw_server import HANG, RESET, free_port
from tests.target_parts import Target, ok
from tests.waiting import until
from webhooklab import Lab, read, verify
from webhooklab.errors import ConfirmationError, SendArgumentError, UnknownDeliveryError
from webhooklab.sending import Retry

AWAY = "http://192.0.2.1/hooks"
"""An address for documentation (RFC 5737): nobody is there."""


@pytest.fixture
def target():
    with Target() as made:
        yield made


@pytest.fixture
def captured(lab):
    """A lab with five deliveries."""
    for number in range(1, 6):
        post(lab.url, b'{"n": %d}' % number, f"in/{number}?q={number}", ("X-A: 1", "X-A: 2"))
    return lab


def test_rows_go_out_again_as_they_came_and_in_order(captured, target):
    tries = captured.replay(captured.events.tail(3), to=target.url)
    assert [got.line for got in target.got] == [f"POST /hooks?q={n} HTTP/1.1" for n in (3, 4, 5)]
    assert target.bodies == [b'{"n": %d}' % n for n in (3, 4, 5)]
    for got in target.got:
        assert got.all("x-a") == ["1", "2"]
        assert got.one("host") == f"127.0.0.1:{target.port}"
        assert got.one("webhooklab-replay")
    assert list(tries["seq"]) == [3, 4, 5]
    assert list(tries["status"]) == [200] * 3
    assert set(tries["target"]) == {target.url}
    pd.testing.assert_frame_equal(tries, captured.attempts)


@pytest.mark.parametrize(
    "given",
    [
        lambda lab: lab[2],
        lambda lab: int(lab.events.index[1]),
        lambda lab: [lab[2]],
        lambda lab: lab.events.loc[2],
        lambda lab: lab.events.loc[[2]],
        lambda lab: lab.find("path:/in/2"),
        lambda lab: lab.find("path:/in/2", columns=["path"]),
        lambda lab: lab[2:3],
        lambda lab: lab.events.reset_index().query("seq == 2"),
        lambda lab: lab.events.index[1],
        lambda lab: lab.events.index[1:2].to_numpy(),
        lambda lab: lab.events.index[1:2].to_series(),
        lambda lab: len(lab) - 9,
    ],
)
def test_events_are_given_in_many_ways(captured, target, given):
    tries = captured.replay(given(captured), target.url)
    assert list(tries["seq"]) == [2]
    assert target.bodies == [b'{"n": 2}']
    assert target.got[0].all("x-a") == ["1", "2"]


def test_rows_of_another_file(captured, target, tmp_path):
    exported = captured.export(tmp_path / "other.csv")
    with Lab(tmp_path / "second.db") as other:
        post(other.url, b"its own first")
        tries = other.replay(read(exported), target.url)
        assert list(tries["seq"]) == [1, 2, 3, 4, 5]
        assert other.attempts["seq"].isna().all()
        assert target.bodies == [b'{"n": %d}' % n for n in range(1, 6)]
        with pytest.raises(SendArgumentError, match="no known provider"):
            other.replay(captured.events, target.url, resign="x")
        tries = other.replay(captured.find(), target.url)
        assert "has no body" in tries["error"].iloc[0]
        assert len(target.got) == 5


@pytest.mark.parametrize(
    "given",
    [["x"], 5.5, None, pd.DataFrame({"a": ["x"]}, index=["y"]), pd.DataFrame({"a": [1, 2]})],
    ids=str,
)
def test_what_is_no_delivery_is_refused(captured, target, given):
    with pytest.raises(SendArgumentError):
        captured.replay(given, target.url)


def test_a_seq_that_the_file_has_not_is_refused_before_anything_is_sent(captured, target):
    for given in (99, -9, [1, 99]):
        with pytest.raises(UnknownDeliveryError):
            captured.replay(given, target.url)
    assert target.got == []


def test_rows_that_were_read_by_other_means_are_refused(captured, target, tmp_path):
    exported = captured.export(tmp_path / "x.csv")
    for given in (pd.read_csv(exported), captured.events.assign(body="text")):
        with pytest.raises(SendArgumentError, match="is not as"):
            captured.replay(given, target.url)
    assert target.got == []


@pytest.mark.parametrize(
    "options",
    [
        *({"speed": 1, "rate": 1}, {"rate": 0}, {"speed": -1}, {"rate": float("nan")}),
        *({"to": "x"}, {"headers": [("a", "b")]}, {"headers": {"a": 1}}),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_said_at_once(captured, target, options):
    with pytest.raises(SendArgumentError):
        captured.replay(captured.events, **{"to": target.url, **options})
    assert target.got == []


def test_nothing_to_replay(captured, target):
    tries = captured.replay(captured.find("nothing like this"), target.url)
    assert len(tries) == 0
    assert dict(tries.dtypes) == dict(captured.attempts.dtypes)


def test_headers_and_body_can_be_changed(lab, target):
    packed = gzip.compress(b'{"a": 1}')
    post(lab.url, packed, headers=("Content-Encoding: gzip", "Authorization: Bearer x", "X-B: 1"))
    lab.replay(1, target.url)
    assert target.got[0].body == packed
    assert target.got[0].one("content-encoding") == "gzip"
    lab.replay(
        1, target.url, headers={"authorization": None, "x-b": "2", "X-C": "3"}, body={"a": 2}
    )
    got = target.got[1]
    assert got.body == b'{"a":2}'
    assert (got.all("authorization"), got.all("content-encoding")) == ([], [])
    assert (got.one("x-b"), got.one("x-c")) == ("2", "3")
    lab.replay(1, target.url, body=lambda delivery: delivery.body[:3])
    assert target.got[2].body == packed[:3]
    tries = lab.replay(1, target.url, body=lambda delivery: delivery["missing"])
    assert "body= raised" in tries["error"].iloc[0]


@pytest.mark.parametrize(
    "provider", ["stripe", "github", "standardwebhooks", "slack", "shopify", "twilio", "docusign"]
)
def test_signed_anew_they_are_valid_now(lab, target, provider):
    lab.send_sample(provider)
    secret = lab._parts.checks.find(f"/{provider}", provider).secret
    changed = {"body": lambda d: d.body} if provider == "twilio" else {}
    tries = lab.replay(1, target.url, resign=secret, confirm=True, **changed)
    assert list(tries["status"]) == [200]
    (got,) = target.got
    url = f"http://127.0.0.1:{target.port}{got.line.split()[1]}"
    verdict = verify(
        provider, headers=got.pairs, body=got.body, secret=secret, url=url, now=time.time()
    )
    assert verdict.status == "valid", verdict
    names = [name.lower() for name, _ in got.pairs]
    assert len(names) == len(set(names))


def test_a_message_keeps_its_id_when_it_is_signed_anew(lab, target):
    lab.send_sample("standardwebhooks")
    secret = lab._parts.checks.find("/standardwebhooks", "standardwebhooks").secret
    lab.replay(1, target.url, resign=secret, body=b'{"changed": 1}')
    assert target.got[0].one("webhook-id") == lab[1].headers["webhook-id"]
    assert target.got[0].one("webhook-signature") != lab[1].headers["webhook-signature"]
    with pytest.raises(SendArgumentError) as error:
        lab.replay(1, target.url, resign=b"")
    assert "resign=" in str(error.value)


# The pace


def test_at_a_rate_and_with_the_recorded_gaps(captured, target):
    tries = captured.replay(captured.events, target.url, rate=20)
    assert _span(tries) >= 0.15
    events = captured.events
    events["received_at"] = events["received_at"].iloc[0] + pd.to_timedelta(
        [0, 1, 2, 2, 4], unit="s"
    )
    tries = captured.replay(events, target.url, speed=10)
    assert 0.3 <= _span(tries) < 3


def _span(tries):
    started = tries["started_at"]
    return (started.max() - started.min()).total_seconds()


def test_a_slow_target_does_not_spoil_the_pace(captured):
    go = threading.Event()

    def slowly(_):
        go.wait(10)
        return ok()

    with Target(slowly) as target:
        until_all = threading.Thread(
            target=lambda: (until(lambda: target.at_once == 5), go.set()), daemon=True
        )
        until_all.start()
        tries = captured.replay(captured.events, target.url, rate=50)
        assert target.most_at_once == 5
        assert list(tries["status"]) == [200] * 5


def test_by_default_one_at_a_time_and_as_fast_as_allowed(captured):
    answers = iter([ok(), ok(b"", 429, "Retry-After: 1"), *[ok()] * 4])
    with Target(lambda _: next(answers)) as target:
        tries = captured.replay(captured.events, target.url)
        assert list(tries["status"]) == [200, 429, 200, 200, 200, 200]
        assert list(tries["seq"]) == [1, 2, 2, 3, 4, 5]
        assert list(tries["attempt"]) == [1, 1, 2, 1, 1, 1]
        assert target.most_at_once == 1
        assert _span(tries) >= 1.0


def test_failures_are_rows_and_the_next_goes_out(captured):
    answers = iter([ok(b"", 500), RESET, HANG, ok(b"", 302, "Location: /x"), ok()])
    with Target(lambda _: next(answers)) as target:
        tries = captured.replay(captured.events, target.url, timeout=0.3)
        assert tries["status"].fillna(0).tolist() == [500, 0, 0, 302, 200]
        assert list(tries["error"].notna()) == [False, True, True, False, False]
    tries = captured.replay(captured.events, f"http://127.0.0.1:{free_port()}/")
    assert tries["error"].str.startswith("could not connect").all()
    answers = iter([ok(b"", 500), ok()])
    with Target(lambda _: next(answers)) as target:
        tries = captured.replay(1, target.url, retry=Retry(retries=1, backoff_seconds=0))
        assert list(tries["status"]) == [500, 200]
        assert len({got.one("webhooklab-replay") for got in target.got}) == 1


def test_ctrl_c_ends_it_and_what_was_done_is_returned(captured, target):
    threading.Thread(
        target=lambda: (until(lambda: len(target.got) == 2), _thread.interrupt_main()), daemon=True
    ).start()
    began = time.monotonic()
    tries = captured.replay(captured.events, target.url, rate=2)
    assert list(tries["seq"]) == [1, 2]
    assert time.monotonic() - began < 2
    # And the lab goes on.
    assert len(captured.replay(captured.events, target.url)) == 5


# What must not leave


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (("Authorization: Bearer x",), ""),
        (("Cookie: a=b",), ""),
        (("X-Gitlab-Token: x",), ""),
        (("X-Api-Key: x",), ""),
        ((), "?token=x"),
    ],
)
def test_credentials_leave_this_machine_only_when_that_is_confirmed(lab, headers, path):
    post(lab.url, b"x", path, headers)
    with pytest.raises(ConfirmationError) as error:
        lab.replay(lab.events, AWAY)
    assert "confirm=True" in str(error.value)
    with pytest.raises(ConfirmationError):
        lab.replay(lab.find(), AWAY.replace("192.0.2.1", "localhost.example.com"))
    assert len(lab.attempts) == 0
    tries = lab.replay(lab.events, AWAY, confirm=True, timeout=0.1)
    assert tries["error"].notna().all()


def test_without_credentials_nobody_is_asked(lab, tmp_path):
    post(lab.url, b"x", "", ("X-Hub-Signature-256: sha256=00", "Authorization: Bearer x"))
    lab.replay(1, AWAY, timeout=0.1, headers={"Authorization": None})
    masked = read(lab.export(tmp_path / "masked.csv"))
    lab.replay(masked, AWAY, timeout=0.1)
    for url in (
        "http://localhost:9/",
        "http://127.8.8.8:9/",
        "http://[::1]:9/",
        "http://a.LOCALHOST.:9/",
    ):
        lab.replay(1, url, timeout=1)


def test_a_path_that_leads_out_is_not_sent(lab, target):
    with Client(lab.url) as client:
        client.ask(request(target="/a/%2e%2e/b", body=b"x"))
        client.ask(request(target="/a/b", body=b"y"))
    tries = lab.replay(lab.events, target.url, keep_path=True)
    assert [got.line for got in target.got] == ["POST /hooks/a/b HTTP/1.1"]
    assert "dot segment" in tries["error"].iloc[0]


def test_compare_knows_what_was_replayed_to_the_lab_itself(captured):
    captured.replay(captured.events.head(1), captured.url)
    again = captured[-1]
    assert again.seq == 6
    assert "webhooklab-replay" in json.dumps(again.headers.pairs)


def test_a_closed_lab_sends_nothing(captured, target):
    events = captured.events
    captured.close()
    with pytest.raises(Exception, match="closed"):
        captured.replay(events, target.url)
    assert target.got == []
    assert len(captured.attempts) == 0
