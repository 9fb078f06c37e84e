"""Filter, keyboard, details, downloads, themes."""

import json
from pathlib import Path

from tests.jupyter.test_inbox_live import SETUP

DIRTY = "window.jupyterapp.shell.currentWidget.context.model.dirty"
FILTERS = [
    *("type:order", "type:order.shipped", "-type:order", "type:*.paid", "entity:inv_3", "invoice"),
    *("evt_19", '"evt_190"', "query:page=1 type:order", "verified:unchecked", "status:200 seq:7"),
    *("-path:/shop", "header:api-key", "header:s3cret", "header:nothing", "note", "xxx -paid"),
    *("after:2026-01-01", "before:2026-01-01", "after:tomorrow", "ÄÖ", '""', "-", "urn:x"),
]


def test_the_filter_finds_what_lab_find_finds(notebook):
    fill = "fill(lab, 300)\npost(lab.url, 'x' * 100_000)\ninbox.display()"
    ask = f"""
import json
def found(text):
    try:
        return lab.find(text).index.tolist()
    except ValueError:
        return []
print(json.dumps([found(text) for text in {FILTERS!r}]))
"""
    page = notebook(SETUP + fill, ask)
    page.run(0)
    page.wait_total(301)
    for text, expected in zip(FILTERS, json.loads(page.run(1)), strict=True):
        page.page.get_by_role("searchbox", name="Filter").fill(text)
        page.wait_shown(expected, text)


def test_a_time_that_is_none_is_said_to_be(notebook):
    page = notebook(SETUP + "inbox.display()")
    page.run(0)
    box = page.page.get_by_role("searchbox", name="Filter")
    box.fill("after:yesterday")
    page.page.get_by_role("alert").filter(has_text="is not a time").wait_for()
    assert box.get_attribute("aria-invalid") == "true"
    box.fill("after:2026-01-01")
    page.page.get_by_role("alert").filter(has_text="is not a time").wait_for(state="hidden")


def test_the_keyboard_alone_is_enough(notebook):
    page = notebook(SETUP + "fill(lab, 100)\ninbox.display()")
    page.run(0)
    page.wait_total(100)
    keys = page.page.keyboard
    page.page.get_by_role("searchbox", name="Filter").focus()
    keys.press("ArrowDown")
    page.wait_selected("100")
    for key, seq in [
        *(("ArrowDown", "99"), ("End", "1"), ("ArrowUp", "2"), ("Home", "100")),
        *(("PageDown", "90"), ("PageUp", "100")),
    ]:
        keys.press(key)
        page.wait_selected(seq)
    assert page.page.locator(".whl-grid").get_attribute("aria-activedescendant")
    keys.press("Enter")
    page.page.wait_for_function("document.activeElement.getAttribute('role') === 'tab'")
    keys.press("ArrowRight")
    page.page.get_by_role("tab", name="Now (API)", selected=True).wait_for()
    page.page.get_by_text("Nothing is fetched here").wait_for()
    keys.press("ArrowRight")
    page.page.get_by_role("tab", name="Attempts", selected=True).wait_for()
    page.page.get_by_text("It was not sent on").wait_for()
    keys.press("ArrowRight")
    page.page.get_by_role("tab", name="Headers", selected=True).wait_for()
    page.page.locator(".whl-pairs", has_text="X-Api-Key").wait_for()
    for _ in range(3):
        keys.press("ArrowLeft")
    keys.press("Tab")  # the search
    keys.press("ArrowDown")  # the tree
    keys.press("ArrowDown")
    keys.press("Enter")
    page.wait_clipboard("id")
    page.page.get_by_role("tab", name="Payload").focus()
    keys.press("Escape")
    page.page.locator(".whl-detail").wait_for(state="hidden")
    # None of these keys has reached the notebook.
    assert page.page.locator(".jp-CodeCell").count() == 1


def test_grouped_by_entity_with_the_keyboard(notebook):
    page = notebook(SETUP + "fill(lab, 100)\ninbox.display()")
    page.run(0)
    page.wait_total(100)
    page.page.get_by_role("button", name="Group by entity").click()
    tree = page.page.get_by_role("treegrid")
    tree.wait_for()
    tree.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowRight")
    page.page.locator(".whl-group[aria-expanded=true]").wait_for()
    page.page.keyboard.press("ArrowDown")
    page.page.locator(".whl-title").wait_for()
    heading = page.page.locator(".whl-group[aria-rowindex='2']")
    assert heading.locator(".whl-c-path").inner_text() == "invoice inv_2"
    assert heading.locator(".whl-c-event_type").inner_text() == "1 delivery · invoice.paid"


