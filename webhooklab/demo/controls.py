"""The Shop's live control for a notebook. The demo's only door to ipywidgets."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any, Protocol

from webhooklab.demo.faults import CHANCES, Faults
from webhooklab.errors import WebhookLabError


class Steered(Protocol):
    """What the control turns: a Shop."""

    speed: float
    faults: Faults

    @property
    def running(self) -> bool: ...
    def run(self) -> None: ...
    def pause(self) -> None: ...
    def advance(self) -> object: ...


def controls(shop: Steered) -> Any:
    """Return an `ipywidgets.VBox`: live or paused, one change, speed, and a slider per fault.

    Raises `WebhookLabError` when ipywidgets is not installed.
    """
    widgets = _ipywidgets()
    sliders = [_fault(widgets, shop, name) for name in CHANCES]
    buttons = widgets.HBox([_live(widgets, shop), _once(widgets, shop)])
    return widgets.VBox([buttons, _speed(widgets, shop), *sliders])


def _ipywidgets() -> Any:
    try:
        return importlib.import_module("ipywidgets")
    except ImportError as error:
        raise WebhookLabError(
            "The controls need ipywidgets. Install it: pip install ipywidgets; or set shop.speed "
            "and shop.faults in code."
        ) from error


def _live(widgets: Any, shop: Steered) -> Any:
    toggle = widgets.ToggleButton(value=shop.running, description="Live")

    def switch(change: Any) -> None:
        if change["new"]:
            shop.run()
        else:
            shop.pause()

    toggle.observe(switch, names="value")
    return toggle


def _once(widgets: Any, shop: Steered) -> Any:
    button = widgets.Button(description="One change")
    button.on_click(lambda _: shop.advance())
    return button


def _speed(widgets: Any, shop: Steered) -> Any:
    slider = widgets.FloatLogSlider(
        value=shop.speed, min=-1, max=2, step=0.1, description="speed", readout_format=".1f"
    )

    def turn(change: Any) -> None:
        shop.speed = change["new"]

    slider.observe(turn, names="value")
    return slider


def _fault(widgets: Any, shop: Steered, name: str) -> Any:
    slider = widgets.FloatSlider(
        value=getattr(shop.faults, name),
        min=0.0,
        max=1.0,
        step=0.05,
        description=name,
        readout_format=".0%",
    )

    def turn(change: Any) -> None:
        shop.faults = replace(shop.faults, **{name: change["new"]})

    slider.observe(turn, names="value")
    return slider
