"""What is to be replayed: rows of `lab.events`, of this file or another, or deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from numbers import Integral
from typing import Any, Final, TypeAlias

import pandas as pd

from webhooklab import clock
from webhooklab.attempts import Attempts
from webhooklab.errors import SendArgumentError, UnknownDeliveryError
from webhooklab.headers import Headers
from webhooklab.records import EVENT_COLUMNS, Delivery
from webhooklab.sources import IMPORTED
from webhooklab.store import Store

Events: TypeAlias = pd.DataFrame | pd.Series | Delivery | int | Iterable[Any]
"""A frame, one of its rows, a delivery, its `seq`, or several of these two."""

_NEEDED = ("headers_json", "body")
_TYPES: Final[dict[str, type]] = {"time": datetime, "text": str, "bytes": bytes}


@dataclass(frozen=True, slots=True)
class Given:
    """One row: what is there of it. What is not comes from the capture file, when it is needed."""

    store: Store = field(repr=False)
    seq: int
    values: dict[str, Any] = field(repr=False)

    @property
    def received_at(self) -> int | None:
        """When it was received, in us since the epoch; None where the row does not say."""
        said = self.values.get("received_at")
        return None if said is None else clock.from_datetime(said)

    @property
    def headers(self) -> Headers:
        """The headers as they came."""
        said = self.values.get("headers_json")
        return self.delivery().headers if said is None else Headers.from_json(said)

    def delivery(self) -> Delivery:
        """The whole delivery. Raises `SendArgumentError` where there is no body to be had."""
        if all(self.values.get(name) is not None for name in _NEEDED):
            return Delivery(**{**_UNKNOWN, **self.values, "seq": self.seq})
        kept = self.store.delivery(self.seq)
        if kept is None or not self._is(kept):
            raise SendArgumentError(
                f"Row {self.seq} has no body, and {self.store.path.name} has no such delivery: "
                "pass rows with bodies, as webhooklab.read(path) gives them."
            )
        return kept

    def _is(self, kept: Delivery) -> bool:
        said = ((name, self.values.get(name)) for name in ("received_at", "method", "path"))
        return all(value is None or value == getattr(kept, name) for name, value in said)

    def is_ours(self, attempts: Attempts) -> bool:
        """Whether it is a row of this capture file."""
        return attempts.has(self.seq, self.received_at)


_UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(EVENT_COLUMNS),
    "source": IMPORTED,
    "method": "POST",
    "path": "/",
    "query_string": "",
    "event_count": 1,
    "verified": "unchecked",
    "body_bytes": 0,
}


class Rows:
    """All that is to be replayed, made into rows one at a time.

    Raises `SendArgumentError`, and `UnknownDeliveryError` for a `seq` that the file has not.
    """

    def __init__(self, events: Events, store: Store) -> None:
        self._store = store
        self._frame, self._list = _read(events, store)

    def __len__(self) -> int:
        return len(self._list) if self._frame is None else len(self._frame)

    def __iter__(self) -> Iterator[Given]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, position: int) -> Given:
        if self._frame is None:
            return self._one(self._list[position])
        row = self._frame.iloc[position]
        values = {name: _cell(row[name]) for name in EVENT_COLUMNS if name in row.index}
        return Given(self._store, int(self._frame.index[position]), values)

    def _one(self, each: Delivery | int) -> Given:
        if isinstance(each, Delivery):
            values = {name: getattr(each, name) for name in EVENT_COLUMNS}
            return Given(self._store, each.seq, values)
        return Given(self._store, each, {})


def _read(events: Events, store: Store) -> tuple[pd.DataFrame | None, list[Delivery | int]]:
    if isinstance(events, pd.Series):
        is_row = events.index.isin([*EVENT_COLUMNS]).any()
        events = pd.DataFrame([events]) if is_row else events.tolist()
    if isinstance(events, pd.DataFrame):
        return _checked(events), []
    several: list[Any] = list(events) if isinstance(events, Iterable) else [events]
    if not all(isinstance(each, Delivery | Integral) for each in several):
        raise SendArgumentError(
            "Pass rows of lab.events (or lab.find, or webhooklab.read), a delivery like lab[42], "
            "or several of these."
        )
    return None, [each if isinstance(each, Delivery) else _seq(each, store) for each in several]


def _seq(given: int, store: Store) -> int:
    """The `seq` that is meant: -1 is that of the newest delivery."""
    seq = int(given)  # NumPy has integers of its own
    if seq < 0 and (newest := store.nth(seq)) is not None:
        return newest.seq
    if not store.seqs_after(seq - 1, 1, "seq = ?", (seq,)):
        raise UnknownDeliveryError(
            f"There is no delivery {seq} in {store.path.name}: see lab.events.index."
        )
    return seq


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its `seq` as index. Raises `SendArgumentError` for one of something else."""
    frame = frame.set_index("seq") if "seq" in frame.columns else frame
    known = [name for name in EVENT_COLUMNS if name in frame.columns]
    if len(frame) and not ((frame.index.name == "seq" or known) and _is_seqs(frame.index)):
        raise SendArgumentError(
            "These rows have no seq: pass rows of lab.events, lab.find or webhooklab.read."
        )
    for name in known:
        wanted = _TYPES.get(EVENT_COLUMNS[name])
        if wanted is not None and not _is_all(frame[name], wanted):
            raise SendArgumentError(
                f"The column {name!r} is not as lab.events has it: pass rows of lab.events, "
                "lab.find or webhooklab.read(path), which reads what lab.export wrote."
            )
    return frame


def _is_seqs(index: pd.Index) -> bool:
    return pd.api.types.is_integer_dtype(index.infer_objects().dtype) and not index.hasnans


def _is_all(column: pd.Series, wanted: type) -> bool:
    """Whether all there is in a column is of a type; of most columns their dtype says so."""
    if wanted is datetime and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    if wanted is str and isinstance(column.dtype, pd.StringDtype):
        return True
    return all(isinstance(value, wanted) for value in column[column.notna()])


def _cell(value: Any) -> Any:
    if isinstance(value, bytes | str):
        return value
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
