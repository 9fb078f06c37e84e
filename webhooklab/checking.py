"""Signatures checked on receipt, by the secrets that a Lab was given. They stay in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from webhooklab import paths, providers
from webhooklab.errors import CheckArgumentError, sentence
from webhooklab.providers import interpret
from webhooklab.records import Request
from webhooklab.signatures import UNCHECKED, Secrets, Verification, Verifier
from webhooklab.signatures.keys import several
from webhooklab.sources import RELAYS, REWRITING, REWRITTEN_HEADER
from webhooklab.verification import sign, verifier

_REWRITTEN = Verification(
    "unverifiable", "the relay wrote the body anew, and the signature is not over what it wrote"
)
_REFUSED = ("invalid", "unsigned")


@dataclass(frozen=True, slots=True)
class Check:
    """How deliveries to `path` and below are checked. Its repr has no secret.

    `url`: the address that the provider calls, for those that sign it; None is the Lab's own.
    `reject`: what has no signature, or a wrong one, is answered 401 (and captured all the same).
    """

    provider: str
    path: str
    url: str | None
    reject: bool
    verifier: Verifier = field(repr=False)
    made_up: bool
    """Whether the secret is that of our samples."""
    secret: str | None = field(repr=False)
    """The newest secret as text, for handshakes; None for bytes that are none."""

    @property
    def signs(self) -> bool:
        """Whether the secret is also what the provider signs with (no public key)."""
        try:
            sign(
                self.provider, body=b"{}", secret=self.secret or "", now=0, url="http://localhost/"
            )
        except ValueError:
            return False
        return True

    def verify(self, request: Request, base_url: str | None) -> Verification:
        """The verdict, by the time of receipt. Never raises on anything from the wire.

        `base_url` is what the provider calls where nothing else is said; None: nobody knows.
        """
        verdict = self.verifier.check(
            request.headers,
            request.body,
            url=self._signed_url(request, base_url),
            method=request.method,
            now_us=request.received_at,
        )
        rewritten = request.source in REWRITING and REWRITTEN_HEADER in request.headers
        return _REWRITTEN if rewritten and verdict.status == "invalid" else verdict

    def _signed_url(self, request: Request, base_url: str | None) -> str | None:
        if self.url is None:
            return None if base_url is None else _joined(base_url, request.target)
        has_query = "?" in self.url or not request.query_string
        return self.url if has_query else f"{self.url}?{request.query_string}"


def _joined(base_url: str, target: str) -> str:
    """The called URL; below a base that ends in no "/", only the query was."""
    return base_url.removesuffix("/") + (target if base_url.endswith("/") else target[1:])


class Checks:
    """The checks of one Lab: changed by any thread, asked for each delivery.

    `base_url` is where the Lab listens; `public_urls` what providers call, by the source of what
    relays hand on.
    """

    def __init__(self) -> None:
        self.active: tuple[Check, ...] = ()
        """Those of the longest path first. Empty where nothing is checked."""
        self.base_url = ""
        self.public_urls: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(
        self,
        provider: str,
        secret: Secrets,
        *,
        path: str = "/",
        url: str | None = None,
        reject: bool = False,
        made_up: bool = False,
    ) -> Check:
        """Check by this secret from now on, in place of an earlier check of provider and path.

        Raises `CheckArgumentError` for an unknown provider, one that does not sign, or a secret
        that cannot be used.
        """
        try:
            name = providers.find(provider).name
            made = verifier(provider, secret)
        except (TypeError, ValueError) as error:
            raise CheckArgumentError(sentence(error)) from error
        base = paths.normal(path)
        check = Check(name, base, url, reject, made, made_up, _as_text(secret))
        with self._lock:
            others = [each for each in self.active if (each.provider, each.path) != _key(check)]
            self.active = tuple(sorted([check, *others], key=lambda each: -len(each.path)))
        return check

    def clear(self) -> None:
        """Check nothing any more."""
        with self._lock:
            self.active = ()

    def concern(self, path: str) -> bool:
        """Whether deliveries to `path` are checked."""
        return any(paths.covers(each.path, path) for each in self.active)

    @property
    def signers(self) -> tuple[str, ...]:
        """The providers whose deliveries can be signed anew, by the secrets that are here."""
        return tuple(sorted({each.provider for each in self.active if each.signs}))

    def signing_secret(self, path: str, provider: str | None) -> str | None:
        """What a provider's deliveries to `path` are signed with; None where it is not here."""
        check = self.find(path, provider)
        if check is None or check.provider != provider or not check.signs:
            return None
        return check.secret

    def find(self, path: str, provider: str | None) -> Check | None:
        """The check for a delivery: that of who seems to have sent it, else the nearest one.

        So a delivery cannot escape by looking like somebody else's.
        """
        nearest = None
        for each in self.active:
            if paths.covers(each.path, path):
                if each.provider == provider:
                    return each
                nearest = nearest or each
        return nearest

    def verify_captured(self, check: Check, request: Request) -> Verification | None:
        """The verdict of one check on what was captured before; None where it is not meant."""
        if self.find(request.path, interpret(request).provider) is not check:
            return None
        return check.verify(request, self._base_of(request))

    def _base_of(self, request: Request) -> str | None:
        """What the provider has called, but for what is below it."""
        if request.passage is not None and request.passage.base_url is not None:
            return request.passage.base_url
        return self.public_urls.get(
            request.source, None if request.source in RELAYS else self.base_url
        )

    def verify(self, request: Request, provider: str | None) -> tuple[Verification, bool]:
        """The verdict, and whether the delivery is to be answered 401."""
        check = self.find(request.path, provider)
        if check is None:
            return UNCHECKED, False
        verdict = check.verify(request, self._base_of(request))
        is_refused = check.reject and verdict.status in _REFUSED
        return verdict, is_refused and not _is_unsigned_handshake(check, request, provider, verdict)


def _is_unsigned_handshake(
    check: Check, request: Request, provider: str | None, verdict: Verification
) -> bool:
    """Whether it is a handshake of those who sign none: refused, they would never send an event."""
    if verdict.status != "unsigned" or check.provider != provider:
        return False
    known = providers.find(check.provider)
    return not known.signs_handshakes and known.greets(request)


def _key(check: Check) -> tuple[str, str]:
    return check.provider, check.path


def _as_text(secret: Secrets) -> str | None:
    found = several(secret)
    try:
        return found[0].decode() if found else None
    except UnicodeDecodeError:
        return None
