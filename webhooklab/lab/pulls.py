"""What polls, fetches and forwards, as the inbox shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from webhooklab import clock
from webhooklab.comparison.wording import count, shortened
from webhooklab.inbox import Pull
from webhooklab.pulling import Fetcher, Poller, Pulling
from webhooklab.sending import Forward, Sending

_NAME_CHARS: Final = 120
_TEXT_CHARS: Final = 300


def pulls(pulling: Pulling, sending: Sending) -> tuple[Pull, ...]:
    """The pollers, fetchers and forwards, those that were stopped too."""
    polled = [_poller(each) for each in list(pulling.pollers.values())]
    fetched = [_fetcher(each) for each in list(pulling.fetchers.values())]
    return (*polled, *fetched, *(_forward(each) for each in list(sending.forwards.values())))


def _poller(poller: Poller) -> Pull:
    stats = poller.stats
    doing = "" if stats["doing"] == "waiting" else stats["doing"]
    again = doing.startswith("trying again")
    return Pull(
        kind="Poller",
        name=shortened(poller.name, _NAME_CHARS),
        url=_url(poller.url, poller.name),
        doing=shortened(doing, _TEXT_CHARS),
        counts=_polled(stats),
        next_at=_micros(stats["next_poll_at"]),
        failing=poller.running and (stats["failing"] or again),
        error=shortened(stats["last_error"] or "", _TEXT_CHARS),
    )


def _polled(stats: dict[str, Any]) -> str:
    told = [(stats["failed"], "failed"), (stats["wasted"], "brought nothing new")]
    return _with(count(stats["polls"], "poll"), told)


def _fetcher(fetcher: Fetcher) -> Pull:
    stats = fetcher.stats
    return Pull(
        kind="Fetcher",
        name=shortened(fetcher.name, _NAME_CHARS),
        url=_url(fetcher.url_template, fetcher.name),
        doing=_fetching(stats),
        counts=_fetched(stats),
        failing=fetcher.running and stats["failing"],
        error=shortened(stats["last_error"] or "", _TEXT_CHARS),
    )


def _fetching(stats: dict[str, Any]) -> str:
    if not stats["running"]:
        return "stopped"
    return _told([(stats["under_way"], "under way"), (stats["waiting"], "waiting")])


def _fetched(stats: dict[str, Any]) -> str:
    events = f"{count(stats['events'], 'event')}, {count(stats['requests'], 'request')}"
    return _with(events, [(stats["failed"], "failed"), (stats["refused"], "refused")])


def _forward(forward: Forward) -> Pull:
    stats = forward.stats
    return Pull(
        kind="Forward",
        name=shortened(forward.name, _NAME_CHARS),
        url=_url(forward.url, forward.name),
        doing=shortened(_forwarding(forward, stats["waiting"]), _TEXT_CHARS),
        counts=shortened(_forwarded(stats), _TEXT_CHARS),
        failing=forward.ended_itself or (forward.running and _failed_last(stats)),
        error=shortened(stats["last_error"] or "", _TEXT_CHARS),
    )


def _forwarding(forward: Forward, waiting: int) -> str:
    doing = "" if forward.state == "forwarding" else forward.state
    return ", ".join(part for part in (doing, f"{waiting:,} waiting" * bool(waiting)) if part)


def _forwarded(stats: dict[str, Any]) -> str:
    told = [
        (stats["failed"], "given up"),
        (stats["left_out"], f"left out: {stats['last_left_out']}"),
    ]
    return _with(f"{stats['sent']:,} sent in {count(stats['attempts'], 'try', 'tries')}", told)


def _with(done: str, told: list[tuple[int, str]]) -> str:
    """What was done, and of that in brackets what there is to tell."""
    said = _told(told)
    return f"{done} ({said})" if said else done


def _told(told: list[tuple[int, str]]) -> str:
    return ", ".join(f"{number:,} {what}" for number, what in told if number)


def _failed_last(stats: dict[str, Any]) -> bool:
    return stats["attempts"] > 0 and stats["last_status"] not in range(200, 300)


def _url(url: str, name: str) -> str:
    """Nothing where the name says it."""
    return "" if url == name else shortened(url, _TEXT_CHARS)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else clock.from_datetime(moment)
