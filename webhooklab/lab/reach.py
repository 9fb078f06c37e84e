"""How deliveries reach the lab from outside."""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab import probing, reach
from webhooklab.errors import ExposureError
from webhooklab.exposure import Exposure
from webhooklab.lab.face import Face


class Reach(Face):
    """`expose`, `public_url` and `check`."""

    def expose(
        self,
        via: str = "auto",
        *,
        base_url: str | None = None,
        key: str = "",
        secret: str = "",
        buckets: Sequence[str] = (),
        reply: bool = False,
    ) -> Exposure:
        """Give this lab a public URL; returns what has `.url`, `.state`, `.close()`, `.revoke()`.

        `via` is one of these:

        - "jupyter": the Jupyter server that this notebook runs in (a JupyterHub, Binder), at
          `base_url` if that is given and else at the address that it, or your browser, knows;
        - "tunnel": a tunnel of yours that leads to `lab.url`, at `base_url`;
        - "relay" with its address as `base_url`, or just "https://relay.example": a server where
          `webhooklab relay` runs. It keeps what is sent while this lab is away;
        - "smee" with a channel as `base_url`, or just "https://smee.io/<channel>": smee, or gosmee
          (which answers at its address with a stream of events, and is known by that);
        - "webhookrelay": Webhook Relay's `buckets` (none named: all), by `key` and `secret` of a
          token, or an account's key alone ("sk-..."). `reply`: what the lab answers goes to it, and
          to a sender that waits there. `base_url`: your input's public URL;
        - "auto": "tunnel" where `base_url` is given, else "jupyter".

        smee and Webhook Relay answer senders before the delivery is here, and may alter it: the
        inbox says what. The URL cannot be guessed, and stays the same for this capture file until
        `.revoke()`. Called again, it replaces the earlier exposure by the same way.

        Where a process of its own listens, and goes on without this kernel, so do "jupyter" and
        "tunnel", and the next Lab for this file has their `public_url` at once; else they close
        with the Lab, and senders are told to try again later, until a Lab for this file is exposed
        again. A relay is always read by this kernel: once it has ended nobody reads it, and a relay
        of yours keeps what is sent until a Lab for this file is exposed again. Raises
        `ExposureError`, and `AttachedError` where another process listens.
        """
        parts = self._parts
        wish = parts.to_expose(base_url, reach.Access(key, secret, buckets, reply))
        exposure = reach.expose(via, wish)
        if exposure.source is not None and exposure.url is not None:
            parts.checks.public_urls[exposure.source] = exposure.url
        return exposure

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
        """The URL to give to a provider on the internet; None while nothing is exposed.

        Ends in "/"; whoever knows it can send. With several exposures it is the newest's.
        """
        current = self._parts.exposures.current
        return current.url if current else None
