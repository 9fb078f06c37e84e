"""What a user does in the browser that sends out: one delivery, or all that come from now on.

It begins here with a click alone: no messages but `resend` and `forward` lead to it, and nothing
that came from the wire makes one. What carries credentials to another machine is asked about first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from webhooklab.background import Errands
from webhooklab.errors import ConfirmationError, WebhookLabError
from webhooklab.inbox import limits
from webhooklab.inbox.news import Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """One delivery, to be sent again.

    `to`: a URL; None: the target of the forward with the name `forward`. `headers`: to set, None
    takes one away. `body` None: its own. `resign`: with a signature of now, by the lab's secret.
    `confirmed`: whatever speaks against it was said.
    """

    seq: int
    to: str | None = None
    forward: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    resign: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOn:
    """What comes from now on, to be forwarded. `where`: the filter language; "": all of it."""

    to: str
    where: str = ""
    confirmed: bool = False


Act: TypeAlias = Callable[[Resend | SendOn], tuple[bool, str]]
"""Does it: whether the target has taken it, and what came of it in words.

Raises `WebhookLabError`; `ConfirmationError` says what to confirm.
"""

_SENT: Final = "sent"
_REFUSED: Final = "refused"
_CONFIRM: Final = "confirm"
_FAILED: Final = "failed"


def no_act(_order: Resend | SendOn) -> tuple[bool, str]:
    """Where nothing can be sent."""
    return False, "Nothing can be sent from here."


class Actions:
    """Does what a browser orders, a few at a time, on threads that need not be stopped."""

    def __init__(self, act: Act, send: Send) -> None:
        self._act = act
        self._send = send
        self._errands = Errands("webhooklab-inbox-actions", limits.ACTIONS_AT_ONCE)

    def order(self, message: dict[str, Any]) -> None:
        """Have it done soon; the browser is told at once that it was heard."""
        self._tell(message, "heard", "")
        self._errands.run(self._do, message)

    def _do(self, message: dict[str, Any]) -> None:
        try:
            taken, text = self._act(_ORDERS[str(message["kind"])](message))
            outcome = _SENT if taken else _REFUSED
        except ConfirmationError as error:
            outcome, text = _CONFIRM, str(error)
        except WebhookLabError as error:
            outcome, text = _FAILED, str(error)
        except Exception as error:  # what it says may quote what was to be sent
            outcome, text = _FAILED, f"It could not be sent ({type(error).__name__})."
        self._tell(message, outcome, text)

    def _tell(self, message: dict[str, Any], outcome: str, text: str) -> None:
        told = {"id": message.get("id"), "outcome": outcome, "text": text}
        self._send({"kind": _ANSWERS[str(message["kind"])], **told}, [])


def _resend(message: dict[str, Any]) -> Resend:
    body, to, forward = (message.get(name) for name in ("body", "to", "forward"))
    return Resend(
        seq=int(message["seq"]),
        to=None if to is None else str(to),
        forward=None if forward is None else str(forward),
        headers=dict(message.get("headers") or {}),
        body=None if body is None else str(body).encode("utf-8", "replace"),
        resign=message.get("resign") is True,
        confirmed=message.get("confirmed") is True,
    )


def _send_on(message: dict[str, Any]) -> SendOn:
    return SendOn(
        to=str(message["to"]),
        where=str(message.get("where") or ""),
        confirmed=message.get("confirmed") is True,
    )


_ORDERS: Final[dict[str, Callable[[dict[str, Any]], Resend | SendOn]]] = {
    "resend": _resend,
    "forward": _send_on,
}
_ANSWERS: Final = {"resend": "resent", "forward": "forwarded"}
KINDS: Final = frozenset(_ORDERS)
"""The messages that order something."""
