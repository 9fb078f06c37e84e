"""The pull side: polling an API, and fetching what a webhook spoke of."""

from __future__ import annotations

from webhooklab.pulling.assembly import Pulling
from webhooklab.pulling.fetcher import Fetcher
from webhooklab.pulling.items import Page
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.poller import Poller

__all__ = ["Fetcher", "Limits", "Page", "Poller", "Pulling"]
