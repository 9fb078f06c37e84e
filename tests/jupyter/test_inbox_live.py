"""Rows appear the moment they arrive, also while a cell runs; none is lost, nothing jumps."""

import pytest

SETUP = """
from tests.jupyter.kernel_parts import *
from webhooklab import Lab
lab = Lab(None)
inbox = inbox_of(lab)
"""


def test_rows_appear_the_newest_first(notebook):
    page = notebook(SETUP + "lab", "for n in range(3): post(lab.url, order(n))")
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    assert page.status == "Listening"
    assert page.cells("status") == ["200", "200", "200"]


@pytest.mark.parametrize("work", ["sleep_until", "burn_until"])
def test_rows_appear_while_a_cell_runs(notebook, work):
    page = notebook(SETUP + "inbox.display()", f"send_soon(lab.url, 30, 30)\n{work}('seen')")
    page.run(0)
    page.inbox.wait_for()
    page.start(1)
    page.wait_total(30)
    # What this page lacks is fetched, too, while the cell runs.
    page.lines.first.click()
    page.page.get_by_text("refund me").wait_for()
    page.release(1)


def test_it_shows_when_the_cell_that_displays_it_goes_on(notebook):
    page = notebook(SETUP, "post(lab.url, order(1)); inbox.display(); sleep_until('seen')")
    page.run(0)
    page.start(1)
    page.wait_rows("1")
    page.release(1)


def test_a_large_body_is_fetched_while_a_cell_runs(notebook):
    body = "{'text': 'x' * 300_000, 'end': 'the end'}"
    page = notebook(SETUP + "inbox.display()", f"post(lab.url, {body})", "sleep_until('seen')")
    page.run(0)
    page.run(1)
    page.start(2)
    page.lines.first.click()
    page.page.locator(".whl-tree", has_text="the end").wait_for()
    page.release(2)


LOSSY = """
push, lost = inbox.widget.push, []
def lossy(message, buffers):
    if message["kind"] == "rows" and len(lost) < 2:
        lost.append(message)
    else:
        push(message, buffers)
inbox.widget.push = lossy
send(lab.url, 4, 4)
len(lost)
"""


def test_what_was_dropped_on_the_way_is_noticed_and_asked_for(notebook):
    page = notebook(SETUP + "inbox.display()", LOSSY)
    page.run(0)
    page.wait_status("Listening")
    assert page.run(1) == "2"
    page.wait_rows("4", "3", "2", "1")


def test_selection_and_scroll_stay_where_they_are(notebook):
    page = notebook(SETUP + "fill(lab, 200)\ninbox.display()", "send(lab.url, 50, 50)")
    page.run(0)
    page.wait_total(200)
    page.scroll_to(24 * 40 + 7)
    page.click_row(155)
    page.page.locator(".whl-title", has_text="#155").wait_for()
    before = page.place_of(155)
    page.run(1)
    page.wait_total(250)
    page.page.get_by_text("50 new above").wait_for()
    assert abs(page.place_of(155) - before) < 1
    page.wait_selected("155")
    assert "#155" in page.page.locator(".whl-title").inner_text()
    page.page.get_by_role("button", name="Follow").click()
    page.wait_top("250")


def test_what_is_new_above_is_counted_of_the_list_that_is_shown(notebook):
    more = "fill(lab, 15_000, 10)\nfill(lab, 15_000, 10)"
    page = notebook(SETUP + "fill(lab, 200)\ninbox.display()", more)
    page.run(0)
    page.wait_total(200)
    page.scroll_to(24 * 40)
    page.run(1)
    page.wait_total(30_200)
    page.page.get_by_text("· 20,000 new above").wait_for()
    page.page.get_by_role("searchbox", name="Filter").fill("seq:1*5")
    page.page.get_by_text("of 20,000 match").wait_for()
    assert page.page.get_by_text("new above").count() == 0


def test_pause_holds_the_view_and_capturing_goes_on(notebook):
    page = notebook(SETUP + "inbox.display()", "send(lab.url, 5)", "send(lab.url, 5)")
    page.run(0)
    page.run(1)
    page.wait_rows("5", "4", "3", "2", "1")
    page.page.get_by_role("button", name="Pause").click()
    page.run(2)
    page.wait_total(10)
    assert page.status == "Paused"
    assert page.cells("seq")[0] == "5"
    page.page.get_by_text("5 new deliveries wait").wait_for()
    page.page.get_by_role("button", name="Pause").click()
    page.wait_rows(*map(str, range(10, 0, -1)))


def test_what_was_deleted_goes_and_the_lab_closing_shows(notebook):
    page = notebook(SETUP + "inbox.display()", "send(lab.url, 4)", "lab.delete([2, 3])")
    page.run(0)
    page.run(1)
    page.wait_rows("4", "3", "2", "1")
    page.run(2)
    page.wait_rows("4", "1")


def test_older_rows_are_asked_for(notebook):
    page = notebook(SETUP + "fill(lab, 20_600, 10)\ninbox.display()")
    page.run(0)
    page.wait_total(20_600)
    page.page.get_by_text("20,000 newest are here · 600 older ones").wait_for()
    page.page.get_by_role("searchbox", name="Filter").fill("seq:1*5")
    page.page.get_by_role("button", name="Show older").click()
    page.page.get_by_text("older ones in the kernel").wait_for(state="hidden")
    page.scroll_to(1_000_000)
    assert page.cells("seq")[-1] == "15"
