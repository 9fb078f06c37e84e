"""Bodies that somebody has saved: a file of JSON is one delivery, a directory as many as it has."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from webhooklab import bodies
from webhooklab.defaults import MAX_BODY_BYTES, MAX_IMPORTED_FILES
from webhooklab.loading.imported import Imported, RowError, imported

_HEADERS: Final = (("Content-Type", "application/json"),)


def deliveries(folder: Path) -> Iterator[Imported]:
    """Of each `.json` file below a directory, by name. Links are refused: they may lead anywhere.

    Raises `ValueError`.
    """
    for path in _found(folder):
        yield from one(path, str(path.relative_to(folder)))


def one(path: Path, name: str) -> Iterator[Imported]:
    """The delivery of one file: its bytes are the body, it came when the file was last changed.

    Raises `ValueError`.
    """
    try:
        body, changed_ns = _content(path)
        bodies.parse_json(body)
        yield imported(
            received_at=changed_ns // 1_000,
            method="POST",
            target="/" + quote(name),
            headers=_HEADERS,
            body=body,
        )
    except (OSError, ValueError) as error:
        raise RowError(ascii(name), error) from error


def _found(folder: Path) -> list[Path]:
    found: list[Path] = []
    for above, _folders, names in os.walk(folder):  # which follows no links
        found += [Path(above, name) for name in names if name.lower().endswith(".json")]
        if len(found) > MAX_IMPORTED_FILES:
            raise ValueError(f"it has more than {MAX_IMPORTED_FILES} files")
    return sorted(found)


def _content(path: Path) -> tuple[bytes, int]:
    """The bytes of a file, and when it was changed in ns. A pipe is not waited for."""
    if path.is_symlink():
        raise ValueError("it is a link")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        told = os.fstat(file.fileno())
        if not stat.S_ISREG(told.st_mode):
            raise ValueError("it is no file")
        body = file.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"it has more than {MAX_BODY_BYTES} bytes")
    return body, told.st_mtime_ns
