"""Single deliveries, by their `seq`."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, overload

import pandas as pd

from webhooklab.errors import UnknownDeliveryError
from webhooklab.lab.face import Face
from webhooklab.records import Delivery
from webhooklab.sending import Rows


class Deliveries(Face):
    """`lab[42]`, `lab[-1]`, `lab[41:44]`, iteration and `len(lab)`."""

    def __len__(self) -> int:
        return self._parts.store.count()

    def __iter__(self) -> Iterator[Delivery]:
        seq = 0
        while found := self._parts.store.following(seq, 1):
            seq = found[0].seq
            yield found[0]

    @overload
    def __getitem__(self, key: int) -> Delivery: ...
    @overload
    def __getitem__(self, key: slice) -> pd.DataFrame: ...
    def __getitem__(self, key: int | slice) -> Delivery | pd.DataFrame:
        """`lab[42]` is the delivery with this `seq`, `lab[-1]` the newest.

        `lab[41:44]` is a frame of those with `41 <= seq < 44`, `lab[-3:]` of the newest three.
        """
        if isinstance(key, slice):
            return self._parts.views.between(key.start, key.stop).iloc[:: key.step]
        key = int(key)  # an index gives NumPy's integers, which SQLite does not know
        delivery = self._parts.store.nth(key) if key < 0 else self._parts.store.delivery(key)
        if delivery is None:
            raise UnknownDeliveryError(
                f"There is no delivery {key} in {self._parts.path.name}: it holds {len(self)}, "
                "see lab.events.index."
            )
        return delivery

    def _chosen(self, given: Any) -> Any:
        """The delivery that a `seq` or a row of `lab.events` means; anything else as it is."""
        if isinstance(given, Integral):
            return self[int(given)]
        if isinstance(given, pd.Series) and given.index.isin(["path", "headers_json"]).any():
            return Rows(given, self._parts.store)[0].delivery()
        return given
