"""Small files for the user alone, beside no capture file. The door to platformdirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import platformdirs

from webhooklab.whole import written_whole


def state_folder(name: str) -> Path:
    """Where the user's own files of one kind are, whether there are any yet or not."""
    return platformdirs.user_state_path("webhooklab", appauthor=False) / name


def write_private(place: Path, fields: dict[str, Any]) -> None:
    """Write a file as JSON, whole or not at all, for its owner only, as its folder is.

    Raises `OSError` or `ExportError` where that cannot be.
    """
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with written_whole(place) as file:
        file.write(json.dumps(fields).encode())
