"""What leaves: every value as it was, credentials masked, whole or not at all, for its owner."""

import csv
import json
import os
import stat
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from tests.inputs import formulas, needs_corpora, send
from webhooklab import Lab, read
from webhooklab.errors import ExportError, FileFormatError
from webhooklab.records import EVENT_COLUMNS

SUFFIXES = (".csv", ".jsonl", ".parquet", ".har")
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
SECRETS = {
    "Authorization": "Bearer s3cret",
    "Cookie": "a=s3cret",
    "X-Api-Key": "s3cret",
    "My_Token": "s3cret",
    "X-Gitlab-Token": 's3cret "quoted"',
    "Set_Cookie": "s3cret\\",
}
PLAIN = {"X-Plain": 'said ["authorization","seen"]', "X-Token-Count": "seen"}
QUERY = "?token=s3cret&a=seen&api%5Fkey=s3cret&%74oken=s3cret&clientSecret=s3cret&b;secret=s3cret"


@pytest.fixture
def some(lab):
    """Five deliveries, with and without what can be absent."""
    lab.map(event_type="type", occurred_at="at")
    bodies = [b'{"type":"a","at":1}', b"", b"\xff\0", b"a\r\nb", "\ufeffé\u2028".encode()]
    send(lab.url, [("application/json", body) for body in bodies])
    return lab


@every_suffix
def test_what_is_read_back_is_what_the_lab_says(some, tmp_path, suffix):
    path = some.export(tmp_path / f"out{suffix}", secrets=True)
    assert path == tmp_path / f"out{suffix}"
    pd.testing.assert_frame_equal(read(path), some.events)
    path = some.export(tmp_path / f"OUT{suffix.upper()}", some.events, secrets=True)
    pd.testing.assert_frame_equal(read(str(path)), some.events)


@every_suffix
def test_an_empty_lab_and_no_rows_keep_their_columns(some, tmp_path, suffix):
    empty = some.events.iloc[:0]
    pd.testing.assert_frame_equal(read(some.export(tmp_path / f"none{suffix}", empty)), empty)
    some.clear()
    pd.testing.assert_frame_equal(read(some.export(tmp_path / f"empty{suffix}")), some.events)


@every_suffix
def test_some_rows_and_some_columns(some, tmp_path, suffix):
    for frame in (some.find("type:a"), some.events.tail(2), some.find(columns=["body", "path"])):
        back = read(some.export(tmp_path / f"part{suffix}", frame, secrets=True))
        ordered = [name for name in EVENT_COLUMNS if name in frame.columns]
        pd.testing.assert_frame_equal(back, frame[ordered])


@every_suffix
def test_empty_is_not_absent(some, tmp_path, suffix):
    events = some.events
    events["version"] = ["", None, "x", "NA", "null"]
    events["verified_reason"] = pd.Series([None] * 5, dtype="str", index=events.index)
    pd.testing.assert_frame_equal(read(some.export(tmp_path / f"out{suffix}", events)), events)


@needs_corpora
@pytest.mark.filterwarnings("error")
def test_no_cell_of_a_csv_is_a_formula_and_reading_takes_the_guard_off(some, tmp_path):
    texts = formulas()
    some.map(event_type="type", entity_id="type")
    send(some.url, [("application/json", json.dumps({"type": text}).encode()) for text in texts])
    path = some.export(tmp_path / "out.csv")
    assert read(path)["event_type"].tolist()[5:] == texts
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n"))]


