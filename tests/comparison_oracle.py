"""The comparison's rules read straightforwardly: slow, plain Python, one change after the other.

Rows are dicts with times in seconds, as `comparison_parts` takes them; ids name their entities
fully (rule 2 has its own tests), versions are of any kind, and every entity has some (rule 12
has its own oracle below).
"""

import re
from datetime import datetime
from fractions import Fraction

NUMBER = re.compile(r"-?\d+(\.\d+)?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


def kind_of(text):
    if NUMBER.fullmatch(text):
        return "number"
    return "instant" if INSTANT.fullmatch(text) else "token"


def epoch(text):
    number = Fraction(text)
    for scale, digits in ((1, 0), (1000, 3)):
        if 946_684_800 * scale <= number < 4_102_444_800 * scale:
            return number / scale, digits
    return None


def instant(text):
    whole = INSTANT.fullmatch(text)
    digits = whole[2] or ""
    head = datetime.fromisoformat(text[:19] + whole[3].upper().replace("Z", "+00:00"))
    return Fraction(round(head.timestamp())) + Fraction(int(digits or 0), 10 ** len(digits)), len(
        digits
    )


def compare_kind(pushed, pulled):
    """How the texts of one entity compare: (kind, function from text to a comparable)."""
    kinds = {kind_of(text) for text in pushed | pulled}
    if kinds == {"token"}:
        return "opaque", str
    if "token" in kinds:
        return "mixed", str
    if kinds == {"number"}:
        units = {
            epoch(text)[1] if epoch(text) and text.isdigit() else None for text in pushed | pulled
        }
        if units != {0, 3}:
            return "ordered", Fraction
    read = {
        text: epoch(text) if kind_of(text) == "number" else instant(text)
        for text in pushed | pulled
    }
    if None in read.values():
        return "mixed", str
    sides = [max((read[t][1] for t in side), default=18) for side in (pushed, pulled)]
    scale = 10 ** min(sides)
    anything = lambda text: instant(text) if kind_of(text) == "instant" else epoch(text)  # noqa: E731
    return "ordered", lambda text: (read.get(text) or anything(text))[0] * scale // 1


class World:
    """One entity's rows."""

    def __init__(self, events, snapshots, fetches):
        for event in events:
            own = [
                f
                for f in fetches
                if f["seq"] == event["seq"] and f["status"] == 200 and f["version"]
            ]
            event["own"] = event["version"] is not None or event["deletion"]
            event["text"] = event["version"]
            if not event["own"] and own:
                event["text"] = max(own, key=lambda f: f["fetched_at"])["version"]
        self.invalid = [e for e in events if e["verified"] == "invalid"]
        self.events = [e for e in events if e["verified"] != "invalid"]
        self.snapshots, self.fetches = (
            snapshots,
            [f for f in fetches if f["status"] == 200 and f["version"]],
        )
        pushed = {e["text"] for e in self.events if e["text"] and not e["deletion"]}
        pulled = {s["version"] for s in snapshots if not s["deleted"]} | {
            f["version"] for f in self.fetches
        }
        self.kind, self.read = compare_kind(pushed, pulled) if pushed | pulled else ("ordered", str)
        self.alive = [s for s in snapshots if not s["deleted"]]

    def key(self, row):
        """The version of a row; a deletion is newer than all (no entity comes back here)."""
        if row.get("deleted") or row.get("deletion"):
            return "deleted"
        text = row.get("text") or row["version"]
        return None if text is None else self.read(text)

    def newer(self, one, other):
        """Whether `one` is newer than `other`: True, False, or None if nobody knows."""
        if other in (one, "deleted"):
            return False
        if one == "deleted":
            return True
        return one > other if self.kind == "ordered" else None


def works(event_rows, snapshot_rows, poller):
    """When the first delivery came about an entity that this poller saw."""
    seen = {s["entity_id"] for s in snapshot_rows if s["poller"] == poller}
    times = [
        e["received_at"]
        for e in event_rows
        if e["verified"] != "invalid" and e["entity_id"] in seen
    ]
    return min(times, default=None)


def judge(events, snapshots, fetches, *, spans, grace, now, is_list=True):
    """All changes as dicts, by (entity_id, key)."""
    result = {}
    pollers = {s["poller"] for s in snapshots}
    known = {p: works(events, snapshots, p) for p in pollers}
    known["met"] = False
    bounds = None
    if snapshots:
        lasts = [
            s[n] for s in snapshots for n in ("last_seen_at", "not_seen_at") if s[n] is not None
        ]
        bounds = min(s["polled_at"] for s in snapshots), max(lasts, default=-1e9), is_list
    worlds = {}
    for entity_id in sorted({e["entity_id"] for e in events} | {s["entity_id"] for s in snapshots}):
        pick = lambda rows: [r for r in rows if r["entity_id"] == entity_id]  # noqa: E731, B023
        world = worlds[entity_id] = World(pick(events), pick(snapshots), pick(fetches))
        pushed, shown = (
            {world.key(row) for row in rows} - {None, "deleted"}
            for rows in (world.events, world.snapshots)
        )
        known["met"] |= bool(pushed & shown)
    for entity_id, world in worlds.items():
        keys = {world.key(e) for e in world.events} | {world.key(s) for s in world.snapshots}
        for key in keys - {None}:
            row = one_change(world, key, known, bounds, spans=spans, grace=grace, now=now)
            if row:
                result[entity_id, key] = row
    return result


def one_change(world, key, known, bounds, *, spans, grace, now):
    pushes = [e for e in world.events if world.key(e) == key]
    shown = [s for s in world.snapshots if world.key(s) == key]
    first = min(shown, key=lambda s: s["polled_at"]) if shown else None
    if first:
        first = {**first, "not_seen_at": proved_absent(world, key, first)}
    if not pushes and first["not_seen_at"] is None:
        return None  # rule 6
    row = {"polled_at": first and first["polled_at"]}
    verdict = verdict_of(
        world, key, pushes, first, known, bounds=bounds, spans=spans, grace=grace, now=now
    )
    row["verdict"], row["reason"] = verdict
    return row | flags_of(world, key, pushes)


def proved_absent(world, key, first):
    """Since when the state was not there yet: of one shown after a newer one, as of that one."""
    newer = [s for s in world.snapshots if world.newer(world.key(s), key)]
    shown = {}
    for row in sorted(newer, key=lambda s: s["polled_at"]):
        shown.setdefault(world.key(row), row)
    if not any(row["polled_at"] < first["polled_at"] for row in shown.values()):
        return first["not_seen_at"]
    proofs = [row["not_seen_at"] for row in (first, *shown.values())]
    return None if None in proofs else min(proofs)


def verdict_of(world, key, pushes, first, known, *, bounds, spans, grace, now):
    if world.kind == "mixed":
        return "unknown", "versions do not compare"
    if pushes and first:
        return "both", None
    if pushes:
        return pushed_only(world, key, pushes, bounds)
    return polled_only(world, key, first, known, spans=spans, grace=grace, now=now)


def pushed_only(world, key, pushes, bounds):
    received = min(e["received_at"] for e in pushes)
    if not world.snapshots:
        return never_seen(world, received, bounds)
    earliest = min(world.snapshots, key=lambda s: s["polled_at"])
    shown = [world.key(s) for s in world.snapshots]
    older = earliest["not_seen_at"] is not None or any(world.newer(key, k) for k in shown)
    newer = any(world.newer(k, key) for k in shown)
    if newer:
        return ("push_only", None) if older else ("unknown", "baseline")
    if world.kind == "opaque" and key != "deleted":
        last = max(
            (s["last_seen_at"] for s in world.snapshots if s["last_seen_at"] is not None),
            default=None,
        )
        if last is not None and last > received:
            return "unknown", "versions do not compare"
    return "pending", None


def never_seen(world, received, bounds):
    if bounds is None or not bounds[2]:
        return "unknown", "not polled"
    gone = [e["received_at"] for e in world.events if e["deletion"]]
    if not bounds[1] > (min(gone) if gone else received):
        return "pending", None
    if not gone:
        return "unknown", "not polled"
    began = min(e["received_at"] for e in world.events if e["text"] or e["deletion"])
    return ("push_only", None) if bounds[0] < began else ("unknown", "baseline")


def polled_only(world, key, first, known, *, spans, grace, now):  # noqa: PLR0911
    start, stop = first["not_seen_at"], first["polled_at"] + grace
    inside = lambda e: start < e["received_at"] <= stop  # noqa: E731
    if now - first["polled_at"] < grace:
        return "pending", None
    if any(not e["own"] and inside(e) for e in world.invalid):
        return "unknown", "invalid signature only"
    for event in world.invalid:
        if event["deletion"] and key == "deleted":
            return "unknown", "invalid signature only"
        if event["own"] and not event["deletion"] and key != "deleted" and same(world, event, key):
            return "unknown", "invalid signature only"
    if any(not e["own"] and inside(e) for e in world.events):
        return "unknown", "thin"
    if not any(a <= start and (b is None or b >= stop) for a, b in merged(spans)):
        return "unknown", "not listening"
    if known[first["poller"]] is None or not known[first["poller"]] < start:
        return "unknown", "nothing ever pushed"
    strange = {world.key(e) for e in world.events if inside(e)} - {None, "deleted"}
    if not known["met"] and strange - {world.key(s) for s in world.snapshots}:
        return "unknown", "versions do not compare"
    return "poll_only", None


def same(world, event, key):
    """Whether an invalid delivery may have named this version, however it is spelled."""
    shown = [s["version"] for s in world.alive if world.key(s) == key][:1]
    return any(may_be_equal(event["version"], text) for text in shown)


def may_be_equal(one, other):
    if one == other or (
        {kind_of(one), kind_of(other)} == {"number"} and Fraction(one) == Fraction(other)
    ):
        return True
    read = [
        {"instant": instant, "number": epoch}.get(kind_of(t), lambda _: None)(t)
        for t in (one, other)
    ]
    if None in read:
        return False
    scale = 10 ** min(digits for _, digits in read)
    return len({value * scale // 1 for value, _ in read}) == 1


def merged(spans):
    found = []
    for start, stop in sorted(spans, key=lambda s: s[0]):
        if found and (found[-1][1] is None or found[-1][1] >= start):
            ends = found[-1][1], stop
            found[-1] = found[-1][0], None if None in ends else max(ends)
        else:
            found.append((start, stop))
    return found


def flags_of(world, key, pushes):
    """Rule 15, and the counts of rule 5."""
    seen, events = set(), set()
    for event in sorted(pushes, key=lambda e: e["seq"]):
        mark = event["event_id"] or event["body"]
        events.add(mark)
        seen.add(event["seq"])
    row = {"delivery_count": len(seen), "event_count": len(events)}
    row["duplicate"] = len(events) < len(pushes)
    row["out_of_order"] = row["stale"] = False
    own = [e for e in pushes if e["own"]]
    if pushes and not own:
        row["out_of_order"] = row["stale"] = None
        return row
    for event in own:
        earlier = [world.key(e) for e in world.events if e["own"] and e["seq"] < event["seq"]]
        pulled = [world.key(s) for s in world.snapshots if s["polled_at"] < event["received_at"]]
        pulled += [world.key(f) for f in world.fetches if f["fetched_at"] < event["received_at"]]
        row["out_of_order"] |= any(world.newer(k, key) for k in earlier)
        row["stale"] |= any(world.newer(k, key) for k in pulled)
    if pushes and world.kind != "ordered" and key != "deleted":
        row["out_of_order"] = row["out_of_order"] or None
        row["stale"] = row["stale"] or None
    return row


def judge_runs(events, states, *, grace, now):
    """Rule 12 for one entity that one poller saw: sorted (verdict, reason, polled_at) of its rows.

    Events are (received_at, status), states (status, polled_at, not_seen_at); we always listened.
    """
    runs = []
    for status, polled, not_seen in states:
        if not runs or runs[-1]["status"] != status:
            runs.append({"status": status, "polled": polled, "not_seen": not_seen, "pushed": 0})
    strays, unclear = set(), []
    for received, status in events:
        homes = [r for r in runs if r["status"] == status and _inside(r, received, grace)]
        if len(homes) == 1:
            homes[0]["pushed"] += 1
            continue
        unclear.append((received, status))
        if not homes:
            strays.add(
                (status, min(t for t, s in events if s == status and _homeless(runs, t, s, grace)))
            )
    rows = [_judged_run(r, events, unclear, grace, now) for r in runs]
    return sorted([row for row in rows if row] + [_stray(states, t) for _, t in strays], key=repr)


def _inside(run, received, grace):
    return (run["not_seen"] is None or run["not_seen"] < received) and received <= run[
        "polled"
    ] + grace


def _homeless(runs, received, status, grace):
    return not any(r["status"] == status and _inside(r, received, grace) for r in runs)


def _judged_run(run, events, unclear, grace, now):
    if run["pushed"]:
        return "both", None, run["polled"]
    if run["not_seen"] is None:
        return None
    if now - run["polled"] < grace:
        return "pending", None, run["polled"]
    if any(s == run["status"] or _inside(run, t, grace) for t, s in unclear):
        return "unknown", "versions do not compare", run["polled"]
    if not any(t < run["not_seen"] for t, _ in events):
        return "unknown", "nothing ever pushed", run["polled"]
    return "poll_only", None, run["polled"]


def _stray(states, received):
    last = max(polled for _, polled, _ in states) - 0.5
    if last > received:
        return "unknown", "versions do not compare", None
    return "pending", None, None
