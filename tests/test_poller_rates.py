"""Rate limits: read as servers write them, recorded, and obeyed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api_parts import Api, always, last, shown, started
from tests.raw_server import raw
from webhooklab.pulling.rates import Allowance, allowance

NOW = 1_772_445_600_000_000  # 2026-03-02 10:00:00 UTC
DATE = {"date": "Mon, 02 Mar 2026 10:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Allowance()),
        ({"x-ratelimit-remaining": "59"}, Allowance(59)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772445630"}, Allowance(0, 30.0)),
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1772445630"}, Allowance(7)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, Allowance(0, 12.0)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772445630000"}, Allowance(0, 30.0)),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-02T10:00:30Z"},
            Allowance(0, 30.0),
        ),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "5"}, Allowance(0, 5.0)),
        ({"x-rate-limit-remaining": "3"}, Allowance(3)),
        ({"ratelimit": '"default";r=50;t=30'}, Allowance(50)),
        ({"ratelimit": '"burst";r=0;t=1, "day";r=500;t=36000'}, Allowance(0, 1.0)),
        ({"ratelimit": "limit=100, remaining=0, reset=9"}, Allowance(0, 9.0)),
        ({"retry-after": "7"}, Allowance(None, 7.0)),
        ({"retry-after": "Mon, 02 Mar 2026 10:00:20 GMT"}, Allowance(None, 20.0)),
        ({"retry-after": "Mon, 02 Mar 2020 10:00:20 GMT"}, Allowance()),
        ({"retry-after": "soon", "x-ratelimit-remaining": "many"}, Allowance()),
        ({"x-ratelimit-remaining": "0"}, Allowance(0)),
    ],
)
def test_what_servers_say(headers, expected):
    assert allowance({**headers, **DATE}, 0) == expected
    assert allowance(headers, NOW) == expected


def test_the_servers_instants_are_held_against_the_servers_clock():
    headers = {"retry-after": "Mon, 02 Mar 2026 10:00:20 GMT", **DATE}
    assert allowance(headers, NOW + 3600 * 10**6).wait_seconds == 20.0


NAMES = ("retry-after", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset", "date")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_no_header_is_too_strange(headers):
    assert allowance(headers, NOW).wait_seconds >= 0


@pytest.fixture
def api():
    with Api(always(shown([{"id": 1}]))) as server:
        yield server


@pytest.mark.parametrize("status", [429, 503, 403])
def test_retry_after_is_obeyed_within_a_poll(pulling, api, status):
    answers = [raw(status, b"", "Retry-After: 1"), shown([{"id": 1}])]
    api.answer = lambda _: answers.pop(0)
    began = time.monotonic()
    started(pulling, api.url)
    assert time.monotonic() - began >= 1.0
    assert last(pulling)["complete"]


def test_a_long_wait_ends_the_poll_and_the_next_one_begins_when_it_may(pulling, api):
    api.answer = always(raw(429, b"", "Retry-After: 3600"))
    poller = started(pulling, api.url, every=0.05)
    error = "the rate limit asks to wait 3,600 s more; nothing is asked for until then"
    assert last(pulling)["error"] == error
    assert last(pulling)["status"] == 429
    wait = poller.stats["next_poll_at"] - poller.stats["last_polled_at"]
    assert 3590 < wait.total_seconds() <= 3600
    assert len(api.asked) == 1
    assert poller.poll_now().request_count == 0


def test_a_used_up_limit_is_recorded_and_obeyed_between_pages(pulling, api):
    limited = ("X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1")
    answers = [
        shown([{"id": 1}], "Link: </2>; rel=next", *limited),
        shown([{"id": 2}], "X-RateLimit-Remaining: 9"),
    ]
    api.answer = lambda _: answers.pop(0)
    began = time.monotonic()
    started(pulling, api.url)
    assert time.monotonic() - began >= 1.0
    assert (last(pulling)["rate_remaining"], last(pulling)["complete"]) == (9, True)


def test_a_wait_of_years_is_not_believed(pulling, api):
    api.answer = always(shown([], "RateLimit-Remaining: 0", "RateLimit-Reset: 999999999"))
    poller = started(pulling, api.url)
    wait = poller.stats["next_poll_at"] - poller.stats["last_polled_at"]
    assert wait.total_seconds() <= 24 * 3600 + 1
