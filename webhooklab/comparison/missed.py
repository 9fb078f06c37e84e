"""The webhooks that were missed, as a frame that knows how to recover them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd

from webhooklab.errors import CompareArgumentError


class Missed(pd.DataFrame):
    """The rows of `changes` whose verdict is `poll_only`.

    `recover()` makes a delivery of each from the polled state, where a lab stands behind the
    comparison.
    """

    _metadata: ClassVar[list[str]] = ["_recover"]
    _recover: Callable[[pd.DataFrame], Any] | None = None

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        # A part of the frame, or what is computed from it, is a plain frame.
        return pd.DataFrame

    def recover(self) -> Any:
        """Hand these rows to the lab.

        Raises `CompareArgumentError` for a comparison of plain frames.
        """
        if self._recover is None:
            raise CompareArgumentError(
                "These frames have no lab to put deliveries into: use lab.compare().missed."
            )
        return self._recover(self)


def missed(changes: pd.DataFrame, recover: Callable[[pd.DataFrame], Any] | None) -> Missed:
    """The missed webhooks among the changes."""
    rows = Missed(changes[(changes["verdict"] == "poll_only").to_numpy(bool)])
    rows._recover = recover  # noqa: SLF001 - pandas reserves plain attributes for columns
    return rows