def test_keys_in_the_inbox_are_not_the_notebooks_but_saving_is(notebook):
    page = notebook(SETUP + "fill(lab, 3)\ninbox.display()", "", "")
    page.run(0)
    page.wait_total(3)
    keys = page.page.keyboard
    page.click_row(3)
    assert page.page.evaluate(f"() => {DIRTY}")
    keys.press("Control+s")
    page.page.wait_for_function(f"!{DIRTY}")

    for part in (
        page.page.get_by_role("treeitem").first,
        page.page.get_by_role("tab", name="Payload"),
        page.page.get_by_role("button", name="Copy JSON"),
        page.page.get_by_role("button", name="Follow"),
    ):
        part.focus()
        for key in ("ArrowDown", "b", "b", "x"):
            keys.press(key)
        assert page.page.evaluate("() => document.activeElement.closest('.whl') !== null")
        assert page.page.locator(".jp-CodeCell").count() == 3
    page.page.get_by_role("button", name="Copy JSON").focus()
    keys.press("Escape")
    page.page.locator(".whl-detail").wait_for(state="hidden")


def test_what_scrolls_can_be_reached_with_the_keyboard(notebook):
    sent = 'post(lab.url, b"order=42", content_type="application/x-www-form-urlencoded")'
    page = notebook(f"{SETUP}{sent}\ninbox.display()")
    page.run(0)
    page.wait_rows("1")
    page.click_row(1)
    page.page.get_by_role("button", name="Show “Query and form”").click()
    page.page.locator(".whl-panel td", has_text="42").wait_for()
    page.page.keyboard.press("Tab")
    page.page.wait_for_function("document.activeElement.getAttribute('role') === 'tabpanel'")


CUT = "(cell) => cell.scrollWidth > cell.clientWidth"


def test_a_narrow_window_still_shows_what_the_sender_got(notebook):
    page = notebook(SETUP + "lab.respond(503)\npost(lab.url, order(1))\ninbox.display()")
    page.run(0)
    page.wait_rows("1")
    whole = page.page.viewport_size
    page.page.set_viewport_size({"width": 1_000, "height": 800})
    try:
        answer = page.lines.first.locator(".whl-c-status")
        assert answer.inner_text() == "503"
        table, cell = page.page.locator(".whl-grid").bounding_box(), answer.bounding_box()
        assert cell["x"] + cell["width"] <= table["x"] + table["width"]
    finally:
        page.page.set_viewport_size(whole)


def test_paths_have_room_where_nothing_else_tells_a_delivery(notebook):
    path = "upload/a/rather/long/path/one"
    page = notebook(f"{SETUP}post(lab.url, [], {path!r})\ninbox.display()", "add(lab, 1)")
    page.run(0)
    page.wait_rows("1")
    told = page.lines.first.locator(".whl-c-path")
    assert not told.evaluate(CUT)
    before = told.bounding_box()["width"]
    page.run(1)
    page.wait_rows("2", "1")
    assert told.bounding_box()["width"] < before


def test_the_download_is_what_lab_export_writes(notebook):
    fill = "fill(lab, 50)\npost(lab.url, b'\\x00=1+1\\r\\n', authorization='Bearer s3cret')"
    both = "lab.export('all.csv'); lab.export('some.csv', lab.find('type:order', columns=ALL))"
    page = notebook(f"{SETUP}{fill}\ninbox.display()", both)
    page.run(0)
    page.wait_total(51)
    page.run(1)
    for text, name in (("", "all.csv"), ("type:order", "some.csv")):
        page.page.get_by_role("searchbox", name="Filter").fill(text)
        with page.page.expect_download() as download:
            page.page.get_by_role("button", name="Export CSV").click()
        got = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename == "captures.csv"
        assert got == (page.server.root / name).read_bytes()
        assert b"s3cret" not in got


def test_copies_the_url_the_view_as_code_and_a_column_name(notebook):
    page = notebook(SETUP + "fill(lab, 3)\ninbox.display()", "lab.url")
    page.run(0)
    page.wait_total(3)
    url = page.run(1).strip("'")
    page.page.get_by_role("button", name="Copy", exact=True).first.click()
    page.wait_clipboard(url)
    page.page.get_by_role("searchbox", name="Filter").fill('type:order "a b"')
    page.page.get_by_role("button", name="Copy as code").click()
    page.wait_clipboard("lab.find('type:order \"a b\"')")
    page.page.get_by_role("searchbox", name="Filter").fill("")
    page.wait_rows("3", "2", "1")
    page.click_row(3)
    page.page.locator(".whl-key", has_text="note").click()
    page.wait_clipboard("data.object.note")
    page.page.get_by_role("button", name="Copy lab[3]").click()
    page.wait_clipboard("lab[3]")


def test_the_dark_theme_is_dark(notebook):
    page = notebook(SETUP + "fill(lab, 3)\ninbox.display()")
    page.run(0)
    page.wait_total(3)
    brightness = (
        "getComputedStyle(document.querySelector('.whl')).backgroundColor"
        ".match(/\\d+/g).slice(0, 3).map(Number).reduce((sum, each) => sum + each)"
    )
    page.page.wait_for_function(f"{brightness} > 600")
    page.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.page.wait_for_function(f"{brightness} < 200")
    finally:
        page.command("apputils:change-theme", theme="JupyterLab Light")
