"""What is said on Webhook Relay's socket, and by its API of what was missed. No I/O.

https://webhookrelay.com/docs/webhooks/websocket-server/,
https://webhookrelay.com/docs/webhooks/polling-webhooks/, https://github.com/webhookrelay/webhookrelay-js.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from webhooklab.records import Answer
from webhooklab.relay.received import Received, method, moment, pairs, parsed, target, value_of

AUTHENTICATED: Final = "authenticated"
UNAUTHORIZED: Final = "unauthorized"
SUBSCRIBED: Final = "subscribed"
PING: Final = "ping"
PONG: Final = '{"action":"pong"}'
_ACCOUNT_KEY: Final = "whr"
"""The key that goes with an account's own key (`sk-...`), which is then the secret."""
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Status:
    """How the connection is."""

    status: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A delivery, with what it is called there. `bucket` "": not told."""

    id: str
    bucket: str
    received: Received


def credentials(key: str, secret: str) -> tuple[str, str]:
    """Key and secret as they are sent: an account's key goes as the secret of a constant key."""
    if key.startswith("sk-") and not secret:
        return _ACCOUNT_KEY, key
    return key or _ACCOUNT_KEY, secret


def authorization(key: str, secret: str) -> str:
    """The API's header: a token's key and secret, or an account's key by itself."""
    if key == _ACCOUNT_KEY:
        return f"Bearer {secret}"
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def authentication(key: str, secret: str) -> str:
    """The first frame."""
    return json.dumps({"action": "auth", "key": key, "secret": secret})


def subscription(buckets: Sequence[str]) -> str:
    """The second frame: all buckets of the account where none is named, which is said so."""
    named = {"buckets": list(buckets)} if buckets else {}
    return json.dumps({"action": "subscribe", **named})


def read(text: str) -> Status | Webhook | None:
    """A frame of theirs; None for one of a kind that we do not know. Raises `FrameError`."""
    fields = parsed(text)
    kind = fields.get("type")
    if kind == "status" and isinstance(fields.get("status"), str):
        return Status(fields["status"])
    if kind != "webhook":
        return None
    meta = _object(fields.get("meta"))
    bucket = meta.get("bucked_id") or meta.get("bucket_id")  # sic
    received = _received(fields, _text(fields.get("query")), "/", None)
    return Webhook(_text(meta.get("id")), _text(bucket), received)


def missed(text: str) -> list[Webhook]:
    """What the API has of a bucket, the oldest first. Raises `FrameError`."""
    fields = parsed(text)
    several = [fields[name] for name in ("logs", "data", "events") if name in fields]
    rows = next((each for each in several if isinstance(each, list)), ())
    found = [_missed(row) for row in rows if isinstance(row, dict)]
    return sorted(found, key=lambda each: each.received.received_at or 0)


def cursor(text: str) -> str | None:
    """Where the next page of what was missed begins; None where it is not told."""
    return _text(parsed(text).get("next_cursor")) or None


def has_more(text: str) -> bool:
    """Whether the API says that it has more of what was missed."""
    return parsed(text).get("has_more") is True


def buckets(text: str) -> list[str]:
    """The ids of an account's buckets. Raises `FrameError`."""
    rows = value_of(text)
    found = [_text(_object(row).get("id")) for row in rows] if isinstance(rows, list) else []
    return [each for each in found if each]


def _missed(row: dict[str, Any]) -> Webhook:
    path = _text(row.get("extra_path")) or "/"
    at = moment(row.get("created_at"), _SECOND_US)
    received = _received(row, _text(row.get("raw_query")), path, at)
    return Webhook(_text(row.get("id")), _text(row.get("bucket_id")), received)


def _received(fields: dict[str, Any], query: str, path: str, at: int | None) -> Received:
    body = _text(fields.get("body"))
    return Received(
        method=method(fields.get("method")),
        target=target(path if path.startswith("/") else f"/{path}", query),
        # U+FFFD: what was no text has been replaced on the way.
        headers=pairs(_object(fields.get("headers")), rewritten="\ufffd" in body),
        body=body.encode("utf-8", "surrogatepass"),
        received_at=at,
    )


def answer(webhook: Webhook, given: Answer) -> dict[str, Any]:
    """What the lab answered, for their log: from there it goes to the sender."""
    headers: dict[str, list[str]] = {}
    for name, value in given.headers:
        headers.setdefault(name, []).append(value)
    return {
        "id": webhook.id,
        "bucket_id": webhook.bucket,
        "status_code": given.status,
        "response_body": base64.b64encode(given.body).decode(),
        "response_headers": headers,
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