@pytest.mark.parametrize("more", [[], [b"\xff"]], ids=["all text", "one is not"])
def test_which_bodies_are_base64(lab, tmp_path, more):
    bodies = [b"x", b"\n", b'"', b"", b"\r", b"a\0", b"\xef\xbb\xbf{}", b"a\xef\xbb\xbf", *more]
    send(lab.url, [(None, body) for body in bodies])
    with lab.export(tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        encodings = [row["body_encoding"] for row in csv.DictReader(file)]
    assert encodings == [""] * 4 + ["base64"] * 3 + [""] + ["base64"] * len(more)


@every_suffix
def test_times_of_all_years(lab, tmp_path, suffix):
    times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.5Z", None]
    lab.map(occurred_at="at")
    send(lab.url, [("application/json", json.dumps({"at": time}).encode()) for time in times])
    back = read(lab.export(tmp_path / f"out{suffix}"))
    assert back["occurred_at"].notna().tolist() == [True, True, True, False]
    pd.testing.assert_frame_equal(back, lab.events)


def test_a_csv_makes_sense_to_others(some, tmp_path):
    path = some.export(tmp_path / "out.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["body"] for row in rows][:2] == ['{"type":"a","at":1}', ""]
    assert [row["body_encoding"] for row in rows] == ["", "", "base64", "base64", "base64"]
    assert list(rows[0])[:2] == ["seq", "received_at"]
    frame = pd.read_csv(path, index_col="seq", parse_dates=["received_at"])
    assert frame["received_at"].tolist() == some.events["received_at"].tolist()
    assert frame["status"].tolist() == [200] * 5


@every_suffix
def test_credentials_are_masked_unless_asked_for(lab, tmp_path, suffix):
    send(lab.url, [(None, b"x")], "/" + QUERY, **SECRETS, **PLAIN)
    path = lab.export(tmp_path / f"masked{suffix}")
    row = read(path).iloc[0]
    assert "s3cret" not in row["headers_json"] + row["query_string"]
    assert row["query_string"].count("***") == 5
    headers = dict(json.loads(row["headers_json"]))
    assert [headers[name.replace("_", "-")] for name in SECRETS] == ["***"] * len(SECRETS)
    assert [headers[name] for name in PLAIN] == list(PLAIN.values())
    assert b"s3cret" not in path.read_bytes()
    kept = read(lab.export(tmp_path / f"all{suffix}", secrets=True))
    pd.testing.assert_frame_equal(kept, lab.events)


@every_suffix
def test_the_file_is_its_owners_alone(some, tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    path.touch(0o666)
    os.umask(os.umask(0))
    some.export(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_overwritten_only_if_it_may(some, tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(ExportError, match="overwrite=True"):
        some.export(path, overwrite=False)
    assert path.read_text() == "mine"
    some.export(path)
    assert len(read(path)) == 5


@pytest.mark.parametrize("name", ["out", "out.xlsx", "captures.db", "out.csv.gz"])
def test_an_unknown_suffix_says_which_are_known(some, tmp_path, name):
    with pytest.raises(FileFormatError, match=r"choose one of \.csv, \.jsonl, \.parquet, \.har"):
        some.export(tmp_path / name)


def test_other_frames_are_not_exported(some, tmp_path):
    broken = some.events.assign(status=["x"] * 5)
    for frame in (some.payloads, some.unbatched, some.events.reset_index(), broken):
        with pytest.raises(FileFormatError, match="to_csv or to_parquet"):
            some.export(tmp_path / "out.csv", frame)
    for other in (some[1], [1], some.events.iloc[0]):
        with pytest.raises(FileFormatError, match=r"pass rows of lab\.events"):
            some.export(tmp_path / "out.csv", other)
    assert not list(tmp_path.glob("out.*"))


@every_suffix
@pytest.mark.parametrize("place", ["missing/out", "folder"])
def test_where_nothing_can_be_written(some, tmp_path, suffix, place):
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(ExportError, match=r"could not be written: .*untouched"):
        some.export(tmp_path / f"{place}{suffix}")
    assert not list(tmp_path.glob("*.tmp"))
    assert not list(tmp_path.glob(".*"))


FULL_DISK = """
    import resource, signal, sys
    from pathlib import Path
    from webhooklab.errors import ExportError
    from webhooklab.files import export_frame, read

    source, target = map(Path, sys.argv[1:])
    events = read(source)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        export_frame(target, events, secrets=True, overwrite=True)
    except ExportError as error:
        print(error)
"""


@every_suffix
@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_disk_that_is_full_leaves_what_was_there(lab, tmp_path, suffix):
    send(lab.url, [(None, os.urandom(300_000))])
    source = lab.export(tmp_path / "source.parquet")
    folder = tmp_path / "target"
    folder.mkdir()
    target = folder / f"out{suffix}"
    target.write_text("before")
    code = textwrap.dedent(FULL_DISK)
    command = [sys.executable, "-c", code, source, target]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "could not be written: File too large" in run.stdout
    assert "Free some space" in run.stdout
    assert [path.name for path in folder.iterdir()] == [target.name]
    assert target.read_text() == "before"


def test_an_export_is_of_one_moment(lab, tmp_path):
    send(lab.url, [(None, b"x")] * 50)
    with Lab(None) as other:
        assert other.export(tmp_path / "other.csv").exists()
    assert len(read(lab.export(tmp_path / "all.csv"))) == 50
