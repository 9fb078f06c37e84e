"""`Shop`: a small provider to play with, in a thread of its own, seen from a notebook."""

from __future__ import annotations

import math
import secrets
import socket
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from webhooklab.background import BackgroundLoop
from webhooklab.demo import display, keys
from webhooklab.demo.courier import checked_url
from webhooklab.demo.defaults import CHANGES_PER_SECOND, DRAIN_TIMEOUT_SECONDS, HOST
from webhooklab.demo.engine import Engine, Plan
from webhooklab.demo.errors import DrainTimeout, ShopArgumentError
from webhooklab.demo.faults import Dials, Faults, check_speed
from webhooklab.demo.kinds import KIND_NAMES, kinds_named
from webhooklab.demo.life import Change
from webhooklab.demo.truth import truth_frame
from webhooklab.errors import ClosedError, PortTakenError
from webhooklab.signatures import Secrets

if TYPE_CHECKING:
    from pandas import DataFrame

Result = TypeVar("Result")
Payload = Literal["full", "thin"]

_on_port: weakref.WeakValueDictionary[int, Shop] = weakref.WeakValueDictionary()
"""The open Shops of this process by the port that was asked for."""


class Shop:
    """A real provider on loopback: a REST API, and webhooks that are really POSTed.

    `port` None: a free one; a Shop of this process that has the port is closed first, so that a
    cell can be run again. `seed` None: another life each time; the same seed gives the same
    changes, ids, faults, key and secret, only the times differ. `speed`: 2.0 is twice as fast,
    for everything that has a duration. `api_key` None: generated. `scheme`: the provider whose way
    of signing is used, one of `webhooklab.providers.names()`; nothing else is that provider's.
    `secret`: what signs, in that provider's form, or several while one is rotated; None: generated.
    `webhook_url` None: nobody is sent anything until `send_to`. `payload` "thin": only the
    entity's `id` and `object`. `entities`: which of "order", "customer", "invoice" there are.

    It starts at once and ends with `close`, with its `with` block, or when nothing refers to it
    any more. It remembers all that it did, about 2 KB a change.

    Raises `ShopArgumentError`; `PortTakenError` when another program has the port.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        seed: int | str | None = None,
        speed: float = 1.0,
        api_key: str | None = None,
        scheme: str = "standardwebhooks",
        secret: Secrets | None = None,
        webhook_url: str | None = None,
        faults: Faults | None = None,
        payload: Payload = "full",
        entities: tuple[str, ...] = KIND_NAMES,
    ) -> None:
        if payload not in ("full", "thin"):
            raise ShopArgumentError(f"payload: {payload!r} is neither 'full' nor 'thin'.")
        kinds = kinds_named(tuple(entities))
        url = None if webhook_url is None else checked_url(webhook_url)
        self._api_key = api_key or keys.new_api_key(seed)
        self._signing = keys.signing(scheme, secret, seed)
        self._dials = Dials(check_speed(speed), faults or Faults())
        self._closed = False
        life_seed = secrets.token_hex(8) if seed is None else seed
        sockets = _bind(port)
        self._url = f"http://{HOST}:{sockets[0].getsockname()[1]}/"
        self._loop = BackgroundLoop("webhooklab-shop").start()
        plan = Plan(
            url=self._url,
            seed=life_seed,
            kinds=kinds,
            api_key=self._api_key,
            signing=self._signing,
            thin=payload == "thin",
            dials=self._dials,
        )
        self._engine = self._loop.call(Engine, plan, sockets)
        self._call(self._engine.send_to, url)
        self._abandon = weakref.finalize(self, _abandon, self._loop, self._engine)
        self._abandon.atexit = False  # the thread is a daemon and ends with the process
        if port:
            _on_port[port] = self

    @property
    def url(self) -> str:
        """The API's base URL; ends in `/`: `shop.url + "orders"`."""
        return self._url

    @property
    def api_key(self) -> str:
        """The key that the API wants, as `Authorization: Bearer` or `X-Api-Key`."""
        return self._api_key

    @property
    def secret(self) -> Any:
        """What receivers verify with: `lab.verify_with(shop.scheme, shop.secret)`.

        Text (`whsec_...` by default); for schemes with a key pair the public key, for PayPal's the
        webhook's id and the public key; if several were given, all.
        """
        return self._signing.secrets.verifying

    @property
    def scheme(self) -> str:
        """The provider whose way of signing is used."""
        return self._signing.provider

    @property
    def speed(self) -> float:
        """How fast the Shop lives, 1.0 by default; may be set at any time."""
        return self._dials.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._dials.speed = check_speed(speed)

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose; may be set at any time, for what happens from then on."""
        return self._dials.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._dials.faults = faults

    @property
    def running(self) -> bool:
        """Whether things happen by themselves (`run`)."""
        return self._engine.rate is not None

    @property
    def truth(self) -> DataFrame:
        """What really happened: a new frame, one row per change, index `change` from 1.

        `entity_type`, `entity_id`, `event_type`, `event_id` (the `webhook-id`), `version` (the
        entity's counter), `occurred_at` (UTC), `state` (dict), `deleted`; and what was done to
        the webhook: `lost`, `duplicate` (sent twice), `reordered` (overtaken by the entity's next
        one), `delayed`, `attempts` (of all copies), `delivered_at` (the first 2xx, UTC; NaT if
        never), `outcome` ("pending", "delivered", "lost", "failed", "disabled", "no subscriber").
        Also of a closed Shop.
        """
        if self._closed:
            return truth_frame(self._engine.records())
        return truth_frame(self._call(self._engine.records))

    def send_to(self, url: str | None) -> None:
        """Send webhooks there from now on, retries included; None: to nobody.

        An endpoint that was disabled by its 410 is enabled again. Raises `ShopArgumentError`.
        """
        self._call(self._engine.send_to, None if url is None else checked_url(url))

    def advance(self, n: int = 1) -> list[Change]:
        """Let `n` things happen now, and return them; their webhooks are then under way."""
        if n < 0:
            raise ShopArgumentError(f"n: {n!r} is negative; time does not go back here.")
        return self._call(self._engine.advance, n)

    def run(self, rate: float = CHANGES_PER_SECOND) -> None:
        """Let `rate * speed` things happen a second, at random moments, until `pause`.

        Waits for the receiver when 2,000 deliveries are under way. Replaces an earlier rate.
        """
        if not (math.isfinite(rate) and rate > 0):
            raise ShopArgumentError(f"rate: {rate!r} is not a positive number; pause() stops.")
        self._call(self._engine.run, rate)

    def pause(self) -> None:
        """Let nothing more happen by itself; deliveries and the API go on."""
        self._call(self._engine.pause)

    def drain(self, timeout: float = DRAIN_TIMEOUT_SECONDS) -> None:
        """Wait until all that has happened so far has had its final delivery attempt.

        `timeout` in seconds; `DrainTimeout` after it, and the deliveries go on.
        """
        self._check_open()
        pending = self._loop.run(self._engine.drain(timeout))
        if pending:
            raise DrainTimeout(
                f"{pending} deliveries were still being tried after {timeout:g} s. Check that the "
                "receiver answers 2xx, wait longer (timeout=), or raise shop.speed.",
                pending,
            )

    def controls(self) -> Any:
        """Return a live control for speed, faults and pace (an ipywidgets box)."""
        from webhooklab.demo.controls import controls  # noqa: PLC0415 - widgets only when used

        return controls(self)

    def close(self) -> None:
        """Close the port, stop sending, end the thread. What was under way stays undelivered."""
        if self._closed:
            return
        self._closed = True
        self._abandon.detach()
        self._loop.run(self._engine.stop())
        self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return display.text(self._facts())

    def _repr_html_(self) -> str:
        return display.html(self._facts())

    def _facts(self) -> dict[str, str]:
        engine, courier = self._engine, self._engine.courier
        living = engine.life.collections.values()
        pace = "paused" if engine.rate is None else f"running at {engine.rate:g}/s"
        return {
            "url": self._url,
            "state": "closed" if self._closed else f"{pace}, speed {self.speed:g}",
            "has": ", ".join(f"{len(found.entities)} {found.kind.plural}" for found in living),
            "sends to": display.subscriber(courier.url, disabled=courier.disabled),
            "signs as": self.scheme,
            "faults": display.faults(self.faults),
        }

    def _call(self, function: Callable[..., Result], *args: Any) -> Result:
        self._check_open()
        return self._loop.call(function, *args)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("This Shop was closed. Open another one: Shop().")


def _bind(port: int | None) -> list[socket.socket]:
    """Listen on loopback; an earlier Shop of ours makes room."""
    earlier = _on_port.pop(port, None) if port else None
    if earlier is not None:
        earlier.close()
    try:
        listening = socket.create_server((HOST, port or 0), backlog=128)
    except OSError as error:
        raise PortTakenError(
            f"Port {port} of {HOST} cannot be had ({error.strerror}). Stop the program that "
            "listens there, or leave out port= for a free one."
        ) from error
    listening.setblocking(False)
    return [listening]


def _abandon(loop: BackgroundLoop, engine: Engine) -> None:
    """End a Shop that was garbage-collected: on any thread, so it waits for nothing."""
    loop.post(lambda: loop.loop.create_task(engine.abandon()))
