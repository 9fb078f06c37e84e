"""What is sent on, as records: tries. Instants in us since 1970."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try as it is kept: the columns of `lab.attempts`, and who has made it.

    `seq` None: the delivery is of another file, where it is `given_seq`. `attempt`: 1 is the first.
    `status` None: there was no answer; `error` None: the answer was complete. `final`: there is no
    other try after it.
    """

    sender: str
    seq: int | None
    given_seq: int
    target: str
    attempt: int
    started_at: int
    elapsed_ms: int
    status: int | None
    error: str | None
    response_headers_json: str | None = field(repr=False)
    response_body: bytes | None = field(repr=False)
    final: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """One delivery that is to be sent on. Its body is in the file, not in memory.

    `entities`: what it is about; nothing, where one cannot tell.
    """

    seq: int
    entities: tuple[str, ...] = ()
