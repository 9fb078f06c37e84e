"""URL templates: what a delivery says becomes one path segment, and never anything else.

Deliveries come from anybody. A value that could leave the template's path is refused, not repaired.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx

from webhooklab.defaults import MAX_ID_CHARACTERS
from webhooklab.errors import PullArgumentError
from webhooklab.mapping import reader, text_of
from webhooklab.pulling.answers import Failure
from webhooklab.pulling.origins import parsed
from webhooklab.redaction import MASK, mask_query

_placeholder: Final = re.compile(r"\{([^{}]*)\}")
_plain_path: Final = re.compile(r"\w+(?:\.\w+)*").fullmatch
_controls: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search
_PRIVATE_USE: Final = 0xE000
_DECODINGS: Final = 4
"""Servers and proxies may decode more than once; no id is written in more layers than this."""


class Template:
    """A URL with placeholders in its path or query: `https://api.example.com/orders/{data.id}`.

    A placeholder is JMESPath over the body. Raises `PullArgumentError` and `MappingError`.
    """

    def __init__(self, text: str) -> None:
        parts = _placeholder.split(text)
        self._literals, self._paths = parts[::2], parts[1::2]
        self._check(text)
        self._readers: list[Callable[[Any], Any]] = [
            reader(f"{{{path}}}", path) for path in self._paths
        ]
        self.sample = "".join(_joined(self._literals, ["x"] * len(self._paths)))
        """The URL with `x` for every value."""
        parsed(self.sample)
        self.shown = _shown(self._literals, self._paths)
        """The template as it may be shown: credentials are `***`."""

    def _check(self, text: str) -> None:
        scheme, separator, rest = self._literals[0].partition("://")
        fixed = separator and rest.strip("/") and re.search(r"[/?]", rest)
        if self._paths and not fixed:
            raise PullArgumentError(
                f"{scheme[:20]!r}...: scheme and host of a template must be fixed: write "
                "https://host/path/{data.id}."
            )
        if not self._paths or any("{" in each or "}" in each for each in self._literals):
            raise PullArgumentError(
                "A template needs at least one placeholder, and no other braces: "
                "https://host/path/{data.id}."
            )
        if "#" in "".join(self._literals):
            raise PullArgumentError("A template has no fragment: leave out what comes from # on.")

    @property
    def state_path(self) -> str | None:
        """Where in the body the entity should be: what the last placeholder is a field of.

        `data` for `{data.id}`, `@` (the whole body) for `{id}`; None where one cannot tell.
        """
        last = self._paths[-1]
        return (last.rpartition(".")[0] or "@") if _plain_path(last) else None

    def url_for(self, data: Any) -> httpx.URL:
        """The URL for a body. Raises `Failure` for a value that must not be in it."""
        values = [
            encoded(path, find(data)) for path, find in zip(self._paths, self._readers, strict=True)
        ]
        text = "".join(_joined(self._literals, values))
        # A literal "." beside an id of "." would make a dot segment (RFC 3986, 5.2.4).
        if {".", ".."} & set(text.partition("?")[0].split("/")[3:]):
            raise Failure("the id would lead out of the template's path: not fetched")
        return parsed(text)


def encoded(path: str, value: Any) -> str:
    """A value as one path segment: percent-encoded but for RFC 3986's unreserved characters.

    Raises `Failure` for what is no id: nothing, true and false, lists, objects, "", more than
    `MAX_ID_CHARACTERS`, control characters, and whatever has a slash, a backslash or is a dot
    segment once decoded, however often.
    """
    text = None if isinstance(value, bool) else text_of(value)
    if not text:
        what = "nothing" if value is None or value == "" else f"no id but {type(value).__name__}"
        raise Failure(f"the body has {what} at {path[:80]!r}: not fetched")
    if len(text) > MAX_ID_CHARACTERS:
        raise Failure(f"an id of {len(text):,} characters (MAX_ID_CHARACTERS): not fetched")
    if _is_hostile(text):
        raise Failure("the id could lead out of the template's path: not fetched")
    return quote(text, safe="")


def _is_hostile(text: str) -> bool:
    for _ in range(_DECODINGS):
        if _controls(text) or "/" in text or "\\" in text or text in (".", ".."):
            return True
        if any("\ud800" <= character <= "\udfff" for character in text):
            return True
        decoded = unquote(text)
        if decoded == text:
            return False
        text = decoded
    return True


def _shown(literals: list[str], paths: list[str]) -> str:
    # Stand-ins, because JMESPath may have a "?" or "=" of its own.
    stand_ins = [chr(_PRIVATE_USE + number) for number in range(len(paths))]
    head, mark, query = "".join(_joined(literals, stand_ins)).partition("?")
    scheme, separator, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    shown = f"{scheme}{separator}{MASK if userinfo else ''}{at}{host}{slash}{path}"
    shown += mark + mask_query(query)
    for stand_in, placeholder in zip(stand_ins, paths, strict=True):
        shown = shown.replace(stand_in, f"{{{placeholder}}}")
    return shown


def _joined(literals: list[str], values: list[str]) -> list[str]:
    pairs = zip(literals, [*values, ""], strict=True)
    return [part for pair in pairs for part in pair]
