"""Files, taken in: each is read through first, and then stored, whole or not at all.

kinds                                       what a path is
exported archives webhook_site folders      readers, all alike: a path to deliveries
imported                                    what they give
known                                       which of them are there already
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Final, TypeAlias

from webhooklab import progress
from webhooklab.defaults import IMPORT_CHUNK_BYTES, IMPORT_CHUNK_ROWS, IMPORT_HELD_BYTES
from webhooklab.errors import CaptureFileError, FileFormatError
from webhooklab.loading.imported import Imported, is_masked
from webhooklab.loading.kinds import Reader, reader
from webhooklab.loading.known import Known
from webhooklab.mapping import Mappings
from webhooklab.records import Arrival, Interpretation, Request
from webhooklab.signatures import UNCHECKED, Verification
from webhooklab.store import Outcome, Store, Stored

__all__ = ["is_masked", "load", "load_into"]

logger = logging.getLogger(__name__)

_ROW_BYTES: Final = 2_048
"""What a delivery takes in memory beside its body, about."""
Interpret: TypeAlias = Callable[[Request], Interpretation]
Verify: TypeAlias = Callable[[Request, str | None], Verification]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a file has: how many deliveries, received from `first` to `last` (us).

    `held`: all of them, None where they are too many to be held, and are to be read once more.
    """

    count: int
    first: int
    last: int
    held: list[Imported] | None


def load(path: Path, store: Store, *, interpret: Interpret, verify: Verify) -> list[int]:
    """Store the deliveries at a path that are not there yet; returns their `seq`.

    Raises `FileFormatError` for a file with anything in it that is no delivery, and
    `CaptureFileError` when they cannot be stored; then nothing of it stays. Where the process is
    killed meanwhile, what is stored by then stays, and is known to the next call.
    """
    source = path.expanduser()
    if not source.exists():
        raise FileFormatError(f"There is no file {source}: check the path.")
    try:
        read = reader(source)
        looked = _looked_through(read)
    except (ValueError, OSError, RecursionError) as error:
        raise FileFormatError(
            f"{source} cannot be loaded: {error}. Nothing of it was. Mend it there, or have it "
            "exported again."
        ) from error
    known = Known(store, looked.first, looked.last)
    found = read() if looked.held is None else looked.held
    new = (each for each in found if not known.takes(each.request))
    with progress.bar(looked.count, f"loading {source.name}") as advance:
        return _stored(store, _counted(new, advance), interpret, verify)


def load_into(path: Path, source: Path) -> int:
    """`load` into a capture file without a Lab; returns how many were added. No check applies."""
    with contextlib.closing(Store(path)) as store:
        interpret = Mappings(store).interpreter().interpret
        return len(load(source, store, interpret=interpret, verify=lambda *_: UNCHECKED))


def _looked_through(read: Reader) -> _Looked:
    """All there is: what is wrong with one is found before any is stored."""
    count, first, last, room = 0, 2**62, 0, IMPORT_HELD_BYTES
    held: list[Imported] | None = []
    for each in read():
        count += 1
        first, last = min(first, each.request.received_at), max(last, each.request.received_at)
        room -= _ROW_BYTES + len(each.request.body)
        held = held if room > 0 else None
        if held is not None:
            held.append(each)
    return _Looked(count, first, last, held and _as_they_came(held))


def _as_they_came(held: list[Imported]) -> list[Imported]:
    """From the end where the newest is first, as webhook.site gives it: `seq` follows time."""
    times = [each.request.received_at for each in held]
    falls = times[0] > times[-1] and all(one >= next_one for one, next_one in pairwise(times))
    return held[::-1] if falls else held


def _counted(new: Iterator[Imported], advance: Callable[[int], object]) -> Iterator[Imported]:
    for each in new:
        yield each
        advance(1)


def _stored(
    store: Store, new: Iterator[Imported], interpret: Interpret, verify: Verify
) -> list[int]:
    """Their `seq`. While one chunk is committed the next one is made."""
    seqs: list[int] = []
    outcomes: list[Outcome] = []
    try:
        for chunk in _chunks(new):
            arrivals = [_arrival(each, interpret, verify) for each in chunk]
            seqs += _settled(store, outcomes, len(seqs))
            store.submit(arrivals, outcomes.extend)
        return seqs + _settled(store, outcomes, len(seqs))
    except BaseException:
        store.append(())
        store.delete([each.seq for each in outcomes if isinstance(each, Stored)])
        raise


def _settled(store: Store, outcomes: list[Outcome], after: int) -> list[int]:
    """Wait for what was submitted; the `seq` of all outcomes after so many."""
    store.append(())
    seqs = []
    for outcome in outcomes[after:]:
        if isinstance(outcome, CaptureFileError):
            raise outcome
        assert isinstance(outcome, Stored)  # what is imported came by no relay
        seqs.append(outcome.seq)
    return seqs


def _chunks(new: Iterator[Imported]) -> Iterator[list[Imported]]:
    for first in new:
        chunk, size = [], 0
        for each in chain([first], new):
            chunk.append(each)
            size += len(each.request.body)
            if len(chunk) == IMPORT_CHUNK_ROWS or size > IMPORT_CHUNK_BYTES:
                break
        yield chunk


def _arrival(each: Imported, interpret: Interpret, verify: Verify) -> Arrival:
    try:
        interpretation = interpret(each.request)
    except Exception:  # whatever is wrong with our understanding, the delivery is kept
        logger.exception("a loaded delivery could not be interpreted")
        interpretation = Interpretation()
    verification = verify(each.request, interpretation.provider)
    return Arrival(each.request, interpretation, each.status, verification)
