"""How well real payloads are understood: `python -m tests.provider_table` prints the table."""

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.provider_corpora import requests
from webhooklab.providers import interpret

TRUTH = json.loads(Path(__file__).with_name("provider_truth.json").read_text())
"""File to its events, each as type, kind of entity and id; looked through against the payloads."""


class Row(NamedTuple):
    """Of one provider's payloads: how many there are, and how many are understood."""

    provider: str
    payloads: int
    recognised: int
    types: int
    entities: int
    with_entity: int


def table() -> list[Row]:
    """One row for each provider of which there are payloads."""
    counts: dict[str, Counter[str]] = {}
    for name, (provider, request) in requests().items():
        found = interpret(request)
        events = [found.event] if found.event else list(found.items)
        said = [[each.event_type, each.entity_type, each.entity_id] for each in events]
        truth = TRUTH[name.removeprefix("payloads/")]
        count = counts.setdefault(provider, Counter())
        count["payloads"] += 1
        count["recognised"] += found.provider == provider
        count["types"] += [each[0] for each in said] == [each[0] for each in truth]
        count["with entity"] += any(each[2] for each in truth)
        count["entities"] += said == truth and any(each[2] for each in truth)
    names = ("payloads", "recognised", "types", "entities", "with entity")
    return [Row(name, *(counts[name][each] for each in names)) for name in sorted(counts)]


def main() -> None:
    print(f"{'provider':14} {'payloads':>8} {'recognised':>10} {'type':>5} {'entity':>9}")
    for row in [*table(), _total(table())]:
        entity = f"{row.entities}/{row.with_entity}"
        print(f"{row.provider:14} {row.payloads:8} {row.recognised:10} {row.types:5} {entity:>9}")


def _total(rows: list[Row]) -> Row:
    return Row("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))


if __name__ == "__main__":
    main()
