"""A small provider to play with: a real REST API and a real webhook sender, on loopback.

defaults.py     the Shop's constants, with their units
errors.py       what is raised here
keys.py         the API key, and what signs the webhooks
faults.py       what goes wrong on purpose, and the seeded dice that decide it
kinds.py        orders, customers, invoices: what they hold and how they may move
life.py         the seeded simulation: one change after the other, no I/O
truth.py        what really happened and what was done to each webhook
rates.py        the API's requests per minute
pages.py        conditional requests, paging: from the life to an answer, no HTTP
api.py          the REST API (Tornado)
courier.py      one webhook: sign, POST, retry (httpx)
dispatch.py     which webhook goes when: order, duplicates, delays, losses
engine.py       all of that on one event loop
display.py      the Shop's reprs
controls.py     the live control (ipywidgets), imported only when asked for
shop.py         `Shop`: the engine in a thread, seen from a notebook
tour.py         the notebooks: copied, opened in JupyterLab, or run without a browser

Each module imports only from those above it.
"""

from __future__ import annotations

from webhooklab.demo.errors import DrainTimeout, ShopArgumentError
from webhooklab.demo.faults import Faults
from webhooklab.demo.life import Change
from webhooklab.demo.shop import Shop

__all__ = ["Change", "DrainTimeout", "Faults", "Shop", "ShopArgumentError"]
