"""`lab.load`: every kind of file taken in, whole or not at all, and once."""

import json
import os
import subprocess
import sys
import textwrap
from contextlib import closing

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.inputs import ODD, send
from tests.processes import LabProcess
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.cli import main
from webhooklab.errors import FileFormatError
from webhooklab.store import Store

SUFFIXES = (".csv", ".jsonl", ".parquet", ".har")
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
KEPT = ["received_at", "method", "path", "query_string", "content_type", "headers_json", "body"]


@pytest.fixture
def other(tmp_path):
    """A Lab that files are loaded into."""
    with Lab(tmp_path / "other.db") as opened:
        yield opened


def github(number):
    return {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": f"id-{number}",
        "Content-Type": "application/json",
    }


@every_suffix
def test_an_export_comes_in_as_it_was(lab, other, tmp_path, suffix):
    send(lab.url, ODD.values(), "/hooks?a=%20&b")
    send(lab.url, [("application/json", b'{"action":"opened"}')], **github(1))
    lab.respond(503, path="/down")
    path = lab.export(tmp_path / f"x{suffix}", secrets=True)
    added = other.load(path)
    pd.testing.assert_frame_equal(other.events[KEPT], lab.events[KEPT])
    assert list(added.index) == list(other.events.index)
    assert "body" not in added.columns
    assert set(other.events["source"]) == {"import"}
    assert set(other.events["verified"]) == {"unchecked"}
    assert other.events["status"].tolist() == lab.events["status"].tolist()
    assert other.events["event_type"].iloc[-1] == "issues.opened"
    assert other.events["provider"].iloc[-1] == "github"
    assert (other.events["stored_at"] > lab.events["stored_at"]).all()


@every_suffix
def test_what_is_there_is_not_added_again(lab, tmp_path, suffix):
    send(lab.url, [(None, b"same")] * 3, "/?token=s3cret")
    path = lab.export(tmp_path / f"x{suffix}")
    assert lab.load(path).empty
    lab.delete(2)
    again = lab.load(path)
    assert list(again.index) == [4]
    assert lab[4].query_string == "token=***"
    assert lab.load(path).empty


def test_equal_rows_of_one_file_are_several_deliveries(lab, other, tmp_path):
    send(lab.url, [(None, b"same")])
    twice = pd.concat([lab.events, lab.events])
    path = lab.export(tmp_path / "x.csv", twice)
    assert len(other.load(path)) == 2
    assert other.load(path).empty
    other.delete(1)
    assert len(other.load(path)) == 1


def test_mappings_and_checks_apply(lab, tmp_path):
    lab.send_sample("github", secret="right")
    lab.send_sample("github", secret="wrong")
    path = lab.export(tmp_path / "x.jsonl")
    with Lab(None) as other:
        other.verify_with("github", "right")
        other.map(path="/github", entity_type="'mapped'")
        assert other.load(path)["verified"].tolist() == ["valid", "invalid"]
        assert other.events["entity_type"].tolist() == ["mapped"] * 2


def test_a_masked_credential_is_no_forgery(lab, other, tmp_path):
    send(lab.url, [("application/json", b"{}")], X_Gitlab_Token="t", X_Gitlab_Event="Push Hook")
    other.verify_with("gitlab", "t")
    assert other.load(lab.export(tmp_path / "x.csv"))["verified"].tolist() == ["unverifiable"]


def test_nothing_is_fetched_for_what_is_loaded(lab, other, tmp_path):
    send(lab.url, [("application/json", b'{"id":"1"}')])
    fetcher = other.fetch_related(lab.url + "things/{id}")
    other.load(lab.export(tmp_path / "x.csv"))
    fetcher.drain()
    assert other.fetches.empty
    assert len(lab) == 1


