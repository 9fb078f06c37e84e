"""What several commands ask for."""

from __future__ import annotations

import click

where = click.option(
    "--where", metavar="FILTER", help="Only what matches: 'type:order -path:/test'."
)
keep_path = click.option(
    "--keep-path", is_flag=True, help="Send to the deliveries' own paths below URL."
)
