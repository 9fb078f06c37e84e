"""Deliveries as a provider sends them: Standard Webhooks, 1 KB of JSON, about 25 fields."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

TYPES = (
    *("order.created", "order.paid", "order.packed", "order.shipped"),
    *("order.delivered", "order.cancelled", "customer.updated", "invoice.paid"),
)
PATHS = ("/hooks/orders", "/hooks/orders", "/hooks/billing", "/test")
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("Ada Lovelace", "Grace Hopper", "Zoë Müller", "李小龍", 'Anna "Annie" O\'Neill')
NOTES = ("please ring twice", "leave it, with care, at the door", "second floor\nleft", None)
BODY_BYTES = 1_000

Sample = tuple[str, tuple[tuple[str, str], ...], bytes]
"""Path, header pairs and body."""


def samples(first: int, count: int) -> Iterator[Sample]:
    """Deliveries number `first` and following; the same number is always the same delivery."""
    for number in range(first, first + count):
        body = _body(number)
        yield PATHS[number % len(PATHS)], headers(number, len(body)), body


def headers(number: int, body_bytes: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Host", "127.0.0.1"),
        ("User-Agent", "Shop-Webhooks/1.0"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(body_bytes)),
        ("webhook-id", f"msg_{number:012}"),
        ("webhook-timestamp", str(1_767_225_600 + number)),
        ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    )


def _body(number: int) -> bytes:
    chance = random.Random(number)
    when = START + timedelta(seconds=number)
    kind = TYPES[chance.randrange(len(TYPES))]
    data = {
        "id": f"ord_{number // 4:010}",
        "status": kind.rpartition(".")[2],
        "version": number % 4 + 1,
        "currency": "EUR",
        "total": chance.randrange(100_000) / 100,
        "paid": chance.random() < 0.7,
        "note": NOTES[number % len(NOTES)],
        "created_at": when.isoformat(),
        "updated_at": (when + timedelta(seconds=5)).isoformat(),
        "customer": {
            "id": f"cus_{number % 5_000:08}",
            "name": NAMES[number % len(NAMES)],
            "email": f"customer{number % 5_000}@example.com",
            "vip": number % 17 == 0,
            "address": {"street": "1 Main Street", "city": "Springfield", "zip": "01234"},
        },
        "shipping": {"carrier": "post", "cost": 4.9, "weight_grams": chance.randrange(9_000)},
        "items": [{"sku": f"sku-{chance.randrange(999):03}", "quantity": 1, "price": 9.5}],
        "tags": ["web", "spring"],
        "source": {"channel": "web", "campaign": None, "ip": "203.0.113.7", "session": number},
    }
    if kind == "order.shipped":
        data["tracking"] = {"number": f"1Z{number:014}", "eta_days": chance.randrange(9)}
    body = {"type": kind, "timestamp": when.isoformat(), "data": data, "padding": ""}
    missing = BODY_BYTES - len(_dump(body))
    return _dump(body | {"padding": "x" * max(0, missing)})


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
