"""What others build on: names, parameters, columns and errors, word by word."""

import inspect

import pandas as pd
import pytest

from tests.raw_http import post
from webhooklab import Lab, WebhookLabError, compare, providers, read, verify
from webhooklab.providers import Mark

SIGNATURES = {
    Lab: "path='captures.db', *, host='127.0.0.1', port=None, max_body_bytes=26214400, "
    "allow_origins=()",
    Lab.wait: "count=1, *, after=None, timeout=30.0, event_type=None",
    Lab.wait_async: "count=1, *, after=None, timeout=30.0, event_type=None",
    Lab.expect: "count=1",
    Lab.on_delivery: "function",
    Lab.stream: "",
    Lab.map: "*, path='/', event_type=None, event_id=None, entity_type=None, entity_id=None, "
    "occurred_at=None, version=None, state=None",
    Lab.export: "path, events=None, *, secrets=False, overwrite=True",
    Lab.find: "where=None, *, last=None, since=None, columns=None",
    Lab.payloads_of: "event_type",
    Lab.delete: "seqs",
    Lab.clear: "",
    Lab.verify_with: "provider, secret, *, path='/', url=None, reject=False",
    Lab.respond: "status=None, *, body=b'', headers=None, delay=0.0, path=None, times=None, "
    "failure_rate=0.0",
    Lab.send_sample: "provider='standardwebhooks', event_type=None",
    Lab.poll: "url, *, every=30.0, name=None, items=None, provider=None, entity_type=None, "
    "entity_id='id', version=None, auth=None, headers=None, params=None",
    Lab.fetch_related: "url_template, *, auth=None",
    Lab.compare: "*, entity_id=None, version=None, state=None, grace=30.0",
    Lab.explain: "entity_id",
    Lab.forward: "url",
    Lab.replay: "events, to",
    Lab.expose: "via='auto'",
    Lab.check: "",
    read: "path",
    verify: "provider, *, headers, body, secret, url=None, method='POST', now=None",
    compare: "events, snapshots, *, polls=None, fetches=None, listening=None, grace=30.0, now=None",
}
"""How each may be called; there may be more, by name and with a default."""


def _written(parameter):
    given = parameter.default
    return parameter.name if given is parameter.empty else f"{parameter.name}={given!r}"


@pytest.mark.parametrize("called", SIGNATURES, ids=lambda called: called.__qualname__)
def test_what_is_called_takes_what_was_promised(called):
    promised, _, named = SIGNATURES[called].partition("*")
    found = list(inspect.signature(called).parameters.values())
    found = [each for each in found if each.name != "self"]
    by_place = [_written(each) for each in found if each.kind is each.POSITIONAL_OR_KEYWORD]
    by_name = {_written(each) for each in found if each.kind is each.KEYWORD_ONLY}
    assert by_place == [each for each in promised.rstrip(", ").split(", ") if each]
    wanted = {each for each in named.removeprefix(", ").split(", ") if each}
    assert wanted <= by_name
    more = [each for each in found if _written(each) not in {*by_place, *wanted}]
    assert all(each.default is not each.empty for each in more)


FRAMES = {
    "events": (
        "seq",
        (
            "received_at stored_at source method path query_string provider event_type event_id "
            "entity_type entity_id occurred_at version event_count verified verified_reason "
            "duplicate_of content_type body_bytes remote status headers_json body"
        ),
    ),
    "unbatched": (
        "seq item",
        (
            "received_at stored_at source method path query_string provider event_type event_id "
            "entity_type entity_id occurred_at version verified verified_reason duplicate_of "
            "content_type body_bytes remote status headers_json body"
        ),
    ),
    "polls": (
        "poll",
        (
            "poller url requested_at polled_at status elapsed_ms response_bytes request_count "
            "item_count changed not_modified complete rate_remaining server_date error"
        ),
    ),
    "snapshots": (
        "snapshot",
        (
            "poller provider entity_type entity_id version not_seen_at polled_at last_seen_at "
            "state changed_fields deleted"
        ),
    ),
    "fetches": (
        "fetch",
        (
            "seq url fetched_at entity_type entity_id version status elapsed_ms attempts state "
            "superseded difference"
        ),
    ),
    "attempts": (
        "entry",
        "seq target attempt started_at elapsed_ms status error response_headers_json response_body",
    ),
    "listened": ("span", "started_at stopped_at"),
}
MORE = {"fetches": {"item", "error"}}
TIMES = {"server_date"}
COUNTED = (
    "seq item event_count duplicate_of body_bytes status elapsed_ms response_bytes request_count "
    "item_count changed rate_remaining attempts attempt"
)
FLAGS = {"not_modified", "complete", "superseded", "deleted"}
OBJECTS = {"body", "state", "changed_fields", "difference", "response_body"}


