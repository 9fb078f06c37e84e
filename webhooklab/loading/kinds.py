"""What a path is, told by its name and by how it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from webhooklab.files import har_files
from webhooklab.files.entries import entries
from webhooklab.loading import archives, exported, folders, webhook_site
from webhooklab.loading.imported import Imported

Reader: TypeAlias = Callable[[], Iterator[Imported]]
"""Reads the deliveries from the start, as often as it is called."""


def reader(path: Path) -> Reader:
    """How to read the deliveries at a path. Raises `ValueError` where nobody knows."""
    if path.is_dir():
        return partial(folders.deliveries, path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _json(path)
    if suffix == ".har" and not har_files.is_ours(path):
        return partial(archives.deliveries, path)
    if suffix == ".csv" and webhook_site.is_csv(path):
        return partial(webhook_site.from_csv, path)
    if suffix in (".csv", ".jsonl", ".parquet", ".har"):
        return partial(exported.deliveries, path)
    raise ValueError(
        f"the suffix {path.suffix!r} is unknown: it takes .csv, .jsonl, .parquet, .har, .json and "
        "directories (webhooklab.read reads capture files)"
    )


def _json(path: Path) -> Reader:
    prefix = webhook_site.place(path)
    if prefix is not None:
        return partial(webhook_site.from_json, path, prefix)
    if any(True for _ in entries(path, archives.PLACE, first=True)):
        return partial(archives.deliveries, path)
    return partial(folders.one, path, path.name)
