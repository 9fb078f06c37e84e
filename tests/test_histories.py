"""Recorded answers of the GitHub API, played by a real server and polled, with webhooks of them.

Their `updated_at` are all equal (the recordings are normalised), so there are no versions.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api_parts import Api, shown
from tests.comparison_world import World, verdicts
from tests.inputs import CORPORA, needs_corpora
from tests.raw_server import raw

pytestmark = needs_corpora

FOLDER = CORPORA / "histories/github-polled-octokit-fixtures"


def recorded(name: str) -> list[Any]:
    """The answers of a recording, in the order of the requests."""
    exchanges = json.loads((FOLDER / f"{name}.normalized.json").read_text())
    return [exchange["response"] for exchange in exchanges]


@dataclass
class History:
    """`shows`: what the API answers, one after the other; `events`: what came before each.

    An event is an action and a state; None is no event. `noun`: where the payload has the state.
    """

    noun: str
    shows: list[Any]
    events: list[tuple[str, Any] | None]


def _assets() -> History:
    _, uploaded, listed, _, edited, _ = recorded("release-assets")
    return History(
        "asset",
        [[], listed, [edited], []],
        [None, ("created", uploaded), ("edited", edited), ("deleted", edited)],
    )


def _collaborators() -> History:
    _, _, _, both, _, one = recorded("add-and-remove-repository-collaborator")
    (other,) = [each for each in both if each not in one]
    return History("member", [one, both, one], [None, ("added", other), ("removed", other)])


def _statuses() -> History:
    failed, succeeded, listed, _ = recorded("create-status")
    return History(
        "status",
        [[], listed[1:], listed],
        [None, ("created", failed), ("created", succeeded)],
    )


def _repository() -> History:
    renamed, _, now, _, described = recorded("rename-repository")
    return History("repository", [now, described], [("renamed", renamed), ("edited", described)])


HISTORIES = {
    "assets": _assets,
    "collaborators": _collaborators,
    "statuses": _statuses,
    "repository": _repository,
}


def play(world: World, history: History, *, lost: int | None = None) -> list[str]:
    """Poll after each event; the one at `lost` does not come. The verdicts, in order of time."""
    world.lab.map(entity_id=f"{history.noun}.id", event_type="action")
    for number, (now, event) in enumerate(zip(history.shows, history.events, strict=True)):
        if event is not None and number != lost:
            world.push({"action": event[0], history.noun: event[1], "sender": {"login": "x"}})
        world.api.answer = lambda asked, now=now: _answer(world.api, asked, now)
        world.poll()
    changes = world.lab.compare(grace=0).changes.sort_values("polled_at")
    alive = changes[(changes.verdict == "both") & changes.version.isna()]
    assert alive.mismatch.tolist() == [[]] * len(alive)
    reasons = changes.reason.fillna("")
    return [f"{v}: {r}" if r else v for v, r in zip(changes.verdict, reasons, strict=True)]


def _answer(api: Api, asked: Any, now: Any) -> bytes:
    if asked.target == "/":
        return raw(301, b"", f"Location: {api.url}repositories/1000")
    return shown(now)


@pytest.fixture
def world(file):
    with World(file, version=None) as made:
        yield made


@pytest.mark.parametrize("name", HISTORIES)
def test_all_that_was_pushed_and_polled_is_both(world, name):
    history = HISTORIES[name]()
    found = play(world, history)
    assert found == ["both"] * sum(event is not None for event in history.events)


NEVER = "unknown: nothing ever pushed"
LOST = {
    ("assets", 1): [NEVER, "both", "both"],
    ("assets", 2): ["both", "poll_only", "both"],
    ("assets", 3): ["both", "both", "poll_only"],
    ("collaborators", 1): [NEVER, "both"],
    ("collaborators", 2): ["both", "poll_only"],
    ("statuses", 1): [NEVER, "both"],
    ("statuses", 2): ["both", "poll_only"],
    ("repository", 0): ["both"],
    ("repository", 1): ["both", "poll_only"],
}


@pytest.mark.parametrize(("name", "lost"), LOST)
def test_what_was_lost_is_told_where_webhooks_are_known_to_work(world, name, lost):
    assert play(world, HISTORIES[name](), lost=lost) == LOST[name, lost]


def test_equal_times_make_one_change_of_all(file):
    """Why a version that does not change with the state is no version."""
    with World(file, version="updated_at") as world:
        history = _assets()
        world.lab.map(entity_id="asset.id", event_type="action", version="asset.updated_at")
        for now, event in zip(history.shows[:3], history.events[:3], strict=True):
            if event is not None:
                world.push({"action": event[0], "asset": event[1]})
            world.api.answer = lambda _, now=now: shown(now)
            world.poll()
        changes = world.lab.compare(grace=0).changes
        assert verdicts(changes) == {("1000", "2017-10-10T16:00:00Z"): "both"}
        assert changes.event_count.tolist() == [2]
        assert changes.duplicate.tolist() == [False]
        (differing,) = changes.mismatch
        assert {"label", "name"} <= set(differing), "and states that differ"
