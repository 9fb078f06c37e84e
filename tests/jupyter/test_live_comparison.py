"""The live comparison in a real JupyterLab: up to date while a cell runs, honest, saved."""

import importlib.util
import json

import pytest

SETUP = """
from tests.jupyter.kernel_parts import sleep_until
from webhooklab import Lab
from webhooklab.demo import Faults, Shop
lab = Lab(None)
shop = Shop(seed=7, webhook_url=lab.url + "shop", entities=("order",))
lab.map(version="data.version")
poller = lab.poll(shop.url + "orders", every=0.3, version="version",
                  headers={"X-Api-Key": shop.api_key}, name="orders")
def change(count):
    for _ in range(count):
        shop.advance(1)
        shop.drain()
        poller.poll_now()
"""
SHOW = SETUP + "live = lab.compare(live=True, grace=1)\nlive"


def wait_count(page, verdict, count, *, place=0):
    row = page.page.locator(".whl-live").nth(place).locator(f"tr[data-verdict={verdict}]")
    row.locator(".whl-live-count").get_by_text(str(count), exact=True).wait_for()


def wait_status(page, text):
    status = page.page.locator(".whl-live-status").first
    status.get_by_text(text, exact=True).wait_for()


def test_it_keeps_up_while_a_cell_runs(notebook):
    changes = "change(4); shop.faults = Faults(lost=1.0); change(2)"
    page = notebook(SHOW, f"{changes}; sleep_until('seen')")
    page.run(0)
    wait_status(page, "Live")
    page.start(1)
    wait_count(page, "both", 4)
    wait_count(page, "poll_only", 2)
    page.release(1)
    told = page.page.locator(".whl-live-verdict").inner_text()
    assert told.startswith("2 webhooks of 6 changes never came")
    assert "next poll" in page.page.locator(".whl-live-pollers").inner_text()


def test_a_screen_reader_hears_the_verdict_and_finds_its_way(notebook):
    page = notebook(SETUP + "change(3)", "lab.compare(live=True)")
    page.run(0)
    page.run(1)
    region = page.page.get_by_role("region", name="Live comparison")
    region.wait_for()
    voice = region.get_by_role("status")
    assert voice.get_attribute("aria-live") == "polite"
    voice.get_by_text("in 3 changes").wait_for(state="attached")
    assert region.get_by_role("table", name="Both ways").get_by_role("rowheader").count() == 4
    assert region.get_by_role("table", name="Verdicts").get_by_role("rowheader").count() == 5
    assert region.get_by_role("list", name="Pollers").get_by_role("listitem").count() == 1


def test_a_kernel_that_ends_is_said_to_have(notebook):
    page = notebook(SHOW, "change(2)", "import os; os.kill(os.getpid(), 9)")
    page.run(0)
    page.run(1)
    wait_count(page, "both", 2)
    page.start(2)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    wait_status(page, "Waiting for the kernel")
    assert "what came since is not here" in page.page.locator(".whl-live-when").inner_text()
    wait_count(page, "both", 2)


def test_what_it_said_last_is_saved_and_needs_no_kernel(notebook, jupyter):
    page = notebook(SHOW, "live", "change(2); lab.close(); shop.close()", "live")
    page.run(0)
    page.run(1)
    wait_status(page, "Live")
    page.run(2)
    page.run(3)
    assert page.page.locator(".webhooklab-live-page").count() == 3
    assert page.page.locator(".whl-live").count() == 0
    saved = page.save()
    assert "widget-view" not in json.dumps(saved["cells"])
    jupyter.end_kernels()
    page.page.goto("about:blank")
    page.open(kernel=False)
    page.page.locator(".webhooklab-live-page").first.wait_for()
    text = page.page.locator(".webhooklab-live-page").first.inner_text()
    assert "No webhook is known to be missing, in 2 changes" in text


def test_a_reloaded_page_shows_it_again(notebook):
    page = notebook(SHOW, "change(2)", "change(1)")
    page.run(0)
    page.run(1)
    wait_count(page, "both", 2)
    page.save()
    page.open()
    wait_count(page, "both", 2)
    page.run(2)
    wait_count(page, "both", 3)
    wait_status(page, "Live")


EVIL = """
evil = "<img src=x onerror=alert(1)>\\u202e"
lab.map(entity_id="data.id", version="data.version", entity_type="'order'")
lab.poll("http://127.0.0.1:1/", name=evil, every=0.3)
live.set_trait("said", live.said | {"failure": evil})
live._refreshing.figures["verdict"] = evil
live._refreshing.figures["sides"][0][1] = evil
live._tell()
"""


def test_nothing_in_it_is_more_than_text(notebook):
    page = notebook(SHOW, EVIL)
    dialogs = []
    page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.run(0)
    page.run(1)
    page.page.locator(".whl-live-verdict", has_text="<img").wait_for()
    page.page.locator(".whl-live-pollers", has_text="<img").wait_for()
    assert page.page.locator(".whl-live img").count() == 0
    assert dialogs == []


COLOURS = """() => {
    const { backgroundColor, color } = getComputedStyle(document.querySelector('.whl-live'));
    return [backgroundColor, color].map((each) => Math.max(...each.match(/\\d+/g).slice(0, 3)));
}"""


def test_the_dark_theme_is_dark(notebook):
    page = notebook(SHOW)
    page.run(0)
    wait_status(page, "Live")
    back, text = page.page.evaluate(COLOURS)
    assert back > text
    page.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.page.wait_for_function(f"() => {{ const [b, t] = ({COLOURS})(); return b + 80 < t; }}")
    finally:
        page.command("apputils:change-theme", theme="JupyterLab Light")


@pytest.mark.skipif(
    importlib.util.find_spec("notebook") is None, reason='pip install "webhooklab[test]"'
)
def test_it_works_in_notebook_7(notebook):
    page = notebook(SHOW, "change(2)", app="notebooks")
    page.errors.clear()  # those of its own start
    page.run(0)
    page.run(1)
    wait_count(page, "both", 2)
    wait_status(page, "Live")
