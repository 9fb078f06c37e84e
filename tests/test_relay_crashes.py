"""A relay and its client, killed and cut off again and again: what was accepted is there, once.

Each round sends while a proxy cuts links, or kills the relay, or the process that reads it; in full
(WEBHOOKLAB_CRASH_ROUNDS=20) each of them so many times.
"""

import subprocess
import sys

import pytest

from tests.command import environment
from tests.relay_parts import RelayProcess
from tests.relay_traffic import LIMITS, PATIENCE_SECONDS, ROUNDS, Proxy, Senders, all_of, more_than
from tests.waiting import until
from webhooklab import Lab, read

pytestmark = pytest.mark.timeout(120 + 30 * ROUNDS)
READ = """
import sys
from webhooklab import Lab
lab = Lab(sys.argv[1])
exposure = lab.expose(sys.argv[2])
print(exposure.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def relay(tmp_path):
    folder = tmp_path / "relay"
    folder.mkdir()
    process = RelayProcess(folder, *LIMITS)
    yield process
    if process.process.poll() is None:
        process.stop()


def test_the_relay_is_killed_and_links_are_cut(file, relay):
    proxy = Proxy(relay.port)
    with Lab(file) as lab:
        exposure = lab.expose(proxy.url)
        public = exposure.url.replace(proxy.url, f"http://127.0.0.1:{relay.port}")
        with Senders(public) as senders:
            for _ in range(ROUNDS):
                more_than(senders, len(senders.accepted) + 30)
                relay.kill()
                relay.start()
                more_than(senders, len(senders.accepted) + 30)
                proxy.cut()
                until(lambda: exposure.state.startswith("connected"), PATIENCE_SECONDS)
        until(lambda: len(lab) >= len(senders.accepted), PATIENCE_SECONDS)
        until(lambda: "behind" not in exposure.state, PATIENCE_SECONDS)
        all_of([row.body for row in lab], senders.accepted)
    proxy.close()


def reading(file, relay):
    process = subprocess.Popen(
        [sys.executable, "-c", READ, str(file), relay.url],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def test_the_process_that_reads_is_killed(file, relay):
    process, url = reading(file, relay)
    with Senders(url) as senders:
        for _ in range(ROUNDS):
            more_than(senders, len(senders.accepted) + 60)
            process.kill()
            process.communicate()
            more_than(senders, len(senders.accepted) + 30)
            process, again = reading(file, relay)
            assert again == url
    process.kill()
    process.communicate()
    with Lab(file) as lab:
        exposure = lab.expose(relay.url)
        until(lambda: len(lab) >= len(senders.accepted), PATIENCE_SECONDS)
        until(lambda: "behind" not in exposure.state, PATIENCE_SECONDS)
    all_of(list(read(file)["body"]), senders.accepted)
