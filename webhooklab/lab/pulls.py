"""What polls and fetches, as the inbox shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from webhooklab import clock
from webhooklab.comparison.wording import count, shortened
from webhooklab.inbox import Pull
from webhooklab.pulling import Fetcher, Poller, Pulling

_NAME_CHARS: Final = 120
_TEXT_CHARS: Final = 300


def pulls(pulling: Pulling) -> tuple[Pull, ...]:
    """The pollers and fetchers, those that were stopped too."""
    found = [_poller(each) for each in list(pulling.pollers.values())]
    return (*found, *(_fetcher(each) for each in list(pulling.fetchers.values())))


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
    polls = count(stats["polls"], "poll")
    told = [(stats["failed"], "failed"), (stats["wasted"], "brought nothing new")]
    said = ", ".join(f"{number:,} {what}" for number, what in told if number)
    return f"{polls} ({said})" if said else polls


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
    told = [(stats["under_way"], "under way"), (stats["waiting"], "waiting")]
    return ", ".join(f"{number:,} {what}" for number, what in told if number)


def _fetched(stats: dict[str, Any]) -> str:
    told = [(stats["failed"], "failed"), (stats["refused"], "refused")]
    said = ", ".join(f"{number:,} {what}" for number, what in told if number)
    events = f"{count(stats['events'], 'event')}, {count(stats['requests'], 'request')}"
    return f"{events} ({said})" if said else events


def _url(url: str, name: str) -> str:
    """Nothing where the name says it."""
    return "" if url == name else shortened(url, _TEXT_CHARS)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else clock.from_datetime(moment)
