"""The house keeps its shape: floors, one door per library, public names, contents of the wheel."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import webhooklab
from webhooklab import errors

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(webhooklab.__file__).resolve().parent
MODULES = sorted(PACKAGE.rglob("*.py"))

DOORS = {
    "anywidget": "inbox live",
    "click": "cli",
    "cryptography": "signatures",
    "filelock": "ownership",
    "genson": "schemas",
    "httpx": "calling pulling sending demo trial probing relay",
    "ijson": "files",
    "ipywidgets": "inbox demo",
    "IPython": "inbox live",
    "jmespath": "mapping",
    "jupyter_core": "server_extension",
    "jupyter_server": "server_extension",
    "jsonpatch": "differences",
    "matplotlib": "charts compared retrying schemas",
    "multipart": "bodies",
    "nbclient": "demo",
    "nbformat": "demo",
    "orjson": "headers states bodies store files",
    "pyarrow": "columns files",
    # The relay's file is no capture file: other tables, another owner, and never opened by a lab.
    # It is the same SQLite, so that both may be open in one process.
    "sqlite3": "store relay",
    "platformdirs": "private",
    "tenacity": "pulling sending",
    "tornado": "wire listener demo processes server_extension relay",
    "tqdm": "progress",
    "websockets": "relay",
}
"""Where each library is let in: a folder or a module of the package."""


def floors() -> dict[str, int]:
    """Rooms to floors, as the package's docstring draws them."""
    rows = re.findall(r"^ {4}(\d+)  (.+?)(?:  +|$)", webhooklab.__doc__, re.MULTILINE)
    return {room.rstrip("/"): int(floor) for floor, rooms in rows for room in rooms.split()}


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {node.module or ""}
            if node.module == "webhooklab":
                found |= {f"webhooklab.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_a_module_imports_from_lower_floors_or_its_own_folder(module):
    room = room_of(module)
    if room == "__init__":
        return
    assert room in floors(), f"{room} has no floor in the package's docstring"
    for name in imports_of(module):
        other = name.split(".")[1] if name.startswith("webhooklab.") else room
        if other not in (room, "__version__"):
            assert floors()[other] < floors()[room], f"{room} imports {other}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_a_library_has_one_door(module):
    for name in imports_of(module):
        allowed = DOORS.get(name.split(".")[0])
        assert allowed is None or room_of(module) in allowed.split(), f"{module} imports {name}"


def test_no_room_has_a_name_that_says_nothing():
    assert not {"utils", "core", "helpers", "common", "misc"} & {room_of(m) for m in MODULES}


def test_nothing_else_stands_at_the_top():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    allowed |= {"webhooklab", "notebooks", "tests", "binder"}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_the_public_names_are_there_and_their_own():
    for name in webhooklab.__all__:
        assert getattr(webhooklab, name) is not None
    with pytest.raises(AttributeError):
        webhooklab.nothing_of_this_name  # noqa: B018 - the access is the test


def test_importing_it_loads_nothing_heavy():
    code = (
        "import sys, webhooklab; "
        "heavy = {'pandas', 'pyarrow', 'matplotlib', 'anywidget', 'ipywidgets', 'IPython', "
        "'jupyter_server', 'tornado', 'httpx', 'cryptography'} "
        "& set(sys.modules); print(sorted(heavy))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_error_is_drawn_in_the_tree():
    named = {name for name in vars(errors) if name.endswith(("Error", "Timeout"))}
    assert named == set(re.findall(r"\b\w+(?:Error|Timeout)\b", errors.__doc__)) - {
        "OSError",
        "TimeoutError",
        "KeyError",
        "ValueError",
    }


def test_the_wall_clock_has_one_reader():
    pattern = re.compile(r"time\.time\(|time_ns\(|datetime\.now\(|utcnow\(|Timestamp\.now\(")
    readers = {room_of(m) for m in MODULES if pattern.search(m.read_text())}
    assert readers == {"clock"}
