"""How deliveries reach the lab from outside."""

from __future__ import annotations

from webhooklab.exposure import Exposure
from webhooklab.lab.face import Face


class Reach(Face):
    """`expose` and `public_url`."""

    @property
    def public_url(self) -> str | None:
        """The URL to give to a provider on the internet; None when `expose` was not called.

        Ends in "/"; whoever knows it can send. With several exposures it is the newest's.
        """
        current = self._parts.exposures.current
        return current.url if current else None

    def _exposed(self, exposure: Exposure) -> Exposure:
        """Make an open exposure the lab's, in place of an earlier one of the same name."""
        self._parts.exposures.add(exposure)
        return exposure
