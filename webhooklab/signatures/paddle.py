"""What Paddle Classic signs: the fields of its form, sorted, as PHP writes an array down."""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.bodies import dump_json
from webhooklab.signatures.material import Material
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.verification import invalid

SIGNATURE = "p_signature"


def message(material: Material) -> Sequence[bytes]:
    """All fields but the signature. Raises `Problem` for a body that has none."""
    data = material.data
    if not isinstance(data, dict):
        raise Problem(invalid("the body is not a form that can be read"))
    fields = sorted(name for name in data if name != SIGNATURE)
    written = b"".join(
        _string(name.encode("utf-8", "surrogatepass")) + _string(_text(data[name]))
        for name in fields
    )
    return [b"a:%d:{%b}" % (len(fields), written)]


def _string(raw: bytes) -> bytes:
    return b's:%d:"%b";' % (len(raw), raw)


def _text(value: object) -> bytes:
    return (
        value.encode("utf-8", "surrogatepass")
        if isinstance(value, str)
        else dump_json(value) or b""
    )
