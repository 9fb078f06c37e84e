"""`lab.health()`: what is true just now, and warnings before there is trouble."""

import contextlib
import ctypes

import pytest

from tests.api_parts import Api, always, shown
from tests.process_parts import end_listener
from tests.raw_http import post
from tests.store_parts import arrival
from tests.waiting import until
from webhooklab import Lab, checkup, clock, disks, lookout
from webhooklab.errors import CaptureFileError
from webhooklab.health import size_text
from webhooklab.measures import Durations, Stalls
from webhooklab.store import Store, skew


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(lookout, "NOTICES_SECONDS", 0.0)
    monkeypatch.setattr(checkup, "DISK_FULL_SHARE", 1.1)  # whatever disk the tests are on


def test_a_lab_that_is_well(lab):
    for _ in range(5):
        post(lab.url)
    health = lab.health()
    assert health.warnings == lab._describe().notices == ()
    assert (health.waiting, health.lost, health.stalls, health.dropped) == (0, 0, 0, 0)
    assert 0 < health.commit_ms["p50"] <= health.commit_ms["p99"]
    assert health.listening_since <= clock.to_datetime(clock.now_us())
    assert 0 < health.disk_free <= health.disk_total
    assert health.file_bytes == lab.path.stat().st_size
    assert (health.journal, health.url, health.clock_skew) == ("wal", lab.url, None)
    assert health.sources == {"local": f"listening at {lab.url}"}
    assert health.as_dict()["commit_ms"] == dict(health.commit_ms)
    assert health.frame.loc["waiting", "value"] == 0
    assert "nothing to warn of" in repr(health)
    assert lab.url in health._repr_html_()


def test_a_closed_lab_has_a_disk_and_listens_to_nobody(lab):
    lab.close()
    health = lab.health()
    assert (health.waiting, health.sources, health.listening_since) == (None, {}, None)
    assert "closed" in health.listener
    assert health.disk_free > 0


def test_pollers_and_fetchers_say_what_they_do(lab):
    with Api(always(shown({"id": 1}))) as good, Api(always(shown({}, status=403))) as bad:
        lab.poll(good.url, name="<b>good</b>", every=60).poll_now()
        lab.poll(bad.url, name="bad", every=60).poll_now()
        lab.fetch_related(good.url + "{id}", name="thin")
        health = lab.health()
    assert "waiting; 2 polls" in health.pollers["<b>good</b>"]
    assert "failed (last error:" in health.pollers["bad"]
    assert health.fetchers["thin"].startswith("running; 0 events, 0 waiting")
    assert "&lt;b&gt;good" in health._repr_html_()
    assert "pollers: bad" in health.frame.index


