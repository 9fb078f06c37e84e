"""How a Lab shows itself in a notebook, and how it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from webhooklab.health import Health
from webhooklab.lab.frames import Frames
from webhooklab.lab.keeping import Keeping
from webhooklab.records import EVENT_COLUMNS

if TYPE_CHECKING:
    from webhooklab.inbox import Description, Inbox, InboxWidget


class Display(Frames, Keeping):
    """The inbox, where there is a notebook; `health`."""

    _inbox: Inbox | None = None
    _snapshot: bool

    @property
    def inbox(self) -> InboxWidget:
        """The live inbox, an ipywidget: to display, or to put into a layout of widgets."""
        return self._shown().widget

    def _shown(self) -> Inbox:
        if self._inbox is None:
            from webhooklab.inbox import Inbox  # noqa: PLC0415 - not every Lab is looked at
            from webhooklab.lab.resending import act  # noqa: PLC0415 - as above

            parts = self._parts
            self._inbox = Inbox(
                parts.store,
                self._describe,
                self._export_found,
                parts.exposures.locate,
                outlook=parts.pulling.outlook,
                act=partial(act, parts),
            )
            self._parts.closing.callback(self._inbox.close, snapshot=self._snapshot)
        return self._inbox

    def _describe(self) -> Description:
        from webhooklab.inbox import Description  # noqa: PLC0415 - not every Lab is looked at
        from webhooklab.lab.pulls import pulls  # noqa: PLC0415 - as above

        parts = self._parts
        status = "closed" if parts.closed else "listening" if parts.leads else "attached"
        current, checks = parts.exposures.current, parts.listening.checks
        return Description(
            parts.url,
            status,
            parts.path.name,
            parts.headline,
            (*parts.lookout.notices, *parts.exposures.notices),
            public=(current.url or "") if current else "",
            reach=current.state if current else "",
            since=parts.listening.since,
            pulls=() if parts.closed else pulls(parts.pulling, parts.sending),
            signers=checks.signers if checks is not None else (),
        )

    def health(self) -> Health:
        """How this Lab is now: what listens, waits and pulls, the disk, and warnings.

        See `Health`; `.frame` is a DataFrame, `.as_dict()` a dict. Raises `CaptureFileError`.
        """
        lost = 0 if self._inbox is None else self._inbox.lost_messages
        return self._parts.lookout.health(lost_messages=lost)

    def _export_found(self, path: Path, where: str) -> Path:
        found = self.find(where, columns=tuple(EVENT_COLUMNS)) if where.strip() else None
        return self.export(path, found)

    def _ipython_display_(self) -> None:
        """Show the inbox where a notebook asks; raises `NotImplementedError` where none does."""
        from webhooklab.inbox import in_notebook  # noqa: PLC0415 - not every Lab is looked at

        if not in_notebook():
            raise NotImplementedError
        self._shown().display()
