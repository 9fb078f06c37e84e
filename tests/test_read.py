"""`read`: every file that was exported, every capture file, and an error for all else."""

import contextlib
import os
import subprocess
import sys
import textwrap

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inputs import send
from webhooklab import read
from webhooklab.errors import FileFormatError, WebhookLabError

SUFFIXES = (".csv", ".jsonl", ".parquet", ".har")
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture
def some(lab):
    send(lab.url, [("application/json", b'{"a":1}'), (None, b"\0\xff"), (None, b"x,\n\"y'")])
    return lab


@every_suffix
def test_a_file_that_was_cut_is_never_read_as_if_it_were_whole(some, tmp_path, suffix):
    whole = some.export(tmp_path / f"whole{suffix}").read_bytes()
    cut = tmp_path / f"cut{suffix}"
    lines = {at + 1 for at, byte in enumerate(whole) if byte == ord("\n")}
    for size in sorted({*range(1, len(whole), 7), *lines} - {len(whole)}):
        cut.write_bytes(whole[:size])
        try:
            rows = len(read(cut))
        except FileFormatError:
            continue
        assert suffix != ".parquet"
        assert size in lines  # only whole lines are missing
        pd.testing.assert_frame_equal(read(cut), some.events.head(rows), check_dtype=bool(rows))


@every_suffix
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_file_is_an_error_or_a_frame(some, tmp_path, suffix, data):
    path = tmp_path / f"damaged{suffix}"
    if not path.exists():
        some.export(tmp_path / f"whole{suffix}")
    whole = bytearray((tmp_path / f"whole{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(whole)
    with contextlib.suppress(FileFormatError):
        assert isinstance(read(path), pd.DataFrame)


CSV = "seq,path,body_encoding,body\n"
NOT_OURS = {
    "other.csv": "a,b\n1,2\n",
    "columns.csv": "seq,colour\n1,red\n",
    "base64.csv": CSV + "1,/,base64,n o t!\n",
    "number.csv": "seq,status\n1,many\n",
    "time.csv": "seq,received_at\n1,yesterday\n",
    "seq.csv": "seq,path\n,/\n",
    "junk.csv": "\0\1\2\n",
    "quote.csv": CSV + '1,/,,"never closed\n',
    "empty.csv": "",
    "junk.jsonl": "{\n",
    "list.jsonl": "[1]\n",
    "seqless.jsonl": '{"path":"/"}\n',
    "columns.jsonl": '{"seq":1,"colour":"red"}\n',
    "later.jsonl": '{"seq":1,"path":"/"}\n{"seq":2,"colour":"red"}\n',
    "time.jsonl": '{"seq":1,"received_at":"yesterday"}\n',
    "number.jsonl": '{"seq":1,"status":"many"}\n',
    "huge.jsonl": '{"seq":1,"status":99999999999999999999}\n',
    "text.jsonl": '{"seq":1,"path":5}\n',
    "base64.jsonl": '{"seq":1,"body_encoding":"base64","body":"n o t!"}\n',
    "junk.har": "{",
    "other.har": '{"log":{"version":"1.2","entries":[]}}',
    "columns.har": '{"log":{"_webhooklab":{"columns":["seq","colour"]},"entries":[]}}',
    "junk.parquet": "PAR1 and no more",
    "empty.parquet": "",
    "text.db": "not a database, not at all, and long enough to look like one " * 20,
    "no_suffix": "x",
    "sheet.xlsx": "PK",
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_not_ours_is_an_error_that_names_the_file(tmp_path, name):
    path = tmp_path / name
    path.write_text(NOT_OURS[name])
    with pytest.raises(WebhookLabError) as caught:
        read(path)
    assert name in str(caught.value)
    assert path.read_text() == NOT_OURS[name]
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_parquet_file_of_something_else(tmp_path):
    for frame in (pd.DataFrame({"a": [1]}), pd.DataFrame({"seq": ["x"], "status": ["many"]})):
        frame.to_parquet(tmp_path / "other.parquet")
        with pytest.raises(FileFormatError, match=r"other\.parquet"):
            read(tmp_path / "other.parquet")


def test_a_path_where_nothing_is(tmp_path):
    for name in ("nothing.csv", "nothing.db"):
        with pytest.raises(FileFormatError, match="check the path"):
            read(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path, tmp_path / "folder.csv"):
        with pytest.raises(WebhookLabError):
            read(path)


def test_a_capture_file_that_another_process_has_open(some):
    code = """
        import sys
        from webhooklab import read
        print(len(read(sys.argv[1])))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), some.path]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "3"
    send(some.url, [(None, b"more")])
    pd.testing.assert_frame_equal(read(some.path), some.events)


READ_ONLY = """
    import os, sys
    from webhooklab import read
    import pandas, pyarrow
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    assert not os.access(os.path.dirname(sys.argv[1]), os.W_OK)
    print(len(read(sys.argv[1])))
"""


def test_a_capture_file_in_a_folder_that_cannot_be_written(some, tmp_path):
    some.close()
    some.path.chmod(0o444)
    folders = [tmp_path, *tmp_path.parents[:2]]
    modes = [folder.stat().st_mode for folder in folders]
    try:
        for folder in folders:
            folder.chmod(0o555)
        command = [sys.executable, "-c", textwrap.dedent(READ_ONLY), some.path]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.stdout.strip() == "3", run.stderr
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            os.chmod(folder, mode)  # noqa: PTH101 - as they were


def test_a_csv_that_a_spreadsheet_saved_again(some, tmp_path):
    path = some.export(tmp_path / "out.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b'"local"', b"local"))
    assert read(path)["body"].tolist() == some.events["body"].tolist()
