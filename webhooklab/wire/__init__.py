"""HTTP/1.1 on a socket, with what was sent kept beside what is parsed. The door to Tornado's HTTP.

Below `tornado.web`: a connection's requests go to a receiver, whose body is streamed under a limit.
Tornado's parser decides what is HTTP (it refuses what could smuggle a second request), but it
merges and renames headers: `http1` keeps them as they were sent.
"""

from __future__ import annotations

from webhooklab.wire.connection import Connection
from webhooklab.wire.rawstream import RawStream
from webhooklab.wire.room import make_room

__all__ = ["Connection", "RawStream", "make_room"]
