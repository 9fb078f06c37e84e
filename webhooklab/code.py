"""A captured request as code that sends it again: curl for a shell, httpx for Python."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from webhooklab.headers import Pair
from webhooklab.redaction import mask_pairs, mask_query

_SET_BY_CLIENT = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "expect", "keep-alive"}
)
"""The client that sends again sets these itself; sent twice they would break the framing."""

_LONGEST_ARGUMENT_BYTES = 100_000
"""Linux takes no argument of 128 KiB or more."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """A request to send: `url` absolute and undecoded, headers in order, the exact body."""

    method: str
    url: str
    headers: tuple[Pair, ...]
    body: bytes

    def masked(self) -> Sendable:
        """The same with the values of credentials replaced by `***`."""
        base, question, query = self.url.partition("?")
        url = base + question + mask_query(query)
        return Sendable(self.method, url, tuple(mask_pairs(self.headers)), self.body)

    def base_url(self) -> str:
        """Where to connect to: the URL up to its path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/"

    def target(self) -> bytes:
        """Path and query, as they go over the wire."""
        return self.url[len(self.base_url()) - 1 :].encode("latin-1", "replace")

    def own_headers(self) -> list[Pair]:
        """The headers that the sending client does not set by itself."""
        return [(name, value) for name, value in self.headers if name.lower() not in _SET_BY_CLIENT]


def curl(request: Sendable, *, secrets: bool = False) -> str:
    """A command for any POSIX shell, with binary bodies, quotes and repeated headers kept.

    In the URL curl %-encodes bytes beyond ASCII, and `#` is: curl would not send what follows it.
    """
    shown = request if secrets else request.masked()
    # Told of HEAD as a mere method, curl would wait for the body of the answer.
    method = "--head" if shown.method == "HEAD" else f"--request {shlex.quote(shown.method)}"
    lines = [f"curl --globoff --path-as-is {method}"]
    lines += [f"--header {_quoted(_header_line(pair))}" for pair in shown.own_headers()]
    lines += _silenced_defaults(shown)
    if shown.body:
        return _with_body(lines, shown)
    return _command([*lines, _url(shown)])


def _command(lines: list[str]) -> str:
    return " \\\n  ".join(lines)


def _header_line(pair: Pair) -> str:
    name, value = pair
    return f"{name}: {value}" if value else f"{name};"


def _silenced_defaults(request: Sendable) -> list[str]:
    """Keep curl from adding headers of its own that the sender had not sent."""
    sent = {name.lower() for name, _ in request.headers}
    own = ["User-Agent", "Accept"] + (["Content-Type", "Expect"] if request.body else [])
    return [f"--header '{name}:'" for name in own if name.lower() not in sent]


def _with_body(lines: list[str], request: Sendable) -> str:
    # Through a pipe goes what no argument can carry (NUL, or too long) and no terminal should show.
    url = _url(request)
    is_plain = _is_plain(request.body)
    if is_plain and len(request.body) <= _LONGEST_ARGUMENT_BYTES:
        return _command([*lines, f"--data-raw {shlex.quote(request.body.decode())}", url])
    command = _command([*lines, "--data-binary @-", url])
    if is_plain:
        return f"printf %s {shlex.quote(request.body.decode())} | {command}"
    octal = "".join(f"\\{byte:03o}" for byte in request.body)
    return f"printf '{octal}' | {command}"


def _url(request: Sendable) -> str:
    return _quoted(request.url.replace("#", "%23"))


def _is_plain(body: bytes) -> bool:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\n\t" for char in text)


def _quoted(line: str) -> str:
    r"""Text from the wire stands for bytes: beyond ASCII they are written as such, not as UTF-8.

    By printf, since not every shell that is called sh knows $'\xff' (POSIX has it since 2024).
    """
    if line.isascii() and line.isprintable():
        return shlex.quote(line)
    return "\"$(printf -- '" + "".join(_octal(char) for char in line) + "')\""


def _octal(char: str) -> str:
    plain = char.isascii() and char.isprintable() and char not in "\\'%"
    return char if plain else f"\\{min(ord(char), 255):03o}"


def python(request: Sendable, *, secrets: bool = False) -> str:
    """A script that needs httpx and nothing else.

    The target is sent as it came, undecoded; but bytes that are not visible ASCII, which httpx
    does not send, are %-encoded.
    """
    shown = request if secrets else request.masked()
    headers = "".join(
        f"    ({name.encode('latin-1')!r}, {value.encode('latin-1')!r}),\n"
        for name, value in shown.own_headers()
    )
    return (
        "import httpx\n\n"
        f"headers = [\n{headers}]\n"
        f"body = {shown.body!r}\n"
        f"target = {_visible(shown.target())!r}\n"
        "request = httpx.Request(\n"
        f"    {shown.method!r}, {shown.base_url()!r}, headers=headers, content=body,\n"
        '    extensions={"target": target},\n'
        ")\n"
        "with httpx.Client() as client:\n"
        "    response = client.send(request)\n"
        "print(response.status_code, response.text)\n"
    )


def _visible(target: bytes) -> bytes:
    return b"".join(bytes([byte]) if 32 < byte < 127 else b"%%%02X" % byte for byte in target)
