"""The providers of this process: the user's own, then those that come with webhooklab."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webhooklab.errors import ProviderError
from webhooklab.providers.base import UNPUBLISHED, Handshake, Provider, Retries
from webhooklab.providers.built_in import PROVIDERS
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import Place
from webhooklab.providers.registry import Registry
from webhooklab.records import UNAUTHORIZED, Answer, Interpretation, Request
from webhooklab.signatures import Scheme

_registry = Registry(PROVIDERS)
_ALIASES = {
    "facebook": "meta",
    "instagram": "meta",
    "messenger": "meta",
    "whatsapp": "meta",
    "msgraph": "microsoftgraph",
    "graph": "microsoftgraph",
    "mailchimptransactional": "mandrill",
    "ses": "amazonses",
    "sns": "amazonses",
}
_separators = re.compile(r"[-_\s]+").sub


def _plain(name: str) -> str:
    return _separators("", name.lower())


_BUILT_IN = frozenset(_plain(provider.name) for provider in PROVIDERS)


def registered() -> tuple[Provider, ...]:
    """All providers, in the order in which they are asked."""
    return _registry.providers


def names() -> list[str]:
    """The names of all providers, sorted."""
    return sorted(provider.name for provider in _registry.providers)


def find(name: str) -> Provider:
    """The provider of this name; case, spaces, `-` and `_` do not matter. `ProviderError`."""
    wanted = _plain(str(name))
    wanted = _ALIASES.get(wanted, wanted)
    for provider in _registry.providers:
        if _plain(provider.name) == wanted:
            return provider
    raise ProviderError(
        f"No provider is called {name!r}. Known are {', '.join(names())}; "
        "webhooklab.providers.register adds your own."
    )


def _check(provider: Provider, plain: str, *, replace: bool) -> None:
    if plain in _ALIASES or (plain in _BUILT_IN and not replace):
        raise ProviderError(
            f"{provider.name!r} is {find(provider.name).title}, which comes with webhooklab: "
            f"choose another name{', or say replace=True' * (plain in _BUILT_IN)}."
        )
    if not plain or not (provider.marks or provider.schemes):
        raise ProviderError(
            f"Nothing would lead to {provider.name!r}: it needs a name, and header= or marks= by "
            "which its requests are known, or schemes= to verify with."
        )


def recognise(request: Request) -> Provider | None:
    """Who sent a request; None: not known. Never raises on anything from the wire."""
    return _registry.recognise(request)


def interpret(request: Request) -> Interpretation:
    """Who sent a request, and which events are in it. Never raises on anything from the wire."""
    provider = _registry.recognise(request)
    return Interpretation() if provider is None else provider.interpret(request)


def handshake_answer(
    request: Request, provider: str, secret: str | None, *, is_forged: bool = False
) -> Answer | None:
    """What a provider's handshake is to be answered; None: it needs a secret, or is none.

    `is_forged`: its signature is wrong, for which some providers want a 401.
    """
    known = _registry.named.get(provider)
    if known is None or known.handshake is None:
        return None
    answer = known.handshake(request, secret)
    return UNAUTHORIZED if answer and is_forged and known.tests_signatures else answer


def register(
    provider: Provider | str,
    *,
    header: str | None = None,
    marks: Sequence[Mark] = (),
    schemes: Sequence[Scheme] = (),
    handshake: Handshake | None = None,
    retries: Retries = UNPUBLISHED,
    event_type: Place = None,
    event_id: Place = None,
    entity_type: Place = None,
    entity_id: Place = None,
    occurred_at: Place = None,
    version: Place = None,
    scope: Place = None,
    items: str | None = None,
    replace: bool = False,
) -> Provider:
    """Add a provider of your own, asked before those that come with webhooklab.

    In short: `register("acme", header="x-acme-event", event_type="header:x-acme-event",
    entity_id="data.id")`: its name, a header that only it sends (or `marks`), and where each column
    is, as in `Fields`. In full: a `Provider`. It takes the place of one of yours of the same name,
    with `replace` also of one that comes with webhooklab, and is returned. Deliveries captured
    before are interpreted anew by the next `lab.map`. Raises `ProviderError` for a name that is
    taken, and for a provider that nothing would lead to.
    """
    if isinstance(provider, str):
        found = (Mark(header=header.lower()),) if header else ()
        provider = Provider(
            name=provider,
            title=provider,
            source="",
            marks=(*found, *marks),
            reads=Fields(
                event_type=event_type,
                event_id=event_id,
                entity_type=entity_type,
                entity_id=entity_id,
                occurred_at=occurred_at,
                version=version,
                scope=scope,
                items=items,
            ),
            schemes=tuple(schemes),
            handshake=handshake,
            retries=retries,
        )
    global _registry  # noqa: PLW0603 - one index for the process, replaced as a whole
    taken = _plain(provider.name)
    _check(provider, taken, replace=replace)
    others = [each for each in _registry.providers if _plain(each.name) != taken]
    _registry = Registry([provider, *others])
    return provider
