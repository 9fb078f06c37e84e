"""What the inbox says of its lab, and how fast deliveries come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from webhooklab.inbox.limits import RATE_SECONDS, SHOWN_PULLS


@dataclass(frozen=True, slots=True)
class Pull:
    """A poller, fetcher or forward as the inbox shows it: texts are bounded, and without secrets.

    `kind`: "Poller", "Fetcher" or "Forward". `doing`: "" while it waits. `next_at`: when it polls
    next, in us since the epoch; None: that is not known now. `failing`: the newest poll, fetch or
    attempt failed, or is being made again. `error`: what went wrong last; "": nothing did.
    """

    kind: str
    name: str
    url: str
    doing: str
    counts: str
    next_at: int | None = None
    failing: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """A lab as its inbox shows it. Asked for again and again, so it must be cheap to make.

    `status`: "listening", "attached" (another process listens) or "closed". `detail` says more in
    words. `notices` are what a user has to know: each is one sentence. `public` is the URL to give
    away, "" where there is none, and `reach` says who can reach it. `since`: when what listens
    began to, in us since the epoch; None: nothing does. `pulls`: what polls, fetches and
    forwards. `signers`: the providers whose deliveries the lab can sign anew.
    """

    url: str
    status: str
    file: str
    detail: str = ""
    notices: tuple[str, ...] = ()
    public: str = ""
    reach: str = ""
    since: int | None = None
    pulls: tuple[Pull, ...] = ()
    signers: tuple[str, ...] = ()

    def as_message(self) -> dict[str, Any]:
        """For the browser."""
        return {
            "url": self.url,
            "status": self.status,
            "file": self.file,
            "detail": self.detail,
            "notices": list(self.notices),
            "public": self.public,
            "reach": self.reach,
            "since": self.since,
            "pulls": [asdict(each) for each in self.pulls[:SHOWN_PULLS]],
            "signers": list(self.signers),
            "more_pulls": max(0, len(self.pulls) - SHOWN_PULLS),
        }


Describe = Callable[[], Description]


class Rate:
    """Deliveries per second over the last `RATE_SECONDS`."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()

    def add(self, now: float, count: int) -> None:
        """So many more have come."""
        if count:
            self._counts.append((now, count))

    def per_second(self, now: float) -> float:
        """The mean rate; `now` on the clock that `add` was given."""
        while self._counts and self._counts[0][0] < now - RATE_SECONDS:
            self._counts.popleft()
        return sum(count for _, count in self._counts) / RATE_SECONDS
