"""What Hookdeck forwards from a provider that is not known: https://hookdeck.com/docs.

It passes on the headers of the provider, so that a known one is recognised as itself.
"""

from __future__ import annotations

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

HOOKDECK = Provider(
    name="hookdeck",
    title="Hookdeck",
    source="https://hookdeck.com/docs/signature-verification",
    marks=(Mark(header="x-hookdeck-eventid"), Mark(header="x-hookdeck-signature")),
    reads=Fields(
        event_type=("type", "event_type", "event"),
        event_id="header:x-hookdeck-eventid",
        entity_id=("data.object.id", "data.id"),
    ),
    schemes=(table.HOOKDECK,),
    retries=Retries(
        in_words="as its connection says", number="header:x-hookdeck-attempt-count", first=1
    ),
)
