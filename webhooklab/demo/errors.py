"""What the Shop and the tour raise, besides `PortTakenError` and `ClosedError`.

WebhookLabError
├── ShopArgumentError   an argument cannot be used (also a ValueError)
├── DrainTimeout        deliveries were still under way (also a TimeoutError)
└── TourError           the notebooks cannot be copied, opened or run here

No message holds a key, a secret or a webhook's address.
"""

from __future__ import annotations

from webhooklab.errors import WebhookLabError


class ShopArgumentError(WebhookLabError, ValueError):
    """An argument of the Shop or of its Faults cannot be used as it is."""


class DrainTimeout(WebhookLabError, TimeoutError):
    """Some deliveries had not had their final attempt in time; `pending` says how many."""

    def __init__(self, message: str, pending: int) -> None:
        super().__init__(message)
        self.pending = pending


class TourError(WebhookLabError):
    """The tour cannot start: something it needs is not installed, or its folder is not usable."""
