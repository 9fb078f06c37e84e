"""How the bodies of an event type change over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from webhooklab import charts, clock
from webhooklab.defaults import MAX_PAYLOAD_COLUMNS
from webhooklab.schemas.fields import WHOLE, parent_of
from webhooklab.schemas.reading import Body, bodies_of, span_of
from webhooklab.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABSENT: Final = "absent"
MAX_CHANCE: Final = 0.01
"""A field that comes and goes anyway has drifted only where chance is less likely than this."""
BINS: Final = 60

COLUMNS: Final = {
    "field": "str",
    "change": "str",
    "since": "datetime64[us, UTC]",
    "seq": "Int64",
    "before": "str",
    "after": "str",
    "deliveries_before": "Int64",
    "deliveries_since": "Int64",
    "share": "Float64",
}


@dataclass(slots=True)
class _Start:
    """When something began: `before`, so many deliveries could have shown it and did not."""

    seq: int
    received_at: int
    before: int


@dataclass(slots=True)
class _Field:
    """What is known of one field: when it began, and in how many bodies it was, in all and by time.

    `gap`: since when it is missing where what it is in is there; None: it was in the newest.
    `types`: when each began, and how often it was.
    """

    start: _Start
    present: int = 0
    gap: _Start | None = None
    types: dict[str, tuple[_Start, int]] = field(default_factory=dict)
    bins: Any = field(default_factory=lambda: np.zeros(BINS, np.int32))


class Drift(pd.DataFrame):
    """Fields that appeared, vanished or changed type; see `lab.drift`. `.plot()` shows when."""

    _metadata: ClassVar[list[str]] = ["presence"]
    presence: pd.DataFrame
    """The share of deliveries with each of these fields (columns), by time (index)."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def plot(self, axes: Axes | None = None) -> Axes:  # type: ignore[override]
        """How often each of these fields was there, over time."""
        return charts.plot_presence(self.presence, axes)

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
        if not len(self):
            return f"<p>No field appeared, vanished or changed its type.</p>{table}"
        picture = charts.inlined(lambda axes: charts.plot_presence(self.presence, axes))
        return f'<img src="{picture}" alt="How often each field was there">{table}'


def drift(store: Store, event_type: str) -> Drift:
    """The changes in all bodies of an event type, which are read one after the other, by `seq`."""
    seen = _Seen(*span_of(store, event_type))
    for body in bodies_of(store, event_type, f"reading {event_type}"):
        seen.add(body)
    rows = sorted(seen.rows(), key=lambda row: (row[3], row[0]))
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    made = zip(COLUMNS.items(), columns, strict=True)
    found = Drift({name: pd.Series(list(cells), dtype=kind) for (name, kind), cells in made})
    found.presence = seen.presence(list(dict.fromkeys(row[0] for row in rows)))
    return found


class _Seen:
    """The fields seen so far."""

    def __init__(self, first: int, last: int) -> None:
        self._first, self._width = first, max(1, last - first + 1)
        self._fields: dict[str, _Field] = {}
        self._children: dict[str, list[str]] = {}

    def add(self, body: Body) -> None:
        """Count a body; left out is one of too many fields, or that makes them too many."""
        fields = body.fields
        if fields is None or len(self._fields.keys() | fields.keys()) > MAX_PAYLOAD_COLUMNS:
            return
        place = min(BINS - 1, max(0, (body.received_at - self._first) * BINS // self._width))
        for path, types in fields.items():
            for child in self._children.get(path, ()):
                self._missing(child, body, absent=child not in fields)
            self._present(path, types, body, place)

    def _missing(self, path: str, body: Body, *, absent: bool) -> None:
        known = self._fields[path]
        if not absent:
            known.gap = None
        elif known.gap is None:
            of = self._fields[parent_of(path)].present
            known.gap = _Start(body.seq, body.received_at, of)

    def _present(self, path: str, types: set[str], body: Body, place: int) -> None:
        known = self._fields.get(path)
        if known is None:
            parent = self._fields.get(parent_of(path))
            before = 0 if parent is None or path == WHOLE else parent.present - 1
            known = self._fields[path] = _Field(_Start(body.seq, body.received_at, before))
            if path != WHOLE:
                self._children.setdefault(parent_of(path), []).append(path)
        for name in types:
            start, count = known.types.get(
                name, (_Start(body.seq, body.received_at, known.present), 0)
            )
            known.types[name] = (start, count + 1)
        known.present += 1
        known.bins[place] += 1

    def rows(self) -> list[tuple[Any, ...]]:
        """The changes, in the order of `COLUMNS`."""
        found = []
        for path, known in self._fields.items():
            if path != WHOLE:
                found += [*self._appeared(path, known), *self._vanished(path, known)]
            found += self._retyped(path, known)
        return found

    def _appeared(self, path: str, known: _Field) -> list[tuple[Any, ...]]:
        since = self._fields[parent_of(path)].present - known.start.before
        share = known.present / since
        types = " | ".join(sorted(known.types))
        return _row(path, "appeared", known.start, (ABSENT, types), since, share, share)

    def _vanished(self, path: str, known: _Field) -> list[tuple[Any, ...]]:
        if known.gap is None:
            return []
        since = self._fields[parent_of(path)].present - known.gap.before
        share = known.present / max(1, known.gap.before - known.start.before)
        types = " | ".join(sorted(known.types))
        change = (types, ABSENT)
        return _row(path, "vanished", known.gap, change, since, 0.0, share, waited=since)

    def _retyped(self, path: str, known: _Field) -> list[tuple[Any, ...]]:
        found = []
        for name, (start, count) in known.types.items():
            earlier = [each for each, (other, _) in known.types.items() if other.seq < start.seq]
            since = known.present - start.before
            change = (" | ".join(sorted(earlier)), name)
            found += _row(path, "type", start, change, since, count / since, count / since)
        return found

    def presence(self, paths: list[str]) -> pd.DataFrame:
        """The share of deliveries, of those that have what a field is in, by time."""
        edges = self._first + np.arange(BINS, dtype=np.int64) * self._width // BINS
        index = pd.DatetimeIndex([clock.to_datetime(int(edge)) for edge in edges], name="from")
        shares = {}
        for path in paths:
            of = self._fields[WHOLE if path == WHOLE else parent_of(path)].bins
            with np.errstate(invalid="ignore", divide="ignore"):
                shares[path] = np.where(of > 0, self._fields[path].bins / of, np.nan)
        return pd.DataFrame(shares, index=index)


def _row(  # noqa: PLR0917 - the columns, in their order
    path: str,
    change: str,
    start: _Start,
    types: tuple[str, str],
    since: int,
    share: float,
    usual: float,
    *,
    waited: int | None = None,
) -> list[tuple[Any, ...]]:
    """A change, unless there was nothing before it, or it may well be chance."""
    without = start.before if waited is None else waited
    if not start.before or (1 - min(usual, 1.0)) ** without >= MAX_CHANCE:
        return []
    when = clock.to_datetime(start.received_at)
    return [(path, change, when, start.seq, *types, start.before, since, share)]
