"""A lab exposed by a tunnel: what comes by its address must know the secret, all else is as ever.

A tunnel does no more to a request than to carry it, with the address that was called as the Host;
some name the listener there, and that address in X-Forwarded-Host.
"""

import pytest

from tests import raw_http
from tests.process_parts import SteadySender
from webhooklab import Lab
from webhooklab.errors import ExposureError
from webhooklab.secret import kept_gates, kept_secret, open_tunnel

TUNNEL = "https://abc.tunnel.example"
BY_TUNNEL = (
    *("Host: abc.tunnel.example", "X-Forwarded-Host: ABC.tunnel.example"),
    # The same host in other words, of which the sender has the choice.
    *("Host: abc.tunnel.example:443", "Host: abc.tunnel.example.", "Host: Abc.Tunnel.Example.:80"),
    *(
        "X-Forwarded-Host: evil.example, abc.tunnel.example",
        "X-Forwarded-Host: abc.tunnel.example:",
    ),
)


def ask(lab, host, path):
    """As `POST /<path>`, with this one header instead of the usual Host where it is one."""
    lines = [f"POST /{path} HTTP/1.1", *([] if host.startswith("Host") else ["Host: x"]), host]
    data = "\r\n".join((*lines, "Content-Length: 2", "", "{}")).encode()
    with raw_http.Client(lab.url) as client:
        return client.ask(data).status


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("host", BY_TUNNEL)
def test_only_what_knows_the_secret_passes(lab, host):
    exposure = lab.expose(base_url=TUNNEL)
    secret = exposure.url.removeprefix(f"{TUNNEL}/")
    assert lab.public_url == exposure.url
    assert ask(lab, host, f"{secret}a%2Fb?x") == 200
    assert (lab[-1].path, lab[-1].query_string) == ("/a%2Fb", "x")
    assert [ask(lab, host, path) for path in ("", "x", secret[:-2] + "/")] == [404, 404, 404]
    assert ask(lab, "Host: 127.0.0.1", "here") == 200
    assert [row.path for row in lab] == ["/a%2Fb", "/here"]


@pytest.mark.parametrize("host", BY_TUNNEL)
def test_closed_is_503_and_revoked_is_404(lab, host):
    exposure = lab.expose(base_url=TUNNEL)
    secret = exposure.url.removeprefix(f"{TUNNEL}/")
    exposure.close()
    assert (ask(lab, host, secret), ask(lab, host, "x")) == (503, 404)
    assert lab.expose(base_url=TUNNEL).url == f"{TUNNEL}/{secret}"
    assert ask(lab, host, secret) == 200
    lab.expose(base_url=TUNNEL).revoke()
    assert ask(lab, host, secret) == 404
    assert lab.expose(base_url=TUNNEL).url != f"{TUNNEL}/{secret}"


def test_exposing_again_turns_no_sender_away(lab):
    exposure = lab.expose(base_url="https://test")  # what these senders call it
    with SteadySender(lab.url + exposure.url.removeprefix("https://test/")) as sender:
        for _ in range(30):
            exposure = lab.expose(base_url="https://test")
            sender.more(2)
    assert sender.errors == []
    lab.expose(base_url=TUNNEL)
    assert ask(lab, "Host: test", exposure.url.removeprefix("https://test/")) == 503
    lab.close()
    assert open_tunnel(lab.path) is None


def test_an_earlier_tunnel_that_closes_leaves_the_later_one_the_newest(lab):
    first = lab.expose(base_url="https://one.example")
    later = lab.expose(base_url=TUNNEL)
    first.close()
    assert open_tunnel(lab.path) == TUNNEL
    later.close()
    assert open_tunnel(lab.path) is None


def test_what_is_no_tunnels_address_is_said_to_be_none(lab):
    for address in ("abc.example", "ftp://abc.example", "https://", "https://abc.example/path"):
        with pytest.raises(ExposureError):
            lab.expose(base_url=address)
    with pytest.raises(ExposureError, match="Which tunnel"):
        lab.expose("tunnel")
    assert lab.public_url is None


def test_on_this_machine_a_port_tells_a_tunnel_from_the_listener(lab):
    lab.expose(base_url="http://127.0.0.1:1/")
    assert ask(lab, "Host: 127.0.0.1:1", "x") == 404
    assert ask(lab, f"Host: {lab.url.split('/')[2]}", "x") == 200


def test_check_goes_through_it(lab):
    port = lab.url.split(":")[2].strip("/")
    exposure = lab.expose(base_url=f"http://localhost:{port}")  # a tunnel of no length
    result = lab.check()
    assert result.ok, result
    assert "nobody outside this machine" in exposure.state
    assert "Pass the address that others use" in exposure.notices[0]


def test_a_listener_that_begins_anew_asks_for_the_secret_before_it_is_exposed_again(file):
    by_tunnel = BY_TUNNEL[0]
    with Lab(file) as lab:
        secret = lab.expose(base_url=TUNNEL).url.removeprefix(f"{TUNNEL}/")
    with Lab(file) as lab:
        assert [ask(lab, by_tunnel, path) for path in ("x", secret)] == [404, 503]
        assert ask(lab, "Host: other.example", "x") == 200
        assert lab.expose(base_url=TUNNEL).url == f"{TUNNEL}/{secret}"
        assert [ask(lab, by_tunnel, path) for path in ("x", secret)] == [404, 200]
        lab.expose(base_url=TUNNEL).revoke()
    with Lab(file) as lab:
        assert [ask(lab, by_tunnel, path) for path in ("x", secret)] == [404, 404]
        assert [row.path for row in lab] == ["/x", "/"]


def test_only_the_newest_tunnels_are_remembered(file, monkeypatch):
    """A quick tunnel has another address each time."""
    monkeypatch.setattr("webhooklab.secret.MAX_KEPT_GATES", 2)
    with Lab(file) as lab:
        for name in "abca":
            lab.expose(base_url=f"https://{name}.example").close()
    assert list(kept_gates(file)) == ["c.example", "a.example"]
    assert kept_secret(file, "tunnel") not in repr(kept_gates(file))


def test_a_secret_that_was_revoked_stays_revoked_whichever_exposure_ends_last(lab):
    older = lab.expose(base_url="https://older.example")
    secret = older.url.removeprefix("https://older.example/")
    newer = lab.expose(base_url=TUNNEL)
    newer.revoke()
    assert ask(lab, "Host: older.example", secret) == 404
    older.close()
    assert kept_secret(lab._parts.path, "tunnel") != secret
    assert ask(lab, "Host: older.example", secret) == 404
    assert secret not in lab.expose(base_url=TUNNEL).url


def test_where_a_secret_cannot_be_kept_is_said_in_whole_sentences(lab, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ExposureError) as raised:
        lab.expose(base_url=TUNNEL)
    assert "exposures'. Make that folder writable" in str(raised.value)
