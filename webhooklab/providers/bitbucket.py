"""Bitbucket, Cloud and Data Center.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/.
"""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_ENTITIES = (
    ("comment", "comment", "id"),
    ("pull_request", "pullrequest", "id"),
    ("pull_request", "pullRequest", "id"),
    ("issue", "issue", "id"),
    ("commit_status", "commit_status", "key"),
    ("repository", "repository", "uuid"),
    ("repository", "repository", "id"),
    ("project", "project", "uuid"),
)
"""Type, name in the body and id; the first that is there is what the event is about."""


def events(request: Request) -> Sequence[Event]:
    """`repo:push`, `pullrequest:created`, ...: as in X-Event-Key."""
    body, headers = mapping(request.data), request.headers
    entity_type = entity_id = updated = None
    for kind, name, identity in _ENTITIES:
        entity_id = text(dig(body, (name, identity)))
        if entity_id is not None:
            entity_type = kind
            updated = dig(body, (name, "updated_on")) or dig(body, (name, "updatedDate"))
            break
    is_push = (headers.get("x-event-key") or "").startswith("repo:")
    event = Event(
        event_type=headers.get("x-event-key"),
        event_id=headers.get("x-request-uuid") or headers.get("x-request-id"),
        entity_type=entity_type,
        entity_id=entity_id,
        occurred_at=instant(body.get("date") or (None if is_push else updated)),
        version=text(updated),
    )
    return [event]


BITBUCKET = Provider(
    name="bitbucket",
    title="Bitbucket",
    source="https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
    marks=(Mark(header="x-event-key"),),
    reads=events,
    schemes=(table.BITBUCKET,),
    retries=Retries(
        in_words="up to two more attempts",
        timeout_seconds=10,
        number="header:x-attempt-number",
        first=1,
    ),
)
