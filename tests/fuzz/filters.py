"""The filter language: the kernel and the browser read it, and must find the same."""

import contextlib
import importlib.util
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.registry import target
from tests.test_find import CASES, arrival
from webhooklab.errors import FilterError
from webhooklab.instants import parse_instant
from webhooklab.store import Store
from webhooklab.views import Views

HERE = Path(__file__).parent


@dataclass
class Both:
    """The rows of `filter_cases.json` in a capture file, and in a Node.js process."""

    views: Views
    node: subprocess.Popen[str]

    def ask(self, **question: str) -> Any:
        assert self.node.stdin is not None
        assert self.node.stdout is not None
        self.node.stdin.write(json.dumps(question) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())


@contextlib.contextmanager
def both() -> Iterator[Both]:
    package = importlib.util.find_spec("webhooklab")
    assert package is not None
    assert package.origin is not None
    inbox = Path(package.origin).parent / "inbox" / "inbox.mjs"
    command = ["node", HERE / "filters.mjs", inbox.as_uri(), HERE.parent / "filter_cases.json"]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "captures.db"))
        store.append([arrival(row) for row in CASES["rows"]])
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as node:
            try:
                yield Both(Views(store), node)
            finally:
                assert node.stdin is not None
                node.stdin.close()
                store.close()


FIELDS = (
    *("seq", "source", "method", "provider", "event_id", "entity_type", "entity_id", "entity"),
    *("version", "verified", "remote", "status", "event_type", "path", "query_string", "type"),
    *("content_type", "verified_reason", "headers_json", "body", "id", "query", "content"),
    *("reason", "header", "nothing", "after", "before"),
)
VALUES = (
    st.sampled_from(
        (*("order", "ORDER.*", "*", "**", "evt_1", "200", "7", "%", "_", "\\", "/", "é", "É", "İ"),)
    )
    | st.text("aAzZ*.%_\\\"'/:-()[]{}+?^$| \t\n\0\x1c\x85\ufeff\u2028éÉßİK\u017f😀", max_size=6)
    | st.text(max_size=4)
)
WHEN = st.sampled_from(
    (
        *(
            "2026-03-04",
            "20260304",
            "2026-03-04T12:00Z",
            "2026-03-04 12:00",
            "2026-03-04T12:00+01:00",
        ),
        *("1772625600", "1772625600.5", "1772625600000", "2026", "2026-W10-3", "2026-063", "24:00"),
        *("2026-03-04T24:00:00", "2026-03-04T12:00:60Z", "-1", "1e9", "9" * 30, "+1772625600", "٣"),
    )
) | st.from_regex(
    # In ASCII, or nearly all digits would be of other scripts.
    re.compile(
        r"\d{4}-?[01]\d-?[0-3]\d"
        r"([T 1]\d\d(:?\d\d(:?\d\d([.,]\d{1,9})?)?)?( ?[Zz]| ?[+-]\d\d(:?\d\d)?)?)?",
        re.ASCII,
    ),
    fullmatch=True,
)
TERMS = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "", "-", "--")),
    st.sampled_from(("", "", *(f"{field}:" for field in FIELDS))),
    VALUES | VALUES.map('"{}"'.format) | VALUES.map(json.dumps),
) | st.builds("{}:{}".format, st.sampled_from(("after", "before", "-after")), WHEN)
FILTERS = st.lists(TERMS, max_size=3).map(" ".join) | st.text(max_size=20)


@target(FILTERS, stage=both, bounded=166)
def filters(text: str, both: Both) -> None:
    """`lab.find` and the inbox find the same rows, or both refuse the filter."""
    try:
        found: Any = {"seqs": both.views.find(text).index.tolist()}
    except FilterError:
        found = {"error": True}
    assert both.ask(filter=text) == found


SPACES = st.sampled_from(("", "", " ", "\x1c", "\x85", "\xa0", "\ufeff", "0" * 20))
WRITTEN = WHEN | st.text("0123456789-:TZ+. ,", max_size=40)


@target(st.tuples(SPACES, WRITTEN, SPACES).map("".join), stage=both, bounded=166)
def instants(text: str, both: Both) -> None:
    """Both read the same time in a text, or none; a browser's numbers round it twice."""
    ours, theirs = parse_instant(text), both.ask(instant=text)["instant"]
    assert (ours is None) == (theirs is None), (ours, theirs)
    assert ours is None or abs(ours - theirs) <= max(1, abs(ours) // 2**51)
