"""Orders, customers and invoices as data: what they hold and how they may move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from webhooklab.demo.errors import ShopArgumentError

State = dict[str, Any]
Pick = Callable[[str], str | None]
"""Gives the id of some living entity of a kind; None when there is none."""

DELETED = "deleted"
ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
GOODS = ("tea", "teapot", "cup", "kettle", "strainer", "honey", "tray")
NAMES = ("Ada", "Ben", "Chen", "Dora", "Emil", "Fatma", "Goran", "Hana", "Ines", "Jonas")
CURRENCIES = ("EUR", "USD", "GBP")


@dataclass(frozen=True)
class Move:
    """What happens next to an entity: event type `<kind>.<verb>`, then this status."""

    verb: str
    status: str


@dataclass(frozen=True)
class Kind:
    """One kind of entity. `moves`: per status, weighted; a None move means that it rests there."""

    name: str
    plural: str
    prefix: str
    weight: int
    status: str
    moves: Mapping[str, tuple[tuple[int, Move | None], ...]]
    compose: Callable[[Random, Pick], State]
    amend: Callable[[Random, Move, State], State]

    def next_move(self, random: Random, status: str) -> Move | None:
        """Draw what will happen to an entity in this status; None: nothing more."""
        options = self.moves.get(status)
        if options is None:
            return None
        return random.choices([move for _, move in options], [weight for weight, _ in options])[0]


def new_id(random: Random, prefix: str) -> str:
    """Return for example `ord_7k2m...`: 14 random letters."""
    return f"{prefix}_" + "".join(random.choices(ID_LETTERS, k=14))


def kinds_named(names: tuple[str, ...]) -> tuple[Kind, ...]:
    """Return the kinds with these names, in the order of KINDS. Raises `ShopArgumentError`."""
    known = {kind.name: kind for kind in KINDS}
    unknown = sorted(set(names) - set(known))
    if unknown or not names:
        raise ShopArgumentError(
            f"entities: {unknown or 'nothing'} cannot be sold here; choose from {sorted(known)}."
        )
    return tuple(kind for kind in KINDS if kind.name in names)


def _order(random: Random, pick: Pick) -> State:
    items: list[State] = [
        {"sku": sku, "quantity": random.randint(1, 3), "unit_amount": random.randint(150, 9_900)}
        for sku in random.sample(GOODS, random.randint(1, 3))
    ]
    return {
        "customer_id": pick("customer"),
        "currency": random.choice(CURRENCIES),
        "amount": sum(item["quantity"] * item["unit_amount"] for item in items),
        "items": items,
        "tracking_number": None,
    }


def _amend_order(random: Random, move: Move, state: State) -> State:
    if move.verb == "shipped":
        return {"tracking_number": f"TRK{random.randrange(10**9):09d}"}
    return {"amount_refunded": state["amount"]} if move.verb == "refunded" else {}


def _customer(random: Random, _pick: Pick) -> State:
    name = random.choice(NAMES)
    return {"name": name, "email": _email(random, name), "credit": 0}


def _amend_customer(random: Random, move: Move, state: State) -> State:
    if move.verb == DELETED:
        return {DELETED: True}
    if random.random() < 0.5:
        return {"email": _email(random, state["name"])}
    return {"credit": state["credit"] + random.randint(1, 50) * 100}


def _email(random: Random, name: str) -> str:
    return f"{name.lower()}{random.randrange(1000)}@example.com"


def _invoice(random: Random, pick: Pick) -> State:
    return {
        "customer_id": pick("customer"),
        "order_id": pick("order"),
        "currency": random.choice(CURRENCIES),
        "amount": random.randint(500, 50_000),
        "amount_paid": 0,
    }


def _amend_invoice(_random: Random, move: Move, state: State) -> State:
    return {"amount_paid": state["amount"]} if move.verb == "paid" else {}


def _to(verb: str, status: str | None = None) -> Move:
    return Move(verb, status or verb)


ORDER = Kind(
    name="order",
    plural="orders",
    prefix="ord",
    weight=5,
    status="created",
    moves={
        "created": ((9, _to("paid")), (1, _to("cancelled"))),
        "paid": ((18, _to("packed")), (1, _to("refunded")), (1, _to("cancelled"))),
        "packed": ((1, _to("shipped")),),
        "shipped": ((1, _to("delivered")),),
        "delivered": ((9, None), (1, _to("refunded"))),
    },
    compose=_order,
    amend=_amend_order,
)
CUSTOMER = Kind(
    name="customer",
    plural="customers",
    prefix="cus",
    weight=2,
    status="active",
    moves={"active": ((5, _to("updated", "active")), (2, _to(DELETED)), (2, None))},
    compose=_customer,
    amend=_amend_customer,
)
INVOICE = Kind(
    name="invoice",
    plural="invoices",
    prefix="inv",
    weight=2,
    status="draft",
    moves={
        "draft": ((1, _to("finalized", "open")),),
        "open": ((8, _to("paid")), (1, _to("voided", "void"))),
    },
    compose=_invoice,
    amend=_amend_invoice,
)
KINDS = (ORDER, CUSTOMER, INVOICE)
KIND_NAMES = tuple(kind.name for kind in KINDS)
