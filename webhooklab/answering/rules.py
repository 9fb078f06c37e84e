"""Which answer a delivery gets: the rules of `lab.respond`, the newest first."""

from __future__ import annotations

import math
import random
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhooklab import paths
from webhooklab.answering.making import Maker
from webhooklab.answering.usual import OK
from webhooklab.defaults import MAX_ANSWER_DELAY_SECONDS
from webhooklab.errors import AnswerError
from webhooklab.records import Answer

_FAILURE: Final = Answer(500, body=b"it was to fail (failure_rate)")
_FIRST_FAILURE_STATUS: Final = 400
RESPOND: Final = "lab.respond"
FORWARD: Final = "lab.forward"


@dataclass(frozen=True, slots=True)
class Choice:
    """What one delivery is to get: `answer`, or what `maker` makes; `delay` seconds later."""

    rule: Rule
    answer: Answer
    maker: Maker | None
    delay: float


class Rule:
    """One rule: deliveries to `path` and below get `answer`, or what a `maker` makes of each.

    `delay` in seconds. `times`: only the first so many that match; None is all. `failure_rate`
    (0 to 1): this share gets `answer` if that is a failure (400 and above), and the others what
    older rules say; else this share gets a 500. `name`: a rule replaces an earlier one of the same
    name; None is its path. `by`: what the user has called for it. Raises `AnswerError`.
    """

    def __init__(
        self,
        path: str | None = None,
        answer: Answer = OK,
        *,
        delay: float = 0.0,
        times: int | None = None,
        failure_rate: float = 0.0,
        maker: Maker | None = None,
        name: str | None = None,
        by: str = RESPOND,
    ) -> None:
        self.path = paths.normal(_checked_path(path))
        """Deliveries to it and below are meant."""
        self._answer = answer
        self._delay = _checked("delay", delay, MAX_ANSWER_DELAY_SECONDS)
        self._times = _checked_times(times)
        self._failure_rate = _checked("failure_rate", failure_rate, 1.0)
        self._maker = maker
        self._matched = 0
        self._rules: Rules | None = None
        self.by = by
        self.name = self.path if name is None else name
        self.answered = 0
        """How many senders have had their answer by this rule."""

    @property
    def maker(self) -> Maker | None:
        """What makes the answers; None: they are always the same."""
        return self._maker

    def told(self) -> dict[str, Any]:
        """All of it as JSON has it; of its maker only the name: see `rule_from`."""
        return {
            "path": self.path,
            "answer": answer_told(self._answer),
            "delay": self._delay,
            "times": self._times,
            "failure_rate": self._failure_rate,
            "name": self.name,
            "by": self.by,
            "named": None if self._maker is None else self._maker.name,
        }

    @property
    def spent(self) -> bool:
        """Whether it has had its `times`."""
        return self._times is not None and self._matched >= self._times

    def stop(self) -> None:
        """Take the rule away: older ones answer again. Repeatable."""
        if self._rules is not None:
            self._rules.remove(self)

    def covers(self, path: str, *, made: bool) -> bool:
        """Whether deliveries to `path` are meant; `made` says if an answer may be made."""
        # "/" is all, also what is no path: `OPTIONS *`.
        covered = self.path == "/" or paths.covers(self.path, path)
        return covered and (made or self._maker is None)

    def take(self, chance: Callable[[], float]) -> Choice | None:
        """What the next delivery gets that matches; None when an older rule is to say."""
        self._matched += 1
        if self._failure_rate:
            fails = chance() < self._failure_rate
            if self._fails_itself:
                return Choice(self, self._answer, None, self._delay) if fails else None
            if fails:
                return Choice(self, _FAILURE, None, self._delay)
        return Choice(self, self._answer, self._maker, self._delay)

    def give_back(self) -> None:
        """A delivery that was taken could not be stored, so it does not count."""
        self._matched -= 1

    def join(self, rules: Rules | None) -> None:
        """Belong to these rules from now on."""
        self._rules = rules

    @property
    def _fails_itself(self) -> bool:
        return self._maker is None and self._answer.status >= _FIRST_FAILURE_STATUS

    @property
    def text(self) -> str:
        """The rule in words: "answers 503 for 3 more deliveries to /orders"."""
        what = f"what {self._maker.name} {self._verb}" if self._maker else str(self._answer.status)
        failing, others = what, ""
        if self._failure_rate and not self._fails_itself:
            failing, others = str(_FAILURE.status), f", {what} for the others"
        share = f"{self._failure_rate * 100:.3g} % of " if self._failure_rate else ""
        where = "" if self.path == "/" else f" to {self.path}"
        later = f", {self._delay:g} s later" if self._delay else ""
        return f"answers {failing} for {share}{self._left}{where}{others}{later}"

    @property
    def _verb(self) -> str:
        return "brings back" if self.by == FORWARD else "returns"

    @property
    def _left(self) -> str:
        if self._times is None:
            return "all deliveries"
        left = self._times - self._matched
        return f"{left:,} more {'delivery' if left == 1 else 'deliveries'}"

    def __repr__(self) -> str:
        state = "" if self._rules is not None else "; stopped"
        return f"<Rule {self.text}; {self.answered:,} answered{state}>"


