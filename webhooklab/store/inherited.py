"""What a forked process must not touch: the files that its parent had open."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import weakref
from pathlib import Path
from typing import Final, TypeAlias

from webhooklab import forks
from webhooklab.errors import ForkedError

Identity: TypeAlias = tuple[int, int]
"""A file's device and number there."""


def identity(path: Path) -> Identity | None:
    """Which file it is; None: there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Opened(sqlite3.Connection):
    """One that can be found again when the process is forked."""


class OpenedHere:
    """The connections that this process has open, and the files that its parent had."""

    def __init__(self) -> None:
        self._files: weakref.WeakKeyDictionary[Opened, Identity] = weakref.WeakKeyDictionary()
        self._inherited: dict[Identity, int] = {}
        forks.in_child(self._forked)

    def add(self, connection: Opened, path: Path) -> None:
        """One more, for as long as somebody has it."""
        if (found := identity(path)) is not None:
            self._files[connection] = found

    def parent_of(self, path: Path) -> int | None:
        """The process that had the file open when it forked this one; None if none did."""
        if not self._inherited:  # as in most: nothing is asked of the disk
            return None
        found = identity(path)
        return None if found is None else self._inherited.get(found)

    def _forked(self) -> None:
        """SQLite must not even close them: that would delete the log of whoever has it then."""
        for connection, file in self._files.items():
            self._inherited[file] = os.getppid()
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        self._files.clear()


opened: Final = OpenedHere()


def check_not_inherited(path: Path) -> None:
    """Raise `ForkedError` for a file that was open when this process was forked."""
    if (parent := opened.parent_of(path)) is not None:
        raise ForkedError(
            f"The capture file {path} is open in process {parent}, of which this one is a fork, "
            "and SQLite cannot share it: give a forked process what you have read, or start one "
            'that is no fork (multiprocessing.get_context("spawn")).'
        )
