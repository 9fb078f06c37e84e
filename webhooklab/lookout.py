"""Looks how a Lab is, when asked, and now and then for what its inbox has to say."""

from __future__ import annotations

import contextlib

from webhooklab import clock
from webhooklab.answering import FORWARD, RESPOND
from webhooklab.checkup import examine
from webhooklab.defaults import CHANNEL_ANSWER_SECONDS, NOTICES_SECONDS, VITALS_SECONDS
from webhooklab.errors import CaptureFileError
from webhooklab.exposure import Exposures
from webhooklab.health import Health
from webhooklab.listening import LOST, Listening
from webhooklab.pulling import Pulling
from webhooklab.sending import Sending
from webhooklab.store import Store


class Lookout:
    """How what listens, what is stored, what exposes, what pulls and what sends on are."""

    def __init__(
        self,
        store: Store,
        listening: Listening,
        exposures: Exposures,
        pulling: Pulling,
        sending: Sending,
    ) -> None:
        self._store = store
        self._listening = listening
        self._exposures = exposures
        self._pulling = pulling
        self._sending = sending
        self._look_at = 0.0
        self._warned: tuple[str, ...] = ()
        self._ruled: tuple[str, ...] = ()

    def health(self, *, lost_messages: int = 0, timeout: float = CHANNEL_ANSWER_SECONDS) -> Health:
        """How it is; `timeout` in seconds, for a process that listens. `CaptureFileError`."""
        listener = self._listening.told(timeout)
        return examine(
            self._store,
            listener,
            self._exposures,
            self._pulling,
            self._sending,
            lost_messages=lost_messages,
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know: a sentence each. Cheap: looked at every other second."""
        if self._listening.closed:
            return ()
        if clock.monotonic() >= self._look_at:
            self._look_at = clock.monotonic() + NOTICES_SECONDS
            with contextlib.suppress(CaptureFileError):  # the inbox says what is wrong with it
                self._look()
        server = self._listening.server
        rules = self._ruled if server is None else server.ingress.rules.texts
        said = [f"{LOST[0].upper()}{LOST[1:]}."] * self._listening.lost
        said += [f"This Lab {_said(text)}." for text in rules]
        return (*said, *self._warned)

    def _look(self) -> None:
        health = self.health(timeout=VITALS_SECONDS)
        self._warned, self._ruled = health.warnings, health.rules


def _said(rule: str) -> str:
    """A rule in words, with what the user has called for it."""
    return rule if rule.endswith(f"({FORWARD})") else f"{rule} ({RESPOND})"
