"""What a poller knows: fingerprints, not states. What a new round of sightings changes. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webhooklab import states
from webhooklab.pulled import Change, Known, Shape
from webhooklab.pulling.items import ItemReader


@dataclass(frozen=True, slots=True)
class PageMemory:
    """What one page was: its validators, the ids on it, the reference to the next one."""

    validators: dict[str, str]
    ids: Sequence[str]
    next_reference: str | None


@dataclass(slots=True)
class Round:
    """What one poll has seen so far. A later sighting of an entity replaces an earlier one."""

    shape: Shape | None = None
    seen: dict[str, bytes] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    pages: dict[str, PageMemory] = field(default_factory=dict)
    item_count: int = 0
    without_id: int = 0
    ambiguous: set[str] = field(default_factory=set)
    pages_read: int = 0
    pages_not_modified: int = 0
    gone: bool = False
    """The resource is proved not to be there (404, 410)."""

    @property
    def problem(self) -> str | None:
        """Why the items, though all were read, are not a full list of entities."""
        if self.without_id:
            have = "has" if self.without_id == 1 else "have"
            return (
                f"{self.without_id:,} of {self.item_count:,} items {have} no id: pass entity_id=, "
                "where they have one, or items=, where they are"
            )
        if self.ambiguous:
            example = min(self.ambiguous)[:40]
            number = len(self.ambiguous)
            ids = "1 id stands" if number == 1 else f"{number:,} ids stand"
            return (
                f"{ids} for several states in one answer, such as {example!r}: pass entity_id=, "
                "what is different for each entity"
            )
        return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a poll changes in the file: new states and deletions; and ids of entities.

    `away`: no longer shown, but not proved to be gone. `back`: shown again, unchanged.
    """

    changes: Sequence[Change] = ()
    away: Sequence[str] = ()
    back: Sequence[str] = ()


class Memory:
    """The known entities of one poller, and when the last complete poll began.

    `full`: a list shows all there is, so that what is missing on it is deleted.
    """

    def __init__(self, known: Known, *, full: bool = True) -> None:
        self.shape: Shape | None = known.shape
        self.proved_at = known.proved_at
        self.pages: dict[str, PageMemory] = {}
        self._full = full
        self._fingerprints = dict(known.fingerprints)
        self._deleted = set(known.deleted)
        self._away = set(known.away)

    def __len__(self) -> int:
        return len(self._fingerprints) - len(self._deleted)

    def see_page(self, seen: Round, items: Sequence[Any], reader: ItemReader) -> list[str]:
        """Add the sightings of one page to a round; returns the ids of the entities on it."""
        on_page: dict[str, bytes] = {}
        for item in items:
            entity_id = reader.id_of(item)
            if entity_id is None:
                seen.without_id += 1
                continue
            mark = states.fingerprint(item)
            if on_page.setdefault(entity_id, mark) != mark:
                seen.ambiguous.add(entity_id)
            self._see(seen, entity_id, mark, item, reader)
        seen.item_count += len(items)
        return list(on_page)

    def _see(self, seen: Round, entity_id: str, mark: bytes, item: Any, reader: ItemReader) -> None:
        seen.seen[entity_id] = mark
        if mark == self._fingerprints.get(entity_id) and entity_id not in self._deleted:
            seen.changes.pop(entity_id, None)
        else:
            version = reader.version_of(item)
            seen.changes[entity_id] = Change(entity_id, version, states.dump(item), mark)

    def see_again(self, seen: Round, page: PageMemory) -> None:
        """Add a page that is as it was."""
        seen.item_count += len(page.ids)
        for entity_id in page.ids:
            if entity_id in self._fingerprints:
                seen.seen.setdefault(entity_id, self._fingerprints[entity_id])

    def outcome(self, seen: Round, *, complete: bool) -> Outcome:
        """What a round changes. Only a complete one proves that something is missing."""
        proved_at = self.proved_at
        if seen.shape == "list" and self.shape is None:
            proved_at = None  # the 404s before were not about a list
        missing = self._missing(seen) if complete else []
        changes = list(seen.changes.values())
        if seen.gone or (seen.shape == "list" and self._full):
            changes += [Change(each, None, None, b"") for each in missing]
            missing = []
        return Outcome(
            [self._proved(change, seen, proved_at) for change in changes],
            away=[each for each in missing if each not in self._away],
            back=[each for each in self._away if each in seen.seen and each not in seen.changes],
        )

    def _proved(self, change: Change, seen: Round, proved_at: int | None) -> Change:
        """A change with the poll that proves that it was not there; a window proves no absence."""
        is_new = change.entity_id not in self._fingerprints
        if is_new and seen.shape == "list" and not self._full:
            return change
        return replace(change, not_seen_at=proved_at)

    def _missing(self, seen: Round) -> list[str]:
        known = self._fingerprints.keys()
        return [each for each in known if each not in seen.seen and each not in self._deleted]

    def accept(self, seen: Round, outcome: Outcome, *, proved_at: int | None) -> None:
        """Know from now on what the file knows. `proved_at`: of a complete poll, else None."""
        for change in outcome.changes:
            self._away.discard(change.entity_id)
            if change.state is None:
                self._deleted.add(change.entity_id)
            else:
                self._deleted.discard(change.entity_id)
                self._fingerprints[change.entity_id] = change.fingerprint
        self._away = (self._away | set(outcome.away)) - set(outcome.back)
        self.shape = seen.shape or self.shape
        if proved_at is None:
            self.pages.update(seen.pages)
        else:
            self.pages, self.proved_at = seen.pages, proved_at
