"""`forward` and `replay`: captures sent on, as they come and again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webhooklab.cli import options
from webhooklab.cli.stopping import until_stopped
from webhooklab.defaults import CAPTURE_PATH

if TYPE_CHECKING:
    import pandas as pd

    from webhooklab.sending import Forward, Sending
    from webhooklab.standalone import Service
    from webhooklab.store import Store


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=Path(CAPTURE_PATH))
@click.option("--to", "url", metavar="URL", required=True, help="Where to: exactly this URL.")
@options.where
@click.option("--name", help="Forwards of one name go on from each other. Default: the URL.")
@click.option("--method", "methods", multiple=True, default=("POST",), show_default=True)
@options.keep_path
@click.option("--in-order", is_flag=True, help="What is about one entity: one after the other.")
@click.option("--unverified", is_flag=True, help="Also what has no valid signature.")
def forward(path: Path, url: str, **chosen: Any) -> None:
    """Send what is captured into PATH from now on to URL, until Ctrl-C.

    Another process listens for PATH: a Lab, or `webhooklab listen`. What was not sent when this
    ended goes out when it is started again.
    """
    from webhooklab.processes import Registry
    from webhooklab.store import Store

    file = path.expanduser().resolve()
    entry = Registry().find(file)
    with contextlib.closing(Store(file)) as store, _sending(store) as sending:
        running = _forward(sending, url, entry.url if entry else "", **chosen)
        click.echo(f"forwarding what comes into {path} to {running.url}")
        if entry is None:
            click.echo("(nobody listens for it just now)")
        until_stopped(lambda: running.running)
        click.echo(f"\n{running!r}")


def forward_all(service: Service, targets: tuple[str, ...]) -> None:
    """Forward what comes to all of these, until the service ends. Or end it, and raise."""
    with service.closing.pop_all() as undo:
        sending = undo.enter_context(_sending(service.store))
        for target in targets:
            click.echo(f"forwarding to {_forward(sending, target, service.entry.url).url}")
        service.closing = undo.pop_all()


@contextlib.contextmanager
def _sending(store: Store) -> Iterator[Sending]:
    from webhooklab.sending import Sending, by_verdict

    sending = Sending(store, refuse=by_verdict)
    try:
        yield sending
    finally:
        sending.stop()


def _forward(sending: Sending, url: str, own_url: str, **chosen: Any) -> Forward:
    """Forward to `url`, unless that is what listens. Raises `SendArgumentError`."""
    from webhooklab.sending import Route, check_no_loop

    check_no_loop(url, own_url)
    return sending.forward(Route(url=url, **chosen))


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--to", metavar="URL", required=True, help="Where to: exactly this URL.")
@options.where
@click.option("--last", type=int, metavar="N", help="Only the newest N that match.")
@click.option("--rate", type=float, help="So many a second. Default: as fast as URL answers.")
@click.option("--speed", type=float, help="With the recorded gaps (1), or so many times faster.")
@options.keep_path
@click.option("--secret-env", metavar="NAME", help="Sign anew, by the secret in this variable.")
@click.option("--confirm", is_flag=True, help="Let credentials go to another machine.")
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    path: Path,
    *,
    to: str,
    where: str | None,
    last: int | None,
    secret_env: str | None,
    **chosen: Any,
) -> None:
    """Send the captures in PATH again, to URL. Exits with 1 if one of them was not taken."""
    from webhooklab.sending import ReplayOptions
    from webhooklab.store import Store
    from webhooklab.views import Views

    with contextlib.closing(Store(path.expanduser().resolve())) as store:
        events = Views(store).find(where, last=last)
        how = ReplayOptions(to=to, resign=_secret(secret_env), **chosen)
        with _sending(store) as sending:
            tries = sending.replay(events, how)
    ctx.exit(0 if _report(tries, len(events), to) else 1)


def _report(tries: pd.DataFrame, asked: int, to: str) -> bool:
    """Say how each try went; whether all were taken."""
    from webhooklab.sending import target_from

    for row in tries.itertuples():
        status = row.error if isinstance(row.error, str) else str(row.status)
        click.echo(f"{row.seq!s:>8}  {status} in {row.elapsed_ms!s} ms")
    taken = tries.loc[tries["status"].between(200, 299).fillna(False), "seq"].nunique()
    click.echo(f"{taken:,} of {asked:,} were taken by {target_from(to)[0].shown}")
    return bool(taken == asked)


def _secret(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise click.ClickException(f"the environment variable {variable} is not set.")
    return os.environ[variable]
