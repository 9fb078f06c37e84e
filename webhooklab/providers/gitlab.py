"""GitLab: the hooks of projects and groups, and those of a whole instance.

https://docs.gitlab.com/user/project/integrations/webhook_events/,
https://docs.gitlab.com/administration/system_hooks/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_IDS = {
    "push": ("project", "project_id"),
    "tag_push": ("project", "project_id"),
    "repository_update": ("project", "project_id"),
    "build": ("job", "build_id"),
    "deployment": ("deployment", "deployment_id"),
    "release": ("release", "id"),
    "user_access_request_to_project": ("user", "user_id"),
}
"""Kinds of events whose entity is not in `object_attributes`, with its type and where its id is."""
_FIRST_WORDS = {
    "user": ("user", "user_id"),
    "project": ("project", "project_id"),
    "group": ("group", "group_id"),
    "subgroup": ("group", "group_id"),
    "key": ("key", "id"),
}
"""System hooks: `user_add_to_team` is about a user."""
_ENTITIES = {"work_item": "issue", "wiki_page": "wiki_page", "emoji": "award_emoji"}
_CHANGED = (
    *("updated_at", "finished_at", "status_changed_at"),
    *("build_finished_at", "build_started_at"),
)
_CREATED = ("created_at", "build_created_at")
_NEW = {
    "pipeline": ("created", "pending"),
    "build": ("created", "pending"),
    "release": ("create",),
}
"""Of what its events say only when it was created, and when it ended: in these states it is new."""


def _entity(kind: str, body: dict[str, Any]) -> tuple[str | None, str | None]:
    attributes = mapping(body.get("object_attributes"))
    identity = text(attributes.get("slug" if kind == "wiki_page" else "id"))
    if identity is not None:
        return _ENTITIES.get(kind, kind), identity
    entity_type, place = _IDS.get(kind) or _FIRST_WORDS.get(kind.partition("_")[0], ("", ""))
    identity = text(body.get(place))
    return (entity_type, identity) if identity else (None, None)


def _occurred_at(kind: str, attributes: dict[str, Any], body: dict[str, Any]) -> int | None:
    if kind in ("push", "tag_push"):
        return None  # a push does not say when it was
    state = attributes.get("status") or body.get("build_status") or body.get("action")
    is_new = kind not in _NEW or state in _NEW[kind]
    names = (*_CHANGED, *_CREATED) if is_new else _CHANGED
    said = (part.get(name) for part in (attributes, body) for name in names)
    return next((at for each in said if (at := instant(each)) is not None), None)


def events(request: Request) -> Sequence[Event]:
    """`merge_request.merge`, `push`, `note`; of a system hook `user_create`."""
    body = mapping(request.data)
    attributes = mapping(body.get("object_attributes"))
    kind = text(body.get("object_kind")) or text(body.get("event_name")) or ""
    action = text(attributes.get("action")) or text(body.get("action"))
    entity_type, entity_id = _entity(kind, body)
    headers = request.headers
    event = Event(
        event_type=f"{kind}.{action}" if kind and action else kind or None,
        event_id=headers.get("webhook-id") or headers.get("idempotency-key"),
        entity_type=entity_type,
        entity_id=entity_id,
        occurred_at=_occurred_at(kind, attributes, body),
        version=text(attributes.get("updated_at")),
    )
    return [event]


GITLAB = Provider(
    name="gitlab",
    title="GitLab",
    source="https://docs.gitlab.com/user/project/integrations/webhooks/",
    marks=(Mark(header="x-gitlab-event"), Mark(header="x-gitlab-token")),
    reads=events,
    schemes=(table.GITLAB_SIGNED, table.GITLAB_TOKEN),
    retries=Retries(in_words="disabled for a while after repeated failures", timeout_seconds=10),
)
