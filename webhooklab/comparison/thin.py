"""Thin events take the version that their own successful fetch returned (rule 11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array, or_never, texts, ticks
from webhooklab.comparison.identity import Identities
from webhooklab.comparison.sides import Pushes, column, time_column


@dataclass
class Fetched:
    """What successful fetches returned; `rows` are their positions in the frame.

    `fetched` is in us, `NEVER` where nobody knows.
    """

    rows: Array
    seq: Array
    fetched: Array
    version: pd.Series
    entity: Array
    state: pd.Series


def successful(fetches: pd.DataFrame | None, pushes: Pushes, known: Identities) -> Fetched:
    """The fetches that were answered with 2xx and a version, about the entity of their event."""
    if fetches is None or not len(fetches):
        empty = np.empty(0, "i8")
        return Fetched(empty, empty, empty, pd.Series([], dtype="str"), empty, pd.Series([]))
    status = column(fetches, "status").astype("Float64").to_numpy("f8", na_value=np.nan)
    version = texts(column(fetches, "version"))
    fine = (status >= 200) & (status < 300) & version.notna().to_numpy()
    rows = np.flatnonzero(fine)
    seq = column(fetches, "seq").iloc[rows].to_numpy("i8")
    entity = _entity(fetches.iloc[rows], seq, pushes, known)
    rows, seq, entity = rows[entity >= 0], seq[entity >= 0], entity[entity >= 0]
    return Fetched(
        rows=rows,
        seq=seq,
        fetched=or_never(ticks(time_column(fetches, "fetched_at").iloc[rows])),
        version=version.iloc[rows].reset_index(drop=True),
        entity=entity,
        state=column(fetches, "state").iloc[rows].reset_index(drop=True),
    )


def _entity(fetches: pd.DataFrame, seq: Array, pushes: Pushes, known: Identities) -> Array:
    """The entity of the push with this `seq`, and with the fetch's id where a batch has several."""
    ids = texts(pushes.column("entity_id"))
    concerned = np.flatnonzero(np.isin(pushes.seq, seq))
    events = pd.DataFrame(
        {"seq": pushes.seq[concerned], "id": ids.iloc[concerned], "at": known.pushed[concerned]}
    ).drop_duplicates(["seq", "id"])
    asked = pd.DataFrame({"seq": seq, "id": texts(column(fetches, "entity_id"))})
    only = events.drop_duplicates("seq", keep=False).set_index("seq")["at"]
    exact = asked.merge(events, on=["seq", "id"], how="left")["at"]
    unnamed = asked["id"].isna()
    chosen = exact.where(~unnamed, asked["seq"].map(only))
    return chosen.fillna(-1).to_numpy("i8")


def lend_versions(pushes: Pushes, known: Identities, fetched: Fetched) -> None:
    """Give thin events the version of their fetch; of several fetches the last one's."""
    thin = np.flatnonzero(~pushes.own)
    if not len(fetched.rows) or not len(thin):
        return
    order = np.argsort(fetched.fetched, kind="stable")
    answers = {
        (int(fetched.seq[at]), int(fetched.entity[at])): fetched.version.iloc[at] for at in order
    }
    version = pushes.version.copy()
    keys = zip(pushes.seq[thin].tolist(), known.pushed[thin].tolist(), strict=True)
    version.iloc[thin] = [answers.get(key) for key in keys]
    pushes.version = version
