"""What one GET may cost, and how often it is tried."""

from __future__ import annotations

from dataclasses import dataclass

from webhooklab import defaults


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes; the defaults are those of `webhooklab.defaults`.

    `silence_seconds`: how long the server may send nothing. `answer_seconds`: how long one answer
    may take in all. `max_answer_bytes`: of one answer, content codings undone. `attempts`: how
    often one GET is tried. `backoff_seconds`: the first wait between two tries, doubled with each
    and with as much jitter; at most `max_backoff_seconds`. `max_wait_seconds`: how long a server
    may ask to be left alone before the GET is given up for now. `max_pages`: of one poll.
    """

    silence_seconds: float = defaults.PULL_SILENCE_SECONDS
    answer_seconds: float = defaults.PULL_ANSWER_SECONDS
    max_answer_bytes: int = defaults.MAX_ANSWER_BYTES
    attempts: int = defaults.PULL_ATTEMPTS
    backoff_seconds: float = defaults.PULL_BACKOFF_SECONDS
    max_backoff_seconds: float = defaults.PULL_MAX_BACKOFF_SECONDS
    max_wait_seconds: float = defaults.POLL_MAX_WAIT_SECONDS
    max_pages: int = defaults.MAX_PAGES
