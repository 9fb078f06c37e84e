"""webhooklab: see how your systems exchange data, in a notebook.

The floors of the house; a module imports only from lower ones, or from its own folder:

    0   errors defaults clock redaction          words and limits; the only clock
    1   forks                                    what a forked child lets go of
    1   headers bodies codings instants          what is on the wire, read
    1   ownership progress whole                 a lock, a bar, a whole file
    1   facts                                    what something does, shown
    1   exposure gates                           public URLs; what comes by a tunnel
    1   disks retention                          what a file stands on, how much it is to keep
    1   sources paths                            where deliveries come from, and go to
    2   private                                  files for the user alone
    2   background                               a loop in a thread
    2   envelope                                 a request handed on
    2   health                                   how a lab is
    2   calling                                  what our HTTP clients go by
    2   code                                     a request as curl and Python
    2   given_back                               what of an answer leaves by a public origin
    2   signatures/                              how deliveries are signed
    2   states                                   states of entities, held against each other
    3   secret                                   a URL's secret part
    3   measures                                 how long things take, how late
    3   handover/                                to a listener, and its answer back
    3   records pulled sent                      requests, deliveries; polls, fetches; attempts
    3   differences                              a payload held against what an API says
    4   tunnel server_extension/                 two ways to be reached from outside
    4   providers/ search columns                rules: no I/O, no threads
    4   refusals                                 what must not be sent out
    4   diffs                                    two deliveries, held against each other
    5   mapping payloads frames                  rules that build on those
    5   verification                             signatures, by the provider's name
    5   comparison/                              pushed events held against polled snapshots
    6   fixture                                  a delivery as a test
    6   samples/                                 deliveries to try things with, offline
    6   charts/                                  pictures of a comparison
    6   checking                                 signatures checked on receipt
    6   answering/                               what senders get
    6   store/                                   the capture file
    7   schemas/                                 what bodies look like, and how that changes
    7   retrying                                 how senders try again
    7   trial                                    samples, sent
    7   report                                   a comparison as one file
    7   ingress following views                  the one way in; ways to look
    7   observations attempts                    what was pulled, and sent on; kept and shown
    7   heartbeat retaining                      that we listen; dropping what is no longer kept
    8   compared                                 the comparison as users get it
    8   wire files/ inbox/                       HTTP; what leaves; what is seen
    8   pulling/                                 polling an API, fetching after an event
    8   probing                                  does the public URL lead here?
    8   listened originals                       when we could be reached; what is behind events
    9   sending/                                 forwarding what arrives, replaying what has
    9   evidence recovery                        both sides of a comparison; what it missed
    9   loading/                                 files, taken in
    9   live/                                    a comparison while both sides go on
    9   listener                                 HTTP at a port
    10  server                                   which port, which URL, and whose it is
    10  checkup                                  finding out how a lab is
    10  relay/                                   a public server for labs without a public address
    10  processes/                               listeners in processes of their own
    11  reach                                    the ways to be reached from outside, by name
    11  capturing                                what captures into a file, in a kernel or beside it
    12  standalone                               what runs in such a process
    12  listening                                what listens for a lab: here, elsewhere, others
    13  lookout                                  looking how a lab is
    14  parts                                    what stands behind a lab, opened and closed
    15  lab/                                     assembly for a notebook, nothing else
    16  demo/                                    a small provider to play with
    17  cli/                                     the command `webhooklab`
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webhooklab.answering import Response
    from webhooklab.compared import compare
    from webhooklab.errors import WebhookLabError
    from webhooklab.files import read
    from webhooklab.lab import Lab
    from webhooklab.verification import verify

__version__ = "0.1.0"
__all__ = ["Lab", "Response", "WebhookLabError", "__version__", "compare", "read", "verify"]

_HOMES = {
    "Lab": "lab",
    "Response": "answering",
    "WebhookLabError": "errors",
    "compare": "compared",
    "read": "files",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import webhooklab` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'webhooklab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"webhooklab.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