def test_each_way_in_says_what_it_does(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    exposure = lab.expose(base_url="https://abc.example")
    local = f"listening at {lab.url}"
    assert lab.health().sources == {"local": local, "tunnel": exposure.state}
    assert "whoever knows it can send to it" in repr(lab.health())
    assert exposure.url.rpartition("/")[0] not in repr(lab.health())
    exposure.close()
    assert lab.health().sources["tunnel"].startswith("closed")
    lab.expose("smee", base_url="http://127.0.0.1:1/channel-nobody")
    assert list(lab.health().sources) == ["local", "tunnel", "smee"]
    until(lambda: "failed" in lab.health().sources["smee"])


def test_a_disk_that_is_nearly_full(lab, monkeypatch):
    monkeypatch.setattr(checkup, "DISK_FULL_SHARE", 0.0)
    (warning,) = lab._describe().notices
    assert "are left" in warning
    assert "keep less" in warning
    assert warning in repr(lab.health())


def test_commits_that_are_slow(lab):
    for _ in range(10):
        lab._parts.store.commits.add(1.5)
    assert "one commit in a hundred takes 1.5 s or more" in lab.health().warnings[0]


def test_a_cell_that_holds_the_lock_of_the_interpreter(lab):
    ctypes.PyDLL(None).usleep(1_600_000)
    until(lambda: lab.health().stalls)
    health = lab.health()
    assert health.longest_stall > 1.0
    assert any('listener="process" avoids it' in each for each in health.warnings)


def test_a_stall_that_was_long_ago_is_counted_and_not_said(lab, monkeypatch):
    lab._parts.server.stalls.note(5.0)
    monkeypatch.setattr(checkup, "STALL_TOLD_SECONDS", 0.0)
    assert (lab.health().stalls, lab.health().warnings) == (1, ())


def test_a_process_that_listens_says_how_it_is_and_the_kernel_how_itself(tmp_path):
    file = tmp_path / "captures.db"
    with Lab(file, listener="process") as lab:
        post(lab.url)
        ctypes.PyDLL(None).usleep(1_600_000)
        until(lambda: lab.health().kernel_stalls)
        health = lab.health()
        assert (health.stalls, health.warnings) == (0, ()), "senders have not noticed"
        assert health.commit_ms["p99"] > 0
        assert health.sources == {"local": f"listening at {lab.url}"}
        assert "in process" in health.listener
    end_listener(file)


def test_a_network_file_system(tmp_path, monkeypatch):
    kind = disks.file_system(tmp_path)
    assert kind
    monkeypatch.setattr(disks, "NETWORK", frozenset({kind}))
    file = tmp_path / "captures.db"
    with Lab(file) as lab:
        assert post(lab.url, b"kept").status == 200
        health = lab.health()
        assert (health.journal, health.file_system) == ("truncate", kind)
        assert f"network file system ({kind})" in health.warnings[0]
        assert not file.with_name("captures.db-wal").exists()
        assert lab.events.body.tolist() == [b"kept"]
    with pytest.raises(CaptureFileError, match='local disk, or listener="thread"'):
        Lab(file, listener="process")
    monkeypatch.setattr(disks, "NETWORK", frozenset())
    with Lab(file) as lab:
        assert lab.health().journal == "wal", "where it can have a log again, it has one"
        assert len(lab) == 1


def test_a_mount_whose_name_has_a_space_is_found(tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    table.write_text(
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "36 21 0:32 / /mnt/my\\040share rw,noatime shared:1 - nfs4 server:/a rw\n"
        "37 21 0:33 / /mnt/my rw - tmpfs tmpfs rw\n"
    )
    monkeypatch.setattr(disks, "_MOUNTS", table)
    assert disks.file_system("/mnt/my share/c.db") == "nfs4"
    assert disks.file_system("/mnt/my/c.db") == "tmpfs"
    assert disks.file_system("/mnt/mystery/c.db") == "ext4"
    monkeypatch.setattr(disks, "_MOUNTS", tmp_path / "none")
    assert disks.file_system("/mnt") is None


def polled(connection, requested_at, polled_at, server_date):
    connection.execute(
        "INSERT INTO polls (poller, url, requested_at, polled_at, elapsed_ms, response_bytes, "
        "request_count, changed, not_modified, complete, server_date) "
        "VALUES ('p', 'u', ?, ?, 0, 0, 1, 0, 0, 1, ?)",
        (requested_at * 10**6, polled_at * 10**6, server_date * 10**6),
    )


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([(100, 101, 100)], 0),
        ([(100.9, 101, 100)], 0),
        ([(110, 111, 100)], 9),
        ([(90, 91, 100)], -9),
        ([(110, 111, 100), (100, 101, 100)], 0),
        ([(110, 111, 50), (110, 111, 100)], 9),
    ],
)
def test_skew_is_what_is_certain(file, polls, expected):
    with contextlib.closing(Store(file)) as store, store.writing() as connection:
        assert skew.skew(connection) is None
        for each in polls:
            polled(connection, *each)
        assert skew.skew(connection) == expected * 10**6


def test_a_clock_that_is_wrong_is_said(lab):
    with lab._parts.store.writing() as connection:
        polled(connection, 100, 101, 200)
    assert lab.health().clock_skew == -99
    assert "clock is 99 s or more behind" in lab.health().warnings[0]


def test_events_from_the_future_show_a_clock_that_is_behind(file):
    with contextlib.closing(Store(file)) as store:
        store.append([arrival() for _ in range(3)])
        with store.writing() as connection:
            assert skew.skew(connection) is None, "they say nothing of when they occurred"
            connection.execute("UPDATE deliveries SET occurred_at = received_at + 7000000")
            assert skew.skew(connection) == -7_000_000
            connection.execute("UPDATE deliveries SET occurred_at = received_at - 9 WHERE seq = 2")
            assert skew.skew(connection) == 0


def test_what_the_browser_asks_for_again_was_lost(lab):
    lab.inbox._hear({"kind": "need", "ranges": [[0, 1], [3, 4]]})
    assert lab.health().lost_messages == 2


def test_quantiles_and_sizes():
    durations = Durations()
    assert durations.quantile(0.5) is None
    for number in range(100):
        durations.add(number)
    assert (durations.quantile(0.5), durations.quantile(0.99)) == (50, 99)
    stalls = Stalls()
    stalls.note(0.9)
    assert stalls.as_dict()["count"] == 0
    assert [size_text(size) for size in (5, 1_234, 2 * 10**9)] == ["5 bytes", "1.23 KB", "2 GB"]
