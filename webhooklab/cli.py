"""The command `webhooklab`. The door to click."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webhooklab import __version__
from webhooklab.clock import to_datetime
from webhooklab.defaults import CHANNEL_ANSWER_SECONDS
from webhooklab.errors import ListenerProcessError, WebhookLabError

if TYPE_CHECKING:
    from webhooklab.processes import Entry


class _Friendly(click.Group):
    """Shows our own errors as one sentence: they say what to do, a traceback does not."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WebhookLabError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Friendly, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """See how your systems exchange data: capture webhooks, and look at them in a notebook."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("webhooklab-demo"))
@click.option("--no-browser", is_flag=True, help="Print the URL, open nothing.")
@click.option("--execute", is_flag=True, help="Run the notebooks here, without a browser.")
@click.option("--port", type=int, help="JupyterLab's port. Default: a free one.")
@click.pass_context
def demo(
    ctx: click.Context, folder: Path, *, no_browser: bool, execute: bool, port: int | None
) -> None:
    """Copy the notebooks into FOLDER and open JupyterLab on the first one.

    Needs pip install "webhooklab[lab]". Copies that are there already are left as they are.
    """
    from webhooklab.demo import tour

    notebooks = tour.copy_notebooks(folder.resolve())
    if execute:
        ctx.exit(_execute(notebooks))
    click.echo(f"The notebooks are in {folder}. End JupyterLab with Ctrl-C.")
    ctx.exit(
        tour.open_jupyterlab(
            notebooks[0],
            browser=not no_browser,
            port=port,
            on_ready=lambda url: click.echo(f"\n{url}\n"),
        )
    )


def _execute(notebooks: list[Path]) -> int:
    from webhooklab.demo import tour

    click.echo(f"{'notebook':<32}{'cells':>6}{'seconds':>9}  result")
    failed = 0
    for done in tour.execute(notebooks):
        failed += done.error is not None
        result = "ok" if done.error is None else "FAILED"
        click.echo(f"{done.name:<32}{done.cells:>6}{done.seconds:>9.1f}  {result}")
        if done.error:
            click.echo(done.error, err=True)
    for exported in sorted(notebooks[0].parent.glob("*.csv")):
        click.echo(f"CSV: {exported}")
    return 1 if failed else 0


@main.command()
@click.option("--port", type=int, help="Its API's port. Default: a free one.")
@click.option("--seed", type=int, help="The same seed lives the same life.")
@click.option("--to", "webhook_url", metavar="URL", help="Send webhooks there.")
@click.option("--rate", type=float, default=1.0, show_default=True, help="Changes per second.")
def shop(port: int | None, seed: int | None, webhook_url: str | None, rate: float) -> None:
    """Run the Shop: a small provider with a REST API and webhooks, to play with.

    Until Ctrl-C.
    """
    from webhooklab.demo import Shop

    with Shop(port=port, seed=seed, webhook_url=webhook_url) as running:
        click.echo(f"API: {running.url}orders\nkey: {running.api_key}\nsecret: {running.secret}")
        running.run(rate=rate)
        _until_stopped()


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("captures.db"))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, help="Default: the one the file used last, else a free one.")
def listen(path: Path, host: str, port: int | None) -> None:
    """Capture webhooks into PATH, without a notebook. Until Ctrl-C."""
    from webhooklab.lab import Lab

    with Lab(path, host=host, port=port) as lab:
        click.echo(repr(lab))
        if lab.attached:
            raise click.ClickException("another process listens for this file already.")
        lab.on_delivery(lambda delivery: click.echo(repr(delivery)))
        _until_stopped()


@main.command()
def status() -> None:
    """List the listeners of this user on this machine."""
    from webhooklab.processes import Registry

    entries = Registry().living()
    if not entries:
        click.echo("Nobody listens.")
    for entry in entries:
        since = f"{to_datetime(entry.since):%Y-%m-%d %H:%M:%S}Z"
        click.echo(
            f"{entry.file}\n    {entry.url}  process {entry.pid}, since {since}, {_rows(entry)}"
        )


def _rows(entry: Entry) -> str:
    from webhooklab.processes import connected

    if entry.address is None:
        return "in a kernel or a terminal: close it there"
    try:
        with connected(entry) as connection:
            told = connection.peer.call("status", CHANNEL_ANSWER_SECONDS)
    except ListenerProcessError:
        return "does not answer"
    return f"{told['rows']:,} deliveries, {told['labs'] - 1} Labs look on"


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("captures.db"))
def stop(path: Path) -> None:
    """End the process that listens for PATH."""
    from webhooklab.processes import Registry, connected

    entry = Registry().find(path.resolve())
    if entry is None:
        raise click.ClickException(
            f"nobody listens for {path}; `webhooklab status` lists who does."
        )
    if entry.address is None:
        raise click.ClickException(
            f"process {entry.pid} is a kernel or a terminal: close the Lab there, or press Ctrl-C."
        )
    with connected(entry) as connection:
        connection.peer.call("stop", CHANNEL_ANSWER_SECONDS)
        connection.ended.wait(CHANNEL_ANSWER_SECONDS)
    click.echo(f"Process {entry.pid} has stopped; {path} can still be read.")


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--where", metavar="FILTER", help="Only what matches: 'type:order -path:/test'.")
@click.option("--secrets", is_flag=True, help="Keep credentials. Default: they become ***.")
@click.option("--no-overwrite", is_flag=True, help="Fail when OUT exists.")
def export(path: Path, out: Path, *, where: str | None, secrets: bool, no_overwrite: bool) -> None:
    """Write the captures in PATH to OUT: .csv, .jsonl or .parquet."""
    from webhooklab.files import export_capture

    written = export_capture(path, out, where=where, secrets=secrets, overwrite=not no_overwrite)
    click.echo(str(written))


def _until_stopped() -> None:
    """Wait for Ctrl-C, or to be asked to end."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        while not stopped.wait(0.5):
            pass
    except KeyboardInterrupt:
        click.echo()
