"""Packed bodies: unpacked to be looked at, said to be, and never more of a bomb than the limit."""

import re

import pytest

from tests.jupyter.test_inbox_live import SETUP
from tests.jupyter.watching import smoothness, watch_frames

SETUP_PACKED = (
    SETUP
    + """
import gzip, random, zlib
def packed(body, coding="gzip", **headers):
    return post(lab.url, body, content_encoding=coding, **headers)
inbox.display()
"""
)
TEXT = "json.dumps({'id': 'evt_1', 'text': 'refund me ' * 800}).encode()"
SEND = f"""
text = {TEXT}
packed(gzip.compress(text))
packed(zlib.compress(text), "deflate")
form = "application/x-www-form-urlencoded"
packed(gzip.compress(b"order=42&note=r%C3%A9fund"), content_type=form)
random.seed(1)
long = gzip.compress(b"refund me" + random.randbytes(20_000).hex().encode())
packed(long[: len(long) // 2])
packed(text, "compress")
"""


def look_at(page, seq, tab="Payload"):
    page.click_row(seq)
    page.page.locator(".whl-title", has_text=f"#{seq} ").wait_for()
    page.page.get_by_role("tab", name=tab).click()
    page.page.locator(".whl-wait").wait_for(state="detached")
    return page.page.locator(".whl-panel")


def packing(page):
    return page.page.locator(".whl-packing").inner_text()


def test_a_packed_body_is_shown_unpacked_with_its_sizes(notebook):
    page = notebook(SETUP_PACKED, SEND)
    page.run(0)
    page.run(1)
    page.wait_rows("5", "4", "3", "2", "1")

    look_at(page, 1).locator(".whl-key", has_text="text").wait_for()
    assert re.match(r"gzip, 8\d B → 8\.0 kB\.", packing(page))
    raw = look_at(page, 1, "Raw")
    assert '"id": "evt_1"' in raw.locator(".whl-pre").inner_text()
    raw.get_by_role("button", name="Hex, as sent").click()
    assert raw.locator(".whl-pre").inner_text().startswith("00000000  1f 8b 08")

    look_at(page, 2).locator(".whl-key", has_text="text").wait_for()
    assert packing(page).startswith("deflate, ")

    form = look_at(page, 3, "Query and form")
    assert form.locator("td").all_inner_texts() == ["order", "42", "note", "réfund"]

    look_at(page, 4, "Raw").get_by_text("refund me").wait_for()
    assert "then it is broken" in packing(page)
    page.page.get_by_role("button", name="Hex, as sent").wait_for()
    look_at(page, 5, "Raw").get_by_text("refund me").wait_for()
    assert "cannot unpack it" in packing(page)


BOMBS = """
once = gzip.compress(bytes(2**28))
packed(once)
packed(gzip.compress(once), "gzip, gzip")
packed(gzip.compress(b"[" * 2**23))
packed(gzip.compress(b"[" + b"[]," * 2**20 + b"0]"))
packed(gzip.compress(b"[" + b"[]," * 199_000 + b"0]"))
packed(gzip.compress(b"a&" * 2**22), content_type="application/x-www-form-urlencoded")
packed(gzip.compress(b"--B" * 2**21), content_type="multipart/form-data; boundary=B")
"""


@pytest.mark.timeout(180)
def test_a_bomb_does_not_hang_the_page(notebook):
    page = notebook(SETUP_PACKED, BOMBS)
    page.run(0)
    page.run(1)
    page.wait_rows("7", "6", "5", "4", "3", "2", "1")
    watch_frames(page.page)
    for seq in range(1, 8):
        for tab in ("Payload", "Raw", "Query and form"):
            look_at(page, seq, tab)
    assert smoothness(page.page).longest_task_ms < 3_000
    look_at(page, 1)
    assert "→ 8.4 MB and more" in packing(page)
