"""What is pulled, in the inbox: what was fetched beside the payload, pollers, answers under way."""

import re

from tests.jupyter.test_inbox_live import SETUP

API = (
    SETUP
    + """
from tests.api_parts import Api, shown
state = {"status": "paid", "lines": [{"sku": "a", "qty": 1}], "v": 2}
answers = {"error": None, "until": None}
FAILED = b"HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n"
def answer(asked):
    if answers["until"]:
        sleep_until(answers["until"])
    order = asked.target.rpartition("/")[2]
    return answers["error"] or shown({"id": order} | state)
api = Api(answer)
def pushed(number, **more):
    data = {"id": f"o{number}", "status": "pending", "lines": [{"sku": "a", "qty": 2}], "v": 1}
    body = {"id": f"evt_{number}", "type": "order.paid", "data": data | more}
    return post(lab.url, body)
def fetch(**more):
    return lab.fetch_related(api.url + "orders/{data.id}", version="v", **more)
"""
)
SHOW = API + "fetcher = fetch()\ninbox.display()"


def look(page, seq):
    page.click_row(seq)
    page.page.get_by_role("tab", name="Now (API)").click()
    page.page.locator(".whl-wait").wait_for(state="detached")
    return page.page.locator(".whl-panel")


def sides(page):
    """Key, payload and truth of each line, marked lines with their sign."""
    rows = page.page.locator(".whl-sides tbody tr")
    rows.first.wait_for()
    return [
        [_plain(cell) for cell in row.locator("th, td").all_inner_texts()] for row in rows.all()
    ]


def _plain(cell):
    """Without the word for those who hear it, and in one line."""
    return re.sub(r" \((changed|only in the \w+)\)$", "", cell.replace("\n", ""))


def test_payload_and_truth_stand_side_by_side(notebook):
    page = notebook(SHOW, "pushed(1); fetcher.drain()")
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    panel = look(page, 1)
    panel.get_by_text("≠ superseded").wait_for()
    found = {tuple(row) for row in sides(page)}
    assert ("≠status", '"pending"', '"paid"') in found
    assert ("≠qty", "2", "1") in found
    assert ("id", '"o1"', '"o1"') in found
    assert panel.get_by_role("columnheader", name="Payload (data)").count() == 1
    panel.get_by_text("3 differences").wait_for()
    # Not by the sign alone: whoever hears it hears the word.
    assert panel.get_by_role("rowheader", name="status (changed)").count() == 1
    facts = panel.get_by_role("list", name="Facts of the fetch").inner_text()
    assert "s after it came" in facts
    assert "Status 200" in facts.replace("\n", " ")
    assert "/orders/o1" in facts
    panel.get_by_role("button", name="Differences only").click()
    assert [row[0] for row in sides(page)] == ["$", "≠status", "lines", "0", "≠qty", "≠v"]


def test_it_appears_when_it_is_there_while_a_cell_runs(notebook):
    slow = "answers['until'] = 'seen that it is not there'; pushed(1); sleep_until('seen')"
    page = notebook(SHOW, slow)
    page.run(0)
    page.start(1)
    page.wait_rows("1")
    look(page, 1).get_by_text("It is not fetched yet").wait_for()
    page.tell("seen that it is not there")
    page.page.get_by_text("≠ superseded").wait_for()
    page.release(1)


NOT_FETCHED = """
pushed(0)
fetch(event_type="invoice.*", path="/shop")
post(lab.url, {"type": "order.paid", "data": {"id": "o1"}}, path="shop")
post(lab.url, {"type": "order.paid", "data": {"id": "o1"}})
add(lab, 7, source="import")
"""


def test_why_nothing_is_fetched_is_said(notebook):
    page = notebook(API + "inbox.display()", "pushed(9)", NOT_FETCHED)
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    look(page, 1).get_by_text("Nothing is fetched here: lab.fetch_related does that").wait_for()
    page.run(2)
    page.wait_rows("5", "4", "3", "2", "1")
    # It is asked again, because somebody fetches now.
    page.page.get_by_text("It came before lab.fetch_related was called").wait_for()
    look(page, 3).get_by_text("Nothing is fetched for this type, only for invoice.*").wait_for()
    look(page, 4).get_by_text("Nothing is fetched for this path, only below /shop").wait_for()
    look(page, 5).get_by_text("did not come by a webhook (import)").wait_for()


FAILURES = """
answers["error"] = b"HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n"
pushed(1); fetcher.drain()
answers["error"] = b"HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n"
pushed(2); fetcher.drain()
answers["error"] = None
pushed("../../admin"); pushed("<img src=x onerror=alert(1)>"); fetcher.drain()
state.update(status="pending", lines=[{"sku": "a", "qty": 2}], v=1)
pushed(5); fetcher.drain()
"""


