"""Handing a delivery over to a listener on this machine, in an envelope, and taking its answer.

    connection   one kept-alive HTTP connection: a request, its answer, the next
    pool         the connections to one listener
    counter      what hands deliveries over: seals them, and sees that the answer is proved

Used by whoever receives for a lab without being its listener: the Jupyter server, a relay's client.
"""

from webhooklab.handover.counter import Answered, Handover

__all__ = ["Answered", "Handover"]
