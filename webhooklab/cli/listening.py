"""`listen`: a listener in a terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webhooklab.cli.sending import forward_all
from webhooklab.defaults import CAPTURE_PATH, HOST

if TYPE_CHECKING:
    from webhooklab.reach import Wish
    from webhooklab.standalone import Service


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path(CAPTURE_PATH))
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
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

    if exposed["bucket"] and exposed["expose"] != "webhookrelay":
        raise click.UsageError("--bucket is Webhook Relay's: add --expose webhookrelay.")
    options = Options(host=host, port=port, keep=parse_keep(keep))
    service = Service(path.expanduser().resolve(), options, terminal=True)
    with contextlib.suppress(KeyboardInterrupt):
        if targets:
            forward_all(service, targets)
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


def _expose(service: Service, expose: str | None, **asked: Any) -> None:
    """Have it reached from outside, for as long as it listens; say where, and how that goes."""
    from webhooklab import reach

    if expose is None and asked["base_url"] is None:
        return
    logging.basicConfig(format="%(message)s")
    logging.getLogger("webhooklab.relay").setLevel(logging.INFO)
    exposure = reach.expose(expose or reach.AUTO, _wish(service, **asked))
    click.echo(f"public URL: {exposure.url or 'see Webhook Relay'}")
    for notice in exposure.notices:
        click.echo(notice)


def _wish(service: Service, base_url: str | None, bucket: tuple[str, ...]) -> Wish:
    """What is asked for, with exposures that end when the service does."""
    from webhooklab.exposure import Exposures
    from webhooklab.reach import Access, Wish

    exposures = Exposures()
    service.closing.callback(exposures.close)
    key, secret = (os.environ.get(f"WEBHOOKRELAY_{name}", "") for name in ("KEY", "SECRET"))
    return Wish(
        file=service.store.path,
        behind=service.capturing.behind,
        gates=service.capturing.server.ingress.gates,
        exposures=exposures,
        store=service.store,
        base_url=base_url,
        access=Access(key, secret, bucket),
    )
