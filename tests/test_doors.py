"""Doors: what a secret opens, looked up for each delivery, changed by other processes."""

import threading

import pytest

from webhooklab.server_extension.doors import Door, Doors


@pytest.fixture
def doors(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return Doors()


@pytest.mark.parametrize("age_us", [-1, 10**9])
def test_whatever_others_change_is_found_at_once(doors, monkeypatch, age_us):
    """Whether they are taken for known at once, or never."""
    monkeypatch.setattr("webhooklab.server_extension.doors._TELLING_APART_US", age_us)
    others = Doors()
    assert doors.find("secret") is None
    for number in range(20):
        others.set("secret", Door("http://127.0.0.1:1/", f"key {number:04}", 5))
        assert doors.find("secret").key == f"key {number:04}"
    others.set("secret", Door())
    assert doors.find("secret").behind is None
    others.remove("secret")
    assert doors.find("secret") is None
    others.set("secret", Door("http://127.0.0.1:1/", "again", 5))
    assert doors.find("secret").behind.key == "again"


def test_a_door_that_is_changed_all_the_time_is_always_found_whole(doors):
    over = threading.Event()
    doors.set("secret", Door("http://127.0.0.1:1/", "0" * 64, 1))

    def change():
        number = 0
        while not over.is_set():
            number += 1
            Doors().set("secret", Door("http://127.0.0.1:1/", str(number % 10) * 64, number % 10))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(2_000):
            door = doors.find("secret")
            assert door.key in {"0" * 64, str(door.max_body_bytes) * 64}
    finally:
        over.set()
        thread.join()
