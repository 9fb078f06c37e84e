"""What came of one try. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from webhooklab.calling import TRY_AGAIN
from webhooklab.defaults import MAX_KEPT_RESPONSE_BYTES
from webhooklab.headers import Pair

GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One try: `started_at` in us since the epoch, and how long it took.

    `status` None: there was no answer. `error` None: the answer was complete. `again`: another try
    may bring one. `unreachable`: no connection, so that the target knows nothing of it.
    `timed_out`: not in time. `wait_seconds`: the target asks to be left alone for so long.
    """

    started_at: int
    elapsed_ms: int
    status: int | None = None
    headers: tuple[Pair, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str | None = None
    again: bool = False
    unreachable: bool = False
    timed_out: bool = False
    wait_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the target has taken it: 2xx, and a whole answer."""
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def may_help(self) -> bool:
        """Whether another try may bring what this one did not."""
        return self.again if self.error is not None else self.status in TRY_AGAIN

    @property
    def asked_to_wait(self) -> bool:
        """Whether the target asks to come again later."""
        return self.status in (429, 503) and self.wait_seconds > 0

    @property
    def kept_headers(self) -> str | None:
        """The answer's headers as `lab.attempts` has them."""
        if self.status is None:
            return None
        return json.dumps(self.headers, separators=(",", ":"))

    @property
    def kept_body(self) -> bytes | None:
        """As much of the answer's body as `lab.attempts` keeps."""
        return None if self.status is None else self.body[:MAX_KEPT_RESPONSE_BYTES]

    @property
    def text(self) -> str:
        """In words."""
        return self.error or f"the target answered {self.status}"
