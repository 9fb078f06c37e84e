"""Files that cannot be used: our error, the file as it was, and nothing left behind."""

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from tests.raw_http import post
from webhooklab import Lab, WebhookLabError, read
from webhooklab.errors import CaptureFileError, ForeignFileError, NewerFileError, StoreError
from webhooklab.store import Store, schema


@pytest.fixture
def leaks_nothing():
    """Whatever fails leaves no thread, no open file, no lock and no port."""
    before = psutil.Process().num_fds(), threading.active_count()
    yield
    assert (psutil.Process().num_fds(), threading.active_count()) == before


def sqlite_file(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    return connection


def everything(path):
    return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}


def refused(path, error, match):
    """Also what stands beside it stays. (SQLite may add a -shm and an empty -wal to look at it.)"""
    before, mode = everything(path), path.stat().st_mode
    with pytest.raises(error, match=match) as caught:
        Lab(path)
    assert isinstance(caught.value, WebhookLabError)
    assert everything(path) | before == everything(path)
    assert path.stat().st_mode == mode


@pytest.mark.parametrize(
    "content",
    [b"seq,body\n1,x\n", b"x", os.urandom(5000), b"SQLite format 3", b"SQLite format 3\0" * 300],
    ids=["csv", "byte", "noise", "magic", "fake"],
)
@pytest.mark.usefixtures("leaks_nothing")
def test_a_file_of_something_else(file, content):
    file.write_bytes(content)
    file.chmod(0o644)
    refused(file, CaptureFileError, "choose another path|damaged")


@pytest.mark.usefixtures("leaks_nothing")
def test_a_database_of_something_else(file):
    sqlite_file(file, "CREATE TABLE mine (x)", "INSERT INTO mine VALUES (1)").close()
    refused(file, ForeignFileError, "not a capture file. It was left untouched")


@pytest.mark.usefixtures("leaks_nothing")
def test_a_database_of_something_else_after_a_crash(tmp_path):
    """Its write-ahead log must not be folded in, nor deleted, by our look at it."""
    live = tmp_path / "live.db"
    connection = sqlite_file(live, "PRAGMA journal_mode=WAL", "CREATE TABLE mine (x)")
    (tmp_path / "folder").mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{live}{suffix}", tmp_path / "folder" / f"crashed.db{suffix}")
    connection.close()
    crashed = tmp_path / "folder" / "crashed.db"
    refused(crashed, ForeignFileError, "not a capture file")


@pytest.mark.usefixtures("leaks_nothing")
def test_a_capture_file_with_triggers(file):
    """They would run with each delivery that is stored, and could drop it."""
    Lab(file).close()
    drops = "CREATE TRIGGER t AFTER INSERT ON deliveries BEGIN DELETE FROM deliveries; END"
    sqlite_file(file, drops).close()
    refused(file, ForeignFileError, "has triggers")
    with pytest.raises(WebhookLabError, match="has triggers"):
        read(file)


@pytest.mark.usefixtures("leaks_nothing")
def test_a_file_of_a_newer_version(file):
    Lab(file).close()
    newer = schema.VERSION + 1
    sqlite_file(file, f"PRAGMA user_version={newer}").close()
    refused(file, NewerFileError, f"its format is {newer}.*pip install -U")
    with pytest.raises(WebhookLabError, match="newer"):
        read(file)


@pytest.mark.parametrize("said", ["nonsense", "", "[]", "null", "-1", "1e9", "99999", '{"pid":1}'])
def test_a_capture_file_that_remembers_nonsense(file, said):
    """Who gives us a file has written what it remembers: its port, who listened, what was kept."""
    with Lab(file, keep=100) as lab:
        lab.on_delivery(print, name="follower")
        post(lab.url)
    with contextlib.closing(sqlite_file(file)) as connection:
        known = connection.execute("UPDATE meta SET value = ? RETURNING key", (said,)).fetchall()
        assert {("port",), ("listener",)} <= set(known)
    with Lab(file, keep=100) as lab, Lab(file) as again:
        assert post(again.url).status == 200
        assert len(again) == 2
        assert "captures" in repr(lab)


def test_opening_a_file_of_ours_again_changes_nothing(file):
    with Lab(file) as lab:
        post(lab.url)
    before = everything(file)
    assert len(read(file)) == 1
    Store(file).close()
    assert everything(file) == before


@pytest.mark.usefixtures("leaks_nothing")
def test_a_damaged_file(file):
    with Lab(file) as lab:
        for _ in range(50):
            post(lab.url, b"x" * 5000)
    content = bytearray(file.read_bytes())
    content[4096:40_960] = os.urandom(36_864)
    file.write_bytes(content)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"damaged: keep a copy, and recover"):
        Lab(file)
    with pytest.raises(WebhookLabError, match="damaged"):
        read(file)
    assert file.read_bytes() == before


@pytest.mark.usefixtures("leaks_nothing")
def test_a_folder_and_a_pipe(tmp_path):
    with pytest.raises(CaptureFileError, match="is a folder: name a file inside it"):
        Lab(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CaptureFileError, match="not a regular file"):
        Lab(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.usefixtures("leaks_nothing")
def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CaptureFileError, match="cannot be created: No such file or directory"):
        Lab(tmp_path / "missing" / "captures.db")


@contextlib.contextmanager
def without_rights():
    """As a user who may do less than the superuser, who may do everything."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder():
    """A folder that other users can reach too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.usefixtures("leaks_nothing")
def test_a_folder_without_the_right_to_write(open_folder):
    open_folder.chmod(0o555)
    with without_rights(), pytest.raises(CaptureFileError, match="cannot be created: Permission"):
        Lab(open_folder / "captures.db")
    assert list(open_folder.iterdir()) == []


@pytest.mark.usefixtures("leaks_nothing")
def test_a_file_without_the_right_to_write(open_folder):
    file = open_folder / "captures.db"
    Lab(file).close()
    file.with_name("captures.db-lock").unlink()
    before = file.read_bytes()
    file.chmod(0o444)
    with without_rights():
        with pytest.raises(StoreError, match="cannot be written: check its permissions"):
            Lab(file)
        assert len(read(file)) == 0
    assert file.read_bytes() == before


@pytest.mark.usefixtures("leaks_nothing")
def test_a_lock_file_that_cannot_be_used(file):
    file.with_name("captures.db-lock").mkdir()
    with pytest.raises(CaptureFileError, match="lock file"):
        Lab(file)


@pytest.mark.usefixtures("leaks_nothing")
def test_after_each_failure_the_path_can_be_used(file):
    file.write_bytes(b"something else")
    with pytest.raises(ForeignFileError):
        Lab(file)
    file.unlink()
    with Lab(file) as lab:
        assert post(lab.url).status == 200
