"""A lab exposed by a real Jupyter server: what passes, what does not, and what is said of it."""

import json
import os
import re
import secrets
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import raw_http
from tests.jupyter.jupyter_server import JupyterServer
from tests.process_parts import SteadySender
from tests.processes import LabProcess
from tests.waiting import until
from webhooklab import Lab, envelope
from webhooklab.defaults import BODY_TIMEOUT_SECONDS
from webhooklab.errors import ExposureError
from webhooklab.server_extension.doors import Door

pytestmark = pytest.mark.usefixtures("kernel")
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
RARE_VERBS = (
    "PURGE",
    "PROPFIND",
    "M-SEARCH",
    "TRACE",
    "QUERY",
    "BREW",
    "post",
    "_LOG",
    "INITIALIZE",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = JupyterServer(tmp_path_factory.mktemp("exposing"), "--debug")
    yield running
    running.stop()


@pytest.fixture
def kernel(server, monkeypatch):
    """This process passes for a kernel of the server."""
    for name in ("JUPYTER_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, server.environment[name])
    monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))


@pytest.fixture
def exposure(lab):
    return lab.expose()


def ask(url, method="POST", path="", headers=(), body=b""):
    with raw_http.Client(url) as client:
        client.send(raw_http.request(method, client.path + path, headers, body))
        return client.answer(bodiless=method == "HEAD")


@pytest.mark.parametrize("method", [*VERBS, *RARE_VERBS])
def test_every_verb_arrives_as_it_was_sent(exposure, lab, method):
    answer = ask(exposure.url, method, "a%2Fb/%zz?x=%20&&y", ("X-One: 1", "X-Two: a"), b"body")
    assert answer.status == 200
    row = lab[-1]
    assert (row.method, row.path, row.query_string) == (method, "/a%2Fb/%zz", "x=%20&&y")
    assert (row.body, row.source, row.remote) == (b"body", "jupyter", "127.0.0.1")
    assert row.headers.get_list("X-Two") == ["a"]
    assert row.stored_at >= row.received_at


def test_the_first_receivers_clock_and_the_providers_headers_count(exposure, lab):
    sent = (
        "Authorization: Bearer theirs",
        "Origin: https://evil.example",
        "X-Twice: 1",
        "X-Twice: 2",
    )
    assert ask(exposure.url, headers=(*sent, "Cookie: _xsrf=ours; username=ours")).status == 200
    pairs = lab[-1].headers.pairs
    assert ("Authorization", "Bearer theirs") in pairs
    assert [value for name, value in pairs if name == "X-Twice"] == ["1", "2"]
    assert not [name for name, _ in pairs if name.lower() in ("cookie", "webhooklab-envelope")]


def test_chunked_large_and_many_fielded_bodies_arrive(exposure, lab):
    large = secrets.token_bytes(20 * 2**20)
    assert ask(exposure.url, body=large).status == 200
    assert lab[-1].body == large
    form = "&".join(f"field{n}={n}" for n in range(10_000)).encode()
    typed = ("Content-Type: application/x-www-form-urlencoded",)
    assert ask(exposure.url, headers=typed, body=form).status == 200
    assert len(lab[-1].form) == 10_000
    with raw_http.Client(exposure.url) as client:
        head = raw_http.request(target=client.path, headers=("Transfer-Encoding: chunked",))
        assert client.ask(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").status == 200
    assert lab[-1].body == b"abcde"


def test_a_body_over_the_limit_is_413_and_the_lab_goes_on(file):
    with Lab(file, max_body_bytes=1_000) as lab:
        url = lab.expose().url
        assert ask(url, body=b"x" * 1_001).status == 413
        with raw_http.Client(url) as client:
            head = raw_http.request(target=client.path, headers=("Transfer-Encoding: chunked",))
            assert client.ask(head + b"800\r\n" + b"x" * 0x800 + b"\r\n0\r\n\r\n").status == 413
        assert ask(url, body=b"x" * 1_000).status == 200
        assert len(lab) == 1


def test_an_unknown_secret_is_404_before_its_body(exposure, server, lab):
    with raw_http.Client(f"{server.url}/webhooklab/in/{secrets.token_urlsafe(32)}/") as client:
        head = raw_http.request(target=client.path, headers=("Content-Length: 1000000",))
        assert client.ask(head).status == 404  # and not one byte of the body was sent
    wrong = exposure.url[:-2] + "/"
    assert {ask(wrong, method).status for method in (*VERBS, *RARE_VERBS)} == {404}
    assert ask(f"{server.url}/webhooklab/in/../../api/contents").status in (403, 404)
    assert len(lab) == 0


def test_every_other_route_still_refuses(exposure, server):
    secret = urlsplit(exposure.url).path.split("/")[3]
    for path in ("/api/contents", "/api/kernels", f"/api/{secret}", "/lab", "/tree"):
        assert ask(server.url + path, "GET").status in (302, 403, 404)
    assert (
        ask(f"{server.url}/api/kernels", headers=("Content-Type: application/json",)).status == 403
    )


def test_what_is_answered_cannot_act_in_the_servers_name(exposure, lab):
    evil = {
        "Set-Cookie": "username=evil",
        "Location": "https://evil.example",
        "WWW-Authenticate": "Basic",
        "X-Accel-Redirect": "/etc/passwd",
        "Content-Type": "text/html",
        "X-Hook-Secret": "echo",
    }
    lab.respond(203, body="<script>alert(1)</script>", headers=evil)
    answer = ask(exposure.url)
    assert (answer.status, answer.body) == (203, b"<script>alert(1)</script>")
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["x-hook-secret"] == "echo"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not {"set-cookie", "location", "www-authenticate", "x-accel-redirect"} & set(
        answer.headers
    )


def test_closed_is_503_revoked_is_404_and_the_next_url_is_new(exposure, lab):
    url = exposure.url
    exposure.close()
    answer = ask(url)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert lab.public_url is None
    assert lab.expose().url == url
    assert ask(url).status == 200
    lab.expose().revoke()
    assert ask(url).status == 404
    again = lab.expose().url
    assert again != url
    assert ask(again).status == 200
    assert ask(url).status == 404


def test_exposing_again_turns_no_sender_away(exposure, lab):
    with SteadySender(exposure.url) as sender:
        for _ in range(30):
            assert lab.expose().url == exposure.url
            sender.more(2)
    assert sender.errors == []
    assert exposure.closed
    exposure.close()
    assert ask(exposure.url).status == 200, "what has given way does not close the later one"


def test_a_restarted_kernel_and_a_restarted_server_keep_the_url(file, server, monkeypatch):
    with LabProcess(file) as first:
        first.say("print(json.dumps(lab.expose().url), flush=True)")
        url = first.hear()
        assert ask(url).status == 200
        first.kill()
    assert ask(url).status == 503
    with Lab(file) as lab:
        assert ask(url).status == 503  # it is open again when that is said, with its own key
        assert lab.expose().url == url
        assert ask(url).status == 200
        server.stop()
        server.start()
        assert ask(url).status == 200
        assert len(lab) == 3
        monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))
        assert lab.expose().url == url


