"""A public URL for labs, in the Jupyter server: `{base_url}webhooklab/in/<secret>/...`.

    handler      what is sent there: who may pass, how much of it, what of an answer goes back
    doors        which secrets open which lab: files that kernel and server share
    exposing     the kernel's side

Installing the package enables it. To switch it off, in `jupyter_server_config.py`:

    c.ServerApp.jpserver_extensions = {"webhooklab.server_extension": False}

Where the server cannot know its own public address, this says it:

    c.WebhookLab.public_url = "https://jupyter.example.org/"

This module and what it needs is loaded by every Jupyter server, so it is kept light.
"""

from __future__ import annotations

import atexit
import os
import re
from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Jupyter's: what to load."""
    return [{"module": "webhooklab.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Jupyter's: add the route to a running `ServerApp`."""
    from webhooklab.handover import Handover  # noqa: PLC0415
    from webhooklab.server_extension.doors import Doors, ServerNote  # noqa: PLC0415 - in servers
    from webhooklab.server_extension.handler import ROUTE, Incoming  # noqa: PLC0415

    doors = Doors()
    setting = server.config.get("WebhookLab", {}).get("public_url", "")
    public_url = str(setting or os.environ.get("JUPYTERHUB_PUBLIC_URL", ""))
    place = doors.announce(ServerNote(os.getpid(), server.base_url, public_url))
    atexit.register(place.unlink, missing_ok=True)
    route = re.escape(server.base_url.rstrip("/") + ROUTE) + ".*"
    given = {"doors": doors, "handover": Handover()}
    server.web_app.add_handlers(".*$", [(route, Incoming, given)])
