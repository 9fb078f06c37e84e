"""Sentry, PagerDuty, Jira, Zendesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Event, Request
from webhooklab.signatures import table


def _sentry_type(headers: Headers, body: Any) -> str | None:
    """`issue.created`: the resource and what was done."""
    parts = (headers.get("sentry-hook-resource"), text(mapping(body).get("action")))
    return ".".join(part for part in parts if part) or None


def _sentry_kind(_headers: Headers, body: Any) -> str | None:
    data = mapping(mapping(body).get("data"))
    has_issue = any("issue_id" in mapping(data.get(name)) for name in ("error", "event"))
    return "issue" if has_issue else next(iter(data), None)


SENTRY = Provider(
    name="sentry",
    title="Sentry",
    source="https://docs.sentry.io/integrations/integration-platform/webhooks/",
    marks=(Mark(header="sentry-hook-resource"),),
    reads=Fields(
        event_type=_sentry_type,
        event_id="header:request-id",
        entity_type=_sentry_kind,
        entity_id=(
            "data.issue.id",
            "data.error.issue_id",
            "data.event.issue_id",
            "data.metric_alert.id",
            "data.installation.uuid",
        ),
    ),
    schemes=(table.SENTRY,),
    retries=Retries(timeout_seconds=1),
)

PAGERDUTY = Provider(
    name="pagerduty",
    title="PagerDuty",
    source="https://developer.pagerduty.com/docs/webhooks/v3-overview/",
    marks=(Mark(header="x-pagerduty-signature"),),
    reads=Fields(
        event_type="event.event_type",
        event_id="event.id",
        entity_type="event.resource_type",
        entity_id="event.data.id",
        occurred_at="event.occurred_at",
    ),
    schemes=(table.PAGERDUTY,),
)

_JIRA_ENTITIES = (
    *("comment", "worklog", "attachment", "issueLink", "sprint", "version", "issue"),
    *("board", "project", "user"),
)
"""The first that is there is what the event is about."""


def jira_events(request: Request) -> Sequence[Event]:
    """`jira:issue_updated`, `comment_created`: Jira's own names."""
    body, headers = mapping(request.data), request.headers
    kind = next((name for name in _JIRA_ENTITIES if isinstance(body.get(name), dict)), "")
    entity = mapping(body.get(kind))
    identity = text(entity.get("id")) or text(entity.get("accountId"))
    event = Event(
        event_type=text(body.get("webhookEvent")),
        event_id=headers.get("x-atlassian-webhook-identifier"),
        entity_type=("issue_link" if kind == "issueLink" else kind) if identity else None,
        entity_id=identity,
        occurred_at=instant(body.get("timestamp")),
        version=text(dig(entity, ("fields", "updated"))) or text(entity.get("updated")),
    )
    return [event]


JIRA = Provider(
    name="jira",
    title="Jira",
    source="https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    marks=(
        Mark(header="x-atlassian-webhook-identifier"),
        Mark(keys=("timestamp",), has=("webhookEvent", "timestamp")),
    ),
    reads=jira_events,
    schemes=(table.BITBUCKET,),
    retries=Retries(
        in_words="up to 5 times, 5 to 15 minutes apart", number="header:x-atlassian-webhook-retry"
    ),
)


def _zendesk_type(_headers: Headers, body: Any) -> str | None:
    name = text(mapping(body).get("type"))
    return name.removeprefix("zen:event-type:") if name else None


def _zendesk_kind(headers: Headers, body: Any) -> str | None:
    name = _zendesk_type(headers, body)
    return name.partition(".")[0] if name else None


ZENDESK = Provider(
    name="zendesk",
    title="Zendesk",
    source="https://developer.zendesk.com/documentation/webhooks/",
    marks=(Mark(header="x-zendesk-webhook-signature"), Mark(header="x-zendesk-webhook-id")),
    reads=Fields(
        event_type=_zendesk_type,
        event_id=("id", "header:x-zendesk-webhook-invocation-id"),
        entity_type=_zendesk_kind,
        entity_id="detail.id",
        occurred_at="time",
        version="detail.updated_at",
    ),
    schemes=(table.ZENDESK,),
    retries=Retries(timeout_seconds=12),
)
