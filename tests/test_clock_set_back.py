"""The system's clock is set back: nothing is lost, and order never comes from a clock."""

from itertools import pairwise

import pytest

from tests.clock_parts import WallClock
from tests.processes import LabProcess
from tests.raw_http import post
from tests.relay_parts import Reader, running, send
from tests.target_parts import Target
from tests.waiting import until
from webhooklab import Lab, read

EACH = 10


@pytest.fixture
def wall_clock(tmp_path):
    return WallClock(tmp_path)


def bodies(*parts):
    return [f"{part} {number}".encode() for part in parts for number in range(EACH)]


def deliver(url, part):
    for body in bodies(part):
        assert post(url, body).status == 200


def check_order(events, *parts):
    assert events.body.tolist() == bodies(*parts)
    assert list(events.index) == list(range(1, EACH * len(parts) + 1))
    assert not events.stored_at.is_monotonic_increasing, "its clock was set back"


def test_while_it_listens_and_before_it_starts_again(file, wall_clock):
    with LabProcess(file, env=wall_clock.environment, keep="30d") as process:
        deliver(process.url, "now")
        wall_clock.set("-1h")
        deliver(process.url, "an hour ago")
        process.kill()
    wall_clock.set("-2d")
    with LabProcess(file, env=wall_clock.environment, keep="30d") as process:
        deliver(process.url, "two days ago")
        process.say("print(len(lab.events), flush=True)")
        assert process.hear() == 3 * EACH
        process.kill()
    check_order(read(file), "now", "an hour ago", "two days ago")
    with Lab(file) as lab:
        assert [each.body for each in lab] == bodies("now", "an hour ago", "two days ago")
        assert lab[-1].body == b"two days ago 9"


def test_who_waits_is_told_of_what_came_after(file, wall_clock):
    with LabProcess(file, env=wall_clock.environment) as process:
        deliver(process.url, "now")
        wall_clock.set("-1h")
        with pytest.warns(UserWarning, match="this Lab sees its rows"):
            looks_on = Lab(file)
        with looks_on.expect(EACH, timeout=20) as got:
            deliver(process.url, "an hour ago")
        assert got.events.body.tolist() == bodies("an hour ago")
        looks_on.close()


def test_what_we_could_hear_is_two_spans_and_none_is_negative(file, wall_clock):
    with LabProcess(file, env=wall_clock.environment) as process:
        for part, offset in (("now", "-1h"), ("an hour ago", "-1h")):
            deliver(process.url, part)
            process.say("lab._parts.server.settle(); print(1, flush=True)")
            process.hear()
            wall_clock.set(offset)
        assert process.end() == (0, "")
    with Lab(file) as lab:
        told = lab.listened
    assert (told.stopped_at >= told.started_at).all()
    assert len(told) == 3, "before, after, and now"


def test_a_relay_keeps_what_it_has_accepted_and_its_order(tmp_path, wall_clock, monkeypatch):
    for name in set(wall_clock.environment):
        monkeypatch.setenv(name, wall_clock.environment[name])
    with running(tmp_path) as relay:
        channel = relay.new()
        for part, offset in (("now", "-1h"), ("an hour ago", "-2d"), ("two days ago", "-2d")):
            for body in bodies(part):
                assert send(relay, channel, body=body).status == 202
            wall_clock.set(offset)
        relay.kill()
        relay.start()
        with Reader(relay.url, channel) as reader:
            got = [reader.delivery() for _ in range(3 * EACH)]
    assert [each.body for each in got] == bodies("now", "an hour ago", "two days ago")
    assert any(later.received_at < each.received_at for each, later in pairwise(got))


def test_forwards_go_on(file, wall_clock):
    with Target() as target, LabProcess(file, env=wall_clock.environment) as process:
        process.say(f"lab.forward({target.url!r}); print(1, flush=True)")
        process.hear()
        deliver(process.url, "now")
        until(lambda: len(target.got) == EACH)
        wall_clock.set("-1h")
        deliver(process.url, "an hour ago")
        until(lambda: len(target.got) == 2 * EACH)
    assert len({each.key for each in target.got}) == 2 * EACH
