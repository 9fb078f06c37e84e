"""The inbox of one lab: its widget, what feeds it, and its places in notebooks."""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import HTML, DisplayHandle, display

from webhooklab import progress
from webhooklab.errors import ExportError
from webhooklab.inbox.actions import KINDS, Act, Actions, no_act
from webhooklab.inbox.answers import Answers
from webhooklab.inbox.feed import Feed
from webhooklab.inbox.limits import EXPORT_BYTES, HELD_DISPLAYS
from webhooklab.inbox.snapshot import snapshot_html
from webhooklab.inbox.state import Describe
from webhooklab.inbox.truths import Outlook, not_known
from webhooklab.inbox.widget import InboxWidget
from webhooklab.store import Store

Export = Callable[[Path, str], object]
"""Writes the deliveries that match a filter ("" is all) to a CSV file, as `lab.export` does."""


class Inbox:
    """Shows a store's deliveries live. Nothing runs before `widget` or `display` is used.

    `describe` says what the lab is doing, `export` writes a CSV, `outlook` says why a delivery has
    no fetch, `act` sends a delivery where a user wants it to go. `located` is told where the
    browser that looks has its Jupyter server, whenever one says so.
    """

    def __init__(
        self,
        store: Store,
        describe: Describe,
        export: Export,
        located: Callable[[str], object] = str,
        *,
        outlook: Outlook = not_known,
        act: Act = no_act,
    ) -> None:
        self._store = store
        self._describe = describe
        self._export = export
        self._located = located
        self._lock = threading.RLock()
        self._widget: InboxWidget | None = None
        self._feed = Feed(store, describe, self._push)
        self._answers = Answers(store, self._exported, self._push, outlook)
        self._actions = Actions(act, self._push)
        self._handles: deque[DisplayHandle] = deque(maxlen=HELD_DISPLAYS)
        self._closed = False
        self.lost_messages = 0
        """How many gaps the browser has found, and asked to be filled."""

    @property
    def widget(self) -> InboxWidget:
        """The widget: for `display`, or for a layout of ipywidgets."""
        with self._lock:
            if self._widget is None or self._widget.comm is None:
                self._widget = InboxWidget(self._hear, self.display)
                if not self._closed:
                    self._feed.start()
                    self._answers.start()
            return self._widget

    def display(self) -> None:
        """Show the inbox here, in this cell's output; once closed, the static page."""
        if self._closed:
            display(self._page())
            return
        # Not the widget itself: its display is this method.
        bundle: Any = self.widget._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        said = self._describe()
        data["text/plain"] = f"<webhooklab inbox {said.url} {said.detail or said.status}>"
        handle = DisplayHandle(uuid.uuid4().hex)
        handle.display(data, raw=True, metadata=metadata)
        self._handles.append(handle)

    def close(self, *, snapshot: bool = True) -> None:
        """Push no more. Where it was displayed, put the static page in its place. Repeatable."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._widget is None:
                return
            self._answers.stop()
            self._feed.stop()
            if snapshot and self._handles:
                self._leave_snapshots()

    def _leave_snapshots(self) -> None:
        page = self._page()
        for handle in self._handles:
            handle.update(page)
        self._handles.clear()

    def _page(self) -> HTML:
        return HTML(snapshot_html(self._store, self._describe()))

    def _push(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        widget = self._widget
        if widget is not None:
            widget.push(message, buffers)

    def _hear(self, message: dict[str, Any]) -> None:
        """A browser's message; on whichever thread the kernel handles it."""
        kind = message.get("kind")
        if kind in KINDS:
            self._actions.order(message)
            return
        if self._closed:
            self._hear_closed(message)
            return
        self._feed.heard()
        if kind == "hello":
            self._located(str(message.get("server") or ""))
            self._feed.hello()
        elif kind == "need":
            ranges = message.get("ranges", [])
            self.lost_messages += len(ranges)
            self._feed.want((int(after), int(through)) for after, through in ranges)
        else:
            self._answers.ask(message)

    def _hear_closed(self, message: dict[str, Any]) -> None:
        """Nothing runs any more, but a closed lab still reads."""
        if message.get("kind") == "hello":
            self._feed.hello()
            self._feed.drain()
        else:
            self._answers.answer(message)

    def _exported(self, text: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="webhooklab-") as folder:
            path = Path(folder, "captures.csv")
            with progress.hidden():  # the browser says that it waits
                self._export(path, text)
            size = path.stat().st_size
            if size > EXPORT_BYTES:
                raise ExportError(
                    f"The CSV has {size / 2**20:,.0f} MB, more than the {EXPORT_BYTES >> 20} MB "
                    'that a browser is sent: use lab.export("captures.csv") in a cell.'
                )
            return path.read_bytes()
