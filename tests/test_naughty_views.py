"""Naughty strings and tortured JSON in every view but the browser's: frames, find, HAR, code."""

import base64
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from tests.inputs import CORPORA, files, formulas, naughty_strings, needs_corpora, send
from tests.test_browser_modules import MODULES, needs_node
from tests.test_code import check_same, needs_shell, send_raw
from webhooklab import Lab, read
from webhooklab.errors import FilterError

pytestmark = needs_corpora

PACKED = 30
JSON_TYPE = "application/json"


def texts():
    return [*naughty_strings(), *formulas()]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A delivery for each string, in its body and in all that is derived; then the JSON files."""
    with Lab(tmp_path_factory.mktemp("naughty") / "captures.db") as opened:
        opened.map(event_type="type", event_id="id", entity_id="id", version="v")
        named = [dict.fromkeys(("type", "id", "v", "text"), text) for text in texts()]
        send(opened.url, [(JSON_TYPE, json.dumps(each).encode()) for each in named])
        send(opened.url, [(JSON_TYPE, body) for body in tortured().values()], "/json")
        yield opened


def tortured():
    """JSONTestSuite: `y_` must be read, `n_` must not, `i_` may."""
    return files("hostile/json/test_parsing") | files("hostile/json/test_transform")


def test_frames_have_each_string_as_it_was(lab):
    wanted = texts()
    rows = lab.events[: len(wanted)]
    for column in ("event_type", "event_id", "entity_id", "version"):
        assert rows[column].tolist() == wanted, column
    assert lab.payloads["text"][: len(wanted)].tolist() == wanted
    assert repr(lab.events)
    assert lab.events._repr_html_().count("<script") == 0


def test_json_is_read_as_the_test_suite_has_it(lab):
    payloads = lab.payloads
    for seq, (name, body) in enumerate(tortured().items(), len(texts()) + 1):
        verdict = Path(name).name[0] if "test_parsing" in name else "i"
        try:
            found = lab[seq].json()
        except ValueError:
            assert verdict != "y", name
            assert payloads.loc[seq].isna().all(), name
        else:
            assert verdict != "n", name
            assert found == json.loads(body) or verdict == "i", name


def test_find_finds_each_string_or_says_what_is_wrong(lab):
    for seq, text in list(enumerate(texts(), 1))[::5]:
        with suppress(FilterError):
            lab.find(text)
        if text.strip():
            phrase = text.replace("\\", "\\\\").replace('"', '\\"')
            assert seq in lab.find(f'type:"{phrase}"').index, text


def test_an_archive_of_all_is_valid_and_comes_back(lab, tmp_path):
    path = lab.export(tmp_path / "all.har", secrets=True)
    schema = json.loads(Path(__file__).with_name("har_schema.json").read_text())
    archive = json.loads(path.read_bytes())
    jsonschema.validate(archive, schema)
    assert len(archive["log"]["entries"]) == len(lab)
    pd.testing.assert_frame_equal(read(path), lab.events)


# Code: each string in a header, in the target and in the body, as far as HTTP has a place for it


def in_header(text):
    sent = text.encode("utf-8", "surrogatepass")
    return bytes(byte if byte > 31 and byte != 127 else 32 for byte in sent).strip()


def in_target(text):
    return bytes(byte for byte in text.encode() if 32 < byte < 127 and byte != ord("#"))


def hostile_requests():
    every = [text for text in texts() if "\ud800" not in text]
    for start in range(0, len(every), PACKED):
        some = every[start : start + PACKED]
        headers = [b"X-%d: %b" % (n, in_header(text)) for n, text in enumerate(some)]
        target = b"/" + b"/".join(map(in_target, some)) + b"?" + b"&".join(map(in_target, some))
        for body in ("\n".join(some), "".join(some)):
            yield target, headers, body.encode("utf-8", "surrogatepass")
    for body in tortured().values():
        yield b"/json", [b"Content-Type: application/json"], body


@pytest.fixture(scope="module")
def resending(tmp_path_factory):
    """A lab of its own for these, and what it has captured at first."""
    with Lab(tmp_path_factory.mktemp("code") / "captures.db") as lab:
        for target, headers, body in hostile_requests():
            send_raw(lab, b"POST", target, headers, body)
        sent = list(lab)
        assert len(sent) > 2 * len(naughty_strings()) // PACKED + len(tortured()) - 1
        yield lab, sent


def run_shell(lab, deliveries):
    script = "\n".join(each.curl(lab.url, secrets=True) for each in deliveries)
    subprocess.run(["bash", "-e"], input=script, text=True, check=True, capture_output=True)


RUN_EACH = "import json, sys\nfor code in json.load(sys.stdin):\n    exec(code, {})\n"


def run_python(lab, deliveries):
    codes = json.dumps([each.python(lab.url, secrets=True) for each in deliveries])
    command = [sys.executable, "-W", "error", "-c", RUN_EACH]
    subprocess.run(command, input=codes, text=True, check=True, capture_output=True)


@pytest.mark.parametrize("run", [pytest.param(run_shell, marks=needs_shell), run_python])
def test_code_sends_each_string_again(resending, run):
    lab, sent = resending
    before = lab.head
    run(lab, sent)
    again = [lab[seq] for seq in range(before + 1, lab.head + 1)]
    for one, other in zip(sent, again, strict=True):
        check_same(one, other)


BROWSERS_PART = """
let given = "";
for await (const part of process.stdin) given += part;
const { sendable, curlCode, pythonCode } = await import(process.argv[1]);
const codes = JSON.parse(given).map(({ url, body, ...row }) => {
  const detail = { headers: row.headers_json, body: new Uint8Array(Buffer.from(body, "base64")) };
  const request = sendable(row, detail, url);
  return [curlCode(request), pythonCode(request)];
});
process.stdout.write(JSON.stringify(codes));
"""


@needs_node
def test_the_code_tab_writes_the_same_code(resending):
    lab, sent = resending
    names = ("method", "path", "query_string", "headers_json")
    given = [
        {name: getattr(each, name) for name in names}
        | {"url": lab.url, "body": base64.b64encode(each.body).decode()}
        for each in sent
    ]
    command = ["node", "--input-type=module", "-e", BROWSERS_PART, MODULES["inbox"]]
    run = subprocess.run(command, input=json.dumps(given).encode(), check=True, capture_output=True)
    for (curl, python), each in zip(json.loads(run.stdout), sent, strict=True):
        assert curl == each.curl(lab.url, secrets=True)
        assert python == each.python(lab.url, secrets=True)


def test_there_are_as_many_as_there_should_be():
    assert len(texts()) > 500
    assert len(tortured()) > 80, CORPORA