def answer_told(answer: Answer) -> dict[str, Any]:
    """An answer as JSON has it."""
    body = b64encode(answer.body).decode()
    return {"status": answer.status, "headers": answer.headers, "body": body}


def answer_from_told(told: Mapping[str, Any]) -> Answer:
    """An answer, from what `answer_told` made of it."""
    headers = tuple((name, value) for name, value in told["headers"])
    return Answer(told["status"], headers, b64decode(told["body"]))


def rule_from(told: Mapping[str, Any], maker: Maker | None) -> Rule:
    """A rule, from what `Rule.told` made of it; `maker` in place of its own."""
    given = {name: value for name, value in told.items() if name not in ("answer", "named")}
    return Rule(answer=answer_from_told(told["answer"]), maker=maker, **given)


class Rules:
    """The rules of one ingress: changed by any thread, asked by the ingress alone.

    `chance` gives a random number from 0 up to 1 for each delivery that may fail.
    """

    def __init__(self) -> None:
        self.active: tuple[Rule, ...] = ()
        """The newest first. Empty where every sender gets a 200."""
        self.chance: Callable[[], float] = random.random
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> Rule:
        """Put a rule above all others, in place of an earlier one of the same name."""
        with self._lock:
            self._leave([each for each in self.active if each.name == rule.name])
            self.active = (rule, *self.active)
            rule.join(self)
        return rule

    def remove(self, rule: Rule) -> None:
        """Take a rule away, if it is there."""
        with self._lock:
            self._leave([rule])

    def clear(self) -> None:
        """Take all away that `lab.respond` has set."""
        with self._lock:
            self._leave([each for each in self.active if each.by == RESPOND])

    def _leave(self, rules: list[Rule] | tuple[Rule, ...]) -> None:
        self.active = tuple(each for each in self.active if each not in rules)
        for each in rules:
            each.join(None)

    def choose(self, path: str, *, made: bool = True) -> Choice | None:
        """What a delivery to `path` gets; None: no rule says. It counts as one of their `times`.

        `made`: whether its answer may be made from it, by a function or another server.
        """
        for rule in self.active:
            if rule.covers(path, made=made) and not rule.spent:
                choice = rule.take(self.chance)
                if choice is not None:
                    return choice
        return None

    @property
    def texts(self) -> tuple[str, ...]:
        """The rules in words, the newest first; those that have had their `times` left out."""
        return tuple(
            rule.text if rule.by == RESPOND else f"{rule.text} ({rule.by})"
            for rule in self.active
            if not rule.spent
        )


def _checked_path(path: object) -> str:
    if path is None or isinstance(path, str):
        return path or "/"
    raise AnswerError(f"path={path!r}: pass a text like '/orders', or leave it out for all.")


def _checked(name: str, number: float, highest: float) -> float:
    try:
        if math.isfinite(number) and 0 <= number <= highest:
            return float(number)
    except (TypeError, OverflowError):
        pass
    raise AnswerError(f"{name}={number!r}: pass a number from 0 to {highest:g}.")


def _checked_times(times: object) -> int | None:
    if times is None or (isinstance(times, int) and not isinstance(times, bool) and times > 0):
        return times
    raise AnswerError(f"times={times!r}: pass 1 or more, or leave it out for all deliveries.")