def test_what_could_not_be_fetched_says_why(notebook):
    page = notebook(SHOW, FAILURES)
    page.run(0)
    page.run(1)
    page.wait_rows("5", "4", "3", "2", "1")
    look(page, 1).get_by_text("The API has no such resource (404).").wait_for()
    look(page, 2).get_by_text("✗ not fetched").wait_for()
    assert "403" in page.page.locator(".whl-fetch").inner_text()
    look(page, 3).get_by_text("lead out of the template's path").wait_for()
    panel = look(page, 4)
    panel.get_by_text("≠ superseded").wait_for()
    assert panel.locator("img").count() == 0
    assert sides(page)[1][:2] == ["≠id", '"o<img src=x onerror=alert(1)>"']
    look(page, 5).get_by_text("Both say the same.").wait_for()


LARGE = """
state["text"] = "x" * 5_000_000
pushed(1); fetcher.drain()
deep = []
for _ in range(300):
    deep = [deep]
state["text"] = deep
pushed(2); fetcher.drain()
state["text"] = list(range(100_000))
pushed(3, text=list(range(1, 100_000))); fetcher.drain()
"""


def test_large_and_deep_states_are_asked_for_and_bounded(notebook):
    page = notebook(SHOW, LARGE)
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    panel = look(page, 1)
    panel.get_by_role("button", name="Show all 5.0 MB").click()
    panel.get_by_text("No difference was made").wait_for()
    assert len(panel.inner_text()) < 300_000
    panel = look(page, 2)
    panel.get_by_text("≠ superseded").wait_for()
    assert page.page.locator(".whl-sides tr").count() <= 501
    panel = look(page, 3)
    panel.get_by_role("button", name="Show all").click()
    panel.get_by_text(re.compile("Now \\(API\\)")).first.wait_for()
    assert page.page.locator(".whl-panel tr, .whl-panel .whl-node").count() <= 1_002


BATCH = """
lab.map(path="/batch", event_id="id", state="data")
import json as _json
events = [{"specversion": "1.0", "id": f"e{n}", "source": "/s", "type": "order.paid",
           "data": {"id": f"o{n}", "status": "pending"}} for n in range(12)]
post(lab.url, events, path="batch", content_type="application/cloudevents-batch+json")
fetcher.drain()
"""


def test_each_event_of_a_batch_has_its_fetch(notebook):
    page = notebook(SHOW, BATCH)
    page.run(0)
    page.run(1)
    page.wait_rows("1")
    panel = look(page, 1)
    panel.get_by_text("The newest 10 of 12 fetches: lab.fetches has all.").wait_for()
    assert panel.get_by_role("region").count() + panel.locator("section").count() >= 10
    assert "o11" in panel.inner_text()


def test_pollers_and_fetchers_are_seen_with_what_they_do(notebook):
    polls = """
poller = lab.poll(api.url + "orders?token=s3cret", every=30, name="orders")
fetch(headers={"Authorization": "Bearer s3cret"}, name="thin")
"""
    failing = "answers['error'] = FAILED; poller.poll_now()"
    stop = "poller.stop(); lab.poll('http://127.0.0.1:9/x', every=60, name='<b>gone</b>')"
    page = notebook(API + "inbox.display()", polls, failing, stop)
    page.run(0)
    page.inbox.wait_for()
    assert not page.page.locator(".whl-pulls").is_visible()
    page.run(1)
    pulls = page.page.get_by_role("list", name="Pollers, fetchers and forwards")
    line = pulls.get_by_role("listitem").filter(has_text="Poller orders")
    line.get_by_text(re.compile(r"polls in \d+ s")).wait_for()
    assert "1 poll" in line.inner_text()
    pulls.get_by_text("Fetcher thin").wait_for()
    assert "s3cret" not in pulls.inner_text()
    before = line.get_by_text(re.compile(r"polls in \d+ s")).inner_text()
    page.page.wait_for_function(
        "(text) => !document.querySelector('.whl-pulls').textContent.includes(text)", arg=before
    )
    page.start(2)
    line.get_by_text("✗ failing").wait_for()
    line.get_by_text("503").wait_for()
    page.finish(2)
    page.run(3)
    pulls.get_by_role("listitem").filter(has_text="orders").get_by_text("stopped").wait_for()
    pulls.get_by_text("<b>gone</b>").wait_for()


def test_a_table_line_says_whether_an_answer_is_made_or_its_sender_left(notebook):
    answering = """
import socket, threading
go = threading.Event()
lab.respond(lambda delivery: go.wait(20) and 201)
threading.Thread(target=pushed, args=(1,)).start()
target = urlsplit(lab.url)
with socket.create_connection((target.hostname, target.port)) as leaving:
    leaving.sendall(b"POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    lab.wait(2, after=0)
"""
    page = notebook(API + "add(lab, 3, source='import')\ninbox.display()", answering, "go.set()")
    page.run(0)
    page.run(1)
    page.wait_rows("3", "2", "1")
    assert page.cells("status")[:2] == ["answering…", "answering…"]
    page.run(2)
    page.page.get_by_text("sender left").wait_for()
    assert sorted(page.cells("status")[:2]) == ["201", "sender left"]
