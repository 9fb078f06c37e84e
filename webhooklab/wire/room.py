"""Room for one connection more, where there are as many as there may be."""

from __future__ import annotations

from typing import Protocol, TypeVar


class Idling(Protocol):
    """A connection that may be idle; see `webhooklab.wire.Connection`."""

    @property
    def idle_until(self) -> float | None:
        """Until when it may stay silent; None if it is busy."""

    def close(self) -> None:
        """Close its socket now."""


AnIdling = TypeVar("AnIdling", bound=Idling)


def make_room(connections: set[AnIdling]) -> bool:
    """Close the connection that has been silent for longest; whether there was one.

    A client has to expect that at any time (RFC 9112, section 9.5): so whoever holds many open and
    says nothing keeps nobody out.
    """
    idle = {each: until for each in connections if (until := each.idle_until) is not None}
    if not idle:
        return False
    longest = min(idle, key=idle.__getitem__)
    connections.discard(longest)
    longest.close()
    return True
