"""`status` and `stop`: who listens on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhooklab.clock import to_datetime
from webhooklab.defaults import CAPTURE_PATH, CHANNEL_ANSWER_SECONDS, PROCESS_STOP_SECONDS
from webhooklab.errors import CaptureFileError, ListenerProcessError

if TYPE_CHECKING:
    from webhooklab.processes import Entry


@click.command()
def status() -> None:
    """List the listeners of this user on this machine."""
    from webhooklab.processes import Registry

    entries = Registry().living()
    if not entries:
        click.echo("Nobody listens.")
    for entry in entries:
        since = f"{to_datetime(entry.since):%Y-%m-%d %H:%M:%S}"
        click.echo(
            f"{entry.file}\n    {entry.url}  since {since} UTC, {_deliveries(entry)}\n"
            f"    process {entry.pid}, {_life(entry)}"
        )


def _deliveries(entry: Entry) -> str:
    from webhooklab.store import Store

    try:
        with contextlib.closing(Store(Path(entry.file), write=False)) as store:
            count = store.count()
    except CaptureFileError:
        return "nobody knows how many deliveries"
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _life(entry: Entry) -> str:
    from webhooklab.processes import connected

    if entry.address is None:
        return "a kernel: close its Lab there"
    end = f"webhooklab stop {entry.file}"
    kind = "a terminal: Ctrl-C there, or" if entry.terminal else "on its own:"
    try:
        with connected(entry) as connection:
            leader = connection.peer.call("status", CHANNEL_ANSWER_SECONDS)["leader"]
    except (ListenerProcessError, OSError):
        return f"stands still: kill {entry.pid}"
    return f"{kind} {end}" + (f"; led by the kernel {leader}" if leader else "; no kernel leads it")


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path(CAPTURE_PATH))
def stop(path: Path) -> None:
    """End the process that listens for PATH."""
    from webhooklab.processes import Registry, connected

    entry = Registry().find(path.expanduser().resolve())
    if entry is None:
        raise click.ClickException(
            f"nobody listens for {path}; `webhooklab status` lists who does."
        )
    if entry.address is None:
        raise click.ClickException(f"process {entry.pid} is a kernel: close the Lab there.")
    with contextlib.suppress(ConnectionRefusedError), connected(entry) as connection:
        connection.peer.call("stop", CHANNEL_ANSWER_SECONDS)
        if not connection.ended.wait(PROCESS_STOP_SECONDS):
            raise click.ClickException(f"process {entry.pid} is slow to end: kill {entry.pid}")
    click.echo(f"Process {entry.pid} has stopped; {path} can still be read.")
