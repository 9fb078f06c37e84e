"""All modules with targets."""

from tests.fuzz import (
    bodies,
    files,
    filters,
    frames,
    http,
    providers,
    public,
    relay,
    signatures,
    templates,
)

__all__ = [
    "bodies",
    "files",
    "filters",
    "frames",
    "http",
    "providers",
    "public",
    "relay",
    "signatures",
    "templates",
]
