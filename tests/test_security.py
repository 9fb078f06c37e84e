"""What `.github/SECURITY.md` promises: its tests exist; those with no other home are here."""

import ast
import json
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import webhooklab
from tests.jupyter.jupyter_server import HOW_TO_INSTALL, QUIET, chromium_path
from tests.raw_http import Client, post, request
from webhooklab import compare
from webhooklab.processes import Entry, Registry
from webhooklab.report import write_report
from webhooklab.secret import Secret

TESTS = Path(__file__).resolve().parent
PACKAGE = Path(webhooklab.__file__).resolve().parent
NAMED = re.compile(r"`([a-z_0-9/]+\.py)::(test_\w+)`")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def review():
    return (TESTS.parent / ".github" / "SECURITY.md").read_text()


def functions(file):
    nodes = ast.walk(ast.parse((TESTS / file).read_text()))
    return {each.name for each in nodes if isinstance(each, ast.FunctionDef)}


def test_every_test_that_the_review_names_exists():
    named = NAMED.findall(review())
    assert len(named) > 60
    missing = [(file, name) for file, name in named if name not in functions(file)]
    assert not missing


def test_every_row_of_the_review_names_one():
    rows = [line for line in review().splitlines() if line.startswith("| ")]
    unproved = [row for row in rows if not NAMED.search(row) and not row.endswith("| proved by |")]
    assert not unproved


# No text becomes code

FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "read_pickle", "to_pickle", "system", "popen"),
    *("create_function", "enable_load_extension", "load_extension"),
}
DOORS = {"marshal": {"columns/cells.py"}, "subprocess": {"processes/starting.py", "demo/tour.py"}}
NEVER = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "yaml", "pty", "commands"}


@pytest.mark.parametrize(
    "module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_text_becomes_code(module):
    tree = ast.parse(module.read_text())
    place = module.relative_to(PACKAGE).as_posix()
    for node in ast.walk(tree):
        names = imported(node)
        assert not names & NEVER
        for name, places in DOORS.items():
            assert name not in names or place in places
        if isinstance(node, ast.Call):
            assert called(node) not in FORBIDDEN
            shell = [each.value for each in node.keywords if each.arg == "shell"]
            assert not shell


def imported(node):
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def called(node):
    """The name of a function that is called, or `os.system`'s; `re.compile` is another thing."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr != "compile":
        return node.func.attr
    return None


# HTML

STRINGS_AS_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
    r"|srcdoc|\beval\(|new Function|setTimeout\(\s*[\"'`]"
)


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.mjs")), ids=lambda path: path.name)
def test_the_widgets_make_no_html_of_strings(module):
    assert not STRINGS_AS_HTML.search(module.read_text())


def test_every_html_of_a_lab_is_escaped(lab):
    """What a saved notebook keeps of each thing that has an HTML repr."""
    lab.map(event_type="type", event_id="id", entity_id="entity", version="version")
    body = b'{"type":"%b","id":"%b","entity":"%b","version":1}' % ((EVIL.encode(),) * 3)
    for _ in range(2):
        post(lab.url, body, path="x", headers=(f"X-Evil: {EVIL}",))
    compared = compare(lab.events, lab.snapshots)
    shown = [
        *(lab.events, lab.payloads, lab.find("x"), lab.log, lab.retries(), lab.health()),
        *(lab.schema(EVIL), lab.drift(EVIL), lab.diff(1, 2), lab.explain(EVIL), compared),
    ]
    pages = [thing._repr_html_() for thing in shown]
    assert any("&lt;script&gt;" in page for page in pages)
    assert not [page for page in pages if "<script" in page or "<img src=x" in page]


# Terminals

OBEYED = "\x1b]0;owned\x07\x1b[2J\u202e"


def test_no_text_of_a_lab_is_a_command_to_a_terminal(lab):
    lab.map(event_type="type", event_id="id", entity_id="id", version="id")
    for _ in range(2):
        body = json.dumps({"type": OBEYED, "id": OBEYED, OBEYED: OBEYED})
        post(lab.url, body.encode(), path="\x9b2J", headers=("X-Evil: \x9b2J",))
    told = [
        *(lab[1], lab[1].headers, lab.schema(OBEYED), lab.explain(OBEYED), lab.diff(1, 2)),
        *(lab.health(), lab, compare(lab.events, lab.snapshots)),
    ]
    texts = [*map(repr, told), *map(str, told), lab[1].curl(), lab[1].python()]
    assert any("owned" in text for text in texts)
    assert not [text for text in texts if not text.replace("\n", "").isprintable()]


# The listener


def test_a_page_bound_to_loopback_anew_learns_nothing(lab):
    """Its own origin then is the listener's: the browser lets it read whatever is answered."""
    lab.respond(lambda _: "secret")
    page = ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "X-Forwarded-Host: evil.example")
    with Client(lab.url) as client:
        for headers in (page, (*page, "Origin: http://evil.example")):
            answer = client.ask(request("GET", headers=headers))
            assert (answer.status, answer.body) == (200, b"")
            assert "access-control-allow-origin" not in answer.headers
    assert len(lab) == 2


@pytest.mark.skipif(chromium_path() is None, reason=HOW_TO_INSTALL)
def test_a_page_bound_to_loopback_anew_learns_nothing_in_a_real_browser(lab):
    """On http a browser says neither Origin nor Sec-Fetch-Site of what it loads from there."""
    playwright = pytest.importorskip("playwright.sync_api", reason=HOW_TO_INSTALL)
    lab.respond(lambda _: "secret")
    port = urlsplit(lab.url).port
    bound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    ask = "async (how) => (await fetch('/asked', how)).text()"
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium_path(), args=[*QUIET, bound])
        page = browser.new_page()
        page.goto(f"http://evil.example:{port}/")
        language = {"headers": {"Accept-Language": "*"}}
        told = [page.evaluate(ask, how) for how in ({}, language, {"method": "POST"})]
        assert [page.inner_text("body"), *told] == ["", "", "", ""]
        browser.close()
    assert lab.events["path"].tolist().count("/asked") == 3
    assert post(lab.url).body == b"secret"


# Files


def test_what_is_kept_in_the_state_folder_is_the_owners_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Secret(tmp_path / "captures.db", "jupyter")
    entry = Entry(file="x", pid=1, url="http://x/", since=0, address="ws://x/", key="k")
    assert Registry().add(entry)
    kept = list((tmp_path / "webhooklab").rglob("*"))
    assert len([path for path in kept if path.is_file()]) == 2
    for path in kept:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077 or path.is_dir()
    assert "k'" not in repr(entry)


def test_a_report_follows_no_link_that_somebody_has_laid(lab, tmp_path):
    """In a folder of others, too: nothing is written where a link leads, and it is private."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in (".report.html.part", "report.html"):
        (tmp_path / name).symlink_to(precious)
    written = write_report(compare(lab.events, lab.snapshots), tmp_path / "report.html")
    assert precious.read_text() == "mine"
    assert stat.S_IMODE(written.lstat().st_mode) == 0o600
