"""`export` and `load`: capture files, written out and added to."""

from __future__ import annotations

from pathlib import Path

import click

from webhooklab.cli import options


@click.command(short_help="Write captures to a file that others read.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@options.where
@click.option("--secrets", is_flag=True, help="Keep credentials. Default: they become ***.")
@click.option("--no-overwrite", is_flag=True, help="Fail when OUT exists.")
def export(path: Path, out: Path, *, where: str | None, secrets: bool, no_overwrite: bool) -> None:
    """Write the captures in PATH to OUT: .csv, .jsonl, .parquet or .har."""
    from webhooklab.files import export_capture

    written = export_capture(path, out, where=where, secrets=secrets, overwrite=not no_overwrite)
    click.echo(str(written))


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.argument("source", type=click.Path(path_type=Path, exists=True))
def load(path: Path, source: Path) -> None:
    """Take the deliveries of SOURCE into the capture file PATH.

    What export wrote, other programs' .har, webhook.site's .csv and .json, a directory of .json.
    """
    from webhooklab.loading import load_into

    count = load_into(path.resolve(), source)
    click.echo(f"{count:,} {'delivery' if count == 1 else 'deliveries'} added")
