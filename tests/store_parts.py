"""Arrivals, as the ingress hands them to the store."""

from webhooklab import clock
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter
from webhooklab.records import Arrival, Request


def arrival(body: bytes = b"{}", target: str = "/", headers=()) -> Arrival:
    request = Request(
        received_at=clock.now_us(),
        method="POST",
        target=target,
        headers=Headers(headers),
        body=body,
    )
    return Arrival(request, Interpreter().interpret(request), 200)


def cloud_event(event_id: str, body: bytes = b"{}") -> Arrival:
    """An event with an id, so that a second one of the same id is a duplicate."""
    fields = {"specversion": "1.0", "id": event_id, "source": "/s", "type": "t"}
    return arrival(body, headers=[(f"ce-{name}", value) for name, value in fields.items()])
