"""Who sent a request, and which events it carries. One small module per provider.

The first provider in `PROVIDERS` that recognises a request interprets it. An unknown provider is
a value (None), not an error and not a guess.
"""

from __future__ import annotations

from webhooklab.providers.base import Provider
from webhooklab.providers.cloudevents import CloudEvents
from webhooklab.providers.standard_webhooks import StandardWebhooks
from webhooklab.records import Interpretation, Request

PROVIDERS: tuple[Provider, ...] = (CloudEvents(), StandardWebhooks())
"""In the order in which they are asked."""

__all__ = ["PROVIDERS", "Provider", "interpret"]


def interpret(request: Request) -> Interpretation:
    """Ask each provider in turn. Never raises on anything from the wire."""
    for provider in PROVIDERS:
        if provider.recognises(request):
            return provider.interpret(request)
    return Interpretation()
