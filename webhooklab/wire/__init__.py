"""HTTP/1.1 on a socket, with what was sent kept beside what is parsed. The door to Tornado's HTTP.

Below `tornado.web`. Requests of the common kind that come whole take a short way (`express`). All
others are Tornado's (`thorough`): it decides what is HTTP, and refuses what could smuggle a second
request, and a body is streamed to a receiver under a limit. It merges and renames headers: `http1`
keeps them as they were sent.
"""

from __future__ import annotations

from webhooklab.wire.connection import Connection
from webhooklab.wire.room import make_room

__all__ = ["Connection", "make_room"]
