"""Deliveries held against secrets. Keys are read once, and used for as many as come."""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.errors import SecretError
from webhooklab.headers import Headers
from webhooklab.signatures import wording
from webhooklab.signatures.keys import Key, Secrets, read, several
from webhooklab.signatures.material import Material
from webhooklab.signatures.plan import Plan
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.verification import Verification, invalid, unsigned, unverifiable


class Verifier:
    """Verifies deliveries of one provider by one or several secrets.

    `schemes`: the strongest first. `tolerance_seconds` replaces the scheme's own. `problem` says
    why the secret cannot be used; None when it can.
    """

    def __init__(
        self,
        schemes: Sequence[Scheme],
        secret: Secrets | None,
        *,
        tolerance_seconds: float | None = None,
    ) -> None:
        self.problem: str | None = None
        secrets = several(secret)
        self._plans = [
            Plan(scheme, self._read(scheme, secrets), tolerance_seconds) for scheme in schemes
        ]
        if any(plan.keys for plan in self._plans):
            self.problem = None

    def _read(self, scheme: Scheme, secrets: list[bytes]) -> list[Key]:
        try:
            return read(scheme.key, secrets)
        except SecretError as error:
            self.problem = str(error)
            return []

    def check(
        self,
        headers: Headers,
        body: bytes,
        *,
        url: str | None = None,
        method: str = "POST",
        now_us: int | None = None,
    ) -> Verification:
        """The verdict, with the time of receipt in microseconds. Never raises.

        The strongest scheme that applies decides; of the others only those in the same header may
        still say that it is valid.
        """
        material = Material(headers, body, url=url, method=method)
        unusable = deciding = first = None
        for plan in self._plans:
            if not plan.applies(material):
                continue
            if not plan.keys:
                unusable = unusable or plan
            elif deciding is None or plan.scheme.signature == deciding.scheme.signature:
                verdict = plan.verdict(material, now_us)
                if verdict.status == "valid":
                    return verdict
                deciding, first = deciding or plan, first or verdict
        if first is not None:
            return first
        if unusable is not None:
            return unverifiable(self.problem or wording.other_kind(unusable.scheme))
        return self._without_signature(material)

    def _without_signature(self, material: Material) -> Verification:
        schemes, headers = [plan.scheme for plan in self._plans], material.headers
        if material.too_long and any(scheme.header is None for scheme in schemes):
            return unverifiable(wording.TOO_LONG)
        for scheme in schemes:
            beside = [name for name in scheme.headers if name in headers]
            if beside and scheme.header:
                return invalid(
                    f"the header {scheme.header} is missing, though {beside[0]} is there"
                )
        return unsigned(wording.no_signature(schemes[0]) if schemes else wording.NOTHING)
