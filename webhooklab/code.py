"""A captured request as code that sends it again: curl for a shell, httpx for Python."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from webhooklab.headers import Pair
from webhooklab.redaction import mask_pairs, mask_query

_SET_BY_CLIENT = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "expect", "keep-alive"}
)
"""The client that sends again sets these itself; sent twice they would break the framing."""


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

    def own_headers(self) -> list[Pair]:
        """The headers that the sending client does not set by itself."""
        return [(name, value) for name, value in self.headers if name.lower() not in _SET_BY_CLIENT]


def curl(request: Sendable, *, secrets: bool = False) -> str:
    """A command for bash or zsh, with binary bodies, quotes and repeated headers kept."""
    shown = request if secrets else request.masked()
    lines = [f"curl --globoff --path-as-is --request {shlex.quote(shown.method)}"]
    lines += [f"--header {_shell_header(_header_line(pair))}" for pair in shown.own_headers()]
    lines += _silenced_defaults(shown)
    if shown.body:
        return _with_body(lines, shown)
    return " \\\n  ".join([*lines, shlex.quote(shown.url)])


def _header_line(pair: Pair) -> str:
    name, value = pair
    return f"{name}: {value}" if value else f"{name};"


def _silenced_defaults(request: Sendable) -> list[str]:
    """Keep curl from adding headers of its own that the sender had not sent."""
    sent = {name.lower() for name, _ in request.headers}
    own = ["User-Agent", "Accept"] + (["Content-Type"] if request.body else [])
    return [f"--header '{name}:'" for name in own if name.lower() not in sent]


def _with_body(lines: list[str], request: Sendable) -> str:
    # Bytes that no argument can carry (NUL), or no terminal should, go through a pipe.
    if _is_plain(request.body):
        text = request.body.decode()
        return " \\\n  ".join([*lines, f"--data-raw {shlex.quote(text)}", shlex.quote(request.url)])
    octal = "".join(f"\\{byte:03o}" for byte in request.body)
    command = " \\\n  ".join([*lines, "--data-binary @-", shlex.quote(request.url)])
    return f"printf '{octal}' | {command}"


def _is_plain(body: bytes) -> bool:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\n\t" for char in text)


def _shell_header(line: str) -> str:
    """Header text stands for bytes: beyond ASCII they are written as bytes, not as UTF-8."""
    if line.isascii() and line.isprintable():
        return shlex.quote(line)
    return "$'" + "".join(_ansi_c(char) for char in line) + "'"


def _ansi_c(char: str) -> str:
    plain = char.isascii() and char.isprintable() and char not in "\\'"
    return char if plain else f"\\x{ord(char):02x}"


def python(request: Sendable, *, secrets: bool = False) -> str:
    """A script that needs httpx and nothing else."""
    shown = request if secrets else request.masked()
    headers = "".join(
        f"    ({name.encode('latin-1')!r}, {value.encode('latin-1')!r}),\n"
        for name, value in shown.own_headers()
    )
    return (
        "import httpx\n\n"
        f"headers = [\n{headers}]\n"
        f"body = {shown.body!r}\n"
        f"response = httpx.request({shown.method!r}, {shown.url!r}, headers=headers, content=body)\n"
        "print(response.status_code, response.text)\n"
    )
