"""A seeded provider, webhook sender, listener and poller, whose truth is known.

Times are seconds. What the comparison sees are rows for `comparison_parts`; what really happened
is in `Truth`.
"""

from dataclasses import dataclass, field
from random import Random

GRACE = 30.0
END = 600.0


@dataclass
class Truth:
    """One change as it happened: `reached` by a delivery that counts, `shown` by a poll."""

    entity_id: str
    version: str
    happened: float
    deleted: bool = False
    lost: bool = False
    sent: list = field(default_factory=list)
    reached: bool = False
    shown: bool = False


class Simulation:
    """One life of a few entities; `kind` of version is "counter", "instant" or "none".

    Of kind "none", one `side` may name versions all the same: they count as none (rule 12).
    """

    def __init__(self, seed):
        self.random = Random(f"comparison {seed}")
        self.kind = self.random.choice(["counter", "counter", "instant", "none"])
        self.side = Random(f"side {seed}").choice(["events", "polls", "neither"])
        self.faults = {
            name: self.random.choice([0, 0, 0.2, 0.4])
            for name in ("lost", "twice", "late", "thin", "invalid", "poll_fails")
        }
        self.lag = self.random.choice([0, 0, 1.5]) if not self.faults["thin"] else 0
        self.gap = self.random.choice([None, None, (150.0, 190.0), (300.0, 301.0)])
        self.truth = []
        self.entities = [str(n) for n in range(self.random.randint(1, 6))]
        for entity in self.entities:
            self._live(entity)
        self.events = self._deliver()
        self.snapshots, self.polls = self._poll()

    def _live(self, entity):
        number, now = 0, self.random.choice([-50.0, self.random.uniform(0, 200)])
        while now < END - 80 and number < 12:
            number += 1
            version = (
                f"2026-01-01T{8 + number:02d}:00:00Z" if self.kind == "instant" else str(number)
            )
            gone = number > 2 and self.random.random() < 0.1
            self.truth.append(Truth(entity, version, now, deleted=gone))
            if gone:
                return
            now += self.random.choice([self.random.uniform(1, 9), self.random.uniform(20, 120)])

    def _deliver(self):
        rows = []
        for change in self.truth:
            change.lost = self._happens("lost")
            copies = 0 if change.lost else 1 + self._happens("twice")
            for _ in range(copies):
                late = self.random.uniform(2, GRACE - 5) if self._happens("late") else 0
                moment = change.happened + self.random.uniform(0.05, 0.9) + late
                change.sent.append(moment)
                if moment > 0 and not (self.gap and self.gap[0] < moment < self.gap[1]):
                    rows.append(self._row(change, moment))
        rows.sort(key=lambda row: row["received_at"])
        return rows

    def _row(self, change, moment):
        thin = self._happens("thin") and not change.deleted
        invalid = self._happens("invalid")
        change.reached |= not invalid and not thin
        state = f'{{"id": "{change.entity_id}", "status": "s{change.version}"}}'
        one_sided = self.kind == "none" and self.side == "events"
        bare = (not one_sided and (self.kind == "none" or thin)) or change.deleted
        return {
            "entity_id": change.entity_id,
            "received_at": moment,
            "event_type": "order.deleted" if change.deleted else "order.updated",
            "version": None if bare else change.version,
            "verified": "invalid" if invalid else "valid",
            "body": f'{{"id": "{change.entity_id}"}}' if thin else state,
        }

    def _happens(self, fault):
        return self.random.random() < self.faults[fault]

    def _poll(self):
        every = self.random.choice([7.0, 20.0, 45.0])
        shown, proved, rows, polls, now = {}, None, [], [], 3.0
        while now < END:
            ends = now + self.random.uniform(0.05, 1.0)
            fails = self._happens("poll_fails")
            polls.append({"requested_at": now, "polled_at": ends, "status": 500 if fails else 200,
                          "complete": not fails})  # fmt: skip
            if not fails:
                rows += self._see(now - self.random.uniform(0, self.lag), ends, shown, proved)
                proved = now
                for row in shown.values():
                    row["last_seen_at"] = now
            now = ends + every
        return rows, polls

    def _see(self, moment, ends, shown, proved):
        rows = []
        for entity in self.entities:
            past = [c for c in self.truth if c.entity_id == entity and c.happened <= moment]
            before, current = shown.get(entity), past[-1] if past else None
            if current is None or (before and before["of"] is current):
                continue
            if current.deleted and before is None:
                continue  # it came and went unseen
            current.shown = True
            row = {"of": current, "entity_id": entity, "polled_at": ends, "not_seen_at": proved,
                   "version": None if self._polls_are_bare else current.version,
                   "deleted": current.deleted,
                   "state": {"id": entity, "status": f"s{current.version}"}}  # fmt: skip
            shown[entity] = row
            rows.append(row)
        return rows

    @property
    def _polls_are_bare(self):
        return self.kind == "none" and self.side != "polls"

    @property
    def spans(self):
        """When we listened."""
        return [(0, self.gap[0]), (self.gap[1], None)] if self.gap else [(0, None)]

    def certain(self, change, seen):
        """Whether a lost webhook can be told from the data alone."""
        row = next((r for r in self.snapshots if r["of"] is change), None)
        if row is None or row["not_seen_at"] is None or not change.lost:
            return False
        start, stop = row["not_seen_at"], row["polled_at"] + GRACE
        quiet = not self.gap or stop <= self.gap[0] or start >= self.gap[1]
        others = [e for e in self.events if e["entity_id"] == change.entity_id]
        vague = [e for e in others if e["version"] is None and start < e["received_at"] <= stop
                 and not e["event_type"].endswith("deleted")]  # fmt: skip
        works = [e for e in self.events if e["verified"] == "valid" and e["entity_id"] in seen]
        known = any(e["received_at"] < start for e in works)
        return quiet and known and start >= 0 and not vague
