"""How a Lab is, at one moment: figures to look at, and warnings before there is trouble."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from webhooklab.facts import rows

if TYPE_CHECKING:
    from pandas import DataFrame

_UNITS: Final = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `lab.health()` returns: a copy of how it is now. None: unknown, or there is none.

    `listener`: what listens, in words; `listening_since`: aware UTC. `waiting`: deliveries that
    came in and are not committed yet. `commit_ms`: how long the last thousand commits took.
    `rules`: what senders get, in words. `lost`: requests since then that may have been events and
    were not kept. `stalls`: how often what listens stood still for a second or more,
    `longest_stall` in seconds; `kernel_stalls` the same of this kernel, where another process
    listens. `lost_messages`: those to the inbox that the browser had to ask for again.
    `disk_free`, `disk_total`, `file_bytes` in bytes. `journal`: how SQLite keeps commits whole.
    `keep` as given; `dropped`: deliveries that are no longer kept. `clock_skew` in seconds: above
    0 our clock is ahead of those that we hear from. `sources`, `pollers`, `fetchers`,
    `forwards`: what each is doing. `warnings`: a sentence each.
    """

    listener: str
    url: str
    listening_since: datetime | None = None
    waiting: int | None = None
    commit_ms: Mapping[str, float | None] = field(default_factory=dict)
    lost: int | None = None
    rules: tuple[str, ...] = ()
    stalls: int | None = None
    longest_stall: float | None = None
    kernel_stalls: int | None = None
    lost_messages: int = 0
    disk_free: int | None = None
    disk_total: int | None = None
    file: str = ""
    file_bytes: int | None = None
    file_system: str | None = None
    journal: str = ""
    keep: str | None = None
    dropped: int = 0
    clock_skew: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    pollers: Mapping[str, str] = field(default_factory=dict)
    fetchers: Mapping[str, str] = field(default_factory=dict)
    forwards: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All of it, by name."""
        return asdict(self)

    @property
    def frame(self) -> DataFrame:
        """All of it, one row each, index `what`, column `value`: for display, or to keep."""
        import pandas as pd  # noqa: PLC0415 - few want it, and it is heavy

        shown = {name: [value] for name, value in self._shown().items()}
        found = pd.DataFrame.from_dict(shown, orient="index", columns=["value"], dtype="object")
        return found.rename_axis("what")

    def _shown(self) -> dict[str, Any]:
        """By name, the states of what runs one row each, the warnings left out."""
        found: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Mapping):
                found |= {f"{each.name}: {name}": state for name, state in value.items()}
            elif each.name == "rules":
                found["rules"] = "; ".join(value)
            elif each.name != "warnings":
                found[each.name] = value
        return found

    def _texts(self) -> dict[str, str]:
        shown = self._shown().items()
        return {name: _text(name, said) for name, said in shown if said is not None and said != ""}

    def __repr__(self) -> str:
        lines = [f"! {each}" for each in self.warnings] or ["nothing to warn of"]
        lines += [f"{name:<16} {text}" for name, text in self._texts().items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(each)}</li>" for each in self.warnings)
        head = f"<ul>{said}</ul>" if said else "<p>Nothing to warn of.</p>"
        return f"{head}<table>{rows(self._texts())}</table>"


def _text(name: str, value: Any) -> str:
    if name in ("disk_free", "disk_total", "file_bytes"):
        return size_text(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def size_text(size: int) -> str:
    """Bytes for the eye: "1.2 GB"."""
    for unit, scale in _UNITS:
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} bytes"
