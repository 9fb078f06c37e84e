"""Listeners in processes of their own: found again, talked to, started.

    channel     JSON messages between processes of one user
    registry    which listeners there are on this machine
    remote      a Lab's hand on a listener in another process

What runs in such a process is `webhooklab.standalone`.
"""

from webhooklab.processes.channel import Hub, Peer
from webhooklab.processes.registry import Entry, Registry
from webhooklab.processes.remote import Remote, Wish, connected

__all__ = ["Entry", "Hub", "Peer", "Registry", "Remote", "Wish", "connected"]
