"""A lab behind a real JupyterHub: reached by anyone who knows its URL, and nothing else is."""

import json
import secrets
from urllib.parse import urlsplit

import pytest

from tests import raw_http
from tests.hub.conftest import EXPOSE
from tests.jupyter.jupyter_server import ROOT
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)  # the Hub and its servers start in the first test's time
LAST = """
row = lab[-1]
print(json.dumps([row.method, row.path, row.query_string, row.headers.pairs, row.source,
                  row.remote, len(row.body), __import__("hashlib").sha256(row.body).hexdigest()]))
"""


def ask(url, method="POST", path="", headers=(), body=b""):
    with raw_http.Client(url) as client:
        client.send(raw_http.request(method, client.path + path, headers, body))
        return client.answer(bodiless=method == "HEAD")


def digest(body):
    return __import__("hashlib").sha256(body).hexdigest()


def test_the_url_is_the_hubs_public_one(hub, url, ada):
    assert url.startswith(f"{hub.url}/user/ada/webhooklab/in/")
    assert "token" not in url
    said = ada.run("print(json.dumps([lab.public_url, exposure.state]))")
    assert said[0] == url


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_anonymous_hooks_arrive_for_every_verb(url, ada, method):
    answer = ask(url, method, "a%2Fb?x=%20", ("Origin: https://evil.example",), b"{}")
    assert answer.status == 200
    shown = ada.run(LAST)
    assert shown[:3] == [method, "/a%2Fb", "x=%20"]
    assert shown[4:7] == ["jupyter", "127.0.0.1", 2]
    assert answer.body == b""


def test_large_chunked_and_many_fielded_bodies_arrive(url, ada):
    large = secrets.token_bytes(20 * 2**20)
    assert ask(url, body=large).status == 200
    assert ada.run(LAST)[7] == digest(large)
    form = "&".join(f"field{n}={n}" for n in range(10_000)).encode()
    typed = ("Content-Type: application/x-www-form-urlencoded",)
    assert ask(url, headers=typed, body=form).status == 200
    assert ada.run(LAST)[7] == digest(form)
    with raw_http.Client(url) as client:
        head = raw_http.request(target=client.path, headers=("Transfer-Encoding: chunked",))
        assert client.ask(head + b"3\r\nabc\r\n0\r\n\r\n").status == 200
    assert ada.run(LAST)[7] == digest(b"abc")


def refused_tokens(hub):
    """How often the Hub was asked about a token that is none of its own."""
    return hub.log_path.read_text().count("403 GET /hub/api/user")


def test_a_providers_authorization_arrives_and_never_reaches_the_hub(hub, url, ada):
    token = secrets.token_hex()
    before = refused_tokens(hub)
    sent = (f"Authorization: Bearer {token}", "Cookie: jupyterhub-user-ada=x")
    assert ask(url, headers=sent).status == 200
    names = dict(ada.run(LAST)[3])
    assert names["Authorization"] == f"Bearer {token}"
    assert "Cookie" not in names
    assert refused_tokens(hub) == before
    assert ask(f"{ada.base}api/contents", "GET", headers=sent[:1]).status == 403
    until(lambda: refused_tokens(hub) > before)  # as other handlers do


@pytest.mark.parametrize("path", ["api/contents", "api/kernels", "lab", "files/hub.db", "tree"])
def test_every_other_route_still_refuses(ada, path):
    assert ask(ada.base + path, "GET").status in (302, 403)
    assert ask(ada.base + path, "POST", body=b"{}").status in (302, 403, 405)


def test_one_users_secret_does_nothing_at_anothers(url, ada, bob):
    secret = urlsplit(url).path.split("/")[5]
    assert ask(f"{bob.base}webhooklab/in/{secret}/").status == 404
    assert ask(f"{ada.base}webhooklab/in/{secret}/").status == 200
    assert ask(f"{ada.base}webhooklab/in/{secret[:-1]}/").status == 404


def test_check_goes_through_the_hub(url, ada):
    told = ada.run(
        "result = lab.check(); print(json.dumps([result.ok, repr(result), lab.public_url]))"
    )
    assert told[0], told[1]
    assert "answered 200" in told[1]
    assert told[2] == url


def test_closed_is_503_and_a_restarted_kernel_keeps_the_url(url, ada):
    ada.run("exposure.close(); print(0)")
    assert ask(url).status == 503
    ada.restart()
    assert ask(url).status == 503
    assert ada.run(EXPOSE) == url
    assert ask(url).status == 200


def test_the_first_notebooks_shop_posts_to_the_public_url(url, ada):
    cells = json.loads((ROOT / "notebooks/01_first_webhook.ipynb").read_text())["cells"]
    code = ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
    until_shop = code[: next(n for n, each in enumerate(code) if "shop.advance" in each) + 1]
    told = ada.run(
        "\n".join(until_shop)
        + "\nshop.close(); url, came = lab.public_url, set(got.events.source)\n"
        "lab.close(); import json; print(json.dumps([url, sorted(came)]))"
    )
    assert told[0].startswith(f"{ada.base}webhooklab/in/")
    assert told[0] != url, "it is another capture file"
    assert told[1] == ["jupyter"]


def test_nothing_of_the_secret_is_in_any_log(hub, url):
    secret = urlsplit(url).path.split("/")[5]
    ask(url, "BREW")
    ask(url + "x?y=z", headers=("Referer: https://provider.example",))
    log = hub.log_path.read_text()
    assert "/webhooklab/in/..." in log
    assert secret[:12] not in log


def test_a_restarted_server_keeps_the_url(hub, url, ada):
    hub.end_server("ada")
    assert ask(url).status == 403  # so says the Hub while there is no server
    hub.invite("ada")
    hub.wait_for("ada")
    assert ask(url).status == 503  # so do we, while there is no lab
    ada.start_kernel()
    assert ada.run(EXPOSE) == url
    assert ask(url, path="again").status == 200
    assert ada.run("print(json.dumps(lab[-1].path))") == "/again"


def test_revoked_is_404(url, ada):
    new = ada.run("exposure.revoke(); print(json.dumps(lab.expose().url))")
    assert new != url
    assert ask(url).status == 404
    assert ask(new).status == 200
