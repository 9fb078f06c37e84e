"""webhooklab: see how your systems exchange data, in a notebook.

The floors of the house; a module imports only from lower ones, or from its own folder:

    0  errors defaults clock redaction progress      words and limits; the only clock
    1  headers bodies instants                       what is on the wire, read
    2  code records                                  requests and deliveries
    3  providers/ search columns                     rules: no I/O, no threads
    4  mapping payloads frames
    5  background ownership store/                   the loop, the lock, the file
    6  ingress following views                       the one way in; the ways to look
    7  wire
    8  listener summary files                        things that run, things that leave
    9  server
    10 lab                                           assembly for a notebook
    11 cli demo/                                     a command, and a provider to play with
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webhooklab.errors import WebhookLabError
    from webhooklab.files import read
    from webhooklab.lab import Lab

__version__ = "0.1.0"
__all__ = ["Lab", "WebhookLabError", "__version__", "read"]

_HOMES = {"Lab": "lab", "WebhookLabError": "errors", "read": "files"}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import webhooklab` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'webhooklab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"webhooklab.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
