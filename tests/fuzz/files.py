"""File readers: exports, other programs' archives, capture files with broken pages."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from tests.fuzz.mutations import SPICES
from tests.fuzz.registry import target
from webhooklab import read
from webhooklab.errors import FileFormatError, WebhookLabError
from webhooklab.files import export_store
from webhooklab.headers import Headers
from webhooklab.loading import load_into
from webhooklab.records import Arrival, Event, Interpretation, Request, Verification
from webhooklab.store import Store

SUFFIXES = (".csv", ".jsonl", ".har", ".parquet")
FOREIGN = {
    "browser.har": b'{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-03-01T12:00:00Z",'
    b'"request":{"method":"POST","url":"https://a.test/x?y","headers":[{"name":"A","value":"b"}],'
    b'"postData":{"mimeType":"x","text":"e30=","encoding":"base64"}},"response":{"status":200}}]}}',
    "site.json": b'{"data":[{"uuid":"1","type":"web","created_at":"2026-03-01 12:00:00","ip":"::1",'
    b'"method":"POST","url":"https://webhook.site/1?a=b","content":"{}","headers":{"a":["b"]}}]}',
    "site.csv": b"uuid,created_at,method,url,ip,content,headers\r\n"
    b'1,2026-03-01 12:00:00,POST,https://webhook.site/1,::1,"{""a"":1}","{""a"":[""b""]}"\r\n',
    "body.json": b'{"id":1,"list":[1.5,null]}',
}


@dataclass
class Folder:
    """Files to be damaged, and a capture file to load into."""

    path: Path
    wholes: dict[str, bytes]


def arrival(
    body: bytes, path: str = "/a?b=c", headers: tuple[tuple[str, str], ...] = ()
) -> Arrival:
    request = Request(
        received_at=1_767_225_600_000_000,
        method="POST",
        target=path,
        headers=Headers((("Content-Type", "application/json"), *headers)),
        body=body,
        source="local",
        remote="127.0.0.1",
    )
    understood = Interpretation("github", 1, Event(event_type="push", event_id="=1+1"))
    return Arrival(request, understood, 200, Verification("valid", "it fits"))


@contextlib.contextmanager
def folder() -> Iterator[Folder]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        store = Store(path / "capture.db")
        store.append([arrival(b'{"a":1}'), arrival(b"\0\xff"), arrival(b"x,\n\"y'"), arrival(b"")])
        for suffix in SUFFIXES:
            export_store(path / f"whole{suffix}", store, secrets=True, overwrite=True)
        store.close()
        wholes = {f"whole{suffix}": (path / f"whole{suffix}").read_bytes() for suffix in SUFFIXES}
        wholes["capture.db"] = (path / "capture.db").read_bytes()
        yield Folder(path, wholes | FOREIGN)


EDITS = st.lists(
    st.tuples(
        st.integers(0, 2**20),
        st.sampled_from((0, 0, 1, 2, 5, 40)),
        st.sampled_from(SPICES) | st.binary(max_size=4),
    ),
    max_size=4,
)


def damaged(folder: Folder, name: str, edits: list[tuple[int, int, bytes]]) -> Path:
    """The file with some of it overwritten, below a name of its own."""
    found = bytearray(folder.wholes[name])
    for place, length, new in edits:
        at = place % (len(found) + 1)
        found[at : at + length] = new
    path = folder.path / f"damaged-{name}"
    path.write_bytes(found)
    return path


EXPORTED = st.tuples(st.sampled_from([f"whole{suffix}" for suffix in SUFFIXES]), EDITS)
LOADED = st.tuples(st.sampled_from([*(f"whole{each}" for each in SUFFIXES), *FOREIGN]), EDITS)


@target(EXPORTED, stage=folder, bounded=100)
def exports_damaged(drawn: tuple[str, list[tuple[int, int, bytes]]], folder: Folder) -> None:
    """An export that was damaged is our error, or a frame with the columns of an export."""
    path = damaged(folder, *drawn)
    try:
        frame = read(path)
    except FileFormatError:
        return
    assert frame.index.name == "seq"
    assert {"body", "headers_json"} <= set(frame.columns) or drawn[1]


@target(LOADED, stage=folder, bounded=66)
def loaded_whole_or_not_at_all(
    drawn: tuple[str, list[tuple[int, int, bytes]]], folder: Folder
) -> None:
    """What cannot be loaded is our error and leaves nothing behind; twice adds nothing."""
    source = damaged(folder, *drawn)
    into = folder.path / "into.db"
    for each in folder.path.glob("into.db*"):
        each.unlink()
    try:
        added = load_into(into, source)
    except WebhookLabError:
        added = 0
        assert len(read(into)) == 0
        return
    assert len(read(into)) == added
    assert load_into(into, source) == 0


PAGES = st.lists(
    st.tuples(st.integers(0, 2**20), st.just(0), st.binary(min_size=1, max_size=64)),
    min_size=1,
    max_size=6,
)


@target(st.tuples(PAGES, st.booleans()), stage=folder, bounded=33)
def capture_files_damaged(drawn: tuple[list[tuple[int, int, bytes]], bool], folder: Folder) -> None:
    """A capture file with broken pages is our error, or what can still be read of it."""
    edits, cut = drawn
    found = bytearray(folder.wholes["capture.db"])
    for place, _, new in edits:
        at = place % len(found)
        found[at : at + len(new)] = new[: len(found) - at]
    path = folder.path / "broken.db"
    path.write_bytes(found[: edits[0][0] % len(found)] if cut else found)
    for each in folder.path.glob("broken.db-*"):
        each.unlink()
    with contextlib.suppress(WebhookLabError):
        read(path)
    with contextlib.suppress(WebhookLabError):
        store = Store(path)
        try:
            store.append([arrival(b"new")])
        finally:
            store.close()


TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=("Cs",)), max_size=8)
LATIN = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=8
)
ARRIVALS = st.builds(
    arrival,
    st.binary(max_size=20) | st.text("=+-@\t\r\n'\",;\ufeff\0 aé", max_size=12).map(str.encode),
    LATIN.map("/".__add__),
    st.lists(st.tuples(st.sampled_from(("A", "b-c")), LATIN), max_size=3).map(tuple),
)


@target(st.lists(ARRIVALS, min_size=1, max_size=5), stage=folder, bounded=20)
def exports_there_and_back(arrivals: list[Arrival], folder: Folder) -> None:
    """Whatever was captured, every format has it back, byte for byte."""
    path = folder.path / "there.db"
    for each in folder.path.glob("there.db*"):
        each.unlink()
    store = Store(path)
    try:
        store.append(arrivals)
        for suffix in SUFFIXES:
            export_store(folder.path / f"there{suffix}", store, secrets=True, overwrite=True)
    finally:
        store.close()
    wanted = read(path)
    assert [bytes(body) for body in wanted["body"]] == [each.request.body for each in arrivals]
    for suffix in SUFFIXES:
        pd.testing.assert_frame_equal(read(folder.path / f"there{suffix}"), wanted)


NOTES = st.tuples(st.text(max_size=20), st.integers(-5, 2**62))


@target(NOTES, stage=folder, bounded=20)
def foreign_databases(drawn: tuple[str, int], folder: Folder) -> None:
    """Somebody else's SQLite file is refused, whatever its tables are called."""
    name, version = drawn
    path = folder.path / "foreign.db"
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with contextlib.suppress(sqlite3.Error, ValueError):
            connection.execute(f'CREATE TABLE "{name.replace(chr(34), "")}" (x)')
        connection.execute(f"PRAGMA user_version = {version % 2**31}")
    before = path.read_bytes()
    with contextlib.suppress(WebhookLabError):
        Store(path).close()
        assert not before or path.read_bytes()[:16] == b"SQLite format 3\0"
        return
    assert path.read_bytes() == before
