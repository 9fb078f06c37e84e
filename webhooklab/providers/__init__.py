"""Who sent a request, and which events it carries. One small module or row per provider.

A guide to adding one is in `README.md` beside this file. An unknown provider is a value (None),
not an error and not a guess.
"""

from __future__ import annotations

from webhooklab.providers.base import Handshake, Provider, Retries
from webhooklab.providers.built_in import PROVIDERS
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.providers.registering import (
    find,
    handshake_answer,
    interpret,
    names,
    recognise,
    register,
    registered,
)

__all__ = [
    "PROVIDERS",
    "Fields",
    "Handshake",
    "Mark",
    "Provider",
    "Retries",
    "find",
    "handshake_answer",
    "interpret",
    "names",
    "recognise",
    "register",
    "registered",
]
