"""How deliveries reach the lab from outside."""

from __future__ import annotations

from webhooklab import probing, reach
from webhooklab.errors import ExposureError
from webhooklab.exposure import Exposure
from webhooklab.lab.face import Face


class Reach(Face):
    """`expose`, `public_url` and `check`."""

    def expose(self, via: str = "auto", *, base_url: str | None = None) -> Exposure:
        """Give this lab a public URL; returns what has `.url`, `.state`, `.close()`, `.revoke()`.

        `via`: "jupyter": the Jupyter server that this notebook runs in (a JupyterHub, Binder), at
        `base_url` if that is given and else at the address that it, or your browser, knows; "auto":
        a tunnel of yours where `base_url` is given, else "jupyter". The URL cannot be guessed, and
        stays the same for this capture file until `.revoke()`. Called again, it replaces the
        earlier exposure by the same way. Where a process of its own listens, and goes on without
        this kernel, so does the URL; else it closes with the Lab, and senders are told to try again
        later, until a Lab for this file is exposed again. Raises `ExposureError`, and
        `AttachedError` where another process listens.
        """
        parts = self._parts
        return reach.expose(
            via, reach.Wish(parts.path, parts.behind, parts.gates, parts.exposures, base_url)
        )

    def check(self) -> probing.Check:
        """Send a signed test delivery through the public URL; each hop of it, and whose move it is.

        It is captured like any other, with the type "webhooklab.check". Blocks until it came, or
        for some seconds. `.ok` tells whether it got through unaltered. Raises `ExposureError`
        where nothing is exposed.
        """
        current = self._parts.exposures.current
        if current is None:
            raise ExposureError("This lab has no public URL to check: call lab.expose() first.")
        return probing.check(current, self._parts.store)

    @property
    def public_url(self) -> str | None:
        """The URL to give to a provider on the internet; None when `expose` was not called.

        Ends in "/"; whoever knows it can send. With several exposures it is the newest's.
        """
        current = self._parts.exposures.current
        return current.url if current else None
