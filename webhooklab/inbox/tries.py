"""What was tried to send a delivery on, and what targets answered: as the browser gets it."""

from __future__ import annotations

import base64
import json
from typing import Any

from webhooklab.headers import Headers
from webhooklab.inbox import limits
from webhooklab.redaction import mask_pairs
from webhooklab.store import Store
from webhooklab.store import attempts as rows


class Tries:
    """Looks up a delivery's attempts. From any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, seq: int, budget: int) -> bytes:
        """JSON: `count`, and the newest `tries`, the newest first.

        `at` is the newest attempt of all when this was looked up. `headers` are pairs, credentials
        masked; `body` is base64, None where there was no answer, and where it is larger than what
        is left of `budget` (bytes): `left_out` says how many it has.
        """
        with self._store.reading() as connection:
            at = rows.newest(connection)
            count, found = rows.attempts_of(connection, seq, limits.SHOWN_TRIES)
        shown = []
        for each in found:
            one = _shown(each, budget)
            budget -= one["body_bytes"] - one["left_out"]
            shown.append(one)
        return json.dumps({"at": at, "count": count, "tries": shown}).encode()


def _shown(row: dict[str, Any], budget: int) -> dict[str, Any]:
    shown = dict(row)
    body, headers = shown.pop("response_body"), shown.pop("response_headers_json")
    pairs = () if headers is None else Headers.from_json(headers).pairs
    masked = tuple(mask_pairs(pairs))
    size = len(body or b"")
    fits = size <= budget
    return shown | {
        "final": bool(row["final"]),
        "headers": masked,
        "masked": masked != tuple(pairs),
        "body": base64.b64encode(body).decode() if body is not None and fits else None,
        "body_bytes": size,
        "left_out": 0 if fits else size,
    }
