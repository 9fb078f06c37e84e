"""Two deliveries held against each other: as the browser gets them."""

from __future__ import annotations

import json
from typing import Any, Final

from webhooklab import bodies, states
from webhooklab.differences import patch_text
from webhooklab.diffs import Diff, side_of
from webhooklab.inbox.limits import FETCHED_SIDES_BYTES
from webhooklab.records import Delivery
from webhooklab.store import Store

_GONE: Final = "it is no longer there"
_TOO_LARGE: Final = "it is too large to be sent here"
_UNREADABLE: Final = "its body cannot be read as JSON or a form"
_TOO_DEEP: Final = "it is nested too deep to be shown"


class _NotShown(Exception):
    """Why a body cannot be shown."""


def pair(store: Store, left: int, right: int) -> bytes:
    """JSON: of `left` and `right` the `text` of the body as JSON, None where `why` says why not.

    `difference`: the JSON Patch that makes the right one of the left one; None where there is none.
    `headers`: those that differ, each a name and the values of both sides, masked.
    """
    both = [store.delivery(seq) for seq in (left, right)]
    (before, one), (after, two) = (_side(each) for each in both)
    made = None
    if one["text"] is not None and two["text"] is not None:
        made = patch_text(before, after, len(one["text"]) + len(two["text"]))
    told = {"left": one, "right": two, "difference": made, "headers": _headers(*both)}
    return json.dumps(told).encode()


def _headers(
    left: Delivery | None, right: Delivery | None
) -> list[tuple[str, list[str], list[str]]]:
    if left is None or right is None:
        return []
    return Diff(side_of(left), side_of(right), None).headers


def _side(delivery: Delivery | None) -> tuple[Any, dict[str, str | None]]:
    try:
        value, text = _read(delivery)
    except _NotShown as error:
        return None, {"text": None, "why": str(error)}
    return value, {"text": text, "why": ""}


def _read(delivery: Delivery | None) -> tuple[Any, str]:
    if delivery is None:
        raise _NotShown(_GONE)
    if len(delivery.body) > FETCHED_SIDES_BYTES // 2:
        raise _NotShown(_TOO_LARGE)
    try:
        value = bodies.parse(delivery.body, delivery.content_type)
        return value, states.dump(value)
    except RecursionError:
        raise _NotShown(_TOO_DEEP) from None
    except ValueError:
        raise _NotShown(_UNREADABLE) from None
