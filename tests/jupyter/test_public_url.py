"""The public URL as a browser knows it, and as the inbox shows it."""

import json
from urllib.parse import urlsplit

from tests import raw_http

EXPOSED = """
import json
from webhooklab import Lab
lab = Lab("public.db")
exposure = lab.expose()
lab
"""


def test_the_browser_tells_where_the_server_is_and_the_inbox_shows_it(notebook, jupyter):
    tell = "print(json.dumps([lab.public_url, exposure.notices, lab.check().ok]))"
    page = notebook(EXPOSED, tell)
    page.run(0)
    shown = page.page.locator(".whl-url")
    shown.get_by_text("/webhooklab/in/").wait_for()
    # This browser calls it 127.0.0.1; the server itself would say "localhost".
    page.page.locator(".whl-url", has_text=f"{jupyter.url}/webhooklab/in/").wait_for()
    assert "nobody outside this machine" in page.page.locator(".whl-reach").inner_text()
    assert "tunnel" in page.page.locator(".whl-notices").inner_text()
    url, notices, ok = json.loads(page.run(1))
    assert url.startswith(f"{jupyter.url}/webhooklab/in/")
    assert url == shown.inner_text()
    assert len(notices) == 1
    assert ok
    assert raw_http.post(url).status == 200
    page.wait_total(2)
    page.page.locator(".whl-bar").get_by_role("button", name="Copy", exact=True).click()
    page.wait_clipboard(url)
    saved = json.dumps(page.save()["cells"][0])
    assert urlsplit(url).path.split("/")[3] not in saved  # a notebook is easily given to others
