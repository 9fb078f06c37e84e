"""From a captured delivery to the request that is forwarded, or the reason why it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from webhooklab.headers import Headers
from webhooklab.records import Delivery
from webhooklab.refusals import Refuse, refusal
from webhooklab.sending.outgoing import (
    FORWARDED_HEADER,
    KEY_HEADER,
    Outgoing,
    body_from,
    outgoing,
    with_headers,
)
from webhooklab.sending.route import Route
from webhooklab.sending.targets import PathRefused, Target
from webhooklab.signatures import UNCHECKED
from webhooklab.store import Store


class LeftOut(Exception):
    """A delivery is not to be sent on, and why."""


class Broken(Exception):
    """A function of the user's has failed, so that nobody knows what to send."""


class Preparer:
    """Makes the requests of one forward. `identity`: of the capture file."""

    def __init__(
        self,
        store: Store,
        route: Route,
        target: Target,
        refuse: Refuse,
        *,
        name: str,
        identity: str,
    ) -> None:
        self._store = store
        self._route = route
        self._target = target
        self.shown = target.shown
        """The target, as it may be seen."""
        self._refuse = refuse
        self._identity = identity
        self._mark = hashlib.sha256(name.encode()).hexdigest()[:8]

    def prepare(self, seq: int) -> Outgoing:
        """The request for a delivery. Raises `LeftOut`, `Broken`. Calls what the user gave."""
        delivery = self._store.delivery(seq)
        if delivery is None:
            raise LeftOut("it was deleted")
        self._check(delivery)
        delivery = self._transformed(delivery)
        try:
            request = outgoing(delivery, self._target)
        except PathRefused as refused:
            raise LeftOut(str(refused)) from None
        key = {KEY_HEADER: f"{self._identity}-{self._mark}-{seq}"}
        headers = with_headers(with_headers(request.headers, self._route.headers), key)
        headers = (*headers, (FORWARDED_HEADER, self._identity))
        return replace(request, seq=seq, headers=headers)

    def _check(self, delivery: Delivery) -> None:
        if self._identity in delivery.headers.get_list(FORWARDED_HEADER):
            raise LeftOut("it was forwarded from this capture file before: a loop")
        why = self._refuse(delivery, unverified=self._route.unverified)
        if why is not None:
            raise LeftOut(why)
        if callable(self._route.where) and not _called("where", self._route.where, delivery):
            raise LeftOut("where= says no")

    def _transformed(self, delivery: Delivery) -> Delivery:
        if self._route.transform is None:
            return delivery
        made = _called("transform", self._route.transform, delivery)
        if made is None:
            raise LeftOut("transform= returned None")
        if isinstance(made, Delivery):
            return made
        try:
            return _with_plain_body(delivery, body_from(made))
        except ValueError as error:
            raise Broken(f"what transform= returned cannot be sent: {error}") from None


def _with_plain_body(delivery: Delivery, body: bytes) -> Delivery:
    """The delivery with a body that has no content coding."""
    pairs = with_headers(delivery.headers, {"Content-Encoding": None})
    return replace(delivery, body=body, headers_json=Headers(pairs).to_json())


def by_verdict(
    delivery: Delivery, /, *, unverified: bool, allow_origins: Sequence[str] = ()
) -> str | None:
    """A `Refuse` that goes by the row alone: what was checked on receipt must be valid."""
    checked = delivery.verified != UNCHECKED.status
    return refusal(delivery, allow_origins=allow_origins, must_be_valid=checked and not unverified)


def _called(name: str, function: object, delivery: Delivery) -> object:
    try:
        return function(delivery)  # type: ignore[operator]
    except Exception as error:
        # What was raised may quote the delivery, which is not for the table.
        raise Broken(f"the function {name}= raised {type(error).__name__}") from error
