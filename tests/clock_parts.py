"""Processes whose wall clock a test sets, by libfaketime; their monotonic clock goes on."""

import os
from pathlib import Path

import pytest

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class WallClock:
    """`environment` is for the process; `set` holds for it at once."""

    def __init__(self, folder: Path) -> None:
        found = [each for pattern in LIBRARIES for each in Path("/").glob(pattern[1:])]
        if not found:
            pytest.skip("libfaketime is not installed")
        self._told = folder / "faketime"
        self.set("+0")
        self.environment = os.environ | {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._told),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """Against the real clock: "-1h", "+2d"."""
        new = self._told.with_suffix(".new")
        new.write_text(offset + "\n")
        new.replace(self._told)
