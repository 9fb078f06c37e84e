"""The pull side: polling an API, and fetching what a webhook spoke of.

source       what to poll, what to fetch     origins      where requests may go, and no other
poller       polling, again and again        fetcher      a GET after each delivery
paging       the pages of one poll           intake       from deliveries to what is fetched
items        from an answer to entities      templates    from a body to a URL
memory       what a poller knows             truth        what came, against the payload
getter       one GET, tried again            answers      what comes of it
rates        when to ask again               statistics   what was done
assembly     all that pulls for a file       limits       how often, how long, how much
"""

from __future__ import annotations

from webhooklab.pulling.assembly import Pulling
from webhooklab.pulling.fetcher import Fetcher
from webhooklab.pulling.items import Page
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.poller import Poller

__all__ = ["Fetcher", "Limits", "Page", "Poller", "Pulling"]
