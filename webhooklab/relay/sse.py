"""Server-sent events, read from the bytes of a stream. No I/O.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. The
libraries for it hold whatever comes before a line ends; this one holds so many bytes, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `data` None: it was larger than what is read of one.

    `own_id` None: it has none. `last_id`: the newest of the stream, "" where there was none.
    """

    name: str
    data: str | None
    own_id: str | None
    last_id: str


class ServerSentEvents:
    """Reads a stream. Of an event with more than `max_bytes` nothing is kept but that it was.

    `last_id`: that of the stream which this one goes on from; it holds until there is another.
    """

    def __init__(self, max_bytes: int, last_id: str = "") -> None:
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._after_cr = False
        self._at_start = True
        self._last_id = last_id
        self._clear()

    def _clear(self) -> None:
        self._name = ""
        self._own_id: str | None = None
        self._data: list[bytes] = []
        self._held_bytes = 0
        self._too_large = False

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that end in this part of the stream."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        first, *others = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._hold(first)
        found = []
        for other in others:
            if (event := self._end_line()) is not None:
                found.append(event)
            self._hold(other)
        return found

    def _hold(self, part: bytes) -> None:
        if self._held_bytes + len(self._line) + len(part) > self._max_bytes:
            self._too_large = True
            self._data = []
            self._line = self._line[:1]  # what is not empty must not look so
            part = part[:1]
        self._line += part

    def _end_line(self) -> ServerSentEvent | None:
        line, self._line = bytes(self._line), bytearray()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._end_event()
        if not self._too_large:
            self._take(line)
        return None

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._held_bytes += len(value) + 1
        elif field == b"event":
            self._name = _text(value)
        elif field == b"id" and b"\0" not in value:
            self._last_id = self._own_id = _text(value)

    def _end_event(self) -> ServerSentEvent | None:
        name, own_id = self._name or "message", self._own_id
        data, too_large = self._data, self._too_large
        self._clear()
        if not data and not too_large:
            return None
        text = None if too_large else _text(b"\n".join(data))
        return ServerSentEvent(name, text, own_id, self._last_id)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
