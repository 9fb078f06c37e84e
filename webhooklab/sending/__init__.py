"""Sending on: forwarding what arrives, and replaying what has.

route        what to forward where            targets     one URL, or paths below it
queue        what is still to be sent         conveyor    from there to what carries it
order        one after the other, per entity
preparing    what is sent, and what is not    outgoing    a delivery as a request
carrying     tries, and tries again           gate        while a target is away, or asks to wait
poster       one try                          outcomes    what came of it
recorder     tries written down               replies     the target's answer for the sender
forward      the forward that users have      assembly    all that sends for a file
replay       one replay                       given       what is to be replayed
resigning    signed anew                      pace        how fast
statistics   what was done                    limits      how often, how long
"""

from __future__ import annotations

from webhooklab.sending.assembly import Sending
from webhooklab.sending.forward import Forward
from webhooklab.sending.given import Events, Rows
from webhooklab.sending.limits import Retry
from webhooklab.sending.preparing import by_verdict
from webhooklab.sending.replay import ReplayOptions
from webhooklab.sending.route import Route
from webhooklab.sending.targets import check_no_loop, target_from

__all__ = [
    "Events",
    "Forward",
    "ReplayOptions",
    "Retry",
    "Route",
    "Rows",
    "Sending",
    "by_verdict",
    "check_no_loop",
    "target_from",
]
