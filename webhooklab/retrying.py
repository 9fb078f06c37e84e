"""How senders try again, beside what they publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from webhooklab import charts, providers
from webhooklab.headers import Headers
from webhooklab.records import Request

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = {
    "provider": "str",
    "event_id": "str",
    "attempt": "Int64",
    "seq": "Int64",
    "received_at": "datetime64[us, UTC]",
    "waited": "timedelta64[us]",
    "published": "timedelta64[us]",
    "number": "Int64",
    "answered": "Int64",
}
"""Names and dtypes. `number` is what the delivery itself says, 0 for a first attempt."""


class Retries(pd.DataFrame):
    """The deliveries of each event that came more than once; see `lab.retries`."""

    _metadata: ClassVar[list[str]] = []

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def plot(self, axes: Axes | None = None) -> Axes:  # type: ignore[override]
        """The waits, beside those that the provider publishes; in seconds."""
        return charts.plot_retries(pd.DataFrame(self), axes)

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
        if not len(self):
            return f"<p>No event was delivered more than once.</p>{table}"
        picture = charts.inlined(lambda axes: charts.plot_retries(pd.DataFrame(self), axes))
        return f'<img src="{picture}" alt="How long senders waited before they tried again">{table}'


def retries(events: pd.DataFrame, provider: str | None = None) -> Retries:
    """One row per delivery of an event that came more than once, in the order of the first ones.

    `provider`: only its deliveries. Raises `ProviderError` for one that is not known.
    """
    if provider is not None:
        name = providers.find(provider).name
        events = events[(events["provider"] == name).fillna(False).to_numpy(bool)]
    first = events["duplicate_of"].fillna(pd.Series(events.index, events.index, "Int64"))
    several = first.duplicated(keep=False).to_numpy(bool)
    rows = [
        row for _, group in events[several].groupby(first[several]) for row in _deliveries(group)
    ]
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    made = zip(COLUMNS.items(), columns, strict=True)
    return Retries({name: pd.Series(list(cells), dtype=kind) for (name, kind), cells in made})


def _deliveries(group: pd.DataFrame) -> Iterator[list[Any]]:
    before = None
    for attempt, (seq, row) in enumerate(group.iterrows()):
        waited = pd.NaT if before is None else row["received_at"] - before["received_at"]
        yield [
            row["provider"],
            row["event_id"],
            attempt,
            seq,
            row["received_at"],
            waited,
            _published(row["provider"], attempt),
            _number(row),
            pd.NA if before is None else before["status"],
        ]
        before = row


def _known(provider: Any) -> providers.Provider | None:
    try:
        return None if pd.isna(provider) else providers.find(provider)
    except ValueError:  # one that was registered when it was captured
        return None


def _published(provider: Any, attempt: int) -> Any:
    known = _known(provider)
    waits = known.retries.waits_seconds if known is not None else None
    if waits is None or not 0 < attempt <= len(waits):
        return pd.NaT
    return pd.Timedelta(seconds=waits[attempt - 1])


def _number(row: pd.Series) -> Any:
    known = _known(row["provider"])
    if known is None:
        return pd.NA
    request = Request(
        received_at=0,
        method=row["method"],
        target=row["path"],
        headers=Headers.from_json(row["headers_json"]),
        body=row["body"],
    )
    number = known.retries.number_of(request)
    return pd.NA if number is None else number
