"""What the inbox says of a delivery and of its lab: in words, where one looks, and truly."""

from tests.jupyter.test_inbox_live import SETUP


def open_with(notebook, *cells):
    page = notebook(SETUP + "inbox.display()", *cells)
    page.run(0)
    page.inbox.wait_for()
    return page


def row(page, seq):
    cell = page.page.locator(".whl-c-seq").get_by_text(str(seq), exact=True)
    return page.page.locator(".whl-rows .whl-line").filter(has=cell)


def test_a_verdict_is_said_in_words_with_its_reason(notebook):
    verdicts = """
add(lab, 1, verified="valid", reason="the signature is that of whsec_***")
add(lab, 2, verified="invalid", reason="<b>another</b> secret signed it")
add(lab, 3, verified="unsigned")
"""
    page = open_with(notebook, verdicts)
    page.run(1)
    page.wait_rows("3", "2", "1")
    assert page.cells("verified") == ["○ unsigned", "✗ invalid", "✓ valid"]
    reason = "<b>another</b> secret signed it"
    assert row(page, 2).locator(".whl-c-verified").get_attribute("title") == reason
    page.click_row(2)
    assert page.page.locator(".whl-verdict").inner_text().split("\n") == ["✗ invalid", reason]
    page.click_row(3)
    page.page.locator(".whl-verdict", has_text="It came without a signature.").wait_for()


def test_a_repeated_delivery_leads_to_the_first(notebook):
    page = open_with(notebook, "add(lab, 1, 2, 3); add(lab, 1)")
    page.run(1)
    page.wait_rows("4", "3", "2", "1")
    row(page, 4).locator(".whl-mark").click()
    page.wait_selected("1")
    page.page.locator(".whl-title", has_text="#1 POST").wait_for()
    page.click_row(4)
    page.page.get_by_role("button", name="The same event as #1").click()
    page.wait_selected("1")
    assert page.page.locator(".whl-mark:visible").count() == 1


def test_a_first_delivery_that_is_not_held_is_asked_for(notebook):
    page = open_with(notebook, "fill(lab, 20_100, 10); add(lab, 5)")
    page.run(1)
    page.wait_total(20_101)
    page.page.get_by_text("20,000 newest are here").wait_for()
    row(page, 20_101).locator(".whl-mark").click()
    page.page.locator(".whl-title", has_text="#6 POST").wait_for()
    page.page.locator(".whl-tree", has_text="evt_5").wait_for()


def test_where_a_delivery_came_from_is_shown(notebook):
    page = open_with(notebook, "add(lab, 1)", 'add(lab, 2, source="relay")')
    page.run(1)
    page.wait_rows("1")
    assert not row(page, 1).locator(".whl-c-source").is_visible()
    page.run(2)
    page.wait_rows("2", "1")
    assert row(page, 2).locator(".whl-c-source").inner_text() == "relay"
    assert row(page, 2).locator(".whl-c-source").is_visible()


def test_an_answer_that_comes_later_is_shown_where_one_looks(notebook):
    page = open_with(notebook, "lab.respond(lambda delivery: 503)", "post(lab.url, order(1))")
    page.run(1)
    page.page.get_by_role("searchbox", name="Filter").fill("status:503")
    page.run(2)
    page.wait_rows("1")
    page.click_row(1)
    page.page.locator(".whl-facts", has_text="Answer 503").wait_for()
    page.page.get_by_role("searchbox", name="Filter").fill("-status:503")
    page.wait_rows()


def test_what_a_lab_wants_known_stands_above_the_table(notebook):
    page = open_with(notebook, "lab.respond(500)", "lab.respond()")
    notices = page.page.get_by_role("list", name="Notices").get_by_role("listitem")
    assert notices.count() == 0
    page.run(1)
    notices.filter(has_text="500").wait_for()
    table = page.page.locator(".whl-grid").bounding_box()
    assert notices.first.bounding_box()["y"] < table["y"]
    page.run(2)
    notices.first.wait_for(state="detached")


def test_a_fact_finds_the_others_like_it(notebook):
    page = open_with(notebook, "fill(lab, 20)")
    page.run(1)
    page.wait_total(20)
    page.click_row(20)
    page.page.get_by_role("button", name="invoice.paid", exact=True).click()
    box = page.page.get_by_role("searchbox", name="Filter")
    assert box.input_value() == "type:invoice.paid"
    page.page.locator(".whl-foot", has_text="4 of 20 match").wait_for()
    page.page.get_by_role("button", name="Copy as code").click()
    page.wait_clipboard("lab.find('type:invoice.paid')")


SLOW_EXPORT = """
export = inbox._export
def slow(path, text):
    sleep_until("seen that it runs")
    export(path, text)
inbox._export = slow
"""


def test_an_export_shows_that_it_runs_where_it_was_asked_for(notebook):
    page = open_with(notebook, "add(lab, 1)", SLOW_EXPORT)
    page.run(1)
    page.run(2)
    with page.page.expect_download():
        page.page.get_by_role("button", name="Export CSV").click()
        page.page.get_by_role("button", name="Exporting…", disabled=True).wait_for()
        page.tell("seen that it runs")
    page.page.get_by_role("button", name="Export CSV", disabled=False).wait_for()
