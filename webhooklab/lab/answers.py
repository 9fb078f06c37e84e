"""What senders get, said by the user."""

from __future__ import annotations

import warnings
from typing import Final, overload

from webhooklab.answering import OK, Body, Calls, Function, GivenHeaders, Response, Rule
from webhooklab.errors import AnswerError
from webhooklab.lab.face import Face
from webhooklab.processes import RemoteRule
from webhooklab.records import Answer

_NO_BODY: Final = b""
_UNHEARD: Final = (
    "What comes by {via} has been answered there, before this lab had it: lab.respond does not "
    'reach those senders. Expose the lab by a relay of yours for that ("webhooklab relay").'
)


class Answers(Face):
    """`respond`."""

    @overload
    def respond(self) -> None: ...
    @overload
    def respond(
        self,
        status: int | Function | None = None,
        *,
        body: Body = _NO_BODY,
        headers: GivenHeaders | None = None,
        delay: float = 0.0,
        path: str | None = None,
        times: int | None = None,
        failure_rate: float = 0.0,
    ) -> Rule | RemoteRule: ...
    def respond(
        self,
        status: int | Function | None = None,
        *,
        body: Body = _NO_BODY,
        headers: GivenHeaders | None = None,
        delay: float = 0.0,
        path: str | None = None,
        times: int | None = None,
        failure_rate: float = 0.0,
    ) -> Rule | RemoteRule | None:
        """Say what senders get instead of a 200; every delivery is captured all the same.

        `status` 200 to 599 (None: 200), with `body` (bytes, text, or a dict or list as JSON) and
        `headers`; or a function of the delivery, sync or async, called on a thread after the
        commit, which returns None, a status, a body or a `Response`. `delay` in seconds, at most
        300. `path`: for deliveries to it and below; None is all. `times`: for the first so many.
        `failure_rate` (0 to 1): this share gets `status`, and the others what earlier rules say;
        if `status` is no failure (below 400), this share gets a 500 and the others `status`.

        Later rules win; one replaces an earlier one of the same path; `respond()` clears all.
        A function that fails is a 500, one that takes longer than 30 s a 504, with a row in `log`.
        It is not called for what web pages of other origins send. `status` in `events` is NA while
        an answer is being made, and stays NA when the sender leaves before it. Returns what has
        `.stop()`. With listener="process" rules hold while no kernel is there; where a function is
        to answer and its kernel stands still or has ended, earlier rules do. Raises `AnswerError`,
        and `AttachedError` where another Lab has its say. Warns where senders are answered by a
        relay of others, and not by this lab (see `expose`).
        """
        rules = self._parts.rules
        given = (status, body, headers, delay, path, times, failure_rate)
        if given == (None, _NO_BODY, None, 0.0, None, None, 0.0):
            rules.clear()
            return None
        answer, maker = self._said(status, body, headers)
        if (via := self._parts.exposures.unanswering) is not None:
            warnings.warn(_UNHEARD.format(via=via), stacklevel=2)
        return rules.add(
            Rule(path, answer, delay=delay, times=times, failure_rate=failure_rate, maker=maker)
        )

    def _said(
        self, status: int | Function | None, body: Body, headers: GivenHeaders | None
    ) -> tuple[Answer, Calls | None]:
        if not callable(status):
            return Response(200 if status is None else status, body, headers).answer, None
        if body != _NO_BODY or headers is not None:
            raise AnswerError(
                "A function says itself what senders get: return Response(status, body, headers) "
                "from it, and leave body= and headers= out."
            )
        return OK, Calls(status, self._parts.store.delivery)
