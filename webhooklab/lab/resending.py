"""What the inbox sends by hand: a delivery again, or what comes from now on; asked about first."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from webhooklab import progress
from webhooklab.errors import ConfirmationError, SendArgumentError
from webhooklab.inbox import Resend, SendOn
from webhooklab.parts import Parts
from webhooklab.records import Delivery
from webhooklab.sending import ReplayOptions, target_from
from webhooklab.sending.outgoing import has_credentials, with_headers


def act(parts: Parts, order: Resend | SendOn) -> tuple[bool, str]:
    """Do what the inbox orders: whether the target has taken it, and what came of it in words.

    Raises `ConfirmationError` where that has to be confirmed, and what `forward` and `replay` do.
    """
    return _send_on(parts, order) if isinstance(order, SendOn) else _resend(parts, order)


def _send_on(parts: Parts, order: SendOn) -> tuple[bool, str]:
    """As `lab.forward(to, where=...)`."""
    parts.check_owner("forward")
    target, _ = target_from(order.to)
    if not target.loopback and not order.confirmed:
        raise ConfirmationError(
            f"All that comes, its credentials too, will leave for {target.url.host}, which is not "
            "this machine."
        )
    forward = parts.forward(order.to, where=order.where or None)
    return True, f"What comes from now on goes to {forward.url}, until lab.forward(...).stop()."


def _resend(parts: Parts, order: Resend) -> tuple[bool, str]:
    parts.check_open()
    delivery = parts.store.delivery(order.seq)
    if delivery is None:
        raise SendArgumentError(f"Delivery {order.seq} is no longer there.")
    resign = _secret(parts, delivery) if order.resign else None
    options = replace(_options(parts, order), resign=resign, confirm=order.confirmed)
    if not order.confirmed:
        _check(parts, delivery, options)
    with progress.hidden():  # the browser says that it waits
        tries = parts.sending.replay(delivery, options)
    return _said(tries)


def _secret(parts: Parts, delivery: Delivery) -> str:
    """What the delivery is signed with; it stays here."""
    secret = parts.checks.signing_secret(delivery.path, delivery.provider)
    if secret is None:
        raise SendArgumentError(
            f"This kernel has no secret to sign {delivery.provider or 'it'} with: give it one by "
            "lab.verify_with(...), or use lab.replay(..., resign=secret)."
        )
    return secret


def _options(parts: Parts, order: Resend) -> ReplayOptions:
    """As the user typed it, or as the forward has it."""
    if order.to is not None:
        return ReplayOptions(to=order.to, headers=order.headers, body=order.body)
    forward = parts.sending.forwards.get(order.forward or "")
    if forward is None:
        raise SendArgumentError(f"There is no forward {order.forward!r} any more.")
    route = forward.route
    return ReplayOptions(
        to=route.url,
        keep_path=route.keep_path,
        auth=route.auth,
        timeout=route.timeout,
        headers={**(route.headers or {}), **order.headers},
        body=order.body,
    )


def _check(parts: Parts, delivery: Delivery, options: ReplayOptions) -> None:
    """Raise `ConfirmationError` for all that speaks against sending it, in words."""
    target, _ = target_from(options.to)
    against = []
    if refused := parts.sending.refusal(delivery):
        against.append(f"It is not forwarded by itself: {refused}.")
    pairs = with_headers(delivery.headers, options.headers)
    if options.resign is not None and not target.loopback:
        against.append(f"It gets a new signature, and {target.url.host} is not this machine.")
    if not target.loopback and has_credentials(pairs, delivery.query_string):
        against.append(f"It carries credentials, and {target.url.host} is not this machine.")
    if against:
        raise ConfirmationError(" ".join(against))


def _said(tries: pd.DataFrame) -> tuple[bool, str]:
    if not len(tries):
        return False, "It was not sent."
    last = tries.iloc[-1]
    if pd.isna(last["status"]):
        return False, f"{last['target']}: {last['error']}."
    taken = 200 <= last["status"] < 300 and bool(pd.isna(last["error"]))
    more = "" if pd.isna(last["error"]) else f", and then {last['error']}"
    return taken, f"{last['target']} answered {last['status']} after {last['elapsed_ms']} ms{more}."
