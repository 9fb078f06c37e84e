"""What an event's type says of a deletion: of the entity itself, or of something that it has."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array
from webhooklab.comparison.coded import Coded

_DELETING: Final = frozenset(
    ["delete", "deleted", "deletion", "destroy", "destroyed", "remove", "removed", "erased"]
)
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTS: Final = re.compile(r"[^\w-]+")
_WORDS: Final = re.compile(r"[\W_]+")


def deletions(event_type: Coded, entity_type: pd.Series) -> Array:
    """Where the type says that the entity is gone."""
    deleted = says_deleting(event_type)
    at = np.flatnonzero(deleted)
    if not len(at):
        return deleted
    pairs = pd.DataFrame(
        {"event": event_type.take(at).texts(), "entity": entity_type.take(at).to_numpy()}
    )
    numbers = pairs.groupby(["event", "entity"], dropna=False, sort=False).ngroup().to_numpy()
    distinct = pairs[~pd.Series(numbers).duplicated()].astype(object)
    said = [
        deletes(event, None if pd.isna(entity) else entity) for event, entity in distinct.values
    ]
    deleted[at] = np.array(said)[numbers]
    return deleted


def says_deleting(event_type: Coded) -> Array:
    """Where the type's last word is one of deleting, whatever it is that is gone."""
    return event_type.which(lambda text: last_word(text) in _DELETING)


def last_word(event_type: object) -> str:
    """The verb of an event type: "deleted" of "order.deleted", "orders/deleted", ORDER_DELETED."""
    return _split(_WORDS, event_type)[-1]


def deletes(event_type: object, entity_type: object) -> bool:
    """Whether an event of this type announces that its entity is gone (rule 13).

    "order.deleted" of an order does; "pull_request.review_request_removed" does not of a pull
    request, nor "star.deleted" of a repository.
    """
    if last_word(event_type) not in _DELETING:
        return False
    *before, phrase = _split(_PARTS, event_type)
    own = _split(_WORDS, phrase)[:-1]
    if entity_type is None:
        return not (own and before)
    named = _one(own or _split(_WORDS, before[-1] if before else ""))
    return not named or named == _one(_split(_WORDS, entity_type))


def _one(words: list[str]) -> str:
    """A noun without its plural's ending: "orders/deleted" is about an order."""
    noun = "".join(words)
    return noun.removesuffix("ies") + "y" if noun.endswith("ies") else noun.removesuffix("s")


def _split(separators: re.Pattern[str], text: object) -> list[str]:
    """Lower-case parts; of a text of none, one that is empty."""
    plain = str(text)
    spaced = plain if plain.isupper() else _CAPITAL.sub("_", plain)
    return [part for part in separators.split(spaced.lower()) if part] or [""]
