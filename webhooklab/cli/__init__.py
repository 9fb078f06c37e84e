"""The command `webhooklab`. The door to click.

A module per family of commands. Each command loads what it needs when it runs: `status` waits for
no pandas.
"""

from __future__ import annotations

import click

from webhooklab import __version__
from webhooklab.cli.captures import export, load
from webhooklab.cli.listeners import status, stop
from webhooklab.cli.listening import listen
from webhooklab.cli.relaying import relay
from webhooklab.cli.sending import forward, replay
from webhooklab.cli.trying import demo, shop
from webhooklab.errors import WebhookLabError


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


for _command in (demo, export, forward, listen, load, relay, replay, shop, status, stop):
    main.add_command(_command)
