"""How the reading of a signature stops early: inside this folder only."""

from __future__ import annotations

from webhooklab.signatures.verification import Verification


class Problem(Exception):
    """Something of the request is missing or malformed; carries the verdict that this means."""

    def __init__(self, verdict: Verification) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
