"""Who may send, and who may read the answers: guessing a URL, and web pages of other origins."""

import shutil
import warnings
from types import SimpleNamespace

import pytest

from tests.processes import LabProcess
from tests.raw_http import Client, post, request
from webhooklab import Lab
from webhooklab.headers import Headers
from webhooklab.refusals import refusal

PAGE = "https://evil.example"
GOOD = "https://good.example"


@pytest.fixture
def public(file):
    with Lab(file, host="0.0.0.0") as opened:
        yield opened


def reach(lab):
    """The Lab's URL by loopback, which its host covers."""
    port, path = lab.url.rsplit(":", 1)[1].split("/", 1)
    return f"http://127.0.0.1:{port}/{path}"


def test_loopback_has_no_secret(lab):
    assert lab.url.count("/") == 3


def test_a_public_url_cannot_be_guessed_and_is_remembered(public, file):
    segment = reach(public).split("/")[3]
    assert len(segment) >= 32
    assert public.url.endswith(f"/{segment}/")
    url = public.url
    with Lab(file, host="0.0.0.0") as again:
        assert again.url == url


def test_who_is_given_the_file_does_not_know_the_url_and_another_copy_has_another(file, tmp_path):
    with Lab(file, host="0.0.0.0") as lab:
        segment = reach(lab).split("/")[3]
        attached = LabProcess(file)
        with attached:
            assert (attached.attached, attached.url) == (True, lab.url)
    assert not [each for each in tmp_path.iterdir() if segment.encode() in each.read_bytes()]
    copy = shutil.copyfile(file, tmp_path / "copy.db")
    with Lab(copy, host="0.0.0.0") as lab:
        assert segment not in lab.url


def test_the_path_is_told_without_the_secret(public):
    url = reach(public)
    segment = url.split("/")[3]
    targets = ["/hook?x=1", "/", "", "?x=1", f"/{segment}/twice"]
    for target in targets:
        assert post(url.rstrip("/"), path=target).status == 200
    with Client(url) as client:
        client.ask(request(target=f"http://test/{segment}/abs"))
    expected = ["/hook", "/", "/", "/", f"/{segment}/twice", "/abs"]
    assert list(public.events.path) == expected
    assert list(public.events.query_string) == ["x=1", "", "", "x=1", "", ""]
    assert public[1].headers.pairs[0] == ("Host", "test")


@pytest.mark.parametrize(
    "attempt", ["/", "/x/", "*", "/{almost}/", "/{segment}x/", "/x/{segment}/"]
)
def test_all_else_is_404_and_not_captured(public, attempt):
    segment = reach(public).split("/")[3]
    target = attempt.format(segment=segment, almost=segment[:-1])
    for body in (b"", b"x" * 1_000_000):
        with Client(reach(public)) as client:
            assert client.ask(request(target=target, body=body)).status == 404
    assert (len(public), len(public.log)) == (0, 0)


def test_a_page_of_another_origin_is_captured_and_told_nothing(lab):
    for method in ("OPTIONS", "POST"):
        with Client(lab.url) as client:
            answer = client.ask(request(method, headers=(f"Origin: {PAGE}",)))
        assert answer.status == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert len(lab) == 2


@pytest.mark.parametrize("allowed", [(GOOD,), GOOD, "*"])
def test_a_page_that_is_allowed_may_read(file, allowed):
    with Lab(file, allow_origins=allowed) as lab:
        preflight = asked_by(lab, GOOD, "OPTIONS")
        assert preflight.headers["access-control-allow-origin"] == GOOD
        assert "access-control-allow-methods" in preflight.headers
        answer = asked_by(lab, GOOD, "POST")
        assert answer.headers["access-control-allow-origin"] == GOOD
        assert answer.headers["vary"] == "Origin"
        other = asked_by(lab, PAGE, "POST").headers.get("access-control-allow-origin")
        assert other == (PAGE if allowed == "*" else None)


def asked_by(lab, origin, method):
    with Client(lab.url) as client:
        return client.ask(request(method, headers=(f"Origin: {origin}",)))


BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux)", "Accept-Language": "en"}


def why(allow_origins=(), **headers):
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items() if value]
    return refusal(SimpleNamespace(headers=Headers(pairs)), allow_origins=allow_origins)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "EVIL.Example.:1"])
def test_a_browser_that_a_name_of_the_webs_led_here_is_known_by_its_looks(host):
    assert "a web page" in why(Host=host, **BROWSER)
    assert why(["*"], Host=host, **BROWSER) is None
    assert why([f"http://{host}"], Host=host, **BROWSER) is None
    for name in BROWSER:
        assert why(Host=host, **{**BROWSER, name: None}) is None, "senders say less"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8080", "[::1]:8080", "192.168.0.7", "localhost:1", "a.localhost", "here"),
        *("host.docker.internal:80", "desk.local", "", None),
    ],
)
def test_names_of_this_machine_and_addresses_are_bound_by_nobody(host):
    assert why(Host=host, **BROWSER) is None


def test_localhost_is_loopback(file):
    with warnings.catch_warnings(), Lab(file, host="localhost") as lab:
        assert lab.url.startswith("http://localhost:")
        assert post(lab.url).status == 200
