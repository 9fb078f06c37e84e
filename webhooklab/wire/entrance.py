"""Whose requests are received, and which of them come in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import NamedTuple

from webhooklab.answering import unavailable
from webhooklab.gates import HasFields
from webhooklab.ingress import Ingress
from webhooklab.records import Answer, split_target
from webhooklab.wire.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends, where its requests go, and what it is doing.

    `base_path` ("" or "/<segment>") is what every request must begin with; all else gets 404.
    """

    remote: str
    ingress: Ingress
    base_path: str
    deadline: Deadline


class Entry(NamedTuple):
    """What a request's target begins with, and what it gets if it does not come in."""

    base_path: str
    refusal: Answer | None


def entry(client: Client, target: str, headers: HasFields) -> Entry:
    """Whether a request comes in: by the listener's own address, or by one of a tunnel's."""
    gate = client.ingress.gates.of(headers)
    base_path = client.base_path if gate is None else gate.base_path
    if not _is_below(base_path, target):
        return Entry(base_path, Answer(404))
    if gate is not None and not gate.open:
        return Entry(base_path, unavailable("the lab is not listening at present"))
    return Entry(base_path, None)


def without(base_path: str, target: str) -> str:
    """A target as the lab sees it: below its own address."""
    rest = target.replace(base_path, "", 1) if base_path else target
    return f"/{rest}" if rest[:1] in ("", "?") else rest


def _is_below(base_path: str, target: str) -> bool:
    """Whether the target's first segment is the secret one; compared in constant time."""
    if not base_path:
        return True
    first = split_target(target)[0][1:].partition("/")[0]
    return hmac.compare_digest(f"/{first}".encode("latin-1"), base_path.encode("latin-1"))
