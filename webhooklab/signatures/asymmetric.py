"""Keys that come in pairs. The door to `cryptography`; loaded when such a key is first read."""

from __future__ import annotations

from typing import Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from webhooklab.errors import SecretError

_Private = TypeVar("_Private")
_EC = ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey


class KeyPair(Protocol):
    """A public key, or a private one with its public half."""

    def check(self, signature: bytes, message: bytes) -> None:
        """Raise `InvalidSignature` (or `ValueError`) where the signature does not hold."""

    def sign(self, message: bytes) -> bytes:
        """Sign. Raises `SecretError` where only the public key is known."""


class _Ed25519:
    def __init__(self, key: ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey) -> None:
        self._private = key if isinstance(key, ed25519.Ed25519PrivateKey) else None
        self._public = key.public_key() if isinstance(key, ed25519.Ed25519PrivateKey) else key

    def check(self, signature: bytes, message: bytes) -> None:
        self._public.verify(signature, message)

    def sign(self, message: bytes) -> bytes:
        return _owned(self._private).sign(message)


class _Ecdsa:
    def __init__(self, key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> None:
        self._private = key if isinstance(key, ec.EllipticCurvePrivateKey) else None
        self._public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key

    def check(self, signature: bytes, message: bytes) -> None:
        self._public.verify(signature, message, ec.ECDSA(SHA256()))

    def sign(self, message: bytes) -> bytes:
        return _owned(self._private).sign(message, ec.ECDSA(SHA256()))


class _Rsa:
    def __init__(self, key: rsa.RSAPublicKey | rsa.RSAPrivateKey, algorithm: SHA256 | SHA1) -> None:
        self._hash = algorithm
        self._private = key if isinstance(key, rsa.RSAPrivateKey) else None
        self._public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key

    def check(self, signature: bytes, message: bytes) -> None:
        self._public.verify(signature, message, padding.PKCS1v15(), self._hash)

    def sign(self, message: bytes) -> bytes:
        return _owned(self._private).sign(message, padding.PKCS1v15(), self._hash)


def _owned(key: _Private | None) -> _Private:
    if key is None:
        raise SecretError("signing needs the private key; this is the public one")
    return key


def holds(key: KeyPair, signature: bytes, message: bytes) -> bool:
    """Whether the signature is the key's, over the message."""
    try:
        key.check(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ed25519_public(raw: bytes) -> KeyPair:
    """A public key from its 32 bytes. Raises `SecretError`."""
    try:
        return _Ed25519(ed25519.Ed25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise SecretError(f"an Ed25519 public key has 32 bytes, this has {len(raw)}") from None


def ed25519_private(raw: bytes) -> KeyPair:
    """A private key from its 32 bytes, or from 64: those and the public ones. `SecretError`."""
    try:
        return _Ed25519(ed25519.Ed25519PrivateKey.from_private_bytes(raw[:32]))
    except ValueError:
        raise SecretError(f"an Ed25519 private key has 32 bytes, this has {len(raw)}") from None


def ecdsa(encoded: bytes) -> KeyPair:
    """A key on the curve P-256: PEM, or DER (SPKI if public, PKCS #8 if private)."""
    key = _loaded(encoded)
    if not isinstance(key, _EC) or not isinstance(key.curve, ec.SECP256R1):
        raise SecretError("this is not a key on the curve P-256, which the provider signs with")
    return _Ecdsa(key)


def rsa_key(encoded: bytes, *, sha1: bool = False) -> KeyPair:
    """An RSA key: PEM of a certificate (the first of a chain), PEM or DER of a key.

    It signs SHA-256 digests, or those of SHA-1.
    """
    key = _certified(encoded) if b"BEGIN CERTIFICATE" in encoded else _loaded(encoded)
    if not isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        raise SecretError("this is not an RSA key, which the provider signs with")
    return _Rsa(key, SHA1() if sha1 else SHA256())  # noqa: S303 - the provider chose it


def _certified(pem: bytes) -> object:
    try:
        return x509.load_pem_x509_certificate(pem).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise SecretError("the certificate cannot be read: pass its whole PEM text") from None


def _loaded(encoded: bytes) -> object:
    coding = "pem" if b"-----BEGIN" in encoded else "der"
    try:
        return getattr(serialization, f"load_{coding}_public_key")(encoded)
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:
        return getattr(serialization, f"load_{coding}_private_key")(encoded, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SecretError("the key cannot be read: copy it as the provider shows it") from None


def new_ed25519(seed: bytes) -> tuple[bytes, bytes]:
    """A pair from 32 bytes of seed: the private key with its public half behind it, the public."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return private.private_bytes_raw() + public, public


def new_ecdsa(seed: bytes) -> tuple[bytes, bytes]:
    """A pair on P-256 from 32 bytes of seed: PKCS #8 and SPKI, in DER."""
    private = ec.derive_private_key(int.from_bytes(seed) >> 1 or 1, ec.SECP256R1())
    return _encoded(private, serialization.Encoding.DER)


def new_rsa() -> tuple[bytes, bytes]:
    """A new pair: PKCS #8 and SPKI, in PEM."""
    return _encoded(rsa.generate_private_key(65_537, 2_048), serialization.Encoding.PEM)


def _encoded(
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, encoding: serialization.Encoding
) -> tuple[bytes, bytes]:
    kept = private.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown = private.public_key().public_bytes(
        encoding, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return kept, shown
