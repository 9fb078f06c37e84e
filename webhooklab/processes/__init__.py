"""Listeners in processes of their own: found again, talked to, started.

    peers       calls, answers and signals between two processes
    channel     the connections that carry them
    registry    which listeners there are on this machine
    starting    a new process, and what it is told
    remote      a Lab's hand on a listener in another process
    leading     a listener's hand on the Lab that leads it
    ordering    the rules and secrets that a Lab gives ...
    orders      ... and what the listener makes of them

What runs in such a process is `webhooklab.standalone`.
"""

from webhooklab.processes.channel import Connection, Hub
from webhooklab.processes.leading import Leading
from webhooklab.processes.ordering import RemoteChecks, RemoteGates, RemoteRule, RemoteRules
from webhooklab.processes.orders import Orders
from webhooklab.processes.peers import Peer
from webhooklab.processes.registry import Entry, Registry
from webhooklab.processes.remote import Remote, connected
from webhooklab.processes.starting import Wish

__all__ = [
    "Connection",
    "Entry",
    "Hub",
    "Leading",
    "Orders",
    "Peer",
    "Registry",
    "Remote",
    "RemoteChecks",
    "RemoteGates",
    "RemoteRule",
    "RemoteRules",
    "Wish",
    "connected",
]
