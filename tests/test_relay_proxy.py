"""A relay in public: behind a real nginx that speaks TLS, as the README says, and by itself.

And a lab that reaches it by a company's proxy only.
"""

import base64
import datetime as dt
import hmac
import re
import shutil
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.nginx_parts import NGINX, Nginx
from tests.proxy_parts import Proxy
from tests.relay_parts import Reader, running
from tests.waiting import until
from webhooklab.relay.decoding import decode_channel
from webhooklab.relay.protocol import Channel, Closing

README = Path(__file__).resolve().parents[1] / "README.md"
BODY = bytes(range(256)) * 40_000  # nginx keeps so much in a file


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for localhost, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(private + made.public_bytes(encoding))
    return file


def block(certificate: Path, upstream: int, port: int) -> str:
    """The README's `server` block, as it stands here."""
    text = re.search(r"```nginx\n(.*?)```", README.read_text(), re.DOTALL)[1]
    for pattern, value in (
        (r"listen 443", f"listen 127.0.0.1:{port}"),
        (r"server_name [^;]*;", "server_name localhost;"),
        (r"ssl_certificate [^;]*;", f"ssl_certificate {certificate};"),
        (r"ssl_certificate_key [^;]*;", f"ssl_certificate_key {certificate};"),
        (r"127\.0\.0\.1:8443", f"127.0.0.1:{upstream}"),
    ):
        text, count = re.subn(pattern, value, text)
        assert count, f"the README's nginx block has no {pattern}"
    return text


@pytest.fixture
def public(tmp_path, certificate):
    """The address of a relay behind nginx."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with running(tmp_path, "--trust-proxy") as relay:
        nginx = Nginx(tmp_path, lambda port: block(certificate, relay.port, port))
        try:
            yield f"https://localhost:{nginx.port}/"
        finally:
            nginx.stop()


def test_all_works_behind_nginx_with_tls(public, certificate):
    _check_whole(public, certificate, remote="127.0.0.1")


def test_a_lab_is_reached_through_nginx_with_tls(lab, public, certificate, monkeypatch):
    """By its own client, over wss: answers, handshakes, and a signature over the URL called."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    exposure = lab.expose(public)
    until(lambda: exposure.state.startswith("connected to localhost"))
    assert exposure.url.startswith(f"{public}h/")
    lab.verify_with("twilio", "token")
    lab.respond(lambda delivery: {"got": delivery.body_bytes}, path="/large")
    url = f"{exposure.url}sms?a=%2F"
    mac = hmac.digest(b"token", f"{url}Body1".encode(), "sha1")
    signed = {"X-Twilio-Signature": base64.b64encode(mac).decode()}
    challenge = {"type": "url_verification", "token": "t", "challenge": "abc"}
    with httpx.Client(verify=_trusting(certificate)) as client:
        assert client.post(url, data={"Body": "1"}, headers=signed).status_code == 200
        assert client.post(f"{exposure.url}large", content=BODY).json() == {"got": len(BODY)}
        assert "abc" in client.post(exposure.url, json=challenge).text
    assert lab.events["verified"].iloc[0] == "valid"
    assert lab[2].body == BODY
    assert lab.check()
    exposure.revoke()


def test_all_works_with_its_own_certificate(tmp_path, certificate):
    with running(tmp_path, "--certfile", str(certificate)) as relay:
        public = f"https://localhost:{relay.port}/"
        assert relay.url.startswith("https://")
        _check_whole(public, certificate, remote="127.0.0.1")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{relay.port}/status")
        assert httpx.get(f"{public}status", verify=_trusting(certificate)).status_code == 200


def _check_whole(public, certificate, *, remote):
    """A channel made, written, read, answered, taken over and given up, all through TLS."""
    with httpx.Client(verify=_trusting(certificate), base_url=public) as client:
        channel = decode_channel(client.post("new").content)
        assert channel.url.startswith(f"{public}h/")
        url = f"{channel.url}a%2Fb//c?d=%20"
        headers = [("X-Two", "1"), ("X-Two", "2"), ("X-Forwarded-For", "203.0.113.9")]
        assert client.post(url, content=BODY, headers=headers).status_code == 202
        with Reader(public, channel, ca=certificate) as reader:
            got = reader.delivery()
            assert (got.url, got.target, got.body) == (url, "/a%2Fb//c?d=%20", BODY)
            assert [value for name, value in got.headers if name.lower() == "x-two"] == ["1", "2"]
            assert got.remote == remote
            _check_answer(client, channel, reader)
            with Reader(public, channel, after=got.sequence, ca=certificate):
                assert reader.closed() == Closing.TAKEN_OVER
        bearer = {"Authorization": f"Bearer {channel.key}"}
        assert client.delete(f"listen/{channel.channel}", headers=bearer).status_code == 204
        assert client.post(url).status_code == 404


def _check_answer(client, channel: Channel, reader: Reader):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"{channel.url}?challenge=abc")
        delivery = reader.delivery()
        assert delivery.waiting
        reader.answer(delivery.sequence, 200, (("Content-Type", "text/plain"),), b"abc")
        assert waiting.result().text == "abc"


def test_a_certificate_is_renewed_without_a_restart(tmp_path, certificate):
    own = tmp_path / "own.pem"
    shutil.copy(certificate, own)
    with running(tmp_path, "--certfile", str(own)) as relay:
        public = f"https://localhost:{relay.port}/status"
        own.write_bytes(b"half a certificate")
        relay.process.send_signal(signal.SIGHUP)
        assert httpx.get(public, verify=_trusting(certificate)).status_code == 200
        log = relay.stop()
    assert "the earlier certificate stays" in log


def test_a_certificate_that_is_none_is_said_at_once(tmp_path):
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(AssertionError, match="cannot be used"):
        with running(tmp_path, "--certfile", "none.pem"):
            pass


def test_a_public_url_that_is_said_is_used(tmp_path):
    with running(tmp_path, "--public-url", "https://relay.example.org/hooks/") as relay:
        assert relay.new().url.startswith("https://relay.example.org/hooks/h/")


def _trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


def test_a_relay_is_read_by_way_of_the_proxy(lab, tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    options = ("--certfile", str(certificate), "--public-url", "https://localhost/")
    with running(tmp_path, *options) as relay, Proxy() as proxy:
        address = f"https://localhost:{relay.port}"
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        exposure = lab.expose(address)
        until(lambda: "connected" in exposure.state)
        assert set(proxy.asked) == {f"localhost:{relay.port}"}
        assert len(proxy.asked) == 2  # the channel, and the socket

        def send(body):
            path = exposure.url.removeprefix("https://localhost/")
            with httpx.Client(trust_env=False, verify=False) as client:
                return client.post(f"{address}/{path}x", content=body).status_code

        assert send(b"1") == 200
        proxy.refusal = "407 Proxy Authentication Required"
        proxy.cut()
        until(lambda: "reconnecting" in exposure.state and "proxy" in exposure.state)
        assert send(b"2") == 202
        proxy.refusal = ""
        until(lambda: len(lab) == 2, patience=30)
        assert [row.body for row in lab] == [b"1", b"2"]
        exposure.revoke()
