"""Finding out how a Lab is: from its file, and from what listens, pulls and sends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from webhooklab import clock, disks
from webhooklab.defaults import (
    CLOCK_SKEW_SECONDS,
    DISK_FULL_SHARE,
    SLOW_COMMIT_SECONDS,
    STALL_TOLD_SECONDS,
)
from webhooklab.exposure import Exposures
from webhooklab.health import Health, size_text
from webhooklab.pulling import Pulling
from webhooklab.sending import Forward, Sending
from webhooklab.store import Store
from webhooklab.store import skew as skews

_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerState:
    """What listens: in words, its URL, and what `Capturing.vitals` tells; None: nothing does.

    `elsewhere`: not in this kernel. `kernel_stalls`: of this kernel, where it is elsewhere.
    """

    headline: str
    url: str
    vitals: Mapping[str, Any] | None
    elsewhere: bool = False
    kernel_stalls: int | None = None


def examine(
    store: Store,
    listener: ListenerState,
    exposures: Exposures,
    pulling: Pulling,
    sending: Sending,
    *,
    lost_messages: int = 0,
) -> Health:
    """How it is now. Raises `CaptureFileError`."""
    found = _of_listener(listener)
    found = _of_file(found, store)
    found = replace(
        found,
        lost_messages=lost_messages,
        sources={**found.sources, **{each.name: each.state for each in exposures.all}},
        pollers={each.name: _poller(each.stats) for each in list(pulling.pollers.values())},
        fetchers={each.name: _fetcher(each.stats) for each in list(pulling.fetchers.values())},
        forwards={each.name: _forward(each) for each in list(sending.forwards.values())},
    )
    warnings = (*_warnings(found, listener), *_of_forwards(sending))
    return replace(found, warnings=warnings)


def _of_listener(listener: ListenerState) -> Health:
    known = Health(listener=listener.headline, url=listener.url)
    vitals = listener.vitals
    if vitals is None:
        return known
    return replace(
        known,
        listening_since=clock.to_datetime(vitals["since"]),
        waiting=vitals["waiting"],
        commit_ms=vitals["commit_ms"],
        rules=tuple(vitals["rules"]),
        lost=vitals["lost"],
        stalls=vitals["stalls"]["count"],
        longest_stall=round(vitals["stalls"]["longest"], 3),
        kernel_stalls=listener.kernel_stalls,
        keep=vitals["keep"],
        sources={"local": f"listening at {vitals['url']}"},
    )


def _of_file(known: Health, store: Store) -> Health:
    with store.reading() as connection:
        dropped = store.dropped(connection).count
        skew_us = skews.skew(connection)
    disk = _disk(store.path)
    return replace(
        known,
        disk_free=None if disk is None else disk.free,
        disk_total=None if disk is None else disk.total,
        file=str(store.path),
        file_bytes=store.path.stat().st_size if store.path.exists() else None,
        file_system=disks.file_system(store.path),
        journal=store.journal_mode(),
        dropped=dropped,
        clock_skew=None if skew_us is None else skew_us / _SECOND_US,
    )


def _disk(path: Path) -> disks.Disk | None:
    try:
        return disks.disk_of(path)
    except OSError:
        return None


def _poller(stats: Mapping[str, Any]) -> str:
    failed = f", {stats['failed']:,} failed" if stats["failed"] else ""
    return f"{stats['doing']}; {stats['polls']:,} polls{failed}{_last_error(stats)}"


def _fetcher(stats: Mapping[str, Any]) -> str:
    doing = "running" if stats["running"] else "stopped"
    waiting, failed = stats["waiting"] + stats["under_way"], stats["failed"]
    counts = f"{stats['events']:,} events, {waiting:,} waiting, {failed:,} failed"
    return f"{doing}; {counts}{_last_error(stats)}"


def _forward(forward: Forward) -> str:
    stats = forward.stats
    counts = f"{stats['sent']:,} sent, {stats['waiting']:,} waiting, {stats['failed']:,} failed"
    return f"{forward.state}; {counts}{_last_error(stats)}"


def _last_error(stats: Mapping[str, Any]) -> str:
    return f" (last error: {stats['last_error']})" if stats["last_error"] else ""


# Warnings, before there is trouble


def _warnings(known: Health, listener: ListenerState) -> Iterator[str]:
    name = Path(known.file).name
    if known.dropped:
        keep = f": keep={known.keep!r}" if known.keep else ""
        yield f"{known.dropped:,} older deliveries were dropped from {name}{keep}."
    yield from _of_disk(known, name)
    yield from _of_place(known, name)
    p99 = known.commit_ms.get("p99")
    if p99 is not None and p99 > SLOW_COMMIT_SECONDS * 1e3:
        yield (
            f"The disk is slow: one commit in a hundred takes {p99 / 1e3:.1f} s or more, and "
            "senders wait for it. Put the capture file on a faster disk, or find what else writes."
        )
    yield from _of_stalls(listener)
    skew = known.clock_skew
    if skew is not None and abs(skew) >= CLOCK_SKEW_SECONDS:
        yield (
            f"This machine's clock is {abs(skew):,.0f} s or more "
            f"{'ahead of' if skew > 0 else 'behind'} those that it hears from: lags and lateness "
            "are wrong by as much. Set it (NTP)."
        )


def _of_forwards(sending: Sending) -> Iterator[str]:
    for forward in list(sending.forwards.values()):
        if forward.ended_itself or forward.away:
            yield f"The forward {forward.name}: {forward.state}. What came waits in the file."


def _of_disk(known: Health, name: str) -> Iterator[str]:
    if known.disk_free is None or not known.disk_total:
        return
    full = disks.Disk(known.disk_total, known.disk_free).full
    if full >= DISK_FULL_SHARE:
        yield (
            f"The disk of {name} is {full:.0%} full, {size_text(known.disk_free)} are left; once "
            'it is full, senders get 503. Free some space, or keep less: Lab(..., keep="2GB").'
        )


def _of_place(known: Health, name: str) -> Iterator[str]:
    if known.file_system in disks.NETWORK:
        yield (
            f"{name} is on a network file system ({known.file_system}): commits are slow there, "
            "and only one process may use it. Put it on a local disk."
        )
    elif known.journal != "wal":
        yield (
            f"SQLite keeps no write-ahead log here (its journal is {known.journal}), so readers "
            f"and commits wait for each other. Put {name} on a local disk."
        )


def _of_stalls(listener: ListenerState) -> Iterator[str]:
    stalls = listener.vitals["stalls"] if listener.vitals else None
    if stalls is None or stalls["last_at"] is None:
        return
    if clock.now_us() - stalls["last_at"] > STALL_TOLD_SECONDS * _SECOND_US:
        return
    why = (
        "the machine was busy, or asleep"
        if listener.elsewhere
        else 'one long C call in a cell does that, and listener="process" avoids it'
    )
    at = f"{clock.to_datetime(stalls['last_at']):%H:%M:%S} UTC"
    yield f"Senders waited for {stalls['last']:.1f} s until {at}: {why}."
