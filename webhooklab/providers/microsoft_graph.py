"""Microsoft Graph change notifications.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from webhooklab.headers import Headers
from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping, snake_case, text
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Answer, Request
from webhooklab.signatures import table


def _kind(_headers: Headers, item: Any) -> str | None:
    """`message` of `#Microsoft.Graph.Message`; lifecycle events are about the subscription."""
    if mapping(item).get("lifecycleEvent") is not None:
        return "subscription"
    said = text(dig(item, ("resourceData", "@odata.type")))
    return snake_case(said.rpartition(".")[2]) or None if said else None


def _subscription(_headers: Headers, item: Any) -> Any:
    fields = mapping(item)
    return fields.get("subscriptionId") if fields.get("lifecycleEvent") is not None else None


def _event_type(headers: Headers, item: Any) -> str | None:
    change = text(mapping(item).get("changeType"))
    kind = _kind(headers, item)
    return f"{kind}.{change}" if kind and change else change


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """POST with `validationToken` in the query: the token's text."""
    if request.method != "POST" or not request.query_string:
        return None
    tokens = parse_qs(request.query_string).get("validationToken")
    if not tokens:
        return None
    return answers.plain(tokens[0])


MICROSOFT_GRAPH = Provider(
    name="microsoft_graph",
    title="Microsoft Graph",
    source="https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
    marks=(
        Mark(keys=("value",), has=("value.0.subscriptionId",)),
        Mark(keys=("validationTokens",), has=("value.0.subscriptionId",)),
        Mark(query="validationToken"),
    ),
    reads=Fields(
        items="value",
        event_type=(_event_type, "lifecycleEvent"),
        event_id="id",
        entity_type=_kind,
        entity_id=("resourceData.id", _subscription),
        version=r"resourceData.@odata\.etag",
        scope="subscriptionId",
    ),
    schemes=(table.GRAPH,),
    handshake=handshake,
    signs_handshakes=False,
    retries=Retries(in_words="for up to 4 hours, less and less often", timeout_seconds=3),
)
