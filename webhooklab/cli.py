"""The command `webhooklab`. The door to click."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webhooklab import __version__
from webhooklab.clock import to_datetime
from webhooklab.defaults import CHANNEL_ANSWER_SECONDS, MAX_BODY_BYTES, PROCESS_STOP_SECONDS
from webhooklab.errors import CaptureFileError, ListenerProcessError, WebhookLabError

if TYPE_CHECKING:
    from webhooklab.processes import Entry
    from webhooklab.sending import Forward, Sending
    from webhooklab.standalone import Service
    from webhooklab.store import Store


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
@click.option("--keep", metavar="HOW MUCH", help="7d, 100000 (deliveries) or 2GB. Default: all.")
@click.option("--forward", "targets", metavar="URL", multiple=True, help="Send what comes on.")
@click.option("--expose", metavar="WHAT", help="A relay's address, or a way of lab.expose.")
@click.option("--base-url", metavar="URL", help="What lab.expose takes as base_url.")
@click.option("--bucket", multiple=True, help="Webhook Relay's. Default: all of the account.")
def listen(
    path: Path,
    host: str,
    port: int | None,
    keep: str | None,
    targets: tuple[str, ...],
    **exposed: Any,
) -> None:
    """Capture webhooks into PATH, until Ctrl-C or `webhooklab stop`.

    A Lab that is opened on PATH meanwhile sees each row at once; with listener="process" it also
    says what senders get.

    WHAT is the address of a relay (`webhooklab relay`) or of a channel of smee.io; or "smee" or
    "tunnel" with --base-url; or "webhookrelay", whose key and secret are read from
    WEBHOOKRELAY_KEY and WEBHOOKRELAY_SECRET.
    """
    from webhooklab.capturing import Options
    from webhooklab.retention import parse_keep
    from webhooklab.standalone import Service

    options = Options(host=host, port=port, keep=parse_keep(keep))
    service = Service(path.expanduser().resolve(), options, terminal=True)
    with contextlib.suppress(KeyboardInterrupt):
        if targets:
            _forward_all(service, targets)
        with service.closing:
            _listen(service, path, **exposed)
    click.echo()


def _listen(service: Service, path: Path, **exposed: Any) -> None:
    """Say what comes, until asked to stop."""
    from webhooklab.following import Followers

    signal.signal(signal.SIGTERM, lambda *_: service.stopped.set())
    click.echo(f"listening at {service.entry.url} and capturing into {path}")
    followers = Followers(service.store)
    followers.follow("terminal", lambda delivery: click.echo(repr(delivery)))
    service.closing.callback(followers.stop)
    _expose(service, **exposed)
    service.run()


def _expose(
    service: Service, expose: str | None, base_url: str | None, bucket: tuple[str, ...]
) -> None:
    """Have it reached from outside, for as long as it listens; say where, and how that goes."""
    from webhooklab import reach
    from webhooklab.exposure import Exposures

    if expose is None and base_url is None:
        return
    logging.basicConfig(format="%(message)s")
    logging.getLogger("webhooklab.relay").setLevel(logging.INFO)
    capturing, exposures = service.capturing, Exposures()
    service.closing.callback(exposures.close)
    wish = reach.Wish(
        file=service.store.path,
        behind=capturing.behind,
        gates=capturing.server.ingress.gates,
        exposures=exposures,
        store=service.store,
        base_url=base_url,
        access=reach.Access(
            os.environ.get("WEBHOOKRELAY_KEY", ""),
            os.environ.get("WEBHOOKRELAY_SECRET", ""),
            bucket,
        ),
    )
    exposure = reach.expose(expose or reach.AUTO, wish)
    click.echo(f"public URL: {exposure.url or 'see Webhook Relay'}")
    for notice in exposure.notices:
        click.echo(notice)


@main.command()
@click.option("--port", type=int, default=8443, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--db", type=click.Path(path_type=Path), default=Path("relay.db"), show_default=True)
@click.option("--certfile", type=click.Path(path_type=Path, exists=True), help="Speak TLS (PEM).")
@click.option("--keyfile", type=click.Path(path_type=Path, exists=True), help="Its key (PEM).")
@click.option("--public-url", metavar="URL", help="How others reach it. Default: as they say.")
@click.option("--trust-proxy", is_flag=True, help="Believe X-Forwarded-For, -Proto and -Host.")
@click.option("--max-body-bytes", type=click.IntRange(1, MAX_BODY_BYTES), help="Of a delivery.")
@click.option("--queue-rows", type=int, help="Unread deliveries of one channel.")
@click.option("--queue-bytes", type=int, help="... and their bytes.")
@click.option("--total-bytes", type=int, help="... and those of all channels.")
@click.option("--kept-seconds", type=float, help="How long what nobody reads is kept.")
@click.option("--channel-idle-seconds", type=float, help="A channel unread for so long ends.")
@click.option("--rate-per-second", type=float, help="Deliveries to one channel.")
@click.option("--rate-burst", type=int, help="... and so many at once.")
@click.option("--channels", type=int, help="Channels in all.")
@click.option("--channels-per-address", type=int, help="... and made by one address.")
@click.option("--new-burst", type=int, help="... and at once; then one a second.")
@click.option("--connections", type=int, help="Senders and readers at one time.")
def relay(**given: Any) -> None:
    """Take deliveries in public for labs that have no public address. Until Ctrl-C."""
    from webhooklab.relay.server import Settings, run

    said = {name: value for name, value in given.items() if value is not None}
    settings = Settings(**said)
    run(settings, lambda url: click.echo(f"relay at {url}, keeping in {settings.db}"))


@main.command()
def status() -> None:
    """List the listeners of this user on this machine."""
    from webhooklab.processes import Registry

    entries = Registry().living()
    if not entries:
        click.echo("Nobody listens.")
    for entry in entries:
        since = f"{to_datetime(entry.since):%Y-%m-%d %H:%M:%S}"
        click.echo(
            f"{entry.file}\n    {entry.url}  since {since} UTC, {_rows(entry)} deliveries\n"
            f"    process {entry.pid}, {_life(entry)}"
        )


def _rows(entry: Entry) -> str:
    from webhooklab.store import Store

    try:
        with contextlib.closing(Store(Path(entry.file), write=False)) as store:
            return f"{store.count():,}"
    except CaptureFileError:
        return "nobody knows how many"


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


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("captures.db"))
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


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--where", metavar="FILTER", help="Only what matches: 'type:order -path:/test'.")
@click.option("--secrets", is_flag=True, help="Keep credentials. Default: they become ***.")
@click.option("--no-overwrite", is_flag=True, help="Fail when OUT exists.")
def export(path: Path, out: Path, *, where: str | None, secrets: bool, no_overwrite: bool) -> None:
    """Write the captures in PATH to OUT: .csv, .jsonl, .parquet or .har."""
    from webhooklab.files import export_capture

    written = export_capture(path, out, where=where, secrets=secrets, overwrite=not no_overwrite)
    click.echo(str(written))


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.argument("source", type=click.Path(path_type=Path, exists=True))
def load(path: Path, source: Path) -> None:
    """Take the deliveries of SOURCE into the capture file PATH.

    What export wrote, other programs' .har, webhook.site's .csv and .json, a directory of .json.
    """
    from webhooklab.loading import load_into

    click.echo(f"{load_into(path.resolve(), source):,} deliveries added")


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=Path("captures.db"))
@click.option("--to", "url", metavar="URL", required=True, help="Where to: exactly this URL.")
@click.option("--where", metavar="FILTER", help="Only what matches: 'type:order -path:/test'.")
@click.option("--name", help="Forwards of one name go on from each other. Default: the URL.")
@click.option("--method", "methods", multiple=True, default=("POST",), show_default=True)
@click.option("--keep-path", is_flag=True, help="Send to the deliveries' own paths below URL.")
@click.option("--in-order", is_flag=True, help="What is about one entity: one after the other.")
@click.option("--unverified", is_flag=True, help="Also what has no valid signature.")
def forward(path: Path, url: str, **options: Any) -> None:
    """Send what is captured into PATH from now on to URL, until Ctrl-C.

    Another process listens for PATH: a Lab, or `webhooklab listen`. What was not sent when this
    ended goes out when it is started again.
    """
    from webhooklab.processes import Registry
    from webhooklab.store import Store

    file = path.expanduser().resolve()
    entry = Registry().find(file)
    with contextlib.closing(Store(file)) as store:
        sending = _sending(store)
        try:
            running = _forward(sending, url, entry.url if entry else "", **options)
            click.echo(f"forwarding what comes into {path} to {running.url}")
            if entry is None:
                click.echo("(nobody listens for it just now)")
            _until_stopped(lambda: running.running)
            click.echo(f"\n{running!r}")
        finally:
            sending.stop()


def _forward_all(service: Service, targets: tuple[str, ...]) -> None:
    """Forward what comes to all of these, until the service ends. Or end it, and raise."""
    with service.closing.pop_all() as undo:
        sending = _sending(service.store)
        undo.callback(sending.stop)
        for target in targets:
            click.echo(f"forwarding to {_forward(sending, target, service.entry.url).url}")
        service.closing = undo.pop_all()


def _sending(store: Store) -> Sending:
    from webhooklab.sending import Sending, by_verdict

    return Sending(store, refuse=by_verdict)


def _forward(sending: Sending, url: str, own_url: str, **options: Any) -> Forward:
    """Forward to `url`, unless that is what listens. Raises `SendArgumentError`."""
    from webhooklab.sending import Route, check_no_loop

    check_no_loop(url, own_url)
    return sending.forward(Route(url=url, **options))


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--to", metavar="URL", required=True, help="Where to: exactly this URL.")
@click.option("--where", metavar="FILTER", help="Only what matches: 'type:order -path:/test'.")
@click.option("--last", type=int, metavar="N", help="Only the newest N that match.")
@click.option("--rate", type=float, help="So many a second. Default: as fast as URL answers.")
@click.option("--speed", type=float, help="With the recorded gaps (1), or so many times faster.")
@click.option("--keep-path", is_flag=True, help="Send to the deliveries' own paths below URL.")
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
    **options: Any,
) -> None:
    """Send the captures in PATH again, to URL. Exits with 1 if one of them was not taken."""
    from webhooklab.sending import ReplayOptions, target_from
    from webhooklab.store import Store
    from webhooklab.views import Views

    with contextlib.closing(Store(path.expanduser().resolve())) as store:
        events = Views(store).find(where, last=last)
        how = ReplayOptions(to=to, resign=_secret(secret_env), **options)
        sending = _sending(store)
        try:
            tries = sending.replay(events, how)
        finally:
            sending.stop()
    for row in tries.itertuples():
        status = row.error if isinstance(row.error, str) else str(row.status)
        click.echo(f"{row.seq!s:>8}  {status} in {row.elapsed_ms!s} ms")
    taken = tries.loc[tries["status"].between(200, 299).fillna(False), "seq"].nunique()
    click.echo(f"{taken:,} of {len(events):,} were taken by {target_from(to)[0].shown}")
    ctx.exit(0 if taken == len(events) else 1)


def _secret(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise click.ClickException(f"the environment variable {variable} is not set.")
    return os.environ[variable]


def _until_stopped(going: Callable[[], bool] = lambda: True) -> None:
    """Wait for Ctrl-C, or to be asked to end, or until it is no longer `going`."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        while going() and not stopped.wait(0.5):
            pass
    except KeyboardInterrupt:
        click.echo()
