"""How a Shop shows itself: plain text and HTML, never a key, a secret or a webhook's path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from html import escape
from urllib.parse import urlsplit

from webhooklab.demo.faults import Faults


def subscriber(url: str | None, *, disabled: bool) -> str:
    """Return the webhook's origin; its path and user may be secret (a relay's channel is)."""
    if url is None:
        return "nobody"
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/" + (" (disabled: it answered 410)" if disabled else "")


def faults(faults: Faults) -> str:
    """Return the faults that differ from the defaults; "none"."""
    usual = Faults()
    changed = [
        f"{field.name}={getattr(faults, field.name)!r}"
        for field in fields(Faults)
        if getattr(faults, field.name) != getattr(usual, field.name)
    ]
    return ", ".join(changed) or "none"


def text(facts: Mapping[str, str]) -> str:
    """Return one line: `<Shop http://127.0.0.1:8888/: orders 3, ...>`."""
    rest = dict(facts)
    url = rest.pop("url")
    return f"<Shop {url}: " + "; ".join(f"{name} {value}" for name, value in rest.items()) + ">"


def html(facts: Mapping[str, str]) -> str:
    """Return a small table."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f"<table><caption>Shop: a small provider to play with</caption>{rows}</table>"