def test_another_program_at_the_listeners_port_cannot_acknowledge(file):
    with LabProcess(file) as first:
        first.say("print(json.dumps([lab.expose().url, lab.url]), flush=True)")
        url, local = first.hear()
        first.kill()
    with socket.create_server(("127.0.0.1", urlsplit(local).port)) as other:
        with raw_http.Client(url) as client:
            client.send(raw_http.request(target=client.path, body=b"{}"))
            taken, _ = other.accept()
            with taken:
                seen = taken.recv(65_536).decode("latin-1")
                seal = re.search(r"Webhooklab-Envelope: (\S+)", seen)[1]
                echoed = (
                    f"Webhooklab-Proof: {seal}\r\nWebhooklab-Proof: {seal.partition('.')[2]}\r\n"
                )
                taken.sendall(f"HTTP/1.1 200 OK\r\n{echoed}Content-Length: 0\r\n\r\n".encode())
            assert client.answer().status == 503


def test_without_the_key_an_envelope_is_an_ordinary_request(lab):
    meta = envelope.Meta(
        source="jupyter",
        method="GET",
        target="/forged",
        headers=(),
        remote="1.2.3.4",
        received_at=1,
    )
    body = envelope.packed(meta) + b"forged"
    stale = envelope.seal("wrong", envelope.new_nonce())
    assert raw_http.post(lab.url, body, headers=(f"Webhooklab-Envelope: {stale}",)).status == 421
    assert len(lab) == 0
    for seal in ("", ".", "\xff.\xff", stale[:-1], stale.upper(), "a" * 999):
        assert raw_http.post(lab.url, body, headers=(f"Webhooklab-Envelope: {seal}",)).status == 200
        row = lab[-1]
        assert (row.method, row.path, row.source, row.body) == ("POST", "/", "local", body)


def test_nothing_of_a_secret_is_in_the_log_or_readable_by_others(exposure, server):
    ask(exposure.url + "x?y")
    exposure.close()
    ask(exposure.url)  # 503
    with raw_http.Client(exposure.url) as client:
        client.send(raw_http.request(target=client.path, headers=("Content-Length: 5", "A: b")))
    ask(f"{exposure.url}x", "BREW")
    secret = urlsplit(exposure.url).path.split("/")[3]
    until(lambda: b"BREW" in server.log_path.read_bytes())
    assert secret[:12].encode() not in server.log_path.read_bytes()
    for root in (server.environment["JUPYTER_RUNTIME_DIR"], server.environment["XDG_STATE_HOME"]):
        kept = [path for path in Path(root).rglob("*.json") if secret[:12] in path.name]
        assert kept == []
        for path in (*Path(root, "webhooklab").rglob("*.json"),):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_in_no_repr(exposure, lab):
    behind = lab._parts.behind
    assert behind.key not in repr(behind)
    assert repr(exposure).startswith("<Exposure http://localhost")


