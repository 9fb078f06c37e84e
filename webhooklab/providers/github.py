"""GitHub: https://docs.github.com/webhooks/webhook-events-and-payloads."""

from __future__ import annotations

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.git_hosts import reader
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

GITHUB = Provider(
    name="github",
    title="GitHub",
    source="https://docs.github.com/webhooks/webhook-events-and-payloads",
    marks=(Mark(header="x-github-event"),),
    # A redelivery keeps the X-GitHub-Delivery of the first.
    reads=reader("x-github-event", "x-github-delivery"),
    schemes=(table.HUB_SHA256, table.HUB_SHA1),
    retries=Retries(
        waits_seconds=(), in_words="none; a redelivery is asked for by hand", timeout_seconds=10
    ),
)
