"""Pages: followed wherever the server says that they are, and never round in circles."""

import pytest

from tests.api_parts import Api, always, last, shown, started, states
from tests.raw_server import HANG, raw


@pytest.fixture
def api():
    with Api(always(shown([]))) as server:
        yield server


def pages(api, made):
    """Target to answer; what is not there is 404."""
    api.answer = lambda asked: made.get(asked.target, raw(404))


def ids(pulling):
    return [entity_id for entity_id, _ in states(pulling)]


def items(*numbers):
    return [{"id": number} for number in numbers]


@pytest.mark.parametrize(
    "link",
    [
        "Link: <?page=2>; rel=next",
        'Link: </list?page=0>; rel="prev", </list?page=2>; rel="last next"',
        'Link: <list?page=2>; title="a, b"; rel="NEXT"',
    ],
)
def test_a_link_is_followed_however_it_is_written(pulling, api, link):
    pages(api, {"/list": shown(items(1), link), "/list?page=2": shown(items(2))})
    started(pulling, api.url + "list")
    assert ids(pulling) == ["1", "2"]
    assert (last(pulling)["request_count"], last(pulling)["item_count"]) == (2, 2)


@pytest.mark.parametrize(
    "told",
    [
        {"next": "?page=2"},
        {"links": {"next": "/list?page=2"}},
        {"_links": {"next": {"href": "list?page=2"}}},
        {"@odata.nextLink": "?page=2"},
    ],
)
def test_a_url_in_the_body_is_followed(pulling, api, told):
    told = {k: v for k, v in told.items() if v != {"next": {"href": "list?page=2"}}} or {
        "_links": {"next": {"href": "/list?page=2"}}
    }
    pages(
        api,
        {
            "/list": shown({"data": items(1), **told}),
            "/list?page=2": shown({"data": items(2), "next": None, "has_more": False}),
        },
    )
    started(pulling, api.url + "list")
    assert ids(pulling) == ["1", "2"]


@pytest.mark.parametrize("more", [{"has_more": True}, {"next_cursor": "x"}, {"next": 2}])
def test_more_without_a_url_is_no_complete_poll(pulling, api, more):
    api.answer = always(shown({"data": items(1), **more}))
    started(pulling, api.url)
    assert (last(pulling)["complete"], ids(pulling)) == (False, ["1"])


def test_next_url_may_be_a_function_or_jmespath(pulling, api):
    pages(
        api,
        {
            "/?a=1": shown({"data": items(1), "cursor": "x"}),
            "/?a=1&after=x": shown({"data": items(2), "cursor": None}),
        },
    )

    def following(page):
        return f"{page.url}&after={page.data['cursor']}" if page.data["cursor"] else None

    started(pulling, api.url, params={"a": 1}, next_url=following)
    assert ids(pulling) == ["1", "2"]
    pages(api, {"/": shown({"data": items(3), "then": "/2"}), "/2": shown({"data": items(4)})})
    started(pulling, api.url, next_url="then")
    assert ids(pulling)[2:] == ["3", "4"]


def test_a_page_loop_is_an_error_and_what_was_seen_is_kept(pulling, api):
    loop = "Link: </2>; rel=next"
    pages(api, {"/": shown(items(1), loop), "/2": shown(items(2), loop)})
    poller = started(pulling, api.url)
    assert poller.stats["last_error"] == "page loop: page 2 leads back to an earlier one"
    assert (last(pulling)["complete"], ids(pulling)) == (False, ["1", "2"])


def test_pages_that_repeat_under_ever_new_urls_are_a_loop(pulling, api):
    api.answer = lambda asked: shown(items(1, 2), f"Link: <{asked.target}x>; rel=next")
    poller = started(pulling, api.url)
    assert poller.stats["last_error"] == "page loop: page 2 repeats an earlier one"
    assert len(api.asked) == 2


def test_there_is_a_bound_on_pages(pulling, api):
    api.answer = lambda asked: shown(items(len(asked.target)), f"Link: <{asked.target}x>; rel=next")
    poller = started(pulling, api.url)
    assert "more than 20 pages (MAX_PAGES)" in poller.stats["last_error"]
    assert len(api.asked) == 20


