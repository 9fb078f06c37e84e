"""How who receives for a lab hands a request on to its listener: whole, and as it came.

Sent by an HTTP client it would get that client's headers and that client's address. So it travels
inside a POST: `length of the meta data | meta data | body`, all that is not body being JSON. Every
user of this machine can reach the listener's port, so a seal says that it comes from who has the
listener's key; and what answers proves to have the key too, lest another program that has got the
port since says 200 for a delivery that nobody keeps.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import struct
from dataclasses import astuple, dataclass
from typing import Any, Final

from webhooklab.headers import Pair

SEAL_HEADER: Final = "Webhooklab-Envelope"
PROOF_HEADER: Final = "Webhooklab-Proof"
VIA_HEADER: Final = "Webhooklab-Via"
"""In answers to senders: they come from ours, and not from a proxy on the way."""
MAX_META_BYTES: Final = 2**20
"""Method, target, headers and the rest, all but the body, as JSON."""
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 16
_SEAL: Final = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{64}")
_PROOF: Final = re.compile(r"([1-9][0-9]{0,18})?\.[0-9a-f]{64}")
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Passage:
    """How a delivery came by a relay.

    `channel` and `mark` name it there, for good: what comes again under the same is not kept twice.
    `answered` is the status that its sender has got already; None: it waits for the lab's answer.
    `base_url` is what the provider calls, as far as that is the same for all; None: not known.
    """

    channel: str
    mark: int | str
    answered: int | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """A request without its body, as its first receiver saw it.

    `target` is undecoded; `received_at` in microseconds since the epoch, by that receiver's clock;
    `remote` is the sender's address, None where it is not known.
    """

    source: str
    method: str
    target: str
    headers: tuple[Pair, ...]
    remote: str | None
    received_at: int
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a listener's answer is known to say; `committed` as in `proof`."""

    committed: int | None


def new_key() -> str:
    """A key for one listener: it is kept in memory, and dies with the listener."""
    return secrets.token_hex(_KEY_BYTES)


def new_nonce() -> str:
    """What makes one envelope's seal and proof unlike all others."""
    return secrets.token_hex(_NONCE_BYTES)


def seal(key: str, nonce: str) -> str:
    """The value of `SEAL_HEADER`: by it a listener knows that the sender has its key."""
    return f"{nonce}.{_mac(key, 'request', nonce)}"


def opened(key: str, value: str | None) -> str | None:
    """The nonce of a seal that was made with the key; None for any other text. Constant time."""
    if value is None:
        return None
    nonce, _, mac = value.partition(".")
    same = hmac.compare_digest(_mac(key, "request", nonce).encode(), mac.encode("latin-1"))
    return nonce if same else None


def is_stale(key: str, value: str | None) -> bool:
    """Whether a seal is one for another listener: this one's predecessor at the same port."""
    return bool(value and _SEAL.fullmatch(value)) and opened(key, value) is None


def proof(key: str, nonce: str, committed: int | None) -> str:
    """The value of `PROOF_HEADER`: by it the sender knows that the listener answers.

    And whether the delivery is in the capture file: `committed` is its `seq`, None if it is not.
    """
    told = "" if committed is None else str(committed)
    return f"{told}.{_mac(key, 'answer', f'{nonce} {told}')}"


def proven(key: str, nonce: str, value: str | None) -> Proof | None:
    """What an answer from who has the key says; None for any other text. Constant time."""
    if value is None or not (said := _PROOF.fullmatch(value)):
        return None
    committed = int(said[1]) if said[1] else None
    same = hmac.compare_digest(proof(key, nonce, committed).encode(), value.encode())
    return Proof(committed) if same else None


def packed(meta: Meta) -> bytes:
    """What stands before the body. Raises `ValueError` for more than `MAX_META_BYTES`."""
    data = json.dumps(
        [
            *(meta.source, meta.method, meta.target, meta.headers),
            *(meta.remote, meta.received_at),
            None if meta.passage is None else astuple(meta.passage),
        ]
    ).encode()
    if len(data) + _LENGTH.size > MAX_META_BYTES:
        raise ValueError("the headers are too long to be handed on")
    return _LENGTH.pack(len(data)) + data


def unpacked(content: bytes) -> tuple[Meta, bytes]:
    """The request and its body. Raises `ValueError` for what `packed` did not make."""
    if len(content) < _LENGTH.size:
        raise ValueError("an envelope without a length")
    end = _LENGTH.size + _LENGTH.unpack_from(content)[0]
    try:
        return _meta(json.loads(content[_LENGTH.size : end])), content[end:]
    except TypeError as error:
        raise ValueError("an envelope with other fields") from error


def _meta(fields: Any) -> Meta:
    source, method, target, headers, remote, received_at, passage = fields
    return Meta(
        source=source,
        method=method,
        target=target,
        headers=tuple((name, value) for name, value in headers),
        remote=remote,
        received_at=received_at,
        passage=None if passage is None else Passage(*passage),
    )


def _mac(key: str, purpose: str, nonce: str) -> str:
    return hmac.digest(
        key.encode(), f"{purpose} {nonce}".encode("latin-1", "replace"), "sha256"
    ).hex()
