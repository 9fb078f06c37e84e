"""Bitbucket, Cloud and Data Center.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
    ("repository", "new", "id"),
    ("project", "project", "uuid"),
)
"""Type, name in the body and id; the first that is there is what the event is about."""
_OPINIONS = ("approval", "changes_request")
"""What a reviewer said, with its own time."""


class About(NamedTuple):
    """The entity, and when it was last changed, as sent."""

    kind: str | None = None
    identity: str | None = None
    updated: Any = None


def _about(key: str, body: dict[str, Any]) -> About:
    """The comment only where it is about that: an issue's update may carry one as well."""
    for kind, name, place in _ENTITIES:
        identity = text(dig(body, (name, place)))
        if identity is not None and (kind != "comment" or "comment" in key):
            updated = dig(body, (name, "updated_on")) or dig(body, (name, "updatedDate"))
            return About(kind, identity, updated)
    return About()


def _occurred_at(body: dict[str, Any], about: About) -> int | None:
    dates = (dig(body, (name, "date")) for name in _OPINIONS)
    said = next((date for date in (body.get("date"), *dates) if date), None)
    # A repository's own last change is not the push.
    return instant(said or (None if about.kind == "repository" else about.updated))


def events(request: Request) -> Sequence[Event]:
    """`repo:push`, `pullrequest:created`, ...: as in X-Event-Key."""
    body, headers = mapping(request.data), request.headers
    about = _about(headers.get("x-event-key") or "", body)
    event = Event(
        event_type=headers.get("x-event-key"),
        event_id=headers.get("x-request-uuid") or headers.get("x-request-id"),
        entity_type=about.kind,
        entity_id=about.identity,
        occurred_at=_occurred_at(body, about),
        version=text(about.updated),
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
