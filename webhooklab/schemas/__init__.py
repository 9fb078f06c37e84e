"""What the bodies of an event type look like, and how that changes.

fields      the fields of one body
reading     the bodies of an event type, one after the other
inferring   JSON Schema, and how often each field is there
drifting    fields that appear, vanish or change their type
"""

from __future__ import annotations

from webhooklab.schemas.drifting import Drift, drift
from webhooklab.schemas.inferring import Schema, infer

__all__ = ["Drift", "Schema", "drift", "infer"]
