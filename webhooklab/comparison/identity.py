"""Which entity each row is about (rule 2).

An entity is (`provider`, `entity_type`, `entity_id`). A part that only one side names is not
compared; where that leaves two entities that one row could be about, both are ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array, numbered, texts
from webhooklab.comparison.coded import in_same_words
from webhooklab.comparison.sides import Pulls, Pushes


@dataclass
class Identities:
    """The entity of each push and of each pull, from 0; `ambiguous` is per entity.

    `names` are the distinct ids, `name` the position of each entity's in them.
    """

    pushed: Array
    pulled: Array
    ambiguous: Array
    names: pd.Series
    name: Array

    @property
    def count(self) -> int:
        """How many entities there are."""
        return len(self.ambiguous)


def identify(pushes: Pushes, pulls: Pulls) -> Identities:
    """Number the entities of both sides."""
    split = len(pushes)
    ids, names = pd.factorize(
        pd.concat([texts(side.column("entity_id")) for side in (pushes, pulls)])
    )
    parts = {name: _numbers_of(name, pushes, pulls) for name in ("provider", "entity_type")}
    parts["entity_id"] = ids.astype("i8", copy=False)
    entity, ambiguous = _numbered_entities(parts, pushes, pulls, split)
    name = np.zeros(len(ambiguous), "i8")
    name[entity] = ids
    return Identities(entity[:split], entity[split:], ambiguous, pd.Series(names), name)


def _numbers_of(name: str, pushes: Pushes, pulls: Pulls) -> Array:
    """A part of the identity as numbers, of the pushes and then of the pulls."""
    sides = in_same_words(pushes.coded(name), pulls.coded(name))
    return np.concatenate([side.numbers for side in sides])


def _numbered_entities(
    parts: dict[str, Array], pushes: Pushes, pulls: Pulls, split: int
) -> tuple[Array, Array]:
    """The entity of all rows, pushes first, and which entities are ambiguous."""
    if _one_way_named(parts, split):
        entity = _numbered(_kinds(parts, split), parts["entity_id"])
        return entity, _shown_twice(entity, parts, pulls, split)
    return _resolved(parts, pushes, pulls, split)


def _kinds(parts: dict[str, Array], split: int) -> Array:
    """Provider and type as one number, without what only one side names."""
    provider, kind = (
        np.zeros_like(part) if _one_a_side(part, split) else part
        for part in (parts["provider"], parts["entity_type"])
    )
    if not provider.any() and not kind.any():
        return kind
    return numbered(provider * (kind.max(initial=0) + 2) + kind)


def _one_way_named(parts: dict[str, Array], split: int) -> bool:
    """Whether each part is named in every row, or in none; or there is just one kind a side."""
    return all(
        (parts[name] >= 0).all() or (parts[name] < 0).all() or _one_a_side(parts[name], split)
        for name in ("provider", "entity_type")
    )


def _one_a_side(part: Array, split: int) -> bool:
    """One side names the part, always the same; the other never does."""
    sides = part[:split], part[split:]
    constant = all(not len(side) or (side == side[0]).all() for side in sides)
    return constant and any(not len(side) or side[0] < 0 for side in sides)


def _numbered(kinds: Array, ids: Array) -> Array:
    if not kinds.any():
        return ids
    return numbered(kinds * (ids.max(initial=0) + 1) + ids)


def _shown_twice(entity: Array, parts: dict[str, Array], pulls: Pulls, split: int) -> Array:
    """Which entities two pollers show without a type."""
    ambiguous = np.zeros(int(entity.max(initial=-1)) + 1, bool)
    untyped = parts["entity_type"][split:] < 0
    ambiguous[_of_two_pollers(entity[split:][untyped], pulls.poller[untyped])] = True
    return ambiguous


def _of_two_pollers(entity: Array, poller: Array) -> Array:
    """The entities that rows of two pollers are about."""
    if not len(poller) or (poller == poller[0]).all():
        return np.empty(0, "i8")
    pairs = pd.DataFrame({"entity": entity, "poller": poller}).drop_duplicates()
    twice: Array = pairs["entity"][pairs["entity"].duplicated()].to_numpy()
    return twice


def _resolved(
    parts: dict[str, Array], pushes: Pushes, pulls: Pulls, split: int
) -> tuple[Array, Array]:
    """The general case: match the distinct names of both sides where no part contradicts."""
    rows = pd.DataFrame(parts).rename(columns={"entity_id": "id", "entity_type": "type"})
    pull = np.arange(len(rows)) >= split
    rows["pull"] = pull
    own = rows.groupby(["provider", "type", "id", "pull"], sort=False).ngroup().to_numpy()
    names = rows.assign(own=own, counts=np.append(pushes.counts, np.ones(len(pulls), bool)))
    distinct = names.groupby("own").agg(
        {"provider": "first", "type": "first", "id": "first", "pull": "first", "counts": "any"}
    )
    pairs = _compatible(distinct.reset_index())
    entity = distinct.index.to_numpy().copy()
    conflicts = _conflicts(pairs[pairs["counts"]])
    clear = ~pairs["push"].duplicated(keep=False) & ~pairs["pull"].isin(conflicts)
    entity[pairs["push"][clear]] = pairs["pull"][clear]
    ambiguous = np.zeros(len(distinct), bool)
    ambiguous[conflicts] = True
    untyped = (rows["type"] < 0).to_numpy() & pull
    same_id = rows["id"].to_numpy()
    twice = _of_two_untyped(rows[untyped], pulls.poller[untyped[split:]])
    ambiguous[own[untyped & np.isin(same_id, twice)]] = True
    return np.append(entity[own[:split]], own[split:]), ambiguous


def _of_two_untyped(rows: pd.DataFrame, poller: Array) -> Array:
    """Ids that two pollers show without a type, where their providers do not tell them apart."""
    named = rows.assign(poller=poller)[["id", "provider", "poller"]].drop_duplicates()
    pollers = named.groupby("id")["poller"].nunique()
    providers = named[named["provider"] >= 0].groupby("id")["provider"].nunique()
    unnamed = named["id"][named["provider"] < 0].unique()
    apart = providers.reindex(pollers.index).fillna(0) >= pollers
    twice = pollers[(pollers > 1) & (~apart | pollers.index.isin(unnamed))]
    return np.asarray(twice.index)


def _compatible(distinct: pd.DataFrame) -> pd.DataFrame:
    """Pairs (`push`, `pull`) of the same id in which no part that both name differs."""
    pairs = distinct[~distinct["pull"]].merge(distinct[distinct["pull"]], on="id")
    fits = pd.Series(True, pairs.index)
    for part in ("provider", "type"):
        one, other = pairs[f"{part}_x"], pairs[f"{part}_y"]
        fits &= (one < 0) | (other < 0) | (one == other)
    pairs = pairs[fits].reset_index(drop=True)
    return pd.DataFrame(
        {
            "push": pairs["own_x"],
            "pull": pairs["own_y"],
            "counts": pairs["counts_x"],
            "provider": pairs["provider_x"],
            "type": pairs["type_x"],
        }
    )


def _conflicts(pairs: pd.DataFrame) -> Array:
    """The entities in pairs where one name fits two, and those two contradict each other."""
    several = pairs["push"].duplicated(keep=False)
    found = [pairs["push"][several], pairs["pull"][several]]
    for part in ("provider", "type"):
        named = pairs[pairs[part] >= 0]
        torn = named.groupby("pull")[part].transform("nunique") > 1
        both = pairs[pairs["pull"].isin(named["pull"][torn])]
        found += [both["push"], both["pull"]]
    return np.unique(np.concatenate([np.asarray(each, "i8") for each in found]))