def _dtype(name):
    if name.endswith("_at") or name in TIMES:
        return "datetime64[us, UTC]"
    kinds = (("Int64", COUNTED.split()), ("boolean", FLAGS), ("object", OBJECTS))
    return next((dtype for dtype, names in kinds if name in names), "str")


@pytest.mark.parametrize("name", FRAMES)
def test_an_empty_frame_has_the_promised_columns_and_dtypes(lab, name):
    index, columns = FRAMES[name]
    found = getattr(lab, name)
    assert list(found.index.names) == index.split()
    assert [each for each in found if each not in MORE.get(name, ())] == columns.split()
    assert {each: str(found[each].dtype) for each in found} == {
        each: _dtype(each) for each in found
    }


def test_what_a_comparison_has():
    promised = "changes summary at_a_glance missed what_if plot plot_latency report"
    made = compare(pd.DataFrame(), pd.DataFrame())
    assert all(hasattr(made, name) for name in promised.split())
    rows = "who initiates, timing, efficiency, needs a public URL, best for, failure handling"
    assert ", ".join(made.at_a_glance.index) == rows
    assert list(made.at_a_glance.columns) == ["API (pull)", "Webhook (push)"]


WRONG = {
    "send_sample": lambda lab: lab.send_sample("nobody"),
    "send_sample of nothing": lambda lab: lab.send_sample("github", "nothing.happened"),
    "send_sample unsigned": lambda lab: lab.send_sample("stripe", secret=""),
    "verify_with": lambda lab: lab.verify_with("nobody", "secret"),
    "verify_with nothing": lambda lab: lab.verify_with("github", ""),
    "verify": lambda _: verify("nobody", headers={}, body=b"", secret="x"),
    "verify at no time": lambda _: verify("github", headers={}, body=b"", secret="x", now="x"),
    "find a provider": lambda _: providers.find("nobody"),
    "register": lambda _: providers.register("github", header="x-mine"),
    "mark": lambda _: Mark(),
    "retries": lambda lab: lab.retries("nobody"),
    "compare": lambda lab: lab.compare(grace=-1),
    "compare by what": lambda lab: lab.compare(entity_id="((("),
    "what_if": lambda lab: lab.compare().what_if(0),
    "recover": lambda lab: compare(lab.unbatched, lab.snapshots).missed.recover(),
    "map": lambda lab: lab.map(entity_id="((("),
    "find": lambda lab: lab.find("after:never"),
    "find since": lambda lab: lab.find(since="never"),
    "find columns": lambda lab: lab.find(columns=["colour"]),
    "poll": lambda lab: lab.poll("nowhere"),
    "fetch_related": lambda lab: lab.fetch_related("http://127.0.0.1/{id"),
    "respond": lambda lab: lab.respond(99),
    "forward": lambda lab: lab.forward("nowhere"),
    "replay": lambda lab: lab.replay(1, "nowhere"),
    "body": lambda lab: lab[1].json(),
    "part of a body": lambda lab: lab[1]["id"],
    "form": lambda lab: lab[1].form,
    "delivery": lambda lab: lab[99],
}
"""What cannot be done as it is asked for."""


@pytest.mark.parametrize("what", WRONG)
def test_what_is_asked_wrongly_is_told_by_an_error_of_ours(lab, what):
    lab.respond(204)
    post(lab.url.rstrip("/"), b"no JSON")
    with pytest.raises(WebhookLabError) as caught:
        WRONG[what](lab)
    assert isinstance(caught.value, ValueError | KeyError)
