"""The widget: tells the browser what the comparison says. A door to anywidget."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets
from IPython.display import HTML, DisplayHandle, display

from webhooklab.inbox import in_notebook
from webhooklab.live.limits import BEATS_APART, HELD_DISPLAYS, LAST_SECONDS, LOOK_SECONDS
from webhooklab.live.page import page
from webhooklab.live.refreshing import Refreshing
from webhooklab.live.told import told
from webhooklab.pulling import Poller

_HERE: Final = Path(__file__).parent


class LiveComparison(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]  # untyped bases
    """A comparison that is up to date while both sides go on; an ipywidget like any other.

    It ends with `stop`, or when its Lab closes, and then leaves a static page where it was shown.
    `pollers` are asked once a second; `file` is the capture file's name. `snapshot` False: it
    leaves no page.
    """

    _esm = _HERE / "live.mjs"
    _css = _HERE / "live.css"

    said = traitlets.Dict().tag(sync=True)
    """What the browser shows; all of it is text."""
    beat = traitlets.Int(0).tag(sync=True)
    """Grows for as long as somebody looks."""

    def __init__(
        self,
        refreshing: Refreshing,
        pollers: Callable[[], Iterable[Poller]],
        *,
        file: str,
        snapshot: bool = True,
    ) -> None:
        self._refreshing = refreshing
        self._pollers = pollers
        self._file = file
        self._snapshot = snapshot
        self._handles: deque[DisplayHandle] = deque(maxlen=HELD_DISPLAYS)
        self._ending = threading.Lock()
        self._stopping = threading.Event()
        super().__init__(said=self._now())
        self._thread = threading.Thread(target=self._run, name="webhooklab-live", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is kept up to date."""
        return not self._stopping.is_set()

    def stop(self) -> None:
        """Compare for the last time, if that is quick, and end. Where it was, a page says the same.

        Repeatable.
        """
        with self._ending:
            if self._stopping.is_set():
                return
            self._stopping.set()
            self._thread.join(LAST_SECONDS)
            if not self._thread.is_alive():
                self._refreshing.refresh(last=True)
            self._tell()
            self._leave_pages()

    def _run(self) -> None:
        looks = 0
        while not self._stopping.wait(LOOK_SECONDS):
            self._refreshing.refresh()
            self._tell()
            looks += 1
            if looks % BEATS_APART == 0:
                self._publish("beat", looks)

    def _tell(self) -> None:
        self._publish("said", self._now())  # traitlets sends only what differs

    def _publish(self, name: str, value: Any) -> None:
        with contextlib.suppress(OSError):  # the kernel is ending
            self.set_trait(name, value)

    def _now(self) -> dict[str, Any]:
        status = "live" if self.running else "stopped"
        return {
            "status": status,
            "file": self._file,
            **told(self._refreshing, self._pollers()),
        }

    def _leave_pages(self) -> None:
        if self._snapshot:
            for handle in self._handles:
                handle.update(HTML(page(self.said)))
        self._handles.clear()

    def __repr__(self) -> str:
        status = self.said["status"]
        return f"<LiveComparison of {self._file}, {status}: {self.said['verdict']}>"

    def _ipython_display_(self) -> None:
        """Show it in this cell's output; stopped, the static page."""
        if not in_notebook():
            raise NotImplementedError
        if not self.running:
            display(HTML(page(self.said)))
            return
        bundle: Any = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/html"] = page(self.said)  # for those who show no widgets
        handle = DisplayHandle(uuid.uuid4().hex)
        handle.display(data, raw=True, metadata=metadata)
        self._handles.append(handle)
