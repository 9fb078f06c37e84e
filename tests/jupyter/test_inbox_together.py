"""Several browsers, several views of one inbox, several labs: each shows the truth."""

import pytest

from tests.jupyter.lab_page import NotebookPage
from tests.jupyter.test_inbox_live import SETUP


@pytest.fixture
def elsewhere(chromium, jupyter):
    """Opens a notebook in a browser of its own: nothing is shared but the kernel."""
    contexts = []

    def open_elsewhere(page):
        context = chromium.new_context(viewport={"width": 1200, "height": 1000})
        contexts.append(context)
        other = NotebookPage(jupyter, context.new_page(), page.name)
        return other.open()

    yield open_elsewhere
    for context in contexts:
        context.close()


def search(page, view=0):
    return page.inbox.nth(view).get_by_role("searchbox", name="Filter")


def test_two_browsers_on_one_kernel_each_show_the_truth(notebook, elsewhere):
    cells = ("send(lab.url, 3)", "send(lab.url, 2)", "lab.delete([4])", "send(lab.url, 1)")
    page = notebook(SETUP + "inbox.display()", *cells)
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    page.save()
    other = elsewhere(page)
    other.wait_rows("3", "2", "1")
    other.wait_status("Listening")

    search(other).fill("-seq:2")
    other.wait_rows("3", "1")
    page.run(2)
    page.wait_rows("5", "4", "3", "2", "1")
    other.wait_rows("5", "4", "3", "1")
    other.run(3)
    page.wait_rows("5", "3", "2", "1")
    other.wait_rows("5", "3", "1")

    other.page.context.close()
    page.run(4)
    page.wait_rows("6", "5", "3", "2", "1")


BIG = "for text in 'ab': post(lab.url, {'text': text * 300_000, 'end': f'the end of {text}'})"
NO_ROOM = "inbox._export = lambda path, text: 1 / 0"


def test_a_browser_gets_its_own_answers_only(notebook, elsewhere):
    page = notebook(SETUP + BIG + "\ninbox.display()", NO_ROOM)
    page.run(0)
    page.wait_rows("2", "1")
    page.save()
    other = elsewhere(page)
    other.wait_rows("2", "1")
    page.click_row(1)
    other.click_row(2)
    page.page.locator(".whl-tree", has_text="the end of a").wait_for()
    other.page.locator(".whl-tree", has_text="the end of b").wait_for()

    page.run(1)
    other.page.get_by_role("button", name="Export CSV").click()
    other.page.get_by_role("list", name="Notices").get_by_text("ZeroDivisionError").wait_for()
    other.page.get_by_role("button", name="Export CSV", disabled=False).wait_for()
    assert page.page.get_by_text("ZeroDivisionError").count() == 0


def test_several_labs_and_views_in_one_notebook_each_show_the_truth(notebook):
    other = "other = Lab(None); second = inbox_of(other); second.display()"
    sends = "send(lab.url, 3); send(other.url, 2)"
    page = notebook(
        *(SETUP + "inbox.display()", "inbox.display()", other, sends),
        *("lab.delete([2])", "lab.close()", "send(other.url, 1)"),
    )
    for number in range(4):
        page.run(number)
    page.wait_rows("3", "2", "1", view=0)
    page.wait_rows("3", "2", "1", view=1)
    page.wait_rows("2", "1", view=2)
    urls = [page.inbox.nth(n).locator(".whl-url").inner_text() for n in range(3)]
    assert urls[0] == urls[1] != urls[2]

    search(page, 1).fill("seq:2")
    page.wait_rows("2", view=1)
    page.run(4)
    page.wait_rows("3", "1", view=0)
    page.wait_rows(view=1)
    page.wait_rows("2", "1", view=2)

    page.run(5)
    page.page.locator(".webhooklab-snapshot").nth(1).wait_for()
    assert page.inbox.count() == 1
    page.run(6)
    page.wait_rows("3", "2", "1", view=0)
    assert page.status == "Listening"
