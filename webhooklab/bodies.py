"""Request bodies read as what they say they are: JSON, a form, multipart, or text.

Everything here is hostile until proved otherwise: nothing raises anything but `ValueError`, and a
body that cannot be read is simply not read; its raw bytes are kept elsewhere. A door to orjson, and
the one to multipart.
"""

from __future__ import annotations

import codecs
import io
import json
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import multipart
import orjson

from webhooklab.defaults import MAX_FORM_BYTES, MAX_FORM_FIELDS

_DIGITS_AS_ZERO = bytes(ord("0") if 48 <= byte <= 57 else byte and 1 for byte in range(256))
_MAYBE_BEYOND_64_BITS = b"0" * 19
_MAX_INT_DIGITS = 4_000
"""Python refuses to read longer integers (CVE-2020-10735); they become Decimals."""

_LONGEST_CHARSET_NAME = 40
"""Python keeps each name it was ever asked for, so senders do not choose how long they are."""
_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""What Python calls encodings, and no sender does: some raise whatever the errors handler says."""

JSON, FORM, MULTIPART, OTHER = "json", "form", "multipart", "other"


@lru_cache(maxsize=256)
def media_type(content_type: str | None) -> str:
    """The media type in lower case without its parameters; "" when there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def charset(content_type: str | None) -> str | None:
    """The charset that a Content-Type names, if Python knows it; else None."""
    if not content_type or "charset" not in content_type.lower():
        return None
    return _codec(multipart.parse_options_header(content_type)[1].get("charset", ""))


def _codec(name: str) -> str | None:
    if len(name) > _LONGEST_CHARSET_NAME:
        return None
    try:
        b"a".decode(name, "ignore")  # some codecs are not of text: zlib, hex
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if codec.replace("_", "-") in _NO_CHARSETS else codec


def kind(content_type: str | None, body: bytes) -> str:
    """How a body is to be read: "json", "form", "multipart" or "other".

    The Content-Type decides. Where it says nothing about structure (absent, text, octet-stream)
    a body that begins like a JSON object or array is tried as JSON: senders forget the header.
    """
    media = media_type(content_type)
    if media.endswith("json"):
        return JSON
    if media == "application/x-www-form-urlencoded":
        return FORM
    if media == "multipart/form-data":
        return MULTIPART
    start = body[:1_024].removeprefix(codecs.BOM_UTF8).lstrip()
    return JSON if start[:1] in (b"{", b"[") else OTHER


def parse_json(body: bytes, content_type: str | None = None) -> Any:
    """Read JSON as RFC 8259 defines it, in whatever Unicode encoding it came.

    Integers stay exact, however long; of equal keys the last one counts; NaN and Infinity are
    not JSON. Raises `ValueError` for all that is not JSON, or is nested too deep to be read.
    """
    if _MAYBE_BEYOND_64_BITS not in body.translate(_DIGITS_AS_ZERO):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return _parse_json_slowly(body, content_type)


def dump_json(value: object) -> bytes | None:
    """JSON of what `parse_json` gave; None where there is none (nested too deep, too long)."""
    try:
        return orjson.dumps(value)
    except TypeError:  # beyond 64 bits, a lone surrogate, or nested deeper than orjson goes
        pass
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        return None


def _parse_json_slowly(body: bytes, content_type: str | None) -> Any:
    """For what orjson refuses or rounds: other encodings, lone surrogates, long integers."""
    try:
        text = decode(body, content_type, errors="strict")
        return json.loads(text, parse_int=_exact_integer, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep to be read") from error


def _exact_integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON (RFC 8259, section 6)")


def decode(body: bytes, content_type: str | None = None, *, errors: str = "replace") -> str:
    """A body as text: by the charset it names, else by its byte order mark, else as UTF-8."""
    named = charset(content_type)
    encoding = named if named and named != "utf-8" else _detect_encoding(body)
    return body.decode(encoding, errors).removeprefix("\ufeff")


def _detect_encoding(body: bytes) -> str:
    # The standard library tells UTF-16 and UTF-32 by where the zero bytes are (RFC 4627, 3).
    return json.detect_encoding(body) if b"\0" in body[:4] or body[:1] >= b"\xef" else "utf-8"


def parse_form(body: bytes, content_type: str | None = None) -> dict[str, Any]:
    """Read a urlencoded or multipart form: name to text, or to a list where a name repeats.

    A file in a multipart form is a dict of `filename`, `content_type` and `bytes` (its size).
    Raises `ValueError` for a broken form, and for one of more than `MAX_FORM_FIELDS` fields or (if
    it is urlencoded, which is slow to decode) `MAX_FORM_BYTES`.
    """
    if media_type(content_type) == "multipart/form-data":
        return _collect(_multipart_fields(body, content_type or ""))
    if len(body) > MAX_FORM_BYTES:
        raise ValueError(f"a form of more than {MAX_FORM_BYTES} bytes is not read")
    named = charset(content_type) or "utf-8"
    fields = parse_qsl(
        body.decode(named, "replace"),
        keep_blank_values=True,
        encoding=named,
        max_num_fields=MAX_FORM_FIELDS,
    )
    return _collect(fields)


def _multipart_fields(body: bytes, content_type: str) -> list[tuple[str, Any]]:
    boundary = multipart.parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise ValueError("a multipart body needs a boundary in its Content-Type")
    parser = multipart.MultipartParser(
        io.BytesIO(body),
        boundary,
        content_length=len(body),
        part_limit=MAX_FORM_FIELDS,
        memory_limit=len(body) + 1,
        spool_limit=len(body) + 1,
    )
    try:
        return [(part.name, _part_value(part)) for part in parser]
    except (multipart.MultipartError, LookupError) as error:
        raise ValueError(str(error)) from error


def _part_value(part: multipart.MultipartPart) -> Any:
    if part.filename is None:
        return part.raw.decode(_codec(part.charset) or "utf-8", "replace")
    return {"filename": part.filename, "content_type": part.content_type, "bytes": part.size}


def _collect(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {name: got[0] if len(got) == 1 else got for name, got in values.items()}


def parse(body: bytes, content_type: str | None) -> Any:
    """Read a body by its `kind`. Raises `ValueError` when it has no structure to read."""
    structure = kind(content_type, body)
    if structure == JSON:
        return parse_json(body, content_type)
    if structure == OTHER:
        raise ValueError("neither JSON nor a form")
    return parse_form(body, content_type)
