"""What users say that a sender is to get, checked: nothing in it can break HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from webhooklab.answering.usual import OK, WITHOUT_BODY
from webhooklab.errors import AnswerError
from webhooklab.headers import FIELD_VALUE, NAME_CHARACTER, Pair
from webhooklab.records import Answer

Body: TypeAlias = bytes | str | dict[str, Any] | list[Any]
"""Bytes as they are, text as UTF-8, a dict or a list as JSON."""
GivenHeaders: TypeAlias = Mapping[str, str | int] | Iterable[tuple[str, str | int]]

_LOWEST_STATUS: Final = 200
_HIGHEST_STATUS: Final = 599
_is_name: Final = re.compile(f"{NAME_CHARACTER}+").fullmatch
_is_value: Final = re.compile(FIELD_VALUE).fullmatch
_OURS: Final = frozenset(
    {
        *("content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"),
        *("trailer", "te", "proxy-connection"),
    }
)
"""They frame the message, which the listener does."""
_CORS: Final = "access-control-"


@dataclass(frozen=True)
class Response:
    """What a sender gets, from a function that was given to `lab.respond`.

    `status`: 200 to 599. `body`: bytes, text (sent as UTF-8), or a dict or list (sent as JSON);
    without a Content-Type in `headers` (a mapping, or pairs) it gets the one that fits. Raises
    `AnswerError`, which is a `ValueError`, for what HTTP cannot carry.
    """

    status: int = 200
    body: Body = b""
    headers: GivenHeaders | None = None

    def __post_init__(self) -> None:
        _ = self.answer  # checked now, and not when it is sent

    @cached_property
    def answer(self) -> Answer:
        """The same as it goes on the wire."""
        status = _checked_status(self.status)
        body, content_type = _encoded(self.body)
        if body and status in WITHOUT_BODY:
            raise AnswerError(f"An answer with status {status} has no body: leave body= out.")
        pairs = _checked_pairs(self.headers)
        if body and not any(name.lower() == "content-type" for name, _ in pairs):
            pairs = (("Content-Type", content_type), *pairs)
        return Answer(status, pairs, body)


def answer_from(returned: object) -> Answer:
    """What a function's result means. Raises `AnswerError` for what means nothing."""
    if returned is None:
        return OK
    if isinstance(returned, Response):
        return returned.answer
    if isinstance(returned, int) and not isinstance(returned, bool):
        return Response(returned).answer
    if isinstance(returned, str | bytes | dict | list):
        return Response(body=returned).answer
    raise AnswerError(
        f"A function given to lab.respond returned a value of type {type(returned).__name__}: "
        "return None, a status (int), a body (str, bytes, dict or list) or "
        "Response(status, body, headers)."
    )


def _checked_status(status: object) -> int:
    if isinstance(status, int) and not isinstance(status, bool):
        if _LOWEST_STATUS <= status <= _HIGHEST_STATUS:
            return int(status)
        raise AnswerError(
            f"The status {status} cannot be the answer to a delivery: choose one of 200 to 599."
        )
    raise AnswerError(f"A status is a number like 503, not of type {type(status).__name__}.")


def _encoded(body: object) -> tuple[bytes, str]:
    """The bytes of a body, and its Content-Type."""
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    if isinstance(body, dict | list):
        return _json(body), "application/json"
    raise AnswerError(
        f"A body is bytes, str, or a dict or list (sent as JSON), not of "
        f"type {type(body).__name__}."
    )


def _json(body: object) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise AnswerError(
            f"The body cannot be sent as JSON ({type(error).__name__}): put only dicts, lists, "
            "texts, finite numbers, True, False and None into it."
        ) from error


def _checked_pairs(headers: object) -> tuple[Pair, ...]:
    if headers is None:
        return ()
    given = headers.items() if isinstance(headers, Mapping) else headers
    try:
        pairs = [(name, value) for name, value in given]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise AnswerError("headers= is a mapping, or pairs of a name and a value.") from error
    return tuple((_checked_name(name), _checked_value(name, value)) for name, value in pairs)


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not _is_name(name):
        raise AnswerError(f"{name!r} is no name of a header: use letters, digits and '-'.")
    if name.lower() in _OURS:
        raise AnswerError(f"The header {name} is set by the listener: leave it out.")
    if name.lower().startswith(_CORS):
        raise AnswerError(
            f"The header {name} would let web pages read the answers: leave it out, and name "
            "those that may in Lab(allow_origins=...)."
        )
    return name


def _checked_value(name: str, value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _is_value(text):
        raise AnswerError(
            f"The value of the header {name} must be text of one line, in Latin-1 without "
            "control characters."
        )
    return text.strip()
