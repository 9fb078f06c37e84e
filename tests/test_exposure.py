"""What all exposures have in common."""

import pytest

from webhooklab.errors import ExposureError
from webhooklab.exposure import ANYONE, NEARBY, NOBODY, Exposures, checked_address, reach_of
from webhooklab.gates import Gates
from webhooklab.secret import Secret, open_tunnel
from webhooklab.tunnel import TunnelExposure


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("http://localhost:8888/", NOBODY),
        ("http://LOCALHOST.:8888/", NOBODY),
        ("http://lab.localhost/", NOBODY),
        ("http://127.0.0.1:8888/user/ada/", NOBODY),
        ("http://[::1]:8888/", NOBODY),
        ("http://192.168.1.7:8888/", NEARBY),
        ("http://10.0.0.1/", NEARBY),
        ("http://[fe80::1]/", NEARBY),
        ("http://workstation:8888/", NEARBY),
        ("http://printer.local/", NEARBY),
        ("http://hub.corp.internal/", NEARBY),
        ("https://hub.mybinder.org/user/x/", ANYONE),
        ("https://8.8.8.8/", ANYONE),
    ],
)
def test_an_address_tells_who_can_reach_it(url, who):
    assert reach_of(url) == who


@pytest.mark.parametrize("text", ["", "abc", "//abc", "javascript:x", "file:///x", "http://x?y"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ExposureError):
        checked_address(text)


def test_the_newest_open_one_is_current_and_a_later_one_replaces_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    exposures = Exposures()
    first = TunnelExposure(tmp_path / "a.db", Gates(), "https://one.example", name="one")
    second = TunnelExposure(tmp_path / "a.db", Gates(), "https://two.example", name="two")
    exposures.add(first)
    exposures.add(second)
    assert exposures.current is second
    second.close()
    assert exposures.current is first
    exposures.replace("one")
    assert first.closed
    assert exposures.current is None
    with first:
        exposures.add(first)
    exposures.close()
    assert all(each.closed for each in exposures.all)
    assert repr(first) == f"<Exposure {first.url} via tunnel: {first.state}>"


def test_captures_have_each_their_secret_and_keep_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    urls = [
        TunnelExposure(tmp_path / name, Gates(), "https://one.example").url
        for name in ("a.db", "b.db", "a.db")
    ]
    assert urls[0] == urls[2] != urls[1]
    assert all(len(url) > len("https://one.example/") + 40 for url in urls)
    for kept in (tmp_path / "webhooklab" / "exposures").iterdir():
        kept.write_text("not JSON")
    again = TunnelExposure(tmp_path / "a.db", Gates(), "https://one.example")
    assert again.url not in urls


def test_what_has_leaked_by_one_way_opens_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    exposure = TunnelExposure(tmp_path / "a.db", Gates(), "https://one.example")
    jupyter = Secret(tmp_path / "a.db", "jupyter").text
    assert jupyter not in exposure.url
    exposure.revoke()
    assert Secret(tmp_path / "a.db", "jupyter").text == jupyter
    assert open_tunnel(tmp_path / "a.db") is None


def test_where_the_secret_cannot_be_kept_it_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(ExposureError, match="XDG_STATE_HOME"):
        TunnelExposure(tmp_path / "a.db", Gates(), "https://one.example")
