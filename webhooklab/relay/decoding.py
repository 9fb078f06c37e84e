"""Reading what the other end of a relay's link sent. Whatever it is, it is a frame or an error."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from webhooklab.errors import RelayProtocolError
from webhooklab.headers import FIELD_VALUE, NAME_CHARACTER, Pair
from webhooklab.relay.limits import (
    MAX_ANSWER_BYTES,
    MAX_BODY_BYTES,
    MAX_DELIVERY_FRAME_BYTES,
    MAX_HEADERS,
    MAX_HEADERS_BYTES,
    MAX_READER_FRAME_BYTES,
    MAX_SEQUENCE,
)
from webhooklab.relay.protocol import (
    Ack,
    Answer,
    Channel,
    Delivery,
    FromReader,
    FromRelay,
    Gap,
    Hello,
    Ready,
)

Fields: TypeAlias = dict[str, Any]

_TOKEN: Final = re.compile(NAME_CHARACTER + "{1,256}")
_VALUE: Final = re.compile(FIELD_VALUE)
_TARGET: Final = re.compile(r"/[\x21-\x7e\x80-\xff]*")
_URL: Final = re.compile(r"https?://[\x21-\x7e\x80-\xff]+")
_NAME: Final = re.compile(r"[0-9A-Za-z_-]{16,128}")
"""What a channel and its key are made of."""
_MAX_REMOTE_CHARACTERS: Final = 64


def decode_from_reader(text: str | bytes) -> FromReader:
    """What a reader sent. Raises `RelayProtocolError` for anything else."""
    frame: FromReader = _decode(text, MAX_READER_FRAME_BYTES, _READERS)
    return frame


def decode_from_relay(text: str | bytes) -> FromRelay:
    """What a relay sent. Raises `RelayProtocolError` for anything else."""
    frame: FromRelay = _decode(text, MAX_DELIVERY_FRAME_BYTES, _RELAYS)
    return frame


def decode_channel(text: str | bytes) -> Channel:
    """A relay's answer to `POST /new`. Raises `RelayProtocolError` for anything else."""
    fields = _fields(text, MAX_HEADERS_BYTES)
    url = _matching(fields, "url", _URL)
    if not url.endswith("/"):
        raise _wrong("url")
    return Channel(url, _matching(fields, "channel", _NAME), _matching(fields, "key", _NAME))


def _decode(text: str | bytes, limit: int, known: dict[str, Callable[[Fields], Any]]) -> Any:
    fields = _fields(text, limit)
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in known:
        raise RelayProtocolError("The other end sent a frame of a type that is not known.")
    return known[kind](fields)


def _fields(text: str | bytes, limit: int) -> Fields:
    if len(text) > limit:
        raise RelayProtocolError(f"The other end sent a frame of more than {limit:,} bytes.")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise RelayProtocolError("The other end sent a frame that is not JSON.") from None
    if not isinstance(fields, dict):
        raise RelayProtocolError("The other end sent a frame that is not an object.")
    return fields


def _hello(fields: Fields) -> Hello:
    return Hello(_number(fields, "after"), _number(fields, "protocol"))


def _ack(fields: Fields) -> Ack:
    return Ack(_number(fields, "sequence"))


def _answer(fields: Fields) -> Answer:
    return Answer(
        sequence=_number(fields, "sequence", 1),
        status=_number(fields, "status", 200, 599),
        headers=_pairs(fields),
        body=_body(fields, MAX_ANSWER_BYTES),
    )


def _ready(fields: Fields) -> Ready:
    window, window_bytes = _number(fields, "window", 1), _number(fields, "window_bytes", 1)
    return Ready(_number(fields, "head"), window, window_bytes)


def _gap(fields: Fields) -> Gap:
    first = _number(fields, "first", 1)
    return Gap(first, _number(fields, "last", first))


def _delivery(fields: Fields) -> Delivery:
    return Delivery(
        sequence=_number(fields, "sequence", 1),
        received_at=_number(fields, "received_at"),
        method=_matching(fields, "method", _TOKEN),
        url=_matching(fields, "url", _URL),
        target=_matching(fields, "target", _TARGET),
        headers=_pairs(fields),
        body=_body(fields, MAX_BODY_BYTES),
        remote=_remote(fields),
        waiting=_flag(fields, "waiting"),
    )


_READERS: Final[dict[str, Callable[[Fields], Any]]] = {
    "hello": _hello,
    "ack": _ack,
    "answer": _answer,
}
_RELAYS: Final[dict[str, Callable[[Fields], Any]]] = {
    "ready": _ready,
    "gap": _gap,
    "delivery": _delivery,
}


def _number(fields: Fields, name: str, least: int = 0, most: int = MAX_SEQUENCE) -> int:
    value = fields.get(name)
    if type(value) is not int or not least <= value <= most:  # a bool is an int, too
        raise _wrong(name)
    return value


def _flag(fields: Fields, name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise _wrong(name)
    return value


def _matching(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > MAX_HEADERS_BYTES or not pattern.fullmatch(value):
        raise _wrong(name)
    return value


def _remote(fields: Fields) -> str | None:
    value = fields.get("remote")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_REMOTE_CHARACTERS or not value.isprintable():
        raise _wrong("remote")
    return value


def _body(fields: Fields, limit: int) -> bytes:
    value = fields.get("body")
    if not isinstance(value, str) or len(value) > limit // 3 * 4 + 4:
        raise _wrong("body")
    try:
        body = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("body") from None
    if len(body) > limit:
        raise _wrong("body")
    return body


def _pairs(fields: Fields) -> tuple[Pair, ...]:
    value = fields.get("headers")
    if not isinstance(value, list) or len(value) > MAX_HEADERS:
        raise _wrong("headers")
    pairs = tuple(_pair(each) for each in value)
    if sum(len(name) + len(text) for name, text in pairs) > MAX_HEADERS_BYTES:
        raise _wrong("headers")
    return pairs


def _pair(value: object) -> Pair:
    match value:
        case [str(name), str(text)] if _TOKEN.fullmatch(name) and _VALUE.fullmatch(text):
            return name, text
    raise _wrong("headers")


def _wrong(name: str) -> RelayProtocolError:
    # The value is not in the text: it may be a secret, and it is hostile.
    return RelayProtocolError(f"The other end sent a frame whose {name!r} is missing or wrong.")
