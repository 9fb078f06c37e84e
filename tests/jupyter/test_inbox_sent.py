"""What is sent on, in the inbox: attempts as they are made, what is forwarded, sent by hand."""

from tests.jupyter.test_inbox_live import SETUP

TARGETS = (
    SETUP
    + """
from tests.target_parts import Target, ok
TAKEN = b'{"taken": "<img src=x>"}'
one = Target(ok(TAKEN, 200, "Content-Type: application/json", "Set-Cookie: s=s3cret"))
two = Target(lambda got: ok(b"not now", 503))
lab.forward(one.url, name="one")
lab.forward(two.url, name="two", retry=0)
inbox.display()
"""
)


def look(page, seq):
    page.click_row(seq)
    page.page.get_by_role("tab", name="Attempts").click()
    page.page.locator(".whl-wait").wait_for(state="detached")
    return page.page.locator(".whl-panel")


def test_attempts_stand_side_by_side_as_they_are_made_while_a_cell_runs(notebook):
    page = notebook(
        TARGETS,
        "lab.forward(two.url, name='two', retry=0); add(lab, 1)",
        "post(lab.url, order(2)); time.sleep(5)",
    )
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    look(page, 1).get_by_text("✓ 200").wait_for()
    page.start(2)
    panel = look(page, 2)
    panel.get_by_text("✓ 200").wait_for(timeout=3_000)
    panel.get_by_text("✗ 503").wait_for(timeout=3_000)
    assert page.is_running(2)
    first, second = panel.locator(".whl-target").all()
    assert first.bounding_box()["y"] == second.bounding_box()["y"]
    answer = panel.get_by_label("Body of the answer")
    assert sorted(answer.all_inner_texts()) == ["not now", '{"taken": "<img src=x>"}']
    assert panel.locator("img").count() == 0
    assert "s3cret" not in panel.inner_text()
    pulls = page.page.get_by_role("list", name="Pollers, fetchers and forwards")
    line = pulls.get_by_role("listitem").filter(has_text="Forward two")
    line.get_by_text("✗ failing").wait_for()
    line.get_by_text("the target answered 503").wait_for()
