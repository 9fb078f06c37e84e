"""The soak, bounded: it holds all that is bounded, and finds what leaks, slows down or is lost.

The full hour: `python -m tests.soak --minutes 60 --rate 200`.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jupyter.jupyter_server import HOW_TO_INSTALL, chromium_path
from tests.soak.bounds import findings
from tests.soak.course import Delay, Interval
from tests.soak.place import Holding

ROOT = Path(__file__).parents[1]
needs_browser = pytest.mark.skipif(chromium_path() is None, reason=HOW_TO_INSTALL)
FINE = {"lost": 0, "errors": 0, "connections": 0}


def soak(*options):
    """Its status, the cells of its table, and what is broken."""
    command = [sys.executable, "-m", "tests.soak", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    broken = [line.removeprefix("BROKEN ") for line in lines if line.startswith("BROKEN")]
    assert lines[-1].endswith(("hold.", "broken.")), done.stderr
    return done.returncode, rows, broken


@needs_browser
@pytest.mark.timeout(240)
def test_nothing_grows_slows_down_or_is_lost():
    status, (head, *rows), broken = soak("--minutes", "0.6", "--interval", "3", "--rate", "100")
    assert broken == []
    assert status == 0
    assert {"kernel", "objects", "threads", "files", "comms"} <= set(head)
    assert [row[:3] for row in rows] == [[f"{3 * n}", "300", "300"] for n in range(1, 13)]


LEAKS = """
import ipywidgets, threading, time
kept = []
def leak(delivery):
    kept.append((delivery.body, delivery.headers.pairs))
    if delivery.seq % 200 == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        kept.extend([open("/dev/null"), ipywidgets.Layout()])
    if delivery.seq == 20_500:
        lab.delete([delivery.seq])
lab.on_delivery(leak)
lab.respond(lambda delivery: time.sleep((delivery.seq - 20_000) / 50_000))
"""


@needs_browser
@pytest.mark.timeout(240)
def test_what_leaks_slows_down_and_is_lost_is_found():
    status, _, broken = soak(
        "--minutes", "0.3", "--interval", "2", "--rate", "200", "--first-cell", LEAKS
    )
    assert status == 1
    for what in (
        *("acknowledged deliveries that are not in the file: 1", "blocks in the kernel"),
        *("threads", "open files", "comms", "sent until answered, p50"),
    ):
        assert [each for each in broken if each.startswith(what)], (what, broken)


# The rules, on figures that are made up


def intervals(count=12, **changed):
    """Steady ones; `changed`: of the figures, what each is from its interval's number."""
    made = []
    for number in range(count):
        given = {name: figure(number) for name, figure in changed.items()}
        held = dict.fromkeys(Holding.__dataclass_fields__, 50.0)
        held |= {name: given.pop(name) for name in held.keys() & given.keys()}
        delay = Delay(5.0, 20.0)
        one = Interval(number, 12_000, 12_000, delay, delay, delay, 60.0, Holding(**held), 1.0)
        made.append(replace(one, **given))
    return made


def broken(made, **told):
    return [each.what for each in findings(made, **FINE | told) if not each.holds]


def test_what_is_steady_breaks_no_bound():
    assert broken(intervals()) == []


@pytest.mark.parametrize(
    ("held", "each_interval"),
    [
        *(("kernel", 12_000 * 200 / 2**20), ("blocks", 12_000 / 1e3), ("objects", 1.0)),
        *(("nodes", 100.0), ("threads", 1.0), ("files", 1.0), ("comms", 1.0)),
    ],
)
def test_what_grows_breaks_the_bound_of_its_name(held, each_interval):
    (what,) = broken(intervals(**{held: lambda number: 50 + number * each_interval}))
    named = {"objects": "JavaScript objects", "blocks": "blocks in the kernel"}
    assert named.get(held, held) in what


def test_what_grows_until_all_is_warm_breaks_none():
    assert broken(intervals(objects=lambda number: min(number, 2) * 20)) == []


def test_too_much_in_the_pages_buffers_breaks_the_bound():
    assert broken(intervals(buffers=lambda _: 100.0)) == ["buffers in the page, at most"]


def test_what_becomes_slower_breaks_the_bound():
    drift = intervals(answered=lambda number: Delay(5.0 + 3 * number, 20.0))
    assert broken(drift) == ["sent until answered, p50, in late intervals"]
    drift = intervals(visible=lambda number: Delay(5.0, 20.0 + 40 * number))
    assert broken(drift) == ["sent until visible, p99, in late intervals"]


def test_the_worst_of_a_few_is_not_called_a_drift():
    drift = intervals(answered=lambda number: Delay(5.0, 20.0 + 40 * number))
    assert broken(drift) == ["sent until answered, p99, in late intervals"]
    assert broken([replace(each, sent=300, seen=300) for each in drift]) == []


def test_a_machine_that_is_busy_for_a_while_breaks_none():
    busy = Delay(500.0, 5_000.0)
    noise = intervals(answered=lambda number: busy if number in (8, 9) else Delay(5.0, 20.0))
    assert broken(noise) == []


def test_what_is_lost_or_unseen_or_left_open_breaks_its_bound():
    assert broken(intervals(), lost=1) == ["acknowledged deliveries that are not in the file"]
    assert broken(intervals(), errors=1) == ["errors in the page"]
    assert broken(intervals(), connections=1) == ["connections of senders that have ended"]
    unseen = intervals(seen=lambda number: 12_000 - (number == 7))
    assert broken(unseen) == ["deliveries that never became visible"]