ENTRY = {
    "startedDateTime": "2026-03-01T12:00:00.123+01:00",
    "time": 1.5,
    "request": {
        "method": "POST",
        "url": "https://api.example.com/hooks/a%20b?x=1#part",
        "httpVersion": "HTTP/2",
        "headers": [
            {"name": ":authority", "value": "api.example.com"},
            {"name": "Content-Type", "value": "application/json"},
            {"name": "X-Name", "value": "Zürich 李"},
            {"name": "x-name", "value": "two"},
        ],
        "postData": {"mimeType": "application/json", "text": '{"é": 1}'},
    },
    "response": {"status": 204},
}


def archive(*entries):
    return json.dumps({"log": {"version": "1.2", "pages": [], "entries": entries}})


@pytest.mark.parametrize("name", ["browser.har", "browser.json"])
def test_another_programs_archive(lab, tmp_path, name):
    params = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a", "value": "é"}],
    }
    form = ENTRY | {"request": ENTRY["request"] | {"postData": params}, "response": {"status": 0}}
    get = {"method": "GET", "url": "https://api.example.com"}
    (tmp_path / name).write_text(archive(ENTRY, form, ENTRY | {"request": get}))
    added = lab.load(tmp_path / name)
    assert lab.load(tmp_path / name).empty
    assert added["received_at"].iloc[0] == pd.Timestamp("2026-03-01T11:00:00.123Z")
    assert added["status"].astype(object).tolist()[::2] == [204, 204]
    assert added["status"].isna().tolist() == [False, True, False]
    assert [lab[n].body for n in (1, 2, 3)] == ['{"é": 1}'.encode(), b"a=%C3%A9", b""]
    assert (lab[1].path, lab[1].query_string, lab[3].path) == ("/hooks/a%20b", "x=1", "/")
    names = [name for name, _ in lab[1].headers]
    assert names == ["Content-Type", "X-Name", "x-name"]
    assert lab[1].headers["x-name"].encode("latin-1").decode() == "Zürich 李"


def mitmproxy_entry(content_type, body, charset, header=("X-A", "1")):
    """As mitmproxy 11 writes it: unpacked, and read in the charset that it takes the type to be."""
    headers = [("Content-Type", content_type), header]
    request = ENTRY["request"] | {
        "headers": [{"name": name, "value": value} for name, value in headers],
        "bodySize": len(body),
        "postData": {
            "mimeType": content_type,
            "text": body.decode(charset, "surrogateescape"),
            "params": [],
        },
    }
    return ENTRY | {"request": request}


def test_bodies_of_mitmproxys_archive_are_byte_for_byte(lab, tmp_path):
    given = [
        ("application/octet-stream", bytes(range(256)), "latin-1"),
        ("text/plain", "é 李".encode(), "latin-1"),
        ("text/plain; charset=windows-1252", b"\x80", "windows-1252"),
        ("application/json", '{"é": 1}'.encode(), "utf-8"),
        ("application/json", b'\xff{"a": 1}', "utf-8"),
        ("text/plain", "é".encode("latin-1"), "latin-1"),
    ]
    entries = [mitmproxy_entry(*each) for each in given]
    packed = ("Content-Encoding", "gzip")
    entries.append(mitmproxy_entry("application/json", b'{"a": 1}', "utf-8", packed))
    log = {"version": "1.2", "creator": {"name": "mitmproxy", "version": "11"}, "entries": entries}
    (tmp_path / "flows.har").write_text(json.dumps({"log": log}))
    assert len(lab.load(tmp_path / "flows.har")) == len(entries)
    assert [each.body for each in lab][:-1] == [body for _, body, _ in given]
    assert lab[-1].json() == {"a": 1}
    assert "content-encoding" not in lab[-1].headers
    assert lab[1].headers["x-a"] == "1"


def test_an_archive_of_others_is_taken_as_it_is(lab, tmp_path):
    url = "https://x/\u674e/a b?q=\xfc&r=%41#part"
    odd = [ENTRY | {"request": ENTRY["request"] | {"url": each}} for each in (url, "data:,a")]
    (tmp_path / "x.har").write_text("\ufeff" + archive(*odd), encoding="utf-8")
    assert len(lab.load(tmp_path / "x.har")) == 1
    assert lab[1].path == "/%E6%9D%8E/a%20b"
    assert lab[1].query_string == "q=%C3%BC&r=%41"


