"""What was fetched for a delivery, beside what its payload says: as the browser gets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from webhooklab import bodies, states
from webhooklab.differences import place_of
from webhooklab.inbox import limits
from webhooklab.observations import Observations
from webhooklab.pulled import Spoken
from webhooklab.store import Store
from webhooklab.store import observations as rows

Outlook: TypeAlias = Callable[[int], str]
"""Why there is no fetch of a delivery, and whether one is to come, in words."""

_NOTHING: Final[dict[str, Any]] = {"state": None, "payload": None, "place": None}
_UNREADABLE: Final = "the body is neither JSON nor a form"
_TOO_DEEP: Final = "it is nested too deep to be shown"


def not_known(_seq: int) -> str:
    """Where nobody says."""
    return "Nothing was fetched for it."


class Truths:
    """Looks up what a delivery's fetches brought. From any thread."""

    def __init__(self, store: Store, outlook: Outlook = not_known) -> None:
        self._store = store
        self._observations = Observations(store)
        self._outlook = outlook

    def of(self, seq: int, budget: int) -> bytes:
        """JSON: `count`, the newest `fetches`, the newest first, and in words what to expect.

        `at` is the newest fetch of all when this was looked up: a later answer has a higher one.

        A fetch whose payload and state have more characters together than what is left of
        `budget` comes without them, `left_out` says how many there are.
        """
        with self._store.reading() as connection:
            at = rows.newest_fetch(connection)
            count, found = rows.fetches_of(connection, seq, limits.SHOWN_FETCHES)
        said = {"at": at, "count": count, "outlook": "" if found else self._outlook(seq)}
        return json.dumps(said | {"fetches": self._all(seq, found, budget)}).encode()

    def _all(self, seq: int, found: list[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
        if not found:
            return []
        spoken = {each.item: each for each in self._observations.spoken(seq)}
        fetches = []
        for fetch in found:
            made = self._beside(fetch, spoken.get(fetch["item"]), budget)
            budget -= 0 if made["left_out"] else _size(fetch, spoken.get(fetch["item"]))
            fetches.append(made)
        return fetches

    def _beside(self, fetch: dict[str, Any], event: Spoken | None, budget: int) -> dict[str, Any]:
        newer = fetch["superseded"]
        shown = fetch | {"superseded": None if newer is None else bool(newer)}
        size = _size(fetch, event)
        if fetch["state_chars"] is None:
            return shown | _NOTHING | {"left_out": 0}
        if size > budget:
            return shown | _NOTHING | {"left_out": size, "difference": None}
        with self._store.reading() as connection:
            found = dict(rows.states(connection, "fetches", [fetch["id"]]))
        state = found.get(fetch["id"])
        return shown | {"left_out": 0, "state": state} | _payload(event, fetch, state)


def _size(fetch: Mapping[str, Any], event: Spoken | None) -> int:
    """How much a fetch has to show, in characters and bytes."""
    said = len(event.body or b"") if event is not None else 0
    return (fetch["state_chars"] or 0) + len(fetch["difference"] or "") + said


def _payload(event: Spoken | None, fetch: Mapping[str, Any], state: str | None) -> dict[str, Any]:
    """The payload as JSON text: that part of it with which the state was compared, else all."""
    if event is None:
        return {"payload": None, "place": None, "why": "the delivery is no longer there"}
    try:
        payload = bodies.parse(event.body or b"", event.content_type)
        place = _place(payload, fetch["difference"], state)
        for part in place or ():
            payload = payload[part]
        return {"payload": states.dump(payload), "place": place, "why": ""}
    except RecursionError:
        return {"payload": None, "place": None, "why": _TOO_DEEP}
    except ValueError:
        return {"payload": None, "place": None, "why": _UNREADABLE}


def _place(payload: Any, difference: str | None, state: str | None) -> tuple[str | int, ...] | None:
    if difference is None or state is None:
        return None
    return place_of(payload, difference, bodies.parse_json(state.encode()))
