"""What a capture file says of both sides, as the frames that `compare` takes.

Bodies and states stay in the file: they are read where a rule asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from webhooklab.comparison import lazily, state_in
from webhooklab.mapping import Interpreter, Mapping
from webhooklab.observations import Observations
from webhooklab.originals import Originals
from webhooklab.store import Store
from webhooklab.views import Views

Rows = np.ndarray[Any, Any]

_NO_STATE: Final = ()
"""In place of a state that was sought and not found: nothing else is taken for it."""


def pulled(observations: Observations, table: Literal["snapshots", "fetches"]) -> pd.DataFrame:
    """`lab.snapshots` or `lab.fetches`, for a comparison."""
    found = observations.light(table)
    ids = found.index.to_numpy()

    def states(rows: Rows) -> list[Any]:
        wanted = observations.states(table, ids[rows].tolist())
        return [pd.NA if state is None else state for state in wanted]

    return found.assign(state=lazily(len(found), states))


def pushed(store: Store, views: Views, interpreter: Interpreter, override: Mapping) -> pd.DataFrame:
    """`lab.unbatched`, for a comparison, as it would be with another mapping.

    `override` counts for deliveries to all paths; of what it leaves out, columns stay as they are.
    With `state`, of it or of the user's mapping, there is a column `state`: what that finds, else
    what is found by the entity's id.
    """
    events = views.evidence()
    originals = Originals(store, events.index)  # type: ignore[arg-type]
    for name in ("entity_id", "version"):
        if name in override.expressions():
            events[name] = pd.Series(
                [each and override.value(name, each) for each in originals.requests()],
                index=events.index,
                dtype=events[name].dtype,
            )
    events["body"] = lazily(len(events), originals.bodies)
    if override.state is not None or interpreter.names_states:
        states = _States(originals, events["entity_id"], interpreter, override)
        events["state"] = lazily(len(events), states)
    return events


class _States:
    """The states in payloads, where a mapping says where they are."""

    def __init__(
        self, originals: Originals, ids: pd.Series, interpreter: Interpreter, override: Mapping
    ) -> None:
        self._originals = originals
        self._ids = ids
        self._interpreter = interpreter
        self._override = override

    def __call__(self, rows: Rows) -> list[Any]:
        return list(self._found(rows))

    def _found(self, rows: Rows) -> Iterator[Any]:
        ids = self._ids.iloc[rows].astype(object)
        for request, entity_id in zip(self._originals.requests(rows), ids, strict=True):
            if request is None:
                yield _NO_STATE
                continue
            mapping = self._mapping_for(request.path)
            if mapping is None or mapping.state is None:
                found = state_in(request.body, request.content_type, str(entity_id))
            else:
                found = mapping.value("state", request)
            yield _NO_STATE if found is None else found

    def _mapping_for(self, path: str) -> Mapping | None:
        return (
            self._override
            if self._override.state is not None
            else self._interpreter.mapping_for(path)
        )
