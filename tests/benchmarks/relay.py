"""The relay: what it takes, what it adds to the way, what channels that nobody uses cost it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
from websockets.exceptions import WebSocketException

from tests.benchmarks.exposure import MILLISECONDS, latency_ms, speed
from tests.benchmarks.processes import running as contending
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios
from tests.raw_http import Client, request
from tests.relay_parts import Reader, RelayProcess, below, running
from webhooklab import clock
from webhooklab.relay.protocol import Ack, Channel, Delivery, Hello, encode
from webhooklab.relay.server import Settings
from webhooklab.relay.server.changes import Make
from webhooklab.relay.server.file import RelayFile
from webhooklab.relay.server.keys import Keys, new_keys

CHANNELS = 10_000
READERS = 1_000
DIRECT, ALONE = "posted to the listener", "posted to the relay, no reader"
READ = "posted to the relay, a reader answers"
OPTIONS = ("--rate-burst", "100000000", "--queue-rows", "100000000")
MEMORY = Target(at_least=False, unit=" MB")
PER_LINK = Target(at_least=False, unit=" KB")


@benchmark("relay")
def relay(run: Run) -> Iterator[Row]:
    with _relay(run, "relay") as process, contending(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        unread, read = process.new(), process.new()
        direct = f"http://127.0.0.1:{contenders[0].port}/"
        urls = {
            DIRECT: direct,
            ALONE: f"{process.url}{below(unread)}",
            READ: f"{process.url}{below(read)}",
        }
        with _answering(process, read):
            yield from _measure(run, urls)
    yield from _memory(run)


def _measure(run: Run, urls: dict[str, str]) -> Iterator[Row]:
    speeds = {name: partial(speed, run, url) for name, url in urls.items()}
    figures = run.keep(in_turns(speeds, run.rounds), "requests/s")
    for name in (ALONE, READ):
        what = f"durable, {name}, against {DIRECT}"
        yield Row(what, ratios(figures[name], figures[DIRECT]), NO_TARGET)
    waits = {name: partial(latency_ms, url) for name, url in urls.items()}
    times = run.keep(in_turns(waits, run.rounds), "ms, one sender, median")
    for name in (ALONE, READ):
        pairs = zip(times[name], times[DIRECT], strict=True)
        what = f"added to {DIRECT}: {name}, one sender"
        yield Row(what, [this - that for this, that in pairs], MILLISECONDS)


def _memory(run: Run) -> Iterator[Row]:
    with _relay(run, "empty") as process:
        start = _megabytes(process)
    folder = Path(run.folder, "idle")
    folder.mkdir()
    keys = _fill(folder / "relay.db")
    with running(folder, *OPTIONS, "--channels", str(CHANNELS)) as process, ExitStack() as links:
        assert process.status()["channels"] == CHANNELS
        idle = _megabytes(process)
        yield Row(f"relay's memory for {CHANNELS:,} idle channels", [idle - start], MEMORY)
        for each in keys[:READERS]:
            _listen(links.enter_context(Client(process.url)), each)
        assert process.status()["readers"] == READERS
        each_kb = (_megabytes(process) - idle) * 1024 / READERS
    yield Row(f"... and for each of {READERS:,} that are connected, and idle", [each_kb], PER_LINK)


def _fill(file: Path) -> list[Keys]:
    settings = Settings(db=file, channels=CHANNELS, channels_per_address=CHANNELS)
    done = threading.Event()
    keys = [new_keys() for _ in range(CHANNELS)]
    with closing(RelayFile(file, settings)) as opened:
        made = [Make(each, "192.0.2.1", clock.now_us()) for each in keys]
        opened.submit(made, lambda _: done.set())
        assert done.wait(60)
    return keys


def _listen(client: Client, keys: Keys) -> None:
    """A reader's link by hand, which says hello and then nothing."""
    headers = (
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", f"Authorization: Bearer {keys.key}"),
    )
    assert client.ask(request("GET", f"/listen/{keys.name}", headers)).status == 101
    text = encode(Hello(0)).encode()
    client.send(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
    assert b"ready" in client.socket.recv(1_000)


@contextmanager
def _relay(run: Run, name: str) -> Iterator[RelayProcess]:
    folder = Path(run.folder, name)
    folder.mkdir()
    with running(folder, *OPTIONS) as process:
        yield process


def _megabytes(process: RelayProcess) -> float:
    process.status()
    return psutil.Process(process.process.pid).memory_info().rss / 2**20


@contextmanager
def _answering(process: RelayProcess, channel: Channel) -> Iterator[None]:
    """A reader that answers each who waits, and acknowledges."""
    with Reader(process.url, channel) as reader:
        thread = threading.Thread(target=_answer_all, args=(reader,))
        thread.start()
        yield
    thread.join()


def _answer_all(reader: Reader) -> None:
    with suppress(WebSocketException, OSError):
        while True:
            frame = reader.next(timeout=None)
            assert isinstance(frame, Delivery)
            if frame.waiting:
                reader.answer(frame.sequence)
            reader.say(Ack(frame.sequence))
