"""What an import costs, and what it must not load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.processes import ROOT
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target, in_turns, ratios, seconds

HEAVY = ("pandas", "numpy", "pyarrow", "matplotlib", "anywidget", "ipywidgets", "IPython")
HEAVY_PREFIXES = ("jupyter", "notebook", "ipykernel", "tornado", "httpx")
STATEMENTS = {
    "nothing": "pass",
    "import webhooklab": "import webhooklab",
    "from webhooklab import Lab": "from webhooklab import Lab",
    "import pandas": "import pandas",
}
LIGHT = Target(0, at_least=False, unit="")
COUNT = Target(unit="")
LIST_MODULES = "; import json, sys; print(json.dumps(sorted(sys.modules)))"


@benchmark("import")
def imports(run: Run) -> Iterator[Row]:
    loaded = _modules("import webhooklab")
    heavy = {name.partition(".")[0] for name in loaded}
    heavy = {name for name in heavy if name in HEAVY or name.startswith(HEAVY_PREFIXES)}
    if heavy:
        run.note(f"`import webhooklab` loads {', '.join(sorted(heavy))}")
    yield Row("`import webhooklab`: heavy packages that it loads", [len(heavy)], LIGHT)
    own = [name for name in loaded if name not in _modules("pass")]
    yield Row("`import webhooklab`: modules that it loads", [len(own)], COUNT)
    timers = {name: partial(_start, code) for name, code in STATEMENTS.items()}
    figures = run.keep(in_turns(timers, run.rounds), "s")
    for name in list(STATEMENTS)[1:3]:
        what = f"`{name}`: time of the process, against one that does nothing"
        yield Row(what, ratios(figures[name], figures["nothing"]))
    what = "`from webhooklab import Lab` against `import pandas`"
    yield Row(what, ratios(figures["from webhooklab import Lab"], figures["import pandas"]))


def _start(code: str) -> float:
    command = [sys.executable, "-c", code]
    return seconds(lambda: subprocess.run(command, cwd=ROOT, check=True))


def _modules(code: str) -> list[str]:
    command = [sys.executable, "-c", code + LIST_MODULES]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    names: list[str] = json.loads(done.stdout)
    return names
