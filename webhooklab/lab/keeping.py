"""What leaves the capture file, and what is taken in: exports, files, what is deleted for good."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from pathlib import Path

import pandas as pd

from webhooklab import files, loading, progress
from webhooklab.lab.face import Face
from webhooklab.records import Request
from webhooklab.signatures import UNCHECKED, Verification
from webhooklab.views import LIGHT_COLUMNS


class Keeping(Face):
    """`export`, `load`, `delete`, `clear` and `compact`."""

    def export(
        self,
        path: str | Path,
        events: pd.DataFrame | None = None,
        *,
        secrets: bool = False,
        overwrite: bool = True,
    ) -> Path:
        """Write deliveries to a `.csv`, `.jsonl`, `.parquet` or `.har` file; returns its path.

        `events`: some rows of `lab.events`; None is all. Credentials in headers and query strings
        are `***` unless `secrets=True`. The file appears whole or not at all, for its owner only.
        No cell of a CSV is a formula where cells end at commas: a spreadsheet that is set to end
        them at semicolons or tabs alone is to be told so when it opens the file.
        Raises `FileFormatError` for another suffix, `ExportError` when it cannot be written.
        """
        target = Path(path)
        if events is not None:
            return files.export_frame(target, events, secrets=secrets, overwrite=overwrite)
        return files.export_store(target, self._parts.store, secrets=secrets, overwrite=overwrite)

    def load(self, path: str | Path) -> pd.DataFrame:
        """Take in the deliveries of a file; returns those added, the columns of `lab.find`.

        What `export` wrote (`.csv`, `.jsonl`, `.parquet`, `.har`), other programs' HAR (browsers,
        mitmproxy), webhook.site's CSV and JSON, a `.json` file or a directory of them, each the
        body of one delivery. They keep `received_at` and `status`, get a new `seq` (in the file's
        order; from its end where the newest is first) and the `source` "import", and are
        interpreted and checked as if they came now; nothing is fetched for them and none is
        forwarded. One that is there already (same `received_at`, method, path and body) is not
        added, so a second call adds nothing.

        A file is read through before anything is stored, and is taken whole or not at all; where
        the process is killed meanwhile, the next call adds the rest. Raises `FileFormatError`,
        which says which row is wrong and why, and `CaptureFileError`.
        """
        self._parts.check_open()
        interpret = self._parts.mappings.interpreter().interpret
        seqs = loading.load(
            Path(path), self._parts.store, interpret=interpret, verify=self._verdict
        )
        return self._parts.views.rows(seqs, LIGHT_COLUMNS)

    def _verdict(self, request: Request, provider: str | None) -> Verification:
        checks = self._parts.listening.checks
        if checks is None or checks.find(request.path, provider) is None:
            return UNCHECKED
        if loading.is_masked(request):
            return Verification("unverifiable", "credentials are masked in the file")
        return checks.verify(request, provider)[0]

    def delete(self, seqs: int | Iterable[int]) -> int:
        """Delete deliveries for good: their bytes leave the file. Returns how many there were.

        `seqs`: one, several, or an index (`lab.find("path:/test").index`). Raises `ClosedError`.
        """
        self._parts.check_open()
        several = [seqs] if isinstance(seqs, int | Integral) else seqs
        wanted = [int(seq) for seq in several]
        self._parts.pulling.observations.forget_fetches(wanted)
        self._parts.sending.settle()
        self._parts.sending.attempts.forget(wanted)
        with progress.bar(len(wanted), "deleting") as advance:
            return self._parts.store.delete(wanted, advance)

    def compact(self) -> int:
        """Give the space that deleted and dropped deliveries took back to the disk.

        Returns how many bytes. (`delete` and `clear` do so themselves; what `keep` drops leaves
        room in the file, which new deliveries take.)
        """
        self._parts.check_open()
        return self._parts.store.compact()

    def clear(self) -> int:
        """Delete all deliveries, the log, what was pulled and what was sent on, for good.

        Returns how many deliveries there were. Pollers, fetchers and forwards are stopped. `seq`
        goes on where it was: none is ever given twice. Raises `ClosedError`.
        """
        self._parts.check_open()
        self._parts.pulling.stop()
        self._parts.pulling.observations.clear()
        self._parts.sending.stop()
        self._parts.sending.attempts.clear()
        self._parts.store.clear_refusals()
        return self.delete(self._parts.store.seqs_after(0, -1, "1", ()))
