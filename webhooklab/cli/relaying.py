"""`relay`: a public server for labs without a public address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from webhooklab.defaults import HOST, MAX_BODY_BYTES


@click.command()
@click.option("--port", type=int, default=8443, show_default=True, help="0 takes a free one.")
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
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
