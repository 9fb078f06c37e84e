"""A captured delivery as a pytest test that outlives the notebook, with a fresh signature.

Nothing from the wire is written as code: texts are literals, the body is a file of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from webhooklab import clock, providers, verification
from webhooklab.code import Sendable
from webhooklab.errors import ExportError
from webhooklab.headers import Pair
from webhooklab.records import Delivery
from webhooklab.signatures import Secrets, Signed
from webhooklab.whole import written_whole

SEED: Final = "made up for this test"
_URL: Final = "https://webhooks.example"
_NAME_CHARACTERS: Final = 40

_DATA: Final = '''\
"""A delivery that webhooklab captured. Credentials in its headers and query are masked."""

import hashlib
from pathlib import Path

{imports}
BODY = Path(__file__).with_name({body_name}).read_bytes()
METHOD = {method}
URL = {url}
HEADERS = {headers}


def test_the_body_is_as_it_was_captured():
    assert hashlib.sha256(BODY).hexdigest() == {digest!r}
'''

_IMPORTS: Final = "from webhooklab import clock, verification, verify\n"

_SIGNING: Final = '''

PROVIDER = {provider}
SECRETS = verification.invent(PROVIDER, {seed!r})


def signed(body=BODY):
    """Headers, body and URL, as the provider would send them now: hand them to your service.

    It must know SECRETS.verifying, or sign with the secret that it knows.
    """
    made = verification.sign(
        PROVIDER,
        body=body,
        secret=SECRETS.signing,
        now=clock.to_datetime(clock.now_us()),
        url=URL,
        method=METHOD,
        content_type={{name.lower(): value for name, value in HEADERS}}.get("content-type"),
    )
    fresh = {{name.lower() for name, _ in made.headers}}
    kept = [pair for pair in HEADERS if pair[0].lower() not in fresh]
    return [*kept, *made.headers], made.body, made.url or URL


def verdict(headers, body, url):
    return verify(
        PROVIDER, headers=headers, body=body, secret=SECRETS.verifying, url=url, method=METHOD
    ).status


def test_it_can_be_signed_anew():
    assert verdict(*signed()) == "valid"


def test_a_changed_body_is_told():
    headers, body, url = signed()
    assert verdict(headers, body + b" ", url) != "valid"
'''


def write(delivery: Delivery, folder: Path, *, overwrite: bool) -> Path:
    """Write the test and its body; returns the test's path. Raises `ExportError`."""
    folder = folder.expanduser()
    name = f"delivery_{delivery.seq}{_named(delivery.event_type)}"
    test, body = folder / f"test_{name}.py", folder / f"{name}.body"
    there = [path for path in (test, body) if path.exists() or path.is_symlink()]
    if there and not overwrite:
        raise ExportError(f"{there[0]} exists: choose another folder, or pass overwrite=True.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{folder} is no folder to write to: {error.strerror}.") from error
    for path, content in ((body, delivery.body), (test, source(delivery, body.name).encode())):
        with written_whole(path) as file:
            file.write(content)
    return test


def source(delivery: Delivery, body_name: str) -> str:
    """The test's text, in ASCII."""
    query = f"?{delivery.query_string}" if delivery.query_string else ""
    url = f"{_URL}/{delivery.path.removeprefix('/')}{query}"
    sent = Sendable(delivery.method, url, delivery.headers.pairs, delivery.body).masked()
    headers, provider = sent.own_headers(), delivery.provider
    signs = provider is not None and _signs(provider, sent)
    if provider is not None:
        headers = [pair for pair in headers if not _is_signature(provider, pair[0])]
    text = _DATA.format(
        imports=_IMPORTS if signs else "",
        body_name=ascii(body_name),
        method=ascii(sent.method),
        url=ascii(sent.url),
        headers=_listed(headers),
        digest=hashlib.sha256(delivery.body).hexdigest(),
    )
    return text + (_SIGNING.format(provider=ascii(provider), seed=SEED) if signs else "")


def _named(event_type: str | None) -> str:
    plain = re.sub("[^a-z0-9]+", "_", (event_type or "").lower())[:_NAME_CHARACTERS].strip("_")
    return f"_{plain}" if plain else ""


def _listed(headers: Sequence[Pair]) -> str:
    lines = "".join(f"    ({name!a}, {value!a}),\n" for name, value in headers)
    return f"[\n{lines}]" if lines else "[]"


def _signs(provider: str, sent: Sendable) -> bool:
    """Whether we can sign it as its provider does, so that our verification agrees."""
    try:
        secrets = verification.invent(provider, SEED)
        made = _signed(provider, sent, secrets.signing)
    except ValueError:
        return False
    found = verification.verify(
        provider,
        headers=[*_kept(provider, sent, made.headers), *made.headers],
        body=made.body,
        secret=secrets.verifying,
        url=made.url or sent.url,
        method=sent.method,
    )
    return found.status == "valid"


def _signed(provider: str, sent: Sendable, secret: Secrets) -> Signed:
    """Raises `ValueError` where that cannot be."""
    return verification.sign(
        provider,
        body=sent.body,
        secret=secret,
        now=clock.to_datetime(clock.now_us()),
        url=sent.url,
        method=sent.method,
        content_type={name.lower(): value for name, value in sent.headers}.get("content-type"),
    )


def _kept(provider: str, sent: Sendable, fresh: Iterable[Pair]) -> list[Pair]:
    """The headers that go with the fresh ones: no signatures, and none of those twice."""
    names = {name.lower() for name, _ in fresh}
    return [
        pair
        for pair in sent.own_headers()
        if pair[0].lower() not in names and not _is_signature(provider, pair[0])
    ]


def _is_signature(provider: str, name: str) -> bool:
    """Whether a header is a signature of the provider's, which is made anew or left out."""
    for scheme in providers.find(provider).schemes:
        header = (scheme.header or "").lower()
        if header and (
            name.lower() == header
            or (header.endswith("-*") and name.lower().startswith(header[:-1]))
        ):
            return True
    return False
