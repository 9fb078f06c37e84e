"""The signatures that a delivery carries, as text, and what stands beside them in their header."""

from __future__ import annotations

from collections.abc import Iterator

from webhooklab.headers import Headers
from webhooklab.signatures.limits import MAX_SIGNATURES
from webhooklab.signatures.material import Material
from webhooklab.signatures.scheme import Scheme


def carries(scheme: Scheme, material: Material) -> bool:
    """Whether the request has a signature of this scheme, well-formed or not, as far as is read."""
    if scheme.header is None:
        return not material.too_long and material.json(scheme.signature_path) is not None
    if scheme.header.endswith("-*"):
        return any(True for _ in _numbered(scheme.header, material.headers))
    return scheme.header in material.headers


def signatures(scheme: Scheme, material: Material) -> list[str]:
    """The texts after the scheme's prefix; sets the material's `fields`."""
    header = scheme.header
    if header is None:
        values = [material.json(scheme.signature_path) or ""]
    elif header.endswith("-*"):
        values = list(_numbered(header, material.headers))
    else:
        places = (header, scheme.second) if scheme.second else (header,)
        values = [material.headers.get(place) or "" for place in places]
    if scheme.separator is not None:
        values = values[0].split(scheme.separator, MAX_SIGNATURES)
        if scheme.has_fields:
            material.fields = _fields(values)
    prefix = scheme.prefix
    skipped = len(prefix)
    return [value[skipped:] for value in values[:MAX_SIGNATURES] if value.startswith(prefix)]


def _fields(items: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if equals:
            fields.setdefault(name, value)
    return fields


def _numbered(pattern: str, headers: Headers) -> Iterator[str]:
    """The values of `-1`, `-2`, ... for a pattern that ends in `-*`."""
    stem = pattern[:-1]
    for name, value in headers:
        number = name.lower().removeprefix(stem)
        if number != name.lower() and number.isascii() and number.isdigit():
            yield value
