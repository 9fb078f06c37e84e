"""The live comparison's module for the browser: its functions, and what it must not do."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from webhooklab import live

MODULE = Path(live.__file__).with_name("live.mjs")
needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="no node: install Node.js 20 or later"
)


@needs_node
def test_the_browsers_functions_do_what_they_should():
    tests = Path(__file__).with_name("live.test.mjs")
    run = subprocess.run(
        ["node", "--test", tests],
        env=os.environ | {"WEBHOOKLAB_LIVE": str(MODULE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


@needs_node
def test_the_browsers_module_gives_the_notebook_what_it_asks_for():
    code = "import(process.argv[1]).then((m) => console.log(Object.keys(m.default), 'render' in m))"
    shown = subprocess.run(["node", "-e", code, MODULE], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[ 'render' ] false"


def test_the_browsers_module_imports_nothing_and_puts_no_markup_in_the_page():
    text = MODULE.read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", text
    )
    assert not re.search(r"^import ", text, re.MULTILINE)


def test_it_takes_no_colours_but_those_of_the_theme():
    """Each colour of its own stands only where a front end has no theme."""
    rules = MODULE.with_name("live.css").read_text()
    for colour in re.findall(r"#[0-9a-f]{3,8}\b", rules):
        assert re.search(rf"var\(--jp-[^;]*{colour}\)+;", rules), colour
