"""Whatever the server does, the outcome is defined and shown, and the poller polls on."""

import gzip
import threading

import pytest

from tests.api_parts import QUICK, Api, always, last, pulling_in, shown, started
from tests.api_parts import states as states_of
from tests.raw_server import HANG, RESET, raw

GOOD = [{"id": 1}]
LOGIN = raw(200, b"<!doctype html><form action=/login>", "Content-Type: text/html")
BOMB = gzip.compress(bytes(2**26))
ONCE = raw(200, BOMB, "Content-Encoding: gzip")
TWICE = raw(200, gzip.compress(BOMB), "Content-Encoding: gzip, gzip")
CUT_GZIP = raw(200, b"not gzip", "Content-Encoding: gzip")


@pytest.fixture
def api():
    with Api(always(shown(GOOD))) as server:
        yield server


OUTCOMES = {
    "hangs": (HANG, None, "no answer within 0.4 s", 2),
    "resets": (RESET, None, "the connection broke off", 2),
    "says nothing": (b"", None, "the connection broke off", 2),
    "is no HTTP": (b"hello\r\n\r\n", None, "the connection broke off", 2),
    "length too long": (raw(200, b"[]", length=50), None, "the connection broke off", 2),
    "length too short": (raw(200, b'[{"id": 1}]', length=5), 200, "are not JSON", 1),
    "too large": (raw(200, b" " * 200_000), None, "more than 100,000 bytes (MAX_ANSWER_BYTES)", 1),
    "is a bomb": (ONCE, None, "more than 100,000 bytes (MAX_ANSWER_BYTES)", 1),
    "is a bomb in a bomb": (TWICE, None, "'gzip, gzip' was not asked for", 1),
    "is bad gzip": (CUT_GZIP, None, "content coding is broken", 2),
    "invalid JSON": (raw(200, b'[{"id": 1}'), 200, "are not JSON", 1),
    "empty": (raw(200), 200, "0 bytes of no Content-Type are not JSON", 1),
    "no content": (raw(204), 204, "are not JSON", 1),
    "infinite": (raw(200, b'[{"id": 1, "a": 1e999}]'), 200, "could not be read", 1),
    "a login page": (LOGIN, 200, "of text/html are not JSON: a web page; a login", 1),
    "401": (raw(401), 401, "401 Unauthorized: check auth= and headers=", 1),
    "403": (raw(403), 403, "403 Forbidden: check auth= and headers=", 1),
    "404": (raw(404), 404, "404 Not Found", 1),
    "400": (raw(400), 400, "400 Bad Request", 1),
    "429": (raw(429), 429, "429 Too Many Requests", 2),
    "500": (raw(500), 500, "500 Internal Server Error", 2),
    "503": (raw(503), 503, "503 Service Unavailable", 2),
    "304 unasked": (raw(304), 304, "304 to a request that set no condition", 1),
    "a number": (shown(42), 200, "neither a list nor an object", 1),
    "ids missing": (shown([{"no": 1}]), 200, "1 of 1 items has no id: pass entity_id=", 1),
    "no objects": (shown([1, None]), 200, "2 of 2 items have no id", 1),
    "ids twice": (shown([{"id": 1, "a": 1}, {"id": 1}]), 200, "1 id stands for several states", 1),
    "more, nowhere": (shown({"data": GOOD, "has_more": True}), 200, "pass next_url=", 1),
    "redirects out": (
        raw(302, b"", "Location: http://127.0.0.2/x?key=k"),
        302,
        "another origin",
        1,
    ),
    "redirects round": (raw(302, b"", "Location: /"), 302, "more than 5 redirects", 6),
    "redirects nowhere": (raw(302), 302, "redirects to no URL", 1),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_is_shown_and_the_next_poll_is_as_if_nothing_had_been(pulling, api, name):
    poller = started(pulling, api.url, auth=("user", "s3cret"))
    answer, status, error, requests = OUTCOMES[name]
    api.answer = always(answer)
    poll = poller.poll_now()
    assert error in poll.error
    assert (poll.status, poll.complete, poll.request_count) == (status, False, requests)
    assert last(pulling)["error"] == poll.error == poller.stats["last_error"]
    assert not pulling.observations.snapshots()["deleted"].any()
    assert "s3cret" not in repr(poller) + poller._repr_html_()
    assert "key=k" not in poll.error
    api.answer = always(shown([{"id": 1}]))
    assert poller.poll_now().complete
    assert poller.running
    assert poller.stats["failed"] == 1


def test_a_drip_is_cut_off(pulling, api):
    closing = threading.Event()

    def drip(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not closing.wait(0.1):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    poller = started(pulling, api.url)
    api._serve = drip
    try:
        assert poller.poll_now().error == "not complete within 1 s"
    finally:
        closing.set()


def test_fifty_megabytes_are_not_read_to_their_end(tmp_path):
    """The limit by default, and what it takes from the wire."""
    with Api(always(raw(200, b" " * 50 * 2**20))) as api, pulling_in(tmp_path) as pulling:
        poller = started(pulling, api.url)
        assert "MAX_ANSWER_BYTES" in poller.stats["last_error"]
        assert poller.stats["response_bytes"] < 2 * QUICK.max_answer_bytes + 2**20


def test_a_retry_that_helps_is_counted_and_no_failure(pulling, api):
    answers = [raw(503), shown(GOOD)]
    api.answer = lambda _: answers.pop(0)
    poller = started(pulling, api.url)
    poll = last(pulling)
    assert (poll["status"], poll["request_count"], poll["complete"]) == (200, 2, True)
    assert poller.stats["failed"] == 0


def test_a_redirect_within_the_origin_is_followed_with_credentials(pulling, api):
    def answer(asked):
        return shown(GOOD) if asked.target == "/there" else raw(307, b"", "Location: there")

    api.answer = answer
    started(pulling, api.url + "here", headers={"X-Api-Key": "k"})
    assert [asked.headers["x-api-key"] for asked in api.asked] == ["k", "k"]
    assert states_of(pulling) == [("1", {"id": 1})]


def test_credentials_go_to_no_other_origin(pulling, api):
    with Api(always(shown(GOOD))) as other:
        away = f"Link: <{other.url}?page=2>; rel=next"
        for answer in (raw(301, b"", f"Location: {other.url}"), shown(GOOD, away)):
            api.answer = always(answer)
            poller = started(pulling, api.url, auth=("u", "p"))
            assert "another origin" in poller.stats["last_error"]
        assert other.asked == []


def test_a_function_of_the_users_that_raises_fails_its_poll(pulling, api):
    api.answer = always(shown([{"no": 1}]))
    poller = started(pulling, api.url, entity_id=lambda item: item["id"])
    assert "could not be read: KeyError('id')" in poller.stats["last_error"]
    api.answer = always(shown(GOOD))
    assert poller.poll_now().complete


def test_an_auth_that_raises_fails_its_poll_without_its_message(pulling, api):
    def auth(_):
        raise RuntimeError("s3cret")

    poller = started(pulling, api.url, auth=auth)
    assert poller.stats["last_error"] == "unexpected RuntimeError: check auth="
    assert poller.running


def test_a_header_that_is_not_valid_does_not_show_itself(pulling, api):
    poller = started(pulling, api.url, headers={"Authorization": "Bearer s3cret\nX: y"})
    assert poller.stats["last_error"] == "the request is not valid HTTP: check headers= and auth="


def test_nobody_listens(pulling):
    with Api(always(b"")) as api:
        url = api.url
    poller = started(pulling, url)
    assert "could not connect" in poller.stats["last_error"]
    assert poller.running
