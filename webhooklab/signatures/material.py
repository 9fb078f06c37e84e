"""What of a request can be signed, and how a scheme names it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache, cached_property
from string import Formatter
from typing import Any, TypeAlias

from webhooklab import bodies
from webhooklab.headers import Headers
from webhooklab.signatures.limits import MAX_SIGNED_JSON_BYTES
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.verification import invalid, unverifiable

Read: TypeAlias = "Callable[[Material], bytes]"


class Material:
    """A request as its signature sees it.

    `url` is the address that the sender called; None: it is not known. Set by who reads or makes a
    signature: `fields`, the `name=value` items of the signature's own header, and `extra`, what
    came with the secret, such as PayPal's webhook id.
    """

    def __init__(
        self,
        headers: Headers,
        body: bytes,
        *,
        url: str | None = None,
        method: str = "POST",
    ) -> None:
        self.headers = headers
        self.body = body
        self.url = url
        self.method = method
        self.fields: dict[str, str] = {}
        self.extra: str | None = None

    @cached_property
    def data(self) -> Any:
        """The body read as JSON or as a form; None when it is neither."""
        try:
            return bodies.parse(self.body, self.headers.get("content-type"))
        except ValueError:
            return None

    @cached_property
    def too_long(self) -> bool:
        """Whether the body is JSON that is too long to be read for a signature in it."""
        if len(self.body) <= MAX_SIGNED_JSON_BYTES:
            return False
        return bodies.kind(self.headers.get("content-type"), self.body) == bodies.JSON

    def known_url(self) -> str:
        """The URL. Raises `Problem` without one: nothing can be decided then."""
        if self.url is None:
            raise Problem(unverifiable("the signed URL is unknown: pass url="))
        return self.url

    def json(self, path: str) -> str | None:
        """A text or whole number at a dotted path of the body; None when there is none.

        `*` stands for all of a list, which must agree: `value.*.clientState`.
        """
        return _found(self.data, path.split("."))


def _found(value: Any, keys: list[str]) -> str | None:
    for index, key in enumerate(keys):
        if key == "*":
            rest = keys[index + 1 :]
            agreed = {_found(item, rest) for item in value} if isinstance(value, list) else set()
            return agreed.pop() if len(agreed) == 1 else None
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def on_the_wire(text: str) -> bytes:
    """A header's text as the bytes that it stands for."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:  # given by hand, not read from a socket
        return text.encode("utf-8", "surrogatepass")


def _header(name: str) -> Read:
    def read(material: Material) -> bytes:
        value = material.headers.get(name)
        if value is None:
            raise Problem(
                invalid(f"the header {name} is missing, and it is part of what is signed")
            )
        return on_the_wire(value)

    return read


def _field(name: str) -> Read:
    def read(material: Material) -> bytes:
        value = material.fields.get(name)
        if value is None:
            raise Problem(invalid(f"the signature's header has no {name}="))
        return on_the_wire(value)

    return read


def _json(path: str) -> Read:
    def read(material: Material) -> bytes:
        value = material.json(path)
        if value is None:
            raise Problem(invalid(f"the body has no {path}, and it is part of what is signed"))
        return value.encode("utf-8", "surrogatepass")

    return read


def _url(material: Material) -> bytes:
    return material.known_url().encode("utf-8", "surrogatepass")


def _extra(material: Material) -> bytes:
    return (material.extra or "").encode("utf-8", "surrogatepass")


_NAMED: dict[str, Callable[[str], Read]] = {"header": _header, "field": _field, "json": _json}
_PLAIN: dict[str, Read] = {
    "body": lambda material: material.body,
    "method": lambda material: material.method.encode("utf-8", "surrogatepass"),
    "url": _url,
    "crc32": lambda material: b"%d" % zlib.crc32(material.body),
    "extra": _extra,
}


@cache
def template(text: str) -> Read:
    """A function that fills in a template such as `{header:webhook-id}.{body}`.

    In braces: `header:<name>`, `field:<name>` (an item of the signature's own header),
    `json:<dotted path>`, `body`, `method`, `url`, `crc32` (of the body) and `extra` (what came
    with the secret). The function raises `Problem` for what is not there.
    """
    reads: list[Read] = []
    for literal, kind, name, _ in Formatter().parse(text):
        if literal:
            reads.append(_constant(literal.encode()))
        if kind is not None:
            reads.append(_NAMED[kind](name or "") if name else _PLAIN[kind])
    if len(reads) == 1:
        return reads[0]
    return lambda material: b"".join([read(material) for read in reads])


def _constant(value: bytes) -> Read:
    return lambda _: value


def names(text: str, kind: str) -> list[str]:
    """The names of one kind in a template, in order: `names("{header:a}.{body}", "header")`."""
    return [name for _, found, name, _ in Formatter().parse(text) if found == kind and name]