CAPTURED = {
    "uuid": "70174177-a447-4dd5-a569-ddd26b7e90ec",
    "type": "web",
    "ip": "192.0.2.1",
    "method": "POST",
    "content": '{"action": "opened"}',
    "query": None,
    "headers": {"x-github-event": ["issues"], "x-github-delivery": ["d"], "x-two": ["a", "b"]},
    "url": "https://webhook.site/00000000-0000-0000-0000-000000000000/x?a=1",
    "created_at": "2025-07-04 14:27:26",
}
MAIL = {"uuid": "m", "type": "email", "content": "hello", "created_at": "2025-07-04 14:27:27"}


@pytest.mark.parametrize("shape", ["page", "list", "one", "csv"])
def test_what_webhook_site_gives_out(lab, tmp_path, shape):
    path = tmp_path / ("x.csv" if shape == "csv" else "x.json")
    if shape == "csv":
        rows = [CAPTURED | {"headers": json.dumps(CAPTURED["headers"])}, MAIL]
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        made = {"page": {"data": [CAPTURED, MAIL], "total": 2}, "list": [CAPTURED], "one": CAPTURED}
        path.write_text(json.dumps(made[shape]))
    assert len(lab.load(path)) == 1
    assert lab.load(path).empty
    event = lab.events.iloc[0]
    assert event["received_at"] == pd.Timestamp("2025-07-04T14:27:26Z")
    assert (event["provider"], event["event_type"], event["remote"]) == (
        "github",
        "issues.opened",
        "192.0.2.1",
    )
    assert lab[1].body == CAPTURED["content"].encode()
    assert lab[1].headers.get_list("x-two") == ["a", "b"]
    assert lab[1].path.endswith("/x")


def test_what_has_the_newest_first_is_taken_in_as_it_came(lab, tmp_path):
    seconds = [27, 26, 26, 25]
    rows = [
        CAPTURED | {"content": str(place), "created_at": f"2025-07-04 14:27:{second}"}
        for place, second in enumerate(seconds)
    ]
    (tmp_path / "x.json").write_text(json.dumps({"data": rows}))
    lab.load(tmp_path / "x.json")
    assert [each.body for each in lab] == [b"3", b"2", b"1", b"0"]
    (tmp_path / "y.json").write_text(json.dumps([rows[1], rows[2], rows[0]]))
    lab.clear()
    lab.load(tmp_path / "y.json")
    assert [each.body for each in lab] == [b"1", b"2", b"0"]


@pytest.mark.parametrize("named", ["headers.{}", "headers.{}.{}", "headers_{}"])
def test_a_csv_of_webhook_site_with_a_column_for_each_header(lab, tmp_path, named):
    row = {name: value for name, value in CAPTURED.items() if name != "headers"}
    for name, values in CAPTURED["headers"].items():
        row |= {named.format(name, place): value for place, value in enumerate(values)}
    other = row | {"uuid": "2", "created_at": "2025-07-04 14:27:28"} | dict.fromkeys(["headers.z"])
    pd.DataFrame([row, other]).to_csv(tmp_path / "x.csv", index=False)
    assert len(lab.load(tmp_path / "x.csv")) == 2
    assert lab[1].event_type == "issues.opened"
    assert lab[1].headers.get_list("x-two") == (["a", "b"] if "}.{" in named else ["b"])
    assert "z" not in lab[2].headers


def test_a_page_of_webhook_site_where_nothing_has_come(lab, tmp_path):
    page = {"data": [], "total": 0, "per_page": 50, "current_page": 1, "is_last_page": True}
    (tmp_path / "x.json").write_text(json.dumps(page))
    assert lab.load(tmp_path / "x.json").empty
    (tmp_path / "x.json").write_text('{"data": [], "is_last_page": "of a book"}')
    assert len(lab.load(tmp_path / "x.json")) == 1


