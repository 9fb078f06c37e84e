"""Gitea, Forgejo and Gogs: https://docs.gitea.com/usage/webhooks, https://gogs.io.

Each also sends the headers of those whose receivers it wants to please: Forgejo those of Gitea,
Gogs and GitHub, Gitea those of Gogs and GitHub.
"""

from __future__ import annotations

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.git_hosts import KINDS, Kind, reader
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

_RETRIES = Retries(waits_seconds=(), in_words="none; a redelivery is asked for by hand")
_KINDS = KINDS | {"fork": Kind("repository", "repository")}
"""Here `forkee` is what was forked (services/webhook/notifier.go), elsewhere the fork."""

FORGEJO = Provider(
    name="forgejo",
    title="Forgejo",
    source="https://forgejo.org/docs/latest/user/webhooks",
    marks=(Mark(header="x-forgejo-event"),),
    reads=reader("x-forgejo-event", "x-forgejo-delivery", _KINDS),
    schemes=(table.FORGEJO, table.GITEA, table.HUB_SHA256),
    retries=_RETRIES,
)
GITEA = Provider(
    name="gitea",
    title="Gitea",
    source="https://docs.gitea.com/usage/webhooks",
    marks=(Mark(header="x-gitea-event"),),
    reads=reader("x-gitea-event", "x-gitea-delivery", _KINDS),
    schemes=(table.GITEA, table.HUB_SHA256),
    retries=_RETRIES,
)
GOGS = Provider(
    name="gogs",
    title="Gogs",
    source="https://gogs.io",
    marks=(Mark(header="x-gogs-event"),),
    reads=reader("x-gogs-event", "x-gogs-delivery"),
    schemes=(table.GOGS,),
    retries=_RETRIES,
)
