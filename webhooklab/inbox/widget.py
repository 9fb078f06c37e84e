"""The widget: carries messages between kernel and browser. The door to anywidget."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

_HERE: Final = Path(__file__).parent

Hear = Callable[[dict[str, Any]], object]


class InboxWidget(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]  # untyped bases
    """The live inbox, an ipywidget like any other. Rows go as messages, not as traits."""

    _esm = _HERE / "inbox.mjs"
    _css = _HERE / "inbox.css"

    instance = traitlets.Unicode().tag(sync=True)
    """Tells the browser which of its inboxes is meant: `initialize` and `render` share no more."""

    def __init__(self, hear: Hear, show: Callable[[], object]) -> None:
        super().__init__(instance=uuid.uuid4().hex)
        self._sending = threading.Lock()
        self._hear = hear
        self._show = show
        self.on_msg(self._on_message)
        _answer_while_a_cell_runs(self.comm)

    def push(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Send a message to all browsers that show this widget; from any thread."""
        with self._sending, contextlib.suppress(OSError):
            self.send(message, buffers)

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, dict):
            self._hear(content)

    def _ipython_display_(self) -> None:
        self._show()


def _answer_while_a_cell_runs(comm: Any) -> None:
    """Keep ipykernel from holding this widget's messages back until the running cell ends.

    JupyterLab sends them on a subshell, so that they are handled while a cell runs. ipykernel 7.4.0
    sends a comm's messages to the shell that published on it last, which for us is the one where
    the cell runs. This has them go where JupyterLab said. It is ipykernel's private affair: where
    there is no such method nothing is changed, and messages wait for the cell at worst.
    """
    if hasattr(comm, "_reply_subshell_for"):
        with contextlib.suppress(Exception):
            comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001
