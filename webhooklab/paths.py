"""Which deliveries a path stands for: those to it, and to all below it."""

from __future__ import annotations


def normal(path: str) -> str:
    """The one spelling of a path: "orders", "/orders" and "/orders/" are the same."""
    return "/" + path.strip("/")


def covers(base: str, path: str) -> bool:
    """Whether deliveries to `path` are meant by `base`, which is spelled as `normal` does it."""
    return path == base or path.startswith(base.rstrip("/") + "/")
