"""Captures as an HTTP archive: valid for others, byte for byte for us."""

import json
from pathlib import Path

import httpx
import jsonschema
import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from tests.inputs import ODD, send
from tests.jupyter.jupyter_server import HOW_TO_INSTALL, QUIET, chromium_path
from tests.test_code import send_raw
from webhooklab import read
from webhooklab.errors import FileFormatError

SCHEMA = json.loads(Path(__file__).with_name("har_schema.json").read_text())
TARGETS = [b"/a b", b"/caf\xe9?x=\xff&y=1#z", b"//evil.example/x", b"/%zz?a=1&a=&=2", b'/"<>']


def archive(path):
    made = json.loads(path.read_bytes())
    jsonschema.validate(made, SCHEMA)
    return made["log"]


def test_hostile_deliveries_make_a_valid_archive_and_come_back(lab, tmp_path):
    send(lab.url, [body for name, body in ODD.items() if name != "many keys"])
    for target in TARGETS[1:]:
        send_raw(lab, b"POST", target.replace(b" ", b"%20"), [b"X-Latin: caf\xe9 \xff"], b"{}")
    send_raw(lab, b"GET", b"/none", [b"Host: evil.example/<script>"], b"")
    path = lab.export(tmp_path / "x.har", secrets=True)
    pd.testing.assert_frame_equal(read(path), lab.events)
    log = archive(path)
    assert len(log["entries"]) == len(lab)
    assert log["entries"][-1]["request"]["url"] == "http://there/none"
    assert "postData" not in log["entries"][-1]["request"]


def test_an_empty_archive_and_one_without_bodies_are_valid(lab, tmp_path):
    assert archive(lab.export(tmp_path / "empty.har"))["entries"] == []
    send(lab.url, [(None, b"x")], "/a?b=c")
    for columns in (["path"], ["path", "headers_json"], ["status", "body"]):
        archive(lab.export(tmp_path / "some.har", lab.find(columns=columns)))


def test_only_bodies_that_are_no_text_are_base64(lab, tmp_path):
    send(lab.url, [("text/plain", b"\xc3\xa9"), ("image/png", b"\x89PNG"), (None, b"a\rb")])
    entries = archive(lab.export(tmp_path / "x.har"))["entries"]
    data = [entry["request"]["postData"] for entry in entries]
    assert [each.get("encoding") for each in data] == [None, "base64", "base64"]
    assert (data[0]["text"], data[0]["mimeType"]) == ("é", "text/plain")


def test_another_programs_archive_is_not_read_as_ours(tmp_path):
    path = tmp_path / "browser.har"
    log = {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": []}
    path.write_text(json.dumps({"log": log}))
    with pytest.raises(FileFormatError, match=r"lab\.load"):
        read(path)


@pytest.mark.skipif(chromium_path() is None, reason=HOW_TO_INSTALL)
def test_a_browser_answers_from_it(lab, tmp_path):
    lab.respond(503, path="/down")
    assert httpx.post(lab.url + "down?a=1", content=b"text").status_code == 503
    assert httpx.post(lab.url + "up", content="é".encode()).status_code == 200
    path = lab.export(tmp_path / "x.har")
    lab.close()  # nobody else can answer now
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(QUIET))
        page = browser.new_page()
        page.route_from_har(path, not_found="abort")
        page.route(lab.url + "page", lambda route: route.fulfill(body="<p>here</p>"))
        page.goto(lab.url + "page")
        ask = "([path, body]) => fetch(path, {method: 'POST', body}).then(r => r.status, () => 0)"
        asked = [["/down?a=1", "text"], ["/up", "é"], ["/never", "x"]]
        assert [page.evaluate(ask, each) for each in asked] == [503, 200, 0]
        browser.close()
