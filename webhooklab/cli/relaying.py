"""`relay`: a public server for labs without a public address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from webhooklab.defaults import HOST
from webhooklab.relay import limits

F = TypeVar("F", bound=Callable[..., Any])


def _limit(name: str, what: str, kind: Any = None) -> Callable[[F], F]:
    """An option for one of `relay.limits`, with its default."""
    given, default = "--" + name.replace("_", "-"), getattr(limits, name.upper())
    return click.option(given, type=kind, default=default, show_default=True, help=what)


@click.command()
@click.option("--port", type=int, default=8443, show_default=True, help="0 takes a free one.")
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option("--db", type=click.Path(path_type=Path), default=Path("relay.db"), show_default=True)
@click.option("--certfile", type=click.Path(path_type=Path, exists=True), help="Speak TLS (PEM).")
@click.option("--keyfile", type=click.Path(path_type=Path, exists=True), help="Its key (PEM).")
@click.option("--public-url", metavar="URL", help="How others reach it. Default: as they say.")
@click.option("--trust-proxy", is_flag=True, help="Believe X-Forwarded-For, -Proto and -Host.")
@_limit("max_body_bytes", "Of a delivery.", click.IntRange(1, limits.MAX_BODY_BYTES))
@_limit("queue_rows", "Unread deliveries of one channel.")
@_limit("queue_bytes", "... and their bytes.")
@_limit("total_bytes", "... and those of all channels.")
@_limit("kept_seconds", "How long what nobody reads is kept.")
@_limit("channel_idle_seconds", "A channel unread for so long ends.")
@_limit("rate_per_second", "Deliveries to one channel.")
@_limit("rate_burst", "... and so many at once.")
@_limit("channels", "Channels in all.")
@_limit("channels_per_address", "... and made by one address.")
@_limit("new_burst", "... and at once; then one a second.")
@_limit("connections", "Senders and readers at one time.")
def relay(**given: Any) -> None:
    """Take deliveries in public for labs that have no public address. Until Ctrl-C."""
    from webhooklab.relay.server import Settings, run

    said = {name: value for name, value in given.items() if value is not None}
    settings = Settings(**said)
    run(settings, lambda url: click.echo(f"relay at {url}, keeping in {settings.db}"))