HOSTILE = [
    b"POST {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST {p} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    b"POST {p} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"BREW {p} HTTP/1.1\r\nHost: x\r\n\r\n",
    b"_LOG {p} HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET {p}\xff\xfe%00%0d%0a?\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET {p}" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET {p} HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(400)) + b"\r\n",
    b"GET {p} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
]


@pytest.mark.parametrize("data", HOSTILE)
def test_what_is_hostile_is_answered_or_dropped_and_the_next_is_served(exposure, lab, data):
    with raw_http.Client(exposure.url) as client:
        client.send(data.replace(b"{p}", client.path.encode())).finish_sending()
        first = client.rest().partition(b"\r\n")[0]
        assert first == b"" or first.split()[1] in {b"200", b"400", b"413", b"431"}
    assert ask(exposure.url, body=b"next").status == 200
    assert b"next" in [row.body for row in lab]


def test_a_body_that_stays_away_holds_nothing_for_long(exposure):
    assert BODY_TIMEOUT_SECONDS <= 60
    with raw_http.Client(exposure.url) as client:
        client.send(raw_http.request(target=client.path, headers=("Content-Length: 9",)))
        assert ask(exposure.url).status == 200  # nobody waits for it


def test_check_tells_each_hop(exposure, lab):
    result = lab.check()
    assert result.ok, result
    assert [hop.name for hop in result.hops] == [
        *("public URL", "jupyter", "capture file", "request", "signature")
    ]
    assert lab[result.seq].event_type == "webhooklab.check"
    assert "answered 200" in repr(result)
    assert exposure.url not in repr(result)


def test_check_says_whose_move_it_is(lab, server):
    with pytest.raises(ExposureError, match=r"lab\.expose"):
        lab.check()
    nobody = socket.create_server(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
    nobody.close()
    lab.expose("jupyter", base_url=f"http://127.0.0.1:{port}")
    assert not lab.check()
    assert "Nothing answers at 127.0.0.1" in lab.check().advice
    lab.expose("jupyter", base_url=f"{server.url}/tree/")
    assert "not webhooklab's extension" in lab.check().advice or "sign-in" in lab.check().advice
    exposure = lab.expose()
    exposure._doors.set(exposure._secret.text, Door())
    assert "open the Lab again" in lab.check().advice
    exposure._doors.remove(exposure._secret.text)
    assert "does not know this URL" in lab.check().advice


def test_without_a_server_or_its_extension_it_says_what_to_do(lab, monkeypatch):
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    with pytest.raises(ExposureError, match=r"jupyter server extension list.*a tunnel"):
        lab.expose()
    monkeypatch.delenv("JPY_PARENT_PID")
    with pytest.raises(ExposureError, match="base_url="):
        lab.expose()
    with pytest.raises(ExposureError, match="choose one of"):
        lab.expose("pigeon")
    assert lab.public_url is None


def test_localhost_is_said_not_to_be_public(exposure, lab):
    assert "nobody outside" in exposure.state
    assert "tunnel" in exposure.notices[0]
    assert lab.public_url == exposure.url
    assert lab._describe().notices == exposure.notices
    assert lab._describe().public == exposure.url
    lab._parts.exposures.locate("https://hub.example/user/ada/")
    assert exposure.url.startswith("https://hub.example/user/ada/webhooklab/in/")
    assert exposure.notices == ()
    lab._parts.exposures.locate("javascript:alert(1)")
    assert exposure.url.startswith("https://hub.example/")
    given = lab.expose("jupyter", base_url="https://given.example")
    assert given.url.startswith("https://given.example/webhooklab/in/")


def test_settings_switch_it_off_and_say_its_address(tmp_path, monkeypatch, file):
    off = "--ServerApp.jpserver_extensions={'webhooklab.server_extension': False}"
    server = JupyterServer(tmp_path, off)
    try:
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", server.environment["JUPYTER_RUNTIME_DIR"])
        monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))
        with (
            Lab(file) as lab,
            pytest.raises(ExposureError, match="no Jupyter server with webhooklab's"),
        ):
            lab.expose()
        assert "webhooklab-via" not in ask(f"{server.url}/webhooklab/in/x/").headers
        server.stop()
        server.options = ("--WebhookLab.public_url=https://said.example",)
        server.start()
        monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))
        with Lab(file) as lab:
            assert lab.expose().url.startswith("https://said.example/webhooklab/in/")
            assert "whoever knows it" in lab.expose().state
    finally:
        server.stop()


def test_senders_meet_the_lab_itself(exposure, lab):
    lab.respond(lambda delivery: {"echo": delivery.json()["challenge"]}, path="/hello")
    answer = ask(exposure.url, path="hello", body=b'{"challenge": "abc"}')
    assert json.loads(answer.body) == {"echo": "abc"}
    assert ask(exposure.url, "HEAD", "hello").body == b""