def test_an_empty_page_in_between_ends_nothing(pulling, api):
    pages(
        api,
        {
            "/": shown([], "Link: </2>; rel=next"),
            "/2": shown([], "Link: </3>; rel=next"),
            "/3": shown(items(1)),
        },
    )
    started(pulling, api.url)
    assert ids(pulling) == ["1"]


def test_a_failing_second_page_deletes_nothing_and_the_first_ones_changes_count(pulling, api):
    link = "Link: </2>; rel=next"
    pages(api, {"/": shown(items(1), link), "/2": shown(items(2))})
    poller = started(pulling, api.url)
    pages(api, {"/": shown([{"id": 1, "a": 1}], link), "/2": HANG})
    poll = poller.poll_now()
    assert (poll.complete, poll.changed) == (False, 1)
    pages(api, {"/": shown([{"id": 1, "a": 1}], link), "/2": shown(items(2))})
    assert (poller.poll_now().changed, ids(pulling)) == (0, ["1", "2", "1"])


def test_page_sizes_that_change_change_nothing(pulling, api):
    everything = items(*range(10))
    sizes = iter([3, 7, 100, 1])

    def paged(asked):
        _, _, query = asked.target.partition("?")
        start, step = (int(part) for part in query.split(",")) if query else (0, next(sizes))
        following = start + step
        link = [f"Link: <?{following},{step}>; rel=next"] if following < len(everything) else []
        return shown(everything[start:following], *link)

    api.answer = paged
    poller = started(pulling, api.url)
    for _ in range(3):
        poll = poller.poll_now()
        assert (poll.changed, poll.complete, poll.item_count) == (0, True, 10)
    assert len(ids(pulling)) == 10


def test_an_entity_on_two_pages_counts_once_as_the_later_page_has_it(pulling, api):
    """Offset paging, and something was inserted between two pages."""
    pages(
        api,
        {
            "/": shown([{"id": 1}, {"id": 2, "a": 1}], "Link: </2>; rel=next"),
            "/2": shown([{"id": 2, "a": 2}, {"id": 3}]),
        },
    )
    started(pulling, api.url)
    assert dict(states(pulling)) == {"1": {"id": 1}, "2": {"id": 2, "a": 2}, "3": {"id": 3}}
    assert last(pulling)["complete"]


def test_each_page_has_its_own_condition(pulling, api):
    tags = {"/": "a", "/2": "b"}
    content = {"/": items(1), "/2": items(2)}

    def answer(asked):
        link = ["Link: </2>; rel=next"] if asked.target == "/" else []
        if asked.headers.get("if-none-match") == f'"{tags[asked.target]}"':
            return raw(304)
        return shown(content[asked.target], f'ETag: "{tags[asked.target]}"', *link)

    api.answer = answer
    poller = started(pulling, api.url)
    poll = poller.poll_now()
    assert (poll.status, poll.not_modified, poll.request_count) == (304, True, 2)
    tags["/2"], content["/2"] = "c", items(3)
    poll = poller.poll_now()
    assert (poll.status, poll.not_modified, poll.item_count) == (200, False, 2)
    assert ids(pulling) == ["1", "2", "3", "2"]
    assert states(pulling)[-1] == ("2", None)


def test_a_304_that_has_a_new_link_leads_to_the_new_page(pulling, api):
    grown = False

    def answer(asked):
        if asked.target == "/2":
            return shown(items(2))
        if "if-none-match" in asked.headers:
            return raw(304, b"", *(["Link: </2>; rel=next"] if grown else []))
        return shown(items(1), 'ETag: "full"')

    api.answer = answer
    poller = started(pulling, api.url)
    grown = True
    poller.poll_now()
    assert ids(pulling) == ["1", "2"]


def test_a_page_that_was_not_understood_in_full_is_asked_for_in_full(pulling, api):
    api.answer = always(shown([{"id": 1}, {"no": 1}], 'ETag: "x"'))
    poller = started(pulling, api.url)
    poll = poller.poll_now()
    assert not any("if-none-match" in asked.headers for asked in api.asked)
    assert not poll.complete
