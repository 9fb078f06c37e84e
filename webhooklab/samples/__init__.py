"""Deliveries written by this project as providers write theirs: to try everything offline.

One file of data per provider: event types, each with headers and a body, in which `{id}`, `{uuid}`,
`{hex}`, `{digits}` and `{int}` stand for what is new in each delivery and `{now}`, `{now_s}`,
`{now_ms}` and `{now_text}` for its time. Nothing in them is real.
"""

from __future__ import annotations

from webhooklab.samples.building import Sample, build, event_types, secrets_of

__all__ = ["Sample", "build", "event_types", "secrets_of"]
