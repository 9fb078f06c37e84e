"""What GitHub, Gitea, Forgejo and Gogs have in common.

An event's name is in a header, what is done is the body's `action`, and the entity stands in the
body under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from webhooklab.bodies import media_type
from webhooklab.providers.base import Read
from webhooklab.providers.fields import instant, mapping, text, unwrapped
from webhooklab.providers.marks import FORM
from webhooklab.providers.places import dig, path_keys
from webhooklab.records import Event, Request


class Kind(NamedTuple):
    """What an event is about: the entity's type, where it stands in the body, and its id there."""

    entity_type: str
    path: str
    identity: str = "id"


KINDS: dict[str, Kind] = {
    "issues": Kind("issue", "issue"),
    "issue_comment": Kind("issue_comment", "comment"),
    "pull_request_review": Kind("pull_request_review", "review"),
    "pull_request_review_comment": Kind("pull_request_review_comment", "comment"),
    "pull_request_review_thread": Kind("pull_request", "pull_request"),
    "pull_request_target": Kind("pull_request", "pull_request"),
    "commit_comment": Kind("commit_comment", "comment"),
    "discussion_comment": Kind("discussion_comment", "comment"),
    "branch_protection_rule": Kind("branch_protection_rule", "rule"),
    "repository_ruleset": Kind("repository_ruleset", "repository_ruleset"),
    "repository_vulnerability_alert": Kind("repository_vulnerability_alert", "alert"),
    "deploy_key": Kind("deploy_key", "key"),
    "ping": Kind("hook", "hook"),
    "meta": Kind("hook", "hook"),
    "org_block": Kind("user", "blocked_user"),
    "member": Kind("user", "member"),
    "membership": Kind("team", "team"),
    "team_add": Kind("team", "team"),
    "installation_repositories": Kind("installation", "installation"),
    "installation_target": Kind("account", "account"),
    "github_app_authorization": Kind("user", "sender"),
    "marketplace_purchase": Kind("account", "marketplace_purchase.account"),
    "fork": Kind("repository", "forkee"),
    "registry_package": Kind("package", "registry_package"),
    "status": Kind("status", ""),
    "page_build": Kind("page_build", ""),
    "projects_v2": Kind("project", "projects_v2"),
    "sub_issues": Kind("issue", "sub_issue"),
    "issue_dependencies": Kind("issue", "blocked_issue"),
    "deployment_review": Kind("workflow_run", "workflow_run"),
    "deployment_protection_rule": Kind("deployment", "deployment"),
    "pull_request_comment": Kind("issue_comment", "comment"),
    # What the API calls by something else than an `id`.
    "dependabot_alert": Kind("dependabot_alert", "alert", "number"),
    "code_scanning_alert": Kind("code_scanning_alert", "alert", "number"),
    "secret_scanning_alert": Kind("secret_scanning_alert", "alert", "number"),
    "secret_scanning_alert_location": Kind("secret_scanning_alert", "alert", "number"),
    "security_advisory": Kind("security_advisory", "security_advisory", "ghsa_id"),
    "repository_advisory": Kind("repository_advisory", "repository_advisory", "ghsa_id"),
}
"""Where the entity is not what the event is called after; the names as the API has them."""
_OWNERS = (
    (Kind("pull_request", "pull_request"), True),
    (Kind("issue", "issue"), True),
    (Kind("repository", "repository"), False),
    (Kind("organization", "organization"), False),
)
"""What an event is about whose name says nothing of it (Gitea's `issue_label`)."""
_GONE = ("deleted", "removed", "dismissed", "unpinned")
"""Actions after which the entity's last change is not when they happened."""
_AT = {"created": "created_at", "opened": "created_at", "submitted": "submitted_at"}
_AT |= {"completed": "completed_at", "in_progress": "started_at", "published": "published_at"}
_AT |= {"released": "published_at", "prereleased": "published_at"}
_AT |= {"dismissed": "dismissed_at", "closed_by_user": "dismissed_at"}
_AT |= {"fixed": "fixed_at", "resolved": "resolved_at"}


def reader(event_header: str, id_header: str, kinds: Mapping[str, Kind] = KINDS) -> Read:
    """A function that reads the events of a host which names them in these headers."""

    def events(request: Request) -> Sequence[Event]:
        name = request.headers.get(event_header) or ""
        is_form = media_type(request.content_type) == FORM
        body = mapping(unwrapped(request.data, "payload") if is_form else request.data)
        action = text(body.get("action"))
        about = _about(kinds.get(name, Kind(name, name)), body)
        event = Event(
            event_type=f"{name}.{action}" if name and action else name or None,
            event_id=request.headers.get(id_header),
            entity_type=about.entity_type,
            entity_id=about.entity_id,
            occurred_at=_occurred_at(name, action, about, body),
            version=text(about.entity.get("updated_at")),
        )
        return [event]

    return events


class About(NamedTuple):
    """The entity; `is_own` is False for the repository in which the event was, for want of one."""

    entity_type: str | None
    entity_id: str | None
    entity: dict[str, Any]
    is_own: bool


def _about(kind: Kind, body: dict[str, Any]) -> About:
    for (entity_type, path, place), is_own in ((kind, True), *_OWNERS):
        found = mapping(dig(body, path_keys(path)))
        entity_id = text(found.get(place, found.get("node_id")))
        if entity_id is not None:
            return About(entity_type, entity_id, found, is_own)
    return About(None, None, {}, is_own=False)


def _occurred_at(name: str, action: str | None, about: About, body: dict[str, Any]) -> int | None:
    if name == "push":
        return instant(dig(body, ("repository", "pushed_at")))
    if not about.is_own:  # the repository's own times are of other changes
        return instant(body.get("starred_at"))
    own = about.entity.get(_AT.get(action or "", ""))
    return instant(own if action in _GONE else about.entity.get("updated_at") or own)
