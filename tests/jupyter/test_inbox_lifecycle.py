"""Reloads, restarts, closed labs, saved notebooks: it shows the truth, or says that it cannot."""

import json

from tests.jupyter.test_inbox_live import SETUP


def test_a_reloaded_page_shows_the_inbox_again(notebook):
    page = notebook(SETUP + "inbox.display()", "send(lab.url, 3)", "send(lab.url, 2)")
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    page.save()
    page.open()
    page.wait_rows("3", "2", "1")
    page.run(2)
    page.wait_rows("5", "4", "3", "2", "1")
    assert page.status == "Listening"


SENT = (SETUP.replace("None", "'kept.db'") + "inbox.display()", "send(lab.url, 3)")


def test_a_restarted_kernel_is_said_to_be_and_goes_on(notebook):
    # JupyterLab forgets where it displayed what before it restarts a kernel, so that the page
    # which the closing lab sends does not arrive: the widget itself says what happened.
    page = notebook(*SENT)
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    page.restart_kernel()
    page.page.get_by_text("The kernel has ended or was restarted").wait_for()
    assert page.status == "Waiting for the kernel"
    assert page.cells("seq") == ["3", "2", "1"]
    page.run(0)
    page.wait_total(3)
    assert page.status == "Listening"


def test_a_kernel_that_is_shut_down_leaves_the_snapshot(notebook):
    page = notebook(*SENT)
    page.run(0)
    page.run(1)
    page.command("kernelmenu:shutdown")
    page.page.locator(".webhooklab-snapshot", has_text="deliveries").wait_for()


def test_a_dead_kernel_is_said_to_be_silent(notebook):
    page = notebook(
        SETUP + "inbox.display()", "send(lab.url, 3)", "import os; os.kill(os.getpid(), 9)"
    )
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    page.start(2)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_status("Waiting for the kernel")
    assert page.cells("seq") == ["3", "2", "1"]
    page.click_row(2)
    page.page.get_by_text("refund me").wait_for()


def test_a_kernel_that_holds_the_interpreter_is_said_to_be_silent(notebook):
    hold = "import re; re.match('(a+)+b', 'a' * 28); re.match('(a+)+b', 'a' * 28)"
    page = notebook(SETUP + "inbox.display()", "send(lab.url, 1)", hold)
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    page.start(2)
    page.wait_status("Waiting for the kernel")
    page.command("kernelmenu:interrupt")
    page.wait_status("Listening", timeout=60)


def test_a_closed_lab_leaves_a_page_that_is_saved_and_opens_without_a_kernel(notebook, jupyter):
    close = "inbox.close(); lab.close()"
    page = notebook(SETUP + "inbox.display()", "send(lab.url, 3)", close, "inbox.display()")
    for number in range(3):
        page.run(number)
    page.page.locator(".webhooklab-snapshot").wait_for()
    page.run(3)
    assert page.page.locator(".webhooklab-snapshot").count() == 2
    saved = page.save()
    html = "".join(saved["cells"][0]["outputs"][0]["data"]["text/html"])
    assert "3 deliveries" in html
    assert "widget-view" not in json.dumps(saved["cells"])
    jupyter.end_kernels()
    page.page.goto("about:blank")
    page.open(kernel=False)
    page.page.locator(".webhooklab-snapshot table").first.wait_for()


def test_without_a_snapshot_the_inbox_stays_and_still_reads(notebook):
    setup = SETUP.replace("Lab(None)", "Lab(None, snapshot=False)")
    page = notebook(
        setup + "inbox.display()",
        "post(lab.url, {'text': 'x' * 300_000, 'end': 'the end'})",
        "lab.close()",
    )
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    page.run(2)
    page.wait_status("Closed")
    page.click_row(1)
    page.page.locator(".whl-tree", has_text="the end").wait_for()
    with page.page.expect_download():
        page.page.get_by_role("button", name="Export CSV").click()
    assert page.page.locator(".webhooklab-snapshot").count() == 0
    assert "/s" not in page.page.locator(".whl-counts").inner_text()
