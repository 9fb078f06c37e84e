"""Requests of the providers of which there are no samples, as their documentation shows them."""

from urllib.parse import urlencode

from tests.provider_cases import request
from webhooklab.records import Request

ISSUE = {"id": 171, "number": 17, "updated_at": "2024-05-01T09:00:00Z"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MESSAGE = {"ts": 1461095211, "_id": "m1", "email": "robin@example.com"}

EXAMPLES: dict[str, tuple[Request, str | None, str | None, str | None]] = {
    "paddle_classic": (
        request(
            FORM,
            urlencode(
                {
                    "alert_id": "1",
                    "alert_name": "subscription_created",
                    "event_time": "2024-02-06 20:13:15",
                    "subscription_id": "8",
                    "p_signature": "x",
                }
            ).encode(),
        ),
        *("subscription_created", "subscription", "8"),
    ),
    "forgejo": (
        request(
            {
                "X-Forgejo-Event": "issues",
                "X-Gitea-Event": "issues",
                "X-Gogs-Event": "issues",
                "X-GitHub-Event": "issues",
            },
            {"action": "closed", "issue": ISSUE},
        ),
        *("issues.closed", "issue", "171"),
    ),
    "gogs": (
        request(
            {"X-Gogs-Event": "issues", "X-Gogs-Delivery": "d"},
            {"action": "opened", "issue": ISSUE},
        ),
        *("issues.opened", "issue", "171"),
    ),
    "dropbox": (
        request({"X-Dropbox-Signature": "x"}, {"list_folder": {"accounts": ["dbid:AAH"]}}),
        *(None, "account", "dbid:AAH"),
    ),
    "hookdeck": (
        request(
            {"X-Hookdeck-EventID": "evt_1", "X-Hookdeck-Signature": "x"},
            {"type": "order.paid", "data": {"id": "ord_1"}},
        ),
        *("order.paid", None, "ord_1"),
    ),
    "brevo": (
        request({}, {"event": "opened", "message-id": "<1@x>", "ts_epoch": 1520363423000}),
        *("opened", "message", "<1@x>"),
    ),
    "mailersend": (
        request(
            {"Signature": "0" * 64},
            {"type": "activity.sent", "data": {"id": "a1", "email": {"message": {"id": "m1"}}}},
        ),
        *("activity.sent", "message", "m1"),
    ),
    "mailjet": (
        request({}, [{"event": "open", "time": 1, "MessageID": 12, "mj_campaign_id": 0}]),
        *("open", "message", "12"),
    ),
    "mailtrap": (
        request(
            {"Mailtrap-Signature": "x"},
            {"events": [{"event": "open", "message_id": "m1", "event_id": "e1"}]},
        ),
        *("open", "message", "m1"),
    ),
    "mandrill": (
        request(
            FORM | {"X-Mandrill-Signature": "x"},
            urlencode({"mandrill_events": '[{"event":"send","_id":"m1","msg":{}}]'}).encode(),
        ),
        *("send", "message", "m1"),
    ),
    "postal": (
        request(
            {"X-Postal-Signature": "x"},
            {"event": "MessageSent", "payload": {"message": {"id": 15}}, "uuid": "u"},
        ),
        *("MessageSent", "message", "15"),
    ),
    "sparkpost": (
        request(
            {"X-MessageSystems-Batch-ID": "b"},
            [{"msys": {"message_event": {"type": "delivery", "message_id": "m1"}}}],
        ),
        *("delivery", "message", "m1"),
    ),
    "unisender_go": (
        request(
            {},
            {
                "auth": "x",
                "events_by_user": [
                    {
                        "events": [
                            {"event_name": "s", "event_data": {"status": "sent", "job_id": "j"}}
                        ]
                    }
                ],
            },
        ),
        *("sent", "message", "j"),
    ),
    "sentry": (
        request(
            {"Sentry-Hook-Resource": "issue", "Request-ID": "r1"},
            {"action": "created", "data": {"issue": {"id": "4096"}}},
        ),
        *("issue.created", "issue", "4096"),
    ),
    "pagerduty": (
        request(
            {"X-PagerDuty-Signature": "v1=x"},
            {
                "event": {
                    "id": "01B",
                    "event_type": "incident.triggered",
                    "resource_type": "incident",
                    "data": {"id": "PGR0VU2"},
                }
            },
        ),
        *("incident.triggered", "incident", "PGR0VU2"),
    ),
    "jira": (
        request(
            {"X-Atlassian-Webhook-Identifier": "w1"},
            {
                "timestamp": 1_767_225_600_000,
                "webhookEvent": "jira:issue_updated",
                "issue": {"id": "10017", "key": "ORC-17", "fields": {"updated": "x"}},
                "user": {"accountId": "5"},
            },
        ),
        *("jira:issue_updated", "issue", "10017"),
    ),
    "zendesk": (
        request(
            {"X-Zendesk-Webhook-Signature": "x", "X-Zendesk-Webhook-Id": "w"},
            {"type": "zen:event-type:ticket.created", "id": "e1", "detail": {"id": "5158"}},
        ),
        *("ticket.created", "ticket", "5158"),
    ),
    "woocommerce": (
        request(
            {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Resource": "order"},
            {"id": 727, "date_modified_gmt": "2026-01-01T00:00:00"},
        ),
        *("order.updated", "order", "727"),
    ),
    "calendly": (
        request(
            {"Calendly-Webhook-Signature": "t=1,v1=x"},
            {"event": "invitee.created", "payload": {"uri": "https://api.calendly.com/i/AA"}},
        ),
        *("invitee.created", "invitee", "https://api.calendly.com/i/AA"),
    ),
    "line": (
        request(
            {"X-Line-Signature": "x"},
            {"events": [{"type": "message", "message": {"id": "444"}, "webhookEventId": "01F"}]},
        ),
        *("message", "message", "444"),
    ),
    "amazon_ses": (
        request(
            {"x-amz-sns-message-type": "Notification"},
            {
                "Type": "Notification",
                "MessageId": "u",
                "Message": '{"eventType":"Open","mail":{"messageId":"m1"}}',
            },
        ),
        *("Open", "message", "m1"),
    ),
}
"""Provider to a request, and the type and entity of its event."""
