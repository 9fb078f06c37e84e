"""A file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from webhooklab.errors import ExportError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Write to a temporary name beside `path`, which it replaces when the block ends.

    For its owner only (0600). When the block raises, nothing has happened to `path`. Raises
    `ExportError` when the disk or the folder does not allow it.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise _failed(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_ends_with_a_line(path: Path) -> None:
    """Raise `ValueError` for a file of lines, as we write them, that was cut short."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        if size and file.read() != b"\n":
            raise ValueError("it ends in the middle of a line")


def _failed(path: Path, error: OSError) -> ExportError:
    return ExportError(
        f"{path} could not be written: {error.strerror or error}. What was there before is "
        "untouched. Free some space, or choose a folder that exists and that you can write to."
    )
