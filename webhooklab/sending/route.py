"""What to forward where: the arguments of `lab.forward`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from webhooklab import paths, search
from webhooklab.defaults import SEND_CONCURRENCY, SEND_RETRIES, SEND_TIMEOUT_SECONDS
from webhooklab.errors import SendArgumentError
from webhooklab.records import Delivery
from webhooklab.sending.limits import Retries, check_concurrency
from webhooklab.sending.outgoing import Changes, Transform
from webhooklab.sources import LIVE

Where: TypeAlias = str | Callable[[Delivery], object]
"""The inbox's filter language, or a function that says whether."""

_NEVER: Final = frozenset({"CONNECT", "TRACE"})
_is_method: Final = re.compile("[A-Z][A-Z-]*").fullmatch


@dataclass(frozen=True, kw_only=True)
class Route:
    """What to forward, as `lab.forward` takes it. Raises `SendArgumentError`, `FilterError`."""

    url: str
    name: str | None = None
    where: Where | None = None
    transform: Transform | None = None
    methods: Collection[str] = ("POST",)
    path: str = "/"
    keep_path: bool = False
    reply: bool = False
    unverified: bool = False
    retry: Retries = SEND_RETRIES
    in_order: bool = False
    timeout: float = SEND_TIMEOUT_SECONDS
    headers: Changes = None
    auth: Any = None
    concurrency: int = SEND_CONCURRENCY

    def check(self) -> None:
        """Raise for what makes no sense."""
        check_concurrency(self.concurrency)
        methods = () if isinstance(self.methods, str) else self._methods
        if not methods or _NEVER & set(methods) or not all(map(_is_method, methods)):
            raise SendArgumentError(
                f'methods={self.methods!r}: pass names of methods, like ("POST", "PUT"); '
                "CONNECT and TRACE are never forwarded."
            )
        if not (self.where is None or isinstance(self.where, str) or callable(self.where)):
            raise SendArgumentError("where= is a filter's text, or a function of a delivery.")
        self.condition()

    @property
    def _methods(self) -> list[str]:
        """As they are on the wire: in upper case."""
        return [str(each).upper() for each in self.methods]

    def condition(self) -> tuple[str, list[object]]:
        """Which deliveries are meant, as SQL over `deliveries` with its parameters."""
        found, parameters = search.to_sql(
            search.parse(self.where if isinstance(self.where, str) else None)
        )
        below = paths.normal(self.path)
        parts = [_among("source", LIVE), _among("method", self._methods), f"({found})"]
        given = [*LIVE, *self._methods, *parameters]
        if below != "/":
            parts.append("(path = ? OR substr(path, 1, length(?)) = ?)")
            given += [below, f"{below}/", f"{below}/"]
        return " AND ".join(parts), given


def _among(column: str, values: Collection[str]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"
