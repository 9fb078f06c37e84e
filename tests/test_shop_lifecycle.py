"""It starts, lives, shows itself, and leaves nothing behind."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.shop_parts import TIMEOUT_SECONDS, Answer, Receiver, Request, client
from webhooklab.clock import monotonic
from webhooklab.demo import Faults, Shop, ShopArgumentError, display
from webhooklab.errors import ClosedError, PortTakenError, WebhookLabError

STYLE = ' style="text-align:left"'
DESCRIPTORS = Path("/proc/self/fd")


def port_of(shop: Shop) -> int:
    return httpx.URL(shop.url).port or 0


def shop_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "shop" in thread.name]


def bind(port: int) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()


def test_close_frees_the_port_and_ends_the_thread() -> None:
    shop = Shop()
    port = port_of(shop)
    assert shop_threads()
    with pytest.raises(OSError):
        bind(port)
    shop.close()
    shop.close()
    assert not shop_threads()
    bind(port)


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="counts descriptors where Linux lists them")
def test_opening_and_closing_leaves_no_descriptor() -> None:
    def once() -> None:
        with Receiver() as receiver, Shop(webhook_url=receiver.url) as shop, client(shop) as api:
            shop.advance(5)
            shop.drain()
            api.get("orders")

    def settled() -> int:
        gc.collect()
        return len(list(DESCRIPTORS.iterdir()))

    once()
    before = settled()
    for _ in range(8):
        once()
    assert settled() <= before + 1
    assert not shop_threads()


def test_close_does_not_wait_for_a_receiver_that_hangs() -> None:
    go = threading.Event()

    def hang(_request: Request, _count: int) -> Answer:
        go.wait(TIMEOUT_SECONDS)
        return 200, {}

    with Receiver(hang) as receiver:
        with Shop(webhook_url=receiver.url, faults=Faults(reordered=0.5)) as shop:
            shop.advance(40)
            receiver.wait(1)
            before = monotonic()
        assert monotonic() - before < TIMEOUT_SECONDS / 3
        go.set()
    assert not shop_threads()


def test_a_client_that_holds_its_connection_does_not_hold_the_close() -> None:
    with Shop() as shop:
        idle = socket.create_connection(("127.0.0.1", port_of(shop)))
    with idle:
        idle.settimeout(TIMEOUT_SECONDS)
        assert idle.recv(1) == b""


def test_a_closed_shop_still_tells_the_truth_and_refuses_the_rest() -> None:
    with Shop(seed=1) as shop:
        shop.advance(3)
    assert len(shop.truth) == 3
    assert "closed" in repr(shop)
    calls: list[Callable[[], object]] = [
        shop.advance,
        shop.run,
        shop.pause,
        shop.drain,
        lambda: shop.send_to(None),
    ]
    for call in calls:
        with pytest.raises(ClosedError, match=r"Shop\(\)"):
            call()


def test_a_shop_that_nobody_holds_ends_by_itself() -> None:
    shop = Shop()
    shop.run(rate=50)
    (thread,) = shop_threads()
    port = port_of(shop)
    del shop
    gc.collect()
    thread.join(TIMEOUT_SECONDS)
    assert not thread.is_alive()
    bind(port)


def test_run_again_on_the_same_port_replaces_the_earlier_shop() -> None:
    with Shop() as shop:
        port = port_of(shop)
    with Shop(port=port) as first, Shop(port=port) as second:
        assert port_of(second) == port
        assert "closed" in repr(first)
        assert len(shop_threads()) == 1
        assert httpx.get(second.url).status_code == 200


def test_a_port_that_another_program_has_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"Port {port} .*free one"):
            Shop(port=port)
    assert not shop_threads()


def test_it_listens_on_loopback_only() -> None:
    with Shop() as shop:
        assert shop.url == f"http://127.0.0.1:{port_of(shop)}/"
        (listening,) = shop._engine._server._sockets.values()
        assert listening.getsockname()[0] == "127.0.0.1"


def test_it_lives_by_itself_until_it_is_paused() -> None:
    with Receiver() as receiver, Shop(speed=10, webhook_url=receiver.url) as shop:
        assert "paused" in repr(shop)
        shop.run(rate=20)
        receiver.wait(10)
        assert shop.running
        assert "running at 20/s" in repr(shop)
        shop.pause()
        assert "paused" in repr(shop)
        count = len(shop.truth)
        shop.drain()
        assert len(shop.truth) == count == len(receiver.requests)


def test_running_gives_the_same_life_as_stepping() -> None:
    with Receiver() as receiver, Shop(seed=9, webhook_url=receiver.url) as shop:
        shop.run(rate=500)
        receiver.wait(30)
        shop.pause()
        with Shop(seed=9) as other:
            stepped = [change.event_id for change in other.advance(30)]
        assert shop.truth.event_id.tolist()[:30] == stepped


def test_threads_may_advance_it_together() -> None:
    with Shop() as shop:
        threads = [threading.Thread(target=shop.advance, args=(50,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shop.truth.index.tolist() == list(range(1, 201))


def test_no_repr_holds_a_secret() -> None:
    url = "http://user:hunter2@127.0.0.1:9/channel-in-the-path?token=abc"
    with Shop(seed=1, webhook_url=url, faults=Faults(lost=0.1)) as shop:
        shown = repr(shop) + str(shop) + shop._repr_html_()
        for secret in (shop.api_key, shop.secret, shop.secret[6:], "hunter2", "channel", "abc"):
            assert secret not in shown
        assert shop.url in shown
        assert "http://127.0.0.1:9/" in shown
        assert "lost=0.1" in shown


def test_the_html_repr_escapes() -> None:
    assert "<td>&lt;b&gt;" in display.html({"url": "<b>"}).replace(STYLE, "")


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(ShopArgumentError, match="speed"):
        Shop(speed=speed)
    with Shop() as shop, pytest.raises(ShopArgumentError, match="speed"):
        shop.speed = speed


def test_other_impossible_arguments_are_refused() -> None:
    with pytest.raises(ShopArgumentError, match="payload"):
        Shop(payload="fat")  # type: ignore[arg-type]
    with Shop() as shop:
        with pytest.raises(ShopArgumentError, match="rate"):
            shop.run(rate=0)
        with pytest.raises(ShopArgumentError, match="n:"):
            shop.advance(-1)
    assert issubclass(ShopArgumentError, (WebhookLabError, ValueError))


def test_the_controls_turn_the_dials() -> None:
    pytest.importorskip("ipywidgets")
    with Shop() as shop:
        box = shop.controls()
        buttons, speed, lost, *_ = box.children
        live, once = buttons.children
        speed.value = 10.0
        lost.value = 0.5
        once.click()
        assert (shop.speed, shop.faults.lost, len(shop.truth)) == (10.0, 0.5, 1)
        live.value = True
        assert "running" in repr(shop)
        live.value = False
        assert "paused" in repr(shop)


def test_the_import_is_light() -> None:
    code = (
        "import sys, webhooklab.demo\n"
        "heavy = {'pandas', 'numpy', 'ipywidgets', 'matplotlib', 'anywidget'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
