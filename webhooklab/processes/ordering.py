"""What the leading Lab tells the process that listens: rules and checks. The kernel's side.

Static rules and secrets stay in the memory of that process, and hold while no kernel is there.
Functions stay here, and are asked; while this kernel does not answer, the last static rule does.
"""

from __future__ import annotations

import itertools
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from webhooklab import paths
from webhooklab.answering import RESPOND, Made, Maker, Rule, answer_told
from webhooklab.checking import Check, Checks
from webhooklab.errors import ListenerProcessError
from webhooklab.gates import Gate
from webhooklab.processes.remote import Remote
from webhooklab.signatures import Secrets
from webhooklab.signatures.keys import several


class RemoteRule:
    """A rule that the process that listens goes by: what `lab.respond` returns there."""

    def __init__(self, remote: Remote, rule: Rule, number: int) -> None:
        self._remote = remote
        self._rule = rule
        self._number = number

    @property
    def path(self) -> str:
        """Deliveries to it and below are meant."""
        return self._rule.path

    @property
    def answered(self) -> int:
        """How many senders have had their answer by this rule. Raises `ListenerProcessError`."""
        return int(self._told()["answered"])

    def stop(self) -> None:
        """Take the rule away: older ones answer again. Repeatable."""
        self._remote.give("stop_rule", self._number)

    def _told(self) -> dict[str, Any]:
        found: dict[str, Any] = self._remote.call("rule", number=self._number)
        return found

    def __repr__(self) -> str:
        try:
            return str(self._told()["text"])
        except ListenerProcessError:
            return f"<Rule {self._rule.text}; its process has ended>"


class RemoteRules:
    """`lab.respond` where another process listens. `Rules`, as far as a user knows them."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._names = itertools.count()
        self._makers: dict[str, Maker] = {}
        self._named: dict[str, str] = {}
        self._lasting: set[str] = set()  # of others than lab.respond
        remote.answer("make", self._make)

    def add(self, rule: Rule) -> RemoteRule:
        """Put a rule above all others, in place of an earlier one of the same name."""
        function = self._keep(rule)
        number = self._remote.give("rule", {**rule.told(), "function": function})
        return RemoteRule(self._remote, rule, number)

    def _keep(self, rule: Rule) -> str | None:
        """Keep the function of a rule, in place of that of the rule that it replaces."""
        self._makers.pop(self._named.pop(rule.name, ""), None)
        if rule.maker is None:
            return None
        name = self._named[rule.name] = str(next(self._names))
        self._makers[name] = rule.maker
        if rule.by != RESPOND:
            self._lasting.add(name)
        return name

    def clear(self) -> None:
        """Take all away that `lab.respond` has set."""
        self._remote.give("clear_rules", None)
        self._makers = {name: each for name, each in self._makers.items() if name in self._lasting}

    def _make(self, function: str, seq: int) -> dict[str, Any]:
        """Asked by the process: what a function's answer to a delivery is."""
        maker = self._makers[function]
        asker = _Asker()
        maker.make(seq, asker)
        made = asker.wait(maker.seconds)
        return {"answer": answer_told(made.answer), "problem": made.problem}


class _Asker:
    """Waits for what a function makes, on a thread of the channel's."""

    def __init__(self) -> None:
        self._is_made = threading.Event()
        self._made: Made | None = None
        self.over = False

    def made(self, made: Made) -> None:
        self._made = made
        self._is_made.set()

    def wait(self, seconds: float) -> Made:
        self._is_made.wait(seconds)
        self.over = True
        if self._made is None:  # its sender has had its 504
            raise ListenerProcessError(f"The function did not answer within {seconds:g} s.")
        return self._made


class RemoteChecks(Checks):
    """`lab.verify_with` where another process listens: it checks, by secrets given from here.

    `known`: paths that it checks already, by secrets from before this kernel.
    """

    def __init__(self, remote: Remote, base_url: str, known: list[str]) -> None:
        super().__init__()
        self.base_url = base_url
        self._remote = remote
        self._known = known

    def add(
        self,
        provider: str,
        secret: Secrets,
        *,
        path: str = "/",
        url: str | None = None,
        reject: bool = False,
        made_up: bool = False,
    ) -> Check:
        if isinstance(secret, Iterable) and not isinstance(secret, str | bytes):
            secret = list(secret)
        Checks().add(provider, secret, path=path, url=url, reject=reject)  # or nothing is given
        given = {
            "provider": provider,
            "secret": [b64encode(each).decode() for each in several(secret)],
            "path": path,
            "url": url,
            "reject": reject,
            "made_up": made_up,
        }
        self._remote.give("check", given)
        return super().add(provider, secret, path=path, url=url, reject=reject, made_up=made_up)

    def concern(self, path: str) -> bool:
        return super().concern(path) or any(paths.covers(each, path) for each in self._known)


class RemoteGates:
    """The gates of a listener in another process: in its memory, while no kernel is there, too."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def set(self, host: str, gate: Gate) -> None:
        """What names this host passes this gate from now on. Raises `ListenerProcessError`."""
        self._remote.give("gate", {"host": host, **asdict(gate)})


def secrets_told(given: list[str]) -> list[bytes]:
    """The secrets, as they were given."""
    return [b64decode(each) for each in given]
