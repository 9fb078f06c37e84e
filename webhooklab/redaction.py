"""What counts as a credential, and its mask. Used wherever text leaves for human eyes or files.

Also what a terminal would obey: senders choose the texts that are printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

MASK = "***"

SECRET_HEADER = (
    r"authorization|proxy-authorization|cookie|set-cookie|x-gitlab-token"
    r"|api-key|token|[^\"]*-api-key|[^\"]*-token"
)
"""Names of headers whose values are credentials; to be matched whole and without case."""

SECRET_PARAMETER = (
    r"(?:.*[-_.\[])?(?:key|token|secret)[\[\]]*|apikey|(?-i:.*[a-z0-9](?:Key|Token|Secret))"
)
"""Names of query parameters whose values are credentials, once decoded; likewise."""

_secret_header = re.compile(SECRET_HEADER, re.IGNORECASE).fullmatch
_secret_parameter = re.compile(SECRET_PARAMETER, re.IGNORECASE | re.DOTALL).fullmatch
_names = re.compile(r"(?:^|;)([^=;]*)=").finditer


def is_secret_header(name: str) -> bool:
    """Whether the value of this header is a credential."""
    return _secret_header(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Whether the value of this query parameter is a credential; `name` may be %-encoded."""
    return _secret_parameter(unquote_plus(name).strip()) is not None


def mask_pairs(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Header pairs with the values of credentials replaced by `***`."""
    return ((name, MASK if is_secret_header(name) else value) for name, value in pairs)


def mask_query(query_string: str) -> str:
    """A query string with the values of credentials replaced; all else stays byte for byte."""
    return "&".join(_mask_parameter(part) for part in query_string.split("&"))


def printable(text: str) -> str:
    """A text on one line that no terminal takes for a command: what cannot be printed is escaped.

    Control sequences move the cursor, rename windows and write to clipboards; others turn the
    direction of what follows.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _mask_parameter(part: str) -> str:
    # Some servers also part parameters at ";".
    for name in _names(part):
        if is_secret_parameter(name[1]):
            return part[: name.end()] + MASK
    return part
