"""What the browser asks for: bodies, older rows, which rows match, what came of them, a CSV.

Answered on a thread. Whatever thread the kernel hands a message over on is free again at once.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from webhooklab import search
from webhooklab.errors import WebhookLabError
from webhooklab.inbox import limits
from webhooklab.inbox.news import Send
from webhooklab.inbox.pairs import pair
from webhooklab.inbox.rows import details, for_browser, light_rows, pack
from webhooklab.inbox.tries import Tries
from webhooklab.inbox.truths import Outlook, Truths, not_known
from webhooklab.store import Store

_STOP: Final[dict[str, Any]] = {}


class Answers:
    """Answers the browser's questions, one after the other, from `start` to `stop`."""

    def __init__(
        self,
        store: Store,
        export: Callable[[str], bytes],
        send: Send,
        outlook: Outlook = not_known,
    ) -> None:
        self._store = store
        self._truths = Truths(store, outlook)
        self._tries = Tries(store)
        self._export = export
        self._send = send
        self._questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._kinds: dict[str, Callable[[dict[str, Any]], None]] = {
            "body": self._send_body,
            "older": self._send_older,
            "search": self._send_found,
            "export": self._send_export,
            "truth": self._send_truth,
            "tries": self._send_tries,
            "pair": self._send_pair,
        }

    def start(self) -> None:
        """Answer from now on. A second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="webhooklab-inbox-answers", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, and end the thread."""
        if self._thread is not None:
            self._questions.put(_STOP)
            self._thread.join()
            self._thread = None

    def ask(self, question: dict[str, Any]) -> None:
        """Have a question answered soon."""
        self._questions.put(question)

    def _run(self) -> None:
        while (question := self._questions.get()) is not _STOP:
            self.answer(question)

    def answer(self, question: dict[str, Any]) -> None:
        """Answer now. What goes wrong is said in the answer; what is no question has none."""
        answer = self._kinds.get(str(question.get("kind")))
        if answer is None:
            return
        try:
            answer(question)
        except Exception as error:
            known = isinstance(error, WebhookLabError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            self._send({"kind": "failed", "of": question, "error": text}, [])

    def _send_body(self, question: dict[str, Any]) -> None:
        seq = int(question["seq"])
        with self._store.reading() as connection:
            row = light_rows(self._store, connection, seq - 1, "seq <= ?", (seq,))
            size = row["body_bytes"][0] if row["seq"] else None
            if size is None or size > limits.FETCHED_BODY_BYTES:
                self._send({"kind": "absent", "seq": seq, "gone": size is None}, [])
                return
            place, buffer = pack(None, details(self._store, connection, [seq]))
        self._send({"kind": "details", **place}, [buffer])

    def _send_older(self, question: dict[str, Any]) -> None:
        condition, parameters = search.to_sql(search.parse(question["filter"]))
        where = f"seq < ? AND ({condition})"
        values = (int(question["before"]), *parameters)
        with self._store.reading() as connection:
            revision = self._store.state(connection)[0]
            count = limits.OLDER_ROWS
            start = self._store.before_last(connection, count, where, values)
            rows = light_rows(self._store, connection, start, where, values)
            place, buffer = pack(for_browser(rows), [])
        done = len(rows["seq"]) < count
        answer = {"kind": "older", "id": question["id"], "revision": revision, "done": done}
        self._send(answer | place, [buffer])

    def _send_found(self, question: dict[str, Any]) -> None:
        condition, parameters = search.to_sql(search.parse(question["filter"]))
        after, through = int(question["after"]), int(question["through"])
        where = f"seq <= ? AND ({condition})"
        seqs = self._store.seqs_after(after, limits.HELD_ROWS, where, [through, *parameters])
        answer = {"kind": "found", "id": question["id"], "after": after, "through": through}
        self._send(answer, [json.dumps(seqs).encode()])

    def _send_truth(self, question: dict[str, Any]) -> None:
        seq, whole = int(question["seq"]), bool(question.get("whole"))
        budget = limits.FETCHED_SIDES_BYTES if whole else limits.SHOWN_SIDES_BYTES
        answer = self._truths.of(seq, budget)
        self._send({"kind": "truth", "seq": seq, "whole": whole}, [answer])

    def _send_tries(self, question: dict[str, Any]) -> None:
        seq, whole = int(question["seq"]), bool(question.get("whole"))
        budget = limits.FETCHED_TRIES_BYTES if whole else limits.SHOWN_TRIES_BYTES
        answer = self._tries.of(seq, budget)
        self._send({"kind": "tries", "seq": seq, "whole": whole}, [answer])

    def _send_pair(self, question: dict[str, Any]) -> None:
        answer = pair(self._store, int(question["left"]), int(question["right"]))
        self._send({"kind": "paired", "id": question["id"]}, [answer])

    def _send_export(self, question: dict[str, Any]) -> None:
        data = self._export(question["filter"])
        self._send({"kind": "exported", "id": question["id"]}, [data])
