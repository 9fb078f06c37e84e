"""What something does, by name: on one line, or as a small table. All of it is escaped."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Factual(ABC):
    """Shows its name and its facts: a poller, a fetcher, a forward."""

    name: str

    @abstractmethod
    def _facts(self) -> Mapping[str, Any]:
        """What is to be seen of it now, by name."""

    def __repr__(self) -> str:
        said = "; ".join(f"{name} {value}" for name, value in self._facts().items())
        return f"<{type(self).__name__} {self.name!r}: {said}>"

    def _repr_html_(self) -> str:
        caption = html.escape(f"{type(self).__name__} {self.name}")
        return f"<table><caption><b>{caption}</b></caption>{rows(self._facts())}</table>"


def rows(facts: Mapping[str, Any]) -> str:
    """The rows of an HTML table: a name and a value each."""
    return "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
