"""What a fetched state says about the payload before it: newer or not, and how it differs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx

from webhooklab import clock, states
from webhooklab.differences import difference
from webhooklab.instants import parse_instant
from webhooklab.mapping import reader, text_of
from webhooklab.pulled import Fetch, Spoken
from webhooklab.pulling.answers import Answer, Failure, Tally
from webhooklab.pulling.getter import status_text
from webhooklab.pulling.intake import data_of
from webhooklab.pulling.items import read_json
from webhooklab.pulling.origins import masked
from webhooklab.pulling.source import Sought
from webhooklab.store.writing import storable

_number: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?").fullmatch
_fraction: Final = re.compile(r":\d\d[.,]\d").search
_SECOND_US: Final = 1_000_000


def is_newer(fetched: str, pushed: str) -> bool | None:
    """Whether one version is newer than another; None where they cannot be compared.

    Two numbers, or two instants (at the coarser one's precision: whole seconds where one has no
    fraction). Equal tokens are not newer; of different ones nobody can say.
    """
    if fetched == pushed:
        return False
    if _number(fetched) and _number(pushed):
        return Decimal(fetched) > Decimal(pushed)
    new, old = parse_instant(fetched), parse_instant(pushed)
    if new is None or old is None:
        return None
    if not (_fraction(fetched) and _fraction(pushed)):
        new, old = new // _SECOND_US, old // _SECOND_US
    return new > old


def is_superseded(
    fetched: Any, pushed: Any, fetched_version: str | None, pushed_version: str | None
) -> bool | None:
    """Whether the truth is newer than the payload's state.

    By version where both have one and they compare; else whether they contradict each other in
    what both say: the answer came after the payload. None where they have nothing in common.
    """
    if fetched_version is not None and pushed_version is not None:
        newer = is_newer(fetched_version, pushed_version)
        if newer is not None:
            return newer
    return states.contradicts(pushed, fetched) if isinstance(pushed, dict) else None


@dataclass(frozen=True, slots=True)
class Truth:
    """What a fetch brought: the entity's state, or why there is none. `size_bytes`: of the answer.

    `state` and `error` None: the resource is not there (404, 410).
    """

    fetched_at: int
    state: Any = None
    text: str | None = None
    entity_id: str | None = None
    version: str | None = None
    size_bytes: int = 0
    error: str | None = None


class TruthReader:
    """Reads answers, and holds them against payloads.

    `state_path`: where the template says that the entity is in a body; None: one cannot tell.
    """

    def __init__(self, sought: Sought, state_path: str | None) -> None:
        place = sought.state if sought.state is not None else state_path
        self._pushed = None if place is None else reader("state", place)
        self._resource = reader("resource", "@" if sought.resource is None else sought.resource)
        self._id = reader("entity_id", sought.entity_id)
        self._version = None if sought.version is None else reader("version", sought.version)
        self._entity_type = sought.entity_type

    def read(self, answer: Answer | None, error: str | None) -> Truth:
        """What an answer says. Never raises."""
        if answer is None:
            return Truth(clock.now_us(), error=error)
        if answer.status in (404, 410):
            return Truth(answer.completed_at)
        try:
            return self._read(answer)
        except Failure as failure:
            return Truth(answer.completed_at, error=str(failure))
        except Exception as failure:  # a function of the user's, or JSON that cannot be kept
            return Truth(answer.completed_at, error=f"the answer cannot be read: {failure!r}"[:300])

    def _read(self, answer: Answer) -> Truth:
        if not 200 <= answer.status < 300:
            raise Failure(status_text(answer.status), status=answer.status)
        state = self._resource(read_json(answer))
        if state is None:
            raise Failure("resource= finds nothing in the answer")
        return Truth(
            answer.completed_at,
            state=state,
            text=states.dump(state),
            entity_id=storable(text_of(self._id(state))),
            version=None if self._version is None else storable(text_of(self._version(state))),
            size_bytes=len(answer.body),
        )

    def row(self, truth: Truth, event: Spoken, url: httpx.URL, tally: Tally) -> Fetch:
        """What is kept of a fetch for one of the events that it serves."""
        size = truth.size_bytes + len(event.body or b"")
        pushed = self._pushed_state(event) if truth.text is not None else None
        began = tally.requested_at
        newer = is_superseded(truth.state, pushed, truth.version, event.version)
        return Fetch(
            seq=event.seq,
            item=event.item,
            url=masked(url),
            fetched_at=truth.fetched_at,
            entity_type=self._entity_type or event.entity_type,
            entity_id=truth.entity_id or event.entity_id,
            version=truth.version,
            status=tally.status,
            elapsed_ms=None if began is None else max(0, truth.fetched_at - began) // 1000,
            attempts=tally.requests,
            state=truth.text,
            superseded=newer if truth.text is not None else None,
            difference=difference(pushed, truth.state, size),
            error=truth.error,
        )

    def _pushed_state(self, event: Spoken) -> Any:
        try:
            return None if self._pushed is None else self._pushed(data_of(event))
        except Exception:  # a function of the user's: the payload then says nothing
            return None
