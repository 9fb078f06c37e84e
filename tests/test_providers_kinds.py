"""Events of many kinds, as their providers' documentation shows them, and what is read of each."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from tests.provider_cases import request
from webhooklab.providers import interpret
from webhooklab.providers.fields import instant

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AT, AT_TEXT = datetime(2024, 2, 6, 20, 13, 15, tzinfo=UTC), "2024-02-06T20:13:15Z"
AT_MAIL, AT_UNIX = "Tue, 06 Feb 2024 20:13:15 +0000", 1_707_250_395
GITLAB = {"X-Gitlab-Event": "Some Hook"}
TWILIO = FORM | {"X-Twilio-Signature": "x"}
META = {"X-Hub-Signature-256": "sha256=x"}
LINEAR = {"Linear-Signature": "x"}
PAYPAL = {"PAYPAL-TRANSMISSION-ID": "x"}
SQUARE = {"x-square-hmacsha256-signature": "x"}
DOCUSIGN = {"X-DocuSign-Signature-1": "x"}
HUBSPOT = {"X-HubSpot-Signature": "x"}
DISCORD = {"X-Signature-Ed25519": "x"}
SLACK = {"X-Slack-Signature": "v0=x"}


class Case(NamedTuple):
    """What came, and what is to be read of it."""

    provider: str
    headers: dict[str, str]
    body: Any
    event_type: str | None
    entity_type: str | None
    entity_id: str | None
    occurred_at: datetime | None = None


def github(name: str, body: dict[str, Any], *expected: Any) -> Case:
    return Case("github", {"X-GitHub-Event": name}, body, *expected)


def bitbucket(key: str, body: dict[str, Any], *expected: Any) -> Case:
    return Case("bitbucket", {"X-Event-Key": key}, body, key, *expected)


def gitlab(body: dict[str, Any], *expected: Any) -> Case:
    return Case("gitlab", GITLAB, body, *expected)


def shopify(topic: str, body: dict[str, Any], *expected: Any) -> Case:
    return Case("shopify", {"X-Shopify-Topic": topic}, body, topic, *expected)


def twilio(fields: dict[str, str], *expected: Any) -> Case:
    return Case("twilio", TWILIO, urlencode(fields).encode(), *expected)


def paypal(name: str, kind: str, resource: dict[str, Any], *expected: Any) -> Case:
    body = {"id": "WH-1", "event_type": name, "resource_type": kind, "resource": resource}
    return Case("paypal", PAYPAL, body, name, *expected)


def square(name: str, kind: str, identity: str, *expected: Any) -> Case:
    body = {"type": name, "event_id": "e", "data": {"type": kind, "id": identity}}
    return Case("square", SQUARE, body, name, *expected)


def hubspot(item: dict[str, Any], *expected: Any) -> Case:
    return Case("hubspot", HUBSPOT, [item], item["subscriptionType"], *expected)


def meta(kind: str, entry: dict[str, Any], *expected: Any) -> Case:
    return Case("meta", META, {"object": kind, "entry": [entry]}, *expected)


def twitch(name: str, event: dict[str, Any], *expected: Any) -> Case:
    headers = {"Twitch-Eventsub-Message-Id": "m", "Twitch-Eventsub-Subscription-Type": name}
    body = {"subscription": {"id": "s1", "type": name}, "event": event}
    return Case("twitch", headers, body, name, *expected)


def graph(notification: dict[str, Any], *expected: Any) -> Case:
    return Case(
        "microsoft_graph", {}, {"value": [{"subscriptionId": "s1"} | notification]}, *expected
    )


def slack(event: dict[str, Any], *expected: Any) -> Case:
    return Case(
        "slack", SLACK, {"type": "event_callback", "event": event}, event["type"], *expected
    )


def stripe(body: dict[str, Any], *expected: Any) -> Case:
    return Case("stripe", {}, body | {"livemode": False}, *expected)


def as_form(body: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(body)}).encode()


REPOSITORY = {"id": 1, "updated_at": "2019-01-01T00:00:00Z"}
ALERT = {"number": 7, "dismissed_at": AT_TEXT, "updated_at": "2019-01-01T00:00:00Z"}
CLOUDEVENT = {"specversion": "1.0", "type": "a.b", "source": "/s", "id": "1", "subject": "x"}

ISSUE = {"action": "opened", "issue": {"id": 444, "updated_at": AT_TEXT}}

CASES = [
    *(
        Case(host, FORM | {header: "issues"}, as_form(ISSUE), "issues.opened", "issue", "444", AT)
        for host, header in (
            ("github", "X-GitHub-Event"),
            ("gitea", "X-Gitea-Event"),
            ("gogs", "X-Gogs-Event"),
        )
    ),
    Case("github", FORM | {"X-GitHub-Event": "push"}, b"payload={", "push", None, None),
    github(
        "security_advisory",
        {"action": "published", "security_advisory": {"ghsa_id": "GHSA-1", "updated_at": AT_TEXT}},
        *("security_advisory.published", "security_advisory", "GHSA-1", AT),
    ),
    github(
        "deployment_review",
        {"action": "requested", "workflow_run": {"id": 5}, "repository": REPOSITORY},
        *("deployment_review.requested", "workflow_run", "5"),
    ),
    github(
        "secret_scanning_alert_location",
        {"action": "created", "alert": {"number": 9}, "repository": REPOSITORY},
        *("secret_scanning_alert_location.created", "secret_scanning_alert", "9"),
    ),
    github(
        "dependabot_alert",
        {"action": "dismissed", "alert": ALERT},
        *("dependabot_alert.dismissed", "dependabot_alert", "7", AT),
    ),
    github(
        "code_scanning_alert",
        {"action": "fixed", "alert": {"number": 7, "fixed_at": AT_TEXT}},
        *("code_scanning_alert.fixed", "code_scanning_alert", "7", AT),
    ),
    github(
        "sub_issues",
        {"action": "parent_issue_added", "sub_issue": {"id": 3}, "repository": REPOSITORY},
        *("sub_issues.parent_issue_added", "issue", "3"),
    ),
    github("fork", {"forkee": {"id": 2}, "repository": {"id": 1}}, "fork", "repository", "2"),
    Case(
        "gitea",
        {"X-Gitea-Event": "fork"},
        {"forkee": {"id": 1}, "repository": {"id": 2}},
        *("fork", "repository", "2"),
    ),
    Case(
        "gitea",
        {"X-Gitea-Event": "pull_request_comment"},
        {"action": "reviewed", "pull_request": {"id": 4, "updated_at": AT_TEXT}},
        *("pull_request_comment.reviewed", "pull_request", "4", AT),
    ),
    bitbucket(
        "issue:updated",
        {"issue": {"id": 1, "updated_on": AT_TEXT}, "comment": {"id": 17}},
        *("issue", "1", AT),
    ),
    bitbucket(
        "issue:comment_created", {"issue": {"id": 1}, "comment": {"id": 17}}, "comment", "17"
    ),
    bitbucket(
        "pullrequest:approved",
        {"pullrequest": {"id": 3, "updated_on": "2019-01-01"}, "approval": {"date": AT_TEXT}},
        *("pull_request", "3", AT),
    ),
    bitbucket(
        "repo:commit_status_updated",
        {"commit_status": {"key": "ci", "updated_on": AT_TEXT}, "repository": {"uuid": "{r}"}},
        *("commit_status", "ci", AT),
    ),
    bitbucket(
        "repo:push",
        {"push": {}, "repository": {"uuid": "{r}", "updated_on": AT_TEXT}},
        *("repository", "{r}", None),
    ),
    bitbucket(
        "repo:modified",
        {"date": "2024-02-06T20:13:15+0000", "old": {"id": 4}, "new": {"id": 4}},
        *("repository", "4", AT),
    ),
    gitlab(
        {
            "object_kind": "deployment",
            "deployment_id": 15,
            "status_changed_at": "2024-02-06 22:13:15 +0200",
        },
        *("deployment", "deployment", "15", AT),
    ),
    gitlab(
        {"object_kind": "wiki_page", "object_attributes": {"slug": "home", "action": "create"}},
        *("wiki_page.create", "wiki_page", "home"),
    ),
    gitlab(
        {
            "object_kind": "build",
            "build_id": 8,
            "build_status": "success",
            "build_finished_at": "2024-02-06 20:13:15 UTC",
        },
        *("build", "job", "8", AT),
    ),
    gitlab(
        {
            "object_kind": "pipeline",
            "object_attributes": {"id": 9, "status": "running", "created_at": AT_TEXT},
        },
        *("pipeline", "pipeline", "9", None),
    ),
    gitlab(
        {
            "object_kind": "pipeline",
            "object_attributes": {"id": 9, "status": "pending", "created_at": AT_TEXT},
        },
        *("pipeline", "pipeline", "9", AT),
    ),
    gitlab(
        {"object_kind": "release", "id": 1, "action": "update", "created_at": AT_TEXT},
        *("release.update", "release", "1", None),
    ),
    shopify("customers/redact", {"shop_id": 9, "customer": {"id": 19}}, "customer", "19"),
    shopify("customers/data_request", {"shop_id": 9, "customer": {"id": 19}}, "customer", "19"),
    shopify("shop/redact", {"shop_id": 9}, "shop", "9"),
    shopify("app/uninstalled", {"id": 9}, "shop", "9"),
    shopify("orders/edited", {"order_edit": {"id": 7, "order_id": 45}}, "order", "45"),
    shopify("customer_addresses/create", {"id": 1}, "customer_address", "1"),
    shopify(
        "bulk_operations/finish",
        {"admin_graphql_api_id": "gid://shopify/BulkOperation/1"},
        *("bulk_operation", "gid://shopify/BulkOperation/1"),
    ),
    shopify(
        "fulfillment_orders/cancelled",
        {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/1"}},
        *("fulfillment_order", "gid://shopify/FulfillmentOrder/1"),
    ),
    twilio(
        {"CallSid": "CA1", "CallStatus": "completed", "Timestamp": AT_MAIL},
        *("call.completed", "call", "CA1", AT),
    ),
    twilio(
        {"EventType": "task.created", "TaskSid": "WT1", "Timestamp": str(AT_UNIX)},
        *("task.created", "task", "WT1", AT),
    ),
    twilio(
        {"RoomSid": "RM1", "StatusCallbackEvent": "room-ended"}, "room.room-ended", "room", "RM1"
    ),
    twilio(
        {"EventType": "onMessageAdded", "ConversationSid": "CH1", "MessageSid": "IM1"},
        *("message.onMessageAdded", "message", "IM1"),
    ),
    twilio(
        {"TranscriptionSid": "TR1", "TranscriptionStatus": "completed", "CallSid": "CA1"},
        *("transcription.completed", "transcription", "TR1"),
    ),
    Case("twilio", {"X-Twilio-Signature": "x"}, [CLOUDEVENT], "a.b", None, "x"),
    paypal("CUSTOMER.DISPUTE.CREATED", "dispute", {"dispute_id": "PP-1"}, "dispute", "PP-1"),
    paypal(
        "INVOICING.INVOICE.PAID", "invoices", {"invoice": {"id": "INV2-1"}}, "invoices", "INV2-1"
    ),
    paypal(
        "PAYMENT.PAYOUTSBATCH.SUCCESS",
        *("payouts", {"batch_header": {"payout_batch_id": "Q8"}}),
        *("payouts", "Q8"),
    ),
    square("order.updated", "order_updated", "eA3", "order", "eA3"),
    square("order.fulfillment.updated", "order_fulfillment_updated", "eA3", "order", "eA3"),
    square("catalog.version.updated", "catalog", "", "catalog", None),
    Case(
        "linear",
        LINEAR,
        {"type": "AgentSessionEvent", "action": "created", "agentSession": {"id": "s1"}},
        *("AgentSessionEvent.created", "agent_session", "s1"),
    ),
    Case(
        "linear",
        LINEAR,
        {"type": "IssueSLA", "action": "breached", "issueData": {"id": "i1"}, "createdAt": AT_TEXT},
        *("IssueSLA.breached", "issue", "i1", AT),
    ),
    hubspot({"subscriptionType": "contact.merge", "primaryObjectId": 11}, "contact", "11"),
    hubspot({"subscriptionType": "deal.associationChange", "fromObjectId": 12}, "deal", "12"),
    hubspot(
        {"subscriptionType": "object.creation", "objectTypeId": "0-3", "objectId": 4}, "deal", "4"
    ),
    hubspot(
        {"subscriptionType": "object.creation", "objectTypeId": "2-77", "objectId": 4}, "2-77", "4"
    ),
    Case(
        "docusign",
        DOCUSIGN,
        {"event": "recipient-completed", "data": {"envelopeId": "e1", "recipientId": "1"}},
        *("recipient-completed", "envelope", "e1"),
    ),
    Case(
        "docusign",
        DOCUSIGN,
        {"status": "completed", "envelopeId": "e1", "statusChangedDateTime": AT_TEXT},
        *(None, "envelope", "e1", AT),
    ),
    Case(
        "discord",
        DISCORD,
        {"type": 1, "event": {"type": "APPLICATION_AUTHORIZED", "data": {"user": {"id": "u"}}}},
        *("APPLICATION_AUTHORIZED", "user", "u"),
    ),
    twitch(
        "channel.chat.message",
        {"broadcaster_user_id": "1", "message_id": "c1"},
        *("message", "c1"),
    ),
    twitch("channel.raid", {"to_broadcaster_user_id": "2"}, "channel", "2"),
    twitch("channel.update", {"broadcaster_user_id": "1"}, "channel", "1"),
    meta(
        "page",
        {
            "id": "P",
            "changes": [{"field": "feed", "value": {"post_id": "1_2", "created_time": AT_UNIX}}],
        },
        *("feed", "post", "1_2", AT),
    ),
    meta(
        "instagram",
        {"id": "I", "time": AT_UNIX, "changes": [{"field": "comments", "value": {"id": "17"}}]},
        *("comments", "comment", "17", AT),
    ),
    meta(
        "user",
        {"id": "U", "time": AT_UNIX, "changed_fields": ["photos"]},
        "photos",
        "user",
        "U",
        AT,
    ),
    graph({"lifecycleEvent": "missed"}, "missed", "subscription", "s1"),
    slack(
        {
            "type": "pin_added",
            "channel_id": "C1",
            "item": {"type": "message", "message": {"ts": "1.2"}},
        },
        *("message", "1.2"),
    ),
    slack({"type": "link_shared", "channel": "C1", "message_ts": "1.2"}, "message", "1.2"),
    slack({"type": "subteam_updated", "subteam": {"id": "S1"}}, "usergroup", "S1"),
    stripe(
        {
            "id": "evt_1",
            "object": "event",
            "type": "invoice.paid",
            "created": AT_UNIX,
            "data": {"object": {"id": "in_1", "object": "invoice"}},
        },
        *("invoice.paid", "invoice", "in_1", AT),
    ),
    stripe(
        {
            "id": "evt_1",
            "object": "v2.core.event",
            "type": "v1.billing.meter.no_meter_found",
            "created": AT_TEXT,
            "related_object": None,
        },
        *("v1.billing.meter.no_meter_found", None, None, AT),
    ),
    Case("cloudevents", {}, CLOUDEVENT, "a.b", None, "x"),
    Case("cloudevents", {}, [CLOUDEVENT], "a.b", None, "x"),
    Case(
        "standardwebhooks",
        {"webhook-id": "m", "webhook-timestamp": "1"},
        {"type": "response.completed", "created_at": AT_UNIX, "data": {"id": "r1"}},
        *("response.completed", "response", "r1", AT),
    ),
    Case(
        "brevo",
        {},
        {"event": "proxy_open", "message-id": "m1", "s_epoch": AT_UNIX * 1000},
        *("proxy_open", "message", "m1", AT),
    ),
    Case(
        "unisender_go",
        {},
        {
            "event_name": "transactional_email_status",
            "status": "spam",
            "event_time": "2024-02-06 20:13:15",
        },
        *("spam", "message", None, AT),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider} {case.event_type}")
def test_it_is_read_as_documented(case):
    found = interpret(request(case.headers, case.body))
    event = found.event
    assert found.provider == case.provider
    assert [event.event_type, event.entity_type, event.entity_id] == list(case[3:6])
    assert event.occurred_at == (case.occurred_at and round(case.occurred_at.timestamp() * 1e6))


def test_each_account_that_changed_is_an_event():
    body = {"list_folder": {"accounts": ["dbid:A", "dbid:B"]}}
    found = interpret(request({"X-Dropbox-Signature": "x"}, body))
    assert found.event_count == 2
    assert [each.entity_id for each in found.items] == ["dbid:A", "dbid:B"]


def test_an_empty_id_makes_no_two_deliveries_one():
    for headers in (
        {"X-GitHub-Event": "push", "X-GitHub-Delivery": ""},
        {"svix-id": "", "svix-timestamp": "1"},
    ):
        assert interpret(request(headers, {})).event_key is None


@pytest.mark.parametrize(
    "written",
    [
        AT_TEXT,
        AT_MAIL,
        "Tue, 6 Feb 2024 21:13:15 +0100",
        "Tue, 06 Feb 2024 20:13:15 GMT",
        "2024-02-06 20:13:15 UTC",
        "2024-02-06 22:13:15 +0200",
        "2024-02-06 22:13:15 +02:00",
        AT_UNIX,
        AT_UNIX * 1000,
    ],
)
def test_times_are_read_as_they_are_written(written):
    assert instant(written) == AT_UNIX * 10**6


@pytest.mark.parametrize(
    "written",
    [
        *("", " UTC", "Tue, 99 Feb 2024 20:13:15 +0000", "Tue, 06 Feb 2024 x", "x" * 10**6),
        *("Tue, 06 Feb 2024 20:13:15 +999999999999999", "Tue, 06 Feb 2024 9999999999:1:1 +0000"),
        *(None, True),
    ],
)
def test_what_is_no_time_says_nothing(written):
    assert instant(written) is None
