"""What the leading Lab tells the process that listens: rules and checks. That process's side."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

from webhooklab import clock
from webhooklab.answering import OK, Asker, Choice, Made, Rule, Rules, answer_from_told, rule_from
from webhooklab.background import Errands
from webhooklab.checking import Checks
from webhooklab.defaults import ANSWER_SECONDS, ANSWER_THREADS, KERNEL_AWAY_SECONDS
from webhooklab.errors import CheckArgumentError, ListenerProcessError
from webhooklab.processes.leading import Leading
from webhooklab.processes.ordering import secrets_told

Otherwise = Callable[[int], Choice | None]
"""What a delivery gets, by its `seq`, where no function can be asked; None: what is usual."""

_REMEMBERED: Final = 100
"""So many rules are told of after they have been stopped."""
_AWAY: Final = "the kernel whose function answers is away: the last rule without one has answered"


class Orders:
    """Takes rules and checks from the Lab that leads, and asks it where a function is to answer."""

    def __init__(
        self, leading: Leading, rules: Rules, checks: Checks, otherwise: Otherwise
    ) -> None:
        self._leading = leading
        self._rules = rules
        self._checks = checks
        self._otherwise = otherwise
        self._numbers = itertools.count(1)
        self._given: dict[int, Rule] = {}
        self._errands = Errands("webhooklab-asking", ANSWER_THREADS)
        self._away_until = 0.0
        leading.takes("rule", self._add_rule)
        leading.takes("stop_rule", self._stop_rule)
        leading.takes("clear_rules", lambda _: rules.clear())
        leading.takes("check", self._add_check)

    def forget_functions(self) -> None:
        """The kernel where they live has gone: what is beneath them answers again."""
        for rule in list(self._given.values()):
            if rule.maker is not None:
                rule.stop()

    def state(self, number: int) -> dict[str, Any]:
        """A rule in words, and how many it has answered."""
        rule = self._given.get(number)
        if rule is None:
            return {"text": "<Rule; stopped long ago>", "answered": 0}
        return {"text": repr(rule), "answered": rule.answered}

    @property
    def checked(self) -> list[str]:
        """The paths below which signatures are checked."""
        return [each.path for each in self._checks.active]

    def _add_rule(self, given: dict[str, Any]) -> int:
        function = given.pop("function")
        maker = None if function is None else self._asking(function, given.pop("named"))
        self._away_until = 0.0  # who gives a rule is there
        number = next(self._numbers)
        self._forget_old(number)
        self._given[number] = self._rules.add(rule_from(given, maker))
        return number

    def _forget_old(self, number: int) -> None:
        """A cell in a loop may give rules without end."""
        active = self._rules.active
        for at in [at for at in self._given if at < number - _REMEMBERED]:
            if self._given[at] not in active:
                del self._given[at]

    def _stop_rule(self, number: int) -> None:
        if number in self._given:
            self._given[number].stop()

    def _add_check(self, given: dict[str, Any]) -> None:
        given["secret"] = secrets_told(given["secret"])
        if given["made_up"]:
            self._check_unused(given["provider"], given["path"])
        self._checks.add(**given)

    def _check_unused(self, provider: str, path: str) -> None:
        """A sample's secret must not take the place of a real one, which this kernel forgot."""
        check = self._checks.find(path, provider)
        if check is not None and check.provider == provider and not check.made_up:
            raise CheckArgumentError(
                f"Deliveries of {provider} are checked by a secret from before this kernel: call "
                "lab.verify_with again, or pass secret=, to send samples that are signed with it."
            )

    def _asking(self, function: str, name: str) -> _Asking:
        return _Asking(name, lambda seq: self._ask(function, seq), self._errands)

    def _ask(self, function: str, seq: int) -> Made:
        try:
            self._check_there()
            told = self._leading.ask("make", ANSWER_SECONDS, function=function, seq=seq)
        except ListenerProcessError:
            choice = self._otherwise(seq)
            return Made(OK if choice is None else choice.answer, f"{_AWAY} delivery {seq}")
        return Made(answer_from_told(told["answer"]), told["problem"])

    def _check_there(self) -> None:
        """Raise `ListenerProcessError` where the kernel is away: it has ended, or stands still.

        Slack gives up after 3 s; so nobody waits for what somebody else is waiting for in vain.
        """
        if clock.monotonic() < self._away_until:
            raise ListenerProcessError("The kernel stood still a moment ago.")
        try:
            self._leading.ask("here", KERNEL_AWAY_SECONDS)
        except ListenerProcessError:
            self._away_until = clock.monotonic() + KERNEL_AWAY_SECONDS
            raise


class _Asking:
    """A maker that asks elsewhere, on threads."""

    seconds = ANSWER_SECONDS

    def __init__(self, name: str, ask: Callable[[int], Made], errands: Errands) -> None:
        self.name = name
        self._ask = ask
        self._errands = errands

    def make(self, seq: int, asker: Asker) -> None:
        """Ask soon."""
        self._errands.run(self._make, (seq, asker))

    def _make(self, asked: tuple[int, Asker]) -> None:
        seq, asker = asked
        if not asker.over:
            asker.made(self._ask(seq))
