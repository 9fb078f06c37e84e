"""The rounds of a scenario: sending, killing, starting again, comparing."""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crashes.scenario import SCENARIOS, Scenario, pause
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Findings, Judge
from tests.waiting import until

MOST_ANSWERS = 60
"""A kill comes after so many more answers at most, and within the time that one takes."""
ONE_ANSWER_SECONDS = 0.01


@dataclass(frozen=True)
class Tally:
    """What came of it. `noticed`: how many times a sender's connection broke; `unanswered`: how
    many are there of which no sender was told so."""

    scenario: str
    rounds: int
    kills: int
    sent: int
    acknowledged: int
    unanswered: int
    noticed: int
    findings: Findings
    seconds: float

    @property
    def good(self) -> bool:
        unnoticed = SCENARIOS[self.scenario].unnoticed
        return not self.findings and not (unnoticed and self.noticed)


def run(name: str, rounds: int, seed: int, say: Callable[[str], object] = print) -> Tally:
    """Run so many rounds. Kills depend on the seed, and on how quick the machine is."""
    begun = time.monotonic()
    ledger, findings = Ledger(), Findings()
    with tempfile.TemporaryDirectory(prefix="crashes-") as folder:
        with SCENARIOS[name](Path(folder)) as scenario:
            judges = [Judge(ledger, place) for place in scenario.places()]
            with Senders(scenario.url, ledger, f"{seed} {name}", scenario.pause):
                chance = random.Random(f"{seed} {name}")
                for number in range(1, rounds + 1):
                    say(f"{name}, round {number}: {_round(scenario, ledger, chance)}")
                    for judge in judges:
                        judge.look()
            for judge in judges:
                judge.look()
                judge.look_at_all()
                findings.add(judge.findings)
    return Tally(
        scenario=name,
        rounds=rounds,
        kills=scenario.kills,
        sent=len(ledger.sent),
        acknowledged=len(ledger.acknowledged),
        unanswered=judges[0].unanswered,
        noticed=ledger.broken,
        findings=findings,
        seconds=time.monotonic() - begun,
    )


def _round(scenario: Scenario, ledger: Ledger, chance: random.Random) -> str:
    """One round; in words, when it was killed."""
    answers = chance.randint(1, MOST_ANSWERS)
    _more(ledger, answers)
    scenario.meanwhile()
    pause(chance, ONE_ANSWER_SECONDS)
    scenario.crash(chance)
    _more(ledger, 1)
    return f"killed {answers} answers after the last start"


def _more(ledger: Ledger, count: int) -> None:
    """Return when so many more have been acknowledged: it works."""
    enough = len(ledger.acknowledged) + count
    until(lambda: len(ledger.acknowledged) >= enough, patience=60)
