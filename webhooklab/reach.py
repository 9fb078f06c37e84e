"""The ways in which a lab can be exposed, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webhooklab.errors import ExposureError
from webhooklab.exposure import Behind, Exposure, Exposures
from webhooklab.gates import TakesGates
from webhooklab.tunnel import TunnelExposure

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exposed. `base_url` is an address that the user gives; None: none."""

    file: Path
    behind: Behind
    gates: TakesGates
    exposures: Exposures
    base_url: str | None


def _by_jupyter(wish: Wish) -> Exposure:
    # Its libraries are there where Jupyter is, and are not needed elsewhere.
    try:
        from webhooklab.server_extension.exposing import JupyterExposure  # noqa: PLC0415
    except ImportError as error:
        raise ExposureError(
            "This Python knows no Jupyter, so no Jupyter server can make a public URL. Have a "
            "tunnel lead to lab.url, and pass its address: lab.expose(base_url=...)."
        ) from error
    wish.exposures.replace(JupyterExposure.name)
    return JupyterExposure(
        wish.file,
        wish.behind,
        address=wish.base_url,
        browser_url=lambda: wish.exposures.browser_url,
    )


def _by_tunnel(wish: Wish) -> Exposure:
    if wish.base_url is None:
        raise ExposureError(
            "Which tunnel? Start one to lab.url, and pass its address: "
            'lab.expose(base_url="https://abc.example").'
        )
    wish.exposures.replace(TunnelExposure.via)
    return TunnelExposure(wish.file, wish.gates, wish.base_url)


WAYS: Final[dict[str, Callable[[Wish], Exposure]]] = {
    "jupyter": _by_jupyter,
    "tunnel": _by_tunnel,
}


def expose(via: str, wish: Wish) -> Exposure:
    """Open an exposure, in place of an earlier one of its name. Raises `ExposureError`."""
    if via == AUTO:
        via = "jupyter" if wish.base_url is None else "tunnel"
    way = WAYS.get(via)
    if way is None:
        known = ", ".join(map(repr, (AUTO, *WAYS)))
        raise ExposureError(f"There is no way called {via!r}: choose one of {known}.")
    exposure = way(wish)
    wish.exposures.add(exposure)
    return exposure
