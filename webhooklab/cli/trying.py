"""`demo` and `shop`: things to try webhooklab with."""

from __future__ import annotations

from pathlib import Path

import click

from webhooklab.cli.stopping import until_stopped


@click.command(short_help="Try it: notebooks to play with, in JupyterLab.")
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


@click.command(short_help="Run a small provider to play with.")
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
        until_stopped()
