"""Our modules for the browser: their functions, and what they must not do."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import webhooklab

PACKAGE = Path(webhooklab.__file__).parent
MODULES = {name: PACKAGE / name / f"{name}.mjs" for name in ("inbox", "live")}
each_module = pytest.mark.parametrize("name", MODULES)
needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="no node: install Node.js 20 or later"
)


@needs_node
@each_module
def test_its_functions_do_what_they_should(name):
    tests = Path(__file__).with_name(f"{name}.test.mjs")
    run = subprocess.run(
        ["node", "--test", tests],
        env=os.environ | {f"WEBHOOKLAB_{name.upper()}": str(MODULES[name])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


@needs_node
@pytest.mark.parametrize(
    ("name", "exports"), [("inbox", "[ 'initialize', 'render' ]"), ("live", "[ 'render' ]")]
)
def test_it_gives_the_notebook_what_it_asks_for(name, exports):
    code = "import(process.argv[1]).then((m) => console.log(Object.keys(m.default), 'render' in m))"
    command = ["node", "-e", code, MODULES[name]]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == f"{exports} false"


@each_module
def test_it_imports_nothing_and_puts_no_markup_in_the_page(name):
    text = MODULES[name].read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", text
    )
    assert not re.search(r"^import ", text, re.MULTILINE)


@each_module
def test_it_takes_no_colours_but_those_of_the_theme(name):
    """Each colour of its own stands only where a front end has no theme."""
    rules = MODULES[name].with_suffix(".css").read_text()
    for colour in re.findall(r"#[0-9a-f]{3,8}\b", rules):
        assert re.search(rf"var\(--jp-[^;]*{colour}\)+;", rules), colour