def test_a_directory_of_json_files(lab, tmp_path):
    folder = tmp_path / "saved"
    (folder / "deep er").mkdir(parents=True)
    for name, body in {"b.json": b'{"b": 1}', "deep er/a.json": b"[1]", "notes.txt": b"{"}.items():
        (folder / name).write_bytes(body)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    added = lab.load(folder)
    assert added["path"].tolist() == ["/b.json", "/deep%20er/a.json"]
    assert added["received_at"].tolist() == [pd.Timestamp(1_700_000_000, unit="s", tz="UTC")] * 2
    assert lab.events["body"].tolist() == [b'{"b": 1}', b"[1]"]
    assert lab.load(folder).empty
    assert lab.load(folder / "b.json").empty


GOOD = (
    '{"seq":1,"received_at":"2026-01-01T00:00:00Z","method":"POST","path":"/","query_string":"",'
    '"headers_json":"[]","body":"x","body_encoding":null}\n'
)
DEEP = "[" * 200_000
HOSTILE = {
    "method.jsonl": (GOOD + GOOD.replace("POST", "PO ST"), "row 2: 'PO ST' is no method"),
    "time.jsonl": (GOOD.replace('"2026-01-01T00:00:00Z"', "null"), "row 1: no time"),
    "split.jsonl": (
        GOOD.replace("[]", r"[[\"a\",\"b\\r\\nEvil: 1\"]]"),
        "row 1: a breaks its line",
    ),
    "name.jsonl": (GOOD.replace("[]", r"[[\"\",\"b\"]]"), "row 1: '' is no header name"),
    "pairs.jsonl": (GOOD.replace("[]", "[1]"), "row 1"),
    "deep.jsonl": (GOOD.replace("[]", DEEP), "row 1"),
    "nobody.jsonl": (GOOD.replace('"body":"x","body_encoding":null', '"verified":"x"'), "body"),
    "cut.har": (archive(ENTRY)[:-5], "not JSON"),
    "entry.har": (archive(ENTRY, 5), "entry 2"),
    "list.har": (archive(ENTRY, ENTRY | {"request": []}), "entry 2"),
    "text.har": (
        archive(ENTRY | {"request": ENTRY["request"] | {"postData": {"text": 5}}}),
        "entry 1",
    ),
    "none.har": ('{"log": []}', "no HTTP archive"),
    "lone.har": (
        archive(ENTRY | {"request": ENTRY["request"] | {"postData": {"text": "\udc00"}}}),
        "entry 1",
    ),
    "deep.har": ('{"log":{"entries":[' + DEEP, "nested deeper"),
    "deep.json": (DEEP, "deep.json"),
    "broken.json": ("{", "broken.json"),
    "headers.json": (json.dumps([CAPTURED, CAPTURED | {"headers": 5}]), "request 2"),
    "url.json": (json.dumps(CAPTURED | {"url": "http://[x/"}), "request 1"),
    "when.json": (json.dumps(CAPTURED | {"created_at": "soon"}), "request 1: no time of receipt"),
    "other.csv": ("a,b\n1,2\n", "not lab.events"),
    "empty.csv": ("", "empty.csv"),
    "quote.csv": ('seq,path\n1,"', "quote.csv"),
    "junk.parquet": ("PAR1", "junk.parquet"),
    "x.xlsx": ("PK", "suffix"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_with_anything_wrong_is_refused_whole(lab, tmp_path, name):
    content, why = HOSTILE[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(FileFormatError) as caught:
        lab.load(tmp_path / name)
    assert name in str(caught.value)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert len(lab) == 0


def test_links_and_pipes_in_a_directory_are_refused(lab, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    for number, make in enumerate([lambda p: p.symlink_to(secret), os.mkfifo]):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / "a.json")
        with pytest.raises(FileFormatError, match=r"'a\.json': it is (a link|no file)"):
            lab.load(folder)
    (tmp_path / "0" / "a.json").unlink()
    (tmp_path / "0" / "up").symlink_to(tmp_path)
    assert lab.load(tmp_path / "0").empty


def test_the_command_loads(lab, tmp_path):
    send(lab.url, [("application/json", b'{"action":"opened"}')], **github(1))
    source = lab.export(tmp_path / "x.har")
    Lab(tmp_path / "other.db").close()
    command = ["load", str(tmp_path / "other.db"), str(source)]
    run = CliRunner().invoke(main, command, catch_exceptions=False)
    assert run.output == "1 delivery added\n"
    assert read(tmp_path / "other.db")["event_type"].tolist() == ["issues.opened"]


BIG = """
    import resource, sys
    from webhooklab import Lab
    from webhooklab.errors import FileFormatError

    lab = Lab(None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        lab.load(sys.argv[1])
    except FileFormatError as error:
        print(error)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, len(lab))
    lab.close()
"""


@pytest.mark.parametrize("name", ["big.har", "big.jsonl", "big.json"])
def test_one_value_of_gigabytes_does_not_fill_the_memory(tmp_path, name):
    start = b'{"log":{"entries":[{"request":"' if name.endswith("har") else b'{"seq":1,"body":"'
    with (tmp_path / name).open("wb") as file:
        file.write(start)
        file.truncate(2 * 2**30)  # sparse: zeros
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    code = textwrap.dedent(BIG)
    command = [sys.executable, "-c", code, tmp_path / name]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said, told = run.stdout.splitlines()
    assert name in said
    grown, rows = map(int, told.split())
    assert grown < 400
    assert rows == 0


def test_a_store_that_fails_half_way_keeps_nothing_of_it(lab, other, tmp_path, monkeypatch):
    send(lab.url, [(None, b"%d" % number) for number in range(12)])
    path = lab.export(tmp_path / "x.csv")
    monkeypatch.setattr("webhooklab.loading.IMPORT_CHUNK_ROWS", 5)
    changed = lab.export(tmp_path / "changed.csv").read_text().splitlines(keepends=True)

    def interpret(request):
        if request.body == b"7":  # somebody changes the file while it is loaded
            path.write_text("".join(changed[:3]) + "junk")
            raise KeyboardInterrupt
        return real(request)

    real = other._parts.mappings.interpreter().interpret
    monkeypatch.setattr("webhooklab.mapping.Interpreter.interpret", lambda _, r: interpret(r))
    with pytest.raises(KeyboardInterrupt):
        other.load(path)
    assert len(other) == 0
    assert other.head == 5


def test_a_file_that_is_too_large_to_be_held_is_read_twice(lab, other, tmp_path, monkeypatch):
    send(lab.url, ODD.values())
    path = lab.export(tmp_path / "x.jsonl")
    monkeypatch.setattr("webhooklab.loading.IMPORT_HELD_BYTES", 3_000)
    other.load(path)
    pd.testing.assert_frame_equal(other.events[KEPT], lab.events[KEPT])


def test_a_load_that_is_killed_is_gone_on_with_each_delivery_once(lab, tmp_path):
    count = 6_000
    send(lab.url, [("application/json", b'{"n":1}')])
    many = pd.concat([lab.events] * count)
    many["received_at"] = pd.date_range("2026-03-01", periods=count, freq="us", tz="UTC")
    many.index = pd.RangeIndex(1, count + 1, name="seq")
    path = lab.export(tmp_path / "x.parquet", many)
    file = tmp_path / "killed.db"
    with LabProcess(file) as loading, closing(Store(file, write=False)) as store:
        loading.say(f"lab.load({str(path)!r})")
        until(lambda: store.count() > 0, patience=30)
        loading.kill()
        stored = store.count()
    assert 0 < stored < count
    with Lab(file) as other:
        assert len(other.load(path)) == count - stored
        assert other.events["received_at"].tolist() == many["received_at"].tolist()
        assert other.load(path).empty
