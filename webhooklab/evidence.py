"""What a capture file says of both sides, as the frames that `compare` takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from webhooklab.comparison import state_in
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter, Mapping
from webhooklab.records import Request

_NO_STATE: Final = ()
"""In place of a state that was sought and not found: nothing else is taken for it."""


def pushed(events: pd.DataFrame, interpreter: Interpreter, override: Mapping) -> pd.DataFrame:
    """`lab.unbatched` as it would be with another mapping, with the column `state` if one is named.

    `override` counts for deliveries to all paths; of what it leaves out, columns stay as they are,
    and the state is where the user's mapping says, else where it is found by the entity's id.
    """
    columns = [name for name in ("entity_id", "version") if name in override.expressions()]
    state = override.state is not None or interpreter.names_states
    if not columns and not state:
        return events
    requests = [_request(row) for row in _rows(events)]
    for name in columns:
        values = [override.value(name, request) for request in requests]
        events[name] = pd.Series(values, index=events.index, dtype=events[name].dtype)
    if state:
        find = _state_finder(interpreter, override)
        ids = events["entity_id"].astype(object)
        found = [find(*pair) for pair in zip(requests, ids, strict=True)]
        events["state"] = pd.Series(found, index=events.index, dtype=object)
    return events


def _state_finder(interpreter: Interpreter, override: Mapping) -> Callable[[Request, Any], Any]:
    def find(request: Request, entity_id: Any) -> Any:
        mapping = override if override.state is not None else interpreter.mapping_for(request.path)
        if mapping is None or mapping.state is None:
            return state_in(request.body, request.content_type, str(entity_id))
        found = mapping.value("state", request)
        return _NO_STATE if found is None else found

    return find


_REQUEST_COLUMNS: Final = ("source", "method", "path", "query_string", "headers_json", "body")


def _rows(events: pd.DataFrame) -> Any:
    times = events["received_at"].astype("int64")
    return zip(times, *(events[name] for name in _REQUEST_COLUMNS), strict=True)


def _request(row: tuple[Any, ...]) -> Request:
    received_at, source, method, path, query_string, headers_json, body = row
    return Request(
        received_at=received_at,
        method=method,
        target=f"{path}?{query_string}" if query_string else path,
        headers=Headers.from_json(headers_json),
        body=b"" if body is pd.NA else bytes(body),
        source=source,
    )
