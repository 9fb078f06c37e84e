"""The target's answer for the sender: what a forward with `reply` gives to those who wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from webhooklab.answering import OK, WITHOUT_BODY, Asker, Made, unavailable
from webhooklab.defaults import MAX_REPLY_BYTES, MAX_UNCLAIMED_REPLIES
from webhooklab.records import Answer
from webhooklab.sending.outcomes import Outcome

_ALLOWED: Final = frozenset(
    {
        *("content-type", "content-encoding", "content-language", "cache-control", "etag"),
        *("last-modified", "retry-after", "vary", "www-authenticate", "allow", "request-id"),
        *("x-request-id", "x-correlation-id"),
        # Handshakes: CloudEvents' (webhook, 4.2), Asana's.
        *("webhook-allowed-origin", "webhook-allowed-rate", "x-hook-secret"),
    }
)
"""Of the target's headers these go to a sender. No cookies, no CORS, no address behind the lab."""
_SPARE_SECONDS: Final = 1.0


class Replies:
    """A `Maker`: asks the forward for each delivery's answer. But for `make`, on its loop.

    `begin`: sees to a delivery that was not seen to yet; what does not go to the target is
    answered by `nothing`.
    """

    def __init__(
        self,
        name: str,
        timeout: float,
        post: Callable[..., object],
        begin: Callable[[int], object],
    ) -> None:
        self.name = name
        self.seconds = timeout + _SPARE_SECONDS
        self._post = post
        self._begin = begin
        self._timeout = timeout
        self._askers: dict[int, Asker] = {}
        self._early: OrderedDict[int, Made] = OrderedDict()
        self._early_bytes = 0

    def make(self, seq: int, asker: Asker) -> None:
        """Have an asker get the target's answer. From any thread."""
        self._post(self._ask, seq, asker)

    def _ask(self, seq: int, asker: Asker) -> None:
        early = self._early.pop(seq, None)
        if early is not None:
            self._early_bytes -= len(early.answer.body)
            asker.made(early)
            return
        self._askers[seq] = asker
        self._begin(seq)

    def awaits(self, seq: int) -> bool:
        """Whether somebody waits for the answer to this delivery."""
        asker = self._askers.get(seq)
        return asker is not None and not asker.over

    def settle(self, seq: int, outcome: Outcome) -> None:
        """The target has answered, or not."""
        self._give(seq, self._made(seq, outcome))

    def nothing(self, seq: int) -> None:
        """This delivery does not go to the target: its sender gets what is usual."""
        self._give(seq, Made(OK))

    def close(self) -> None:
        """Nobody answers any more: those who wait are to try again."""
        for seq in list(self._askers):
            self._give(seq, Made(unavailable("the forward was stopped")))

    def _give(self, seq: int, made: Made) -> None:
        asker = self._askers.pop(seq, None)
        if asker is not None:
            asker.made(made)
            return
        # The forward was faster than what asks for the answer, which is about to come.
        self._early[seq] = made
        self._early_bytes += len(made.answer.body)
        while len(self._early) > MAX_UNCLAIMED_REPLIES or self._early_bytes > 2 * MAX_REPLY_BYTES:
            _, forgotten = self._early.popitem(last=False)
            self._early_bytes -= len(forgotten.answer.body)

    def _made(self, seq: int, outcome: Outcome) -> Made:
        problem = f"{self.name} had no answer to delivery {seq}: {outcome.error}"
        if outcome.timed_out:
            return Made(Answer(504, body=b"the target did not answer in time"), problem)
        if outcome.error is not None or outcome.status is None:
            return Made(Answer(502, body=b"the target did not answer"), problem)
        if len(outcome.body) >= MAX_REPLY_BYTES:
            return Made(Answer(502, body=b"the target's answer is too long"), problem)
        headers = tuple(pair for pair in outcome.headers if pair[0].lower() in _ALLOWED)
        body = b"" if outcome.status in WITHOUT_BODY else outcome.body
        return Made(Answer(outcome.status, headers, body))
