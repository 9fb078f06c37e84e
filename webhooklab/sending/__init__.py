"""Sending on: forwarding what arrives, and replaying what has.

route        what to forward where            targets     one URL, or paths below it
queue        what is still to be sent         order       one after the other, per entity
preparing    what is sent, and what is not    outgoing    a delivery as a request
carrying     tries, and tries again           gate        while a target is away, or asks to wait
poster       one try                          outcomes    what came of it
recorder     tries written down               replies     the target's answer for the sender
forward      the forward that users have      assembly    all forwards of a file
"""

from __future__ import annotations

from webhooklab.sending.assembly import Sending
from webhooklab.sending.forward import Forward
from webhooklab.sending.limits import Retry
from webhooklab.sending.route import Route
from webhooklab.sending.targets import is_same_listener, target_from

__all__ = ["Forward", "Retry", "Route", "Sending", "is_same_listener", "target_from"]
