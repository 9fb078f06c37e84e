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
        "post(lab.url, order(2)); sleep_until('seen')",
    )
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    look(page, 1).get_by_text("✓ 200").wait_for()
    page.start(2)
    panel = look(page, 2)
    panel.get_by_text("✓ 200").wait_for()
    panel.get_by_text("✗ 503").wait_for()
    page.release(2)
    first, second = panel.locator(".whl-target").all()
    assert first.bounding_box()["y"] == second.bounding_box()["y"]
    answer = panel.get_by_label("Body of the answer")
    said = panel.get_by_text("≠ Differs from the answer of").inner_text()
    assert "the status; the headers" in said
    assert said.endswith("set-cookie; the body.")
    marked = second.locator("tr[data-mark]").all_inner_texts()
    of_one = ["Content-Type", "Content-Length", "Set-Cookie"]
    own = ["Content-Length"] if "503" in second.inner_text() else of_one  # whichever came second
    assert sorted(text.split()[1] for text in marked) == sorted(own)
    assert sorted(answer.all_inner_texts()) == ["not now", '{"taken": "<img src=x>"}']
    assert panel.locator("img").count() == 0
    assert "s3cret" not in panel.inner_text()
    pulls = page.page.get_by_role("list", name="Pollers, fetchers and forwards")
    line = pulls.get_by_role("listitem").filter(has_text="Forward two")
    line.get_by_text("✗ failing").wait_for()
    line.get_by_text("the target answered 503").wait_for()


HAND = (
    SETUP
    + """
from tests.target_parts import Target, ok
from tests.raw_server import HANG
one = Target()
two = Target(ok(b"no", 500))
post(lab.url, order(1), authorization="Bearer s3cret", origin="https://evil.example")
post(lab.url, order(2), authorization="Bearer s3cret", x_a="1")
inbox.display()
"""
)


def open_form(page, seq, name):
    page.click_row(seq)
    page.page.get_by_role("button", name=name).click()
    return page.page.locator(".whl-send")


def test_a_delivery_is_replayed_while_a_cell_runs_and_its_answer_is_seen(notebook):
    page = notebook(
        HAND,
        "print(one.url)",
        "sleep_until('seen')",
        "print(len(one.got), one.got[0].one('authorization'))",
    )
    page.run(0)
    url = page.run(1).strip()
    page.wait_rows("2", "1")
    form = open_form(page, 2, "Replay")
    form.get_by_label("URL to send to").fill(url)
    page.start(2)
    form.get_by_label("URL to send to").press("Enter")
    form.get_by_text("answered 200").wait_for()
    page.page.get_by_role("tab", name="Attempts").click()
    page.page.locator(".whl-panel").get_by_text("✓ 200").wait_for()
    page.release(2)
    assert page.run(3).strip() == "1 Bearer s3cret"
    # Nothing goes out for what a web page of another origin sent before somebody has confirmed it.
    form = open_form(page, 1, "Replay")
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("a web page of another origin sent it").wait_for()
    assert page.run(3).startswith("1 ")
    form.get_by_role("button", name="Send it all the same").click()
    form.get_by_text("answered 200").wait_for()
    assert page.run(3).startswith("2 ")
    form.get_by_role("button", name="Cancel").click()
    assert form.count() == 0


def test_what_was_edited_in_the_browser_is_what_the_target_gets(notebook):
    got = """
got = one.got[-1]
print(got.body.decode(), got.all("x-a"), got.all("x-b"), got.one("authorization"))
"""
    page = notebook(
        HAND, "lab.forward(one.url, name='mine')\nlab.forward(two.url, name='<b>other</b>')", got
    )
    page.run(0)
    page.run(1)
    page.page.get_by_text("Forward mine").wait_for()
    form = open_form(page, 2, "Edit and send")
    assert "Bearer s3cret" not in form.get_by_label("Headers").input_value()
    headers = form.get_by_label("Headers").input_value()
    form.get_by_label("Headers").fill(headers.replace("x-a: 1", "x-b: é"))
    form.get_by_label("Body").fill('{"edited": "<script>"}')
    form.get_by_label("Send to", exact=True).select_option(label="the forward mine")
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("answered 200").wait_for()
    assert page.run(2).strip() == '{"edited": "<script>"} [] [\'é\'] Bearer s3cret'
    form.get_by_label("Send to", exact=True).select_option(label="the forward <b>other</b>")
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("✗").get_by_text("answered 500").wait_for()
    form.get_by_label("Headers").fill("no header")
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("“no header” is no header").wait_for()


def test_what_comes_from_now_on_is_forwarded_from_the_browser(notebook):
    more = """
from tests.waiting import until
post(lab.url, order(3))
post(lab.url, {"id": "wanted"})
until(lambda: one.got)
print(one.got[0].body)
"""
    page = notebook(HAND, "print(one.url)", more)
    page.run(0)
    url = page.run(1).strip()
    page.wait_rows("2", "1")
    form = open_form(page, 2, "Forward")
    form.get_by_label("URL to send to").fill(url)
    form.get_by_label("Only what this filter finds").fill('"wanted"')
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("What comes from now on goes to").wait_for()
    page.page.get_by_text(f"Forward {url}").wait_for()
    assert "wanted" in page.run(2)


def test_two_deliveries_are_held_against_each_other(notebook):
    more = "post(lab.url, {'id': 'x', 'type': 'order.shipped', 'number': 3, 'text': '<b>'})"
    page = notebook(HAND, more)
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    form = open_form(page, 3, "Diff with")
    assert form.get_by_label("Number of the other delivery").input_value() == "2"
    page.click_row(1)
    form.get_by_role("columnheader", name="#1").first.wait_for()
    rows = form.locator(".whl-sides tbody tr")
    texts = [row.inner_text() for row in rows.all()]
    assert any("number" in text and "1" in text and "3" in text for text in texts)
    form.get_by_role("button", name="Differences only").click()
    form.get_by_role("rowheader", name="number (changed)").wait_for()
    headers = form.get_by_role("table", name="Headers that differ").inner_text()
    assert "authorization" in headers
    assert "s3cret" not in headers
    assert page.page.locator(".whl-line[aria-selected=true] .whl-c-seq").inner_text() == "3"
    assert form.locator("b").count() == 0
    form.get_by_role("button", name="Close").click()
    page.click_row(1)
    page.wait_selected("1")


def test_an_edited_delivery_is_signed_anew_and_the_browser_never_has_the_secret(notebook):
    seen = """
from tests.waiting import until
from webhooklab import verify
until(lambda: len(one.got) == 2)
for got in one.got:
    print(verify("github", headers=got.pairs, body=got.body, secret="s3cret").status)
"""
    page = notebook(
        HAND,
        "lab.verify_with('github', 's3cret'); lab.send_sample('github'); print(one.url)",
        seen,
    )
    page.run(0)
    url = page.run(1).strip()
    page.wait_rows("3", "2", "1")
    form = open_form(page, 3, "Edit and send")
    form.get_by_label("URL to send to").fill(url)
    form.get_by_label("Body").fill('{"edited": true}')
    anew = form.get_by_label("Sign it anew, as github would now")
    assert anew.is_checked()
    form.get_by_role("button", name="Send", exact=True).click()
    form.get_by_text("answered 200").wait_for()
    anew.uncheck()
    form.get_by_role("button", name="Send", exact=True).click()
    assert page.run(2).split() == ["valid", "invalid"]
