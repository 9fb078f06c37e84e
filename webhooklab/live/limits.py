"""How often the live comparison looks, compares and speaks. Nothing else in here."""

from __future__ import annotations

from typing import Final

LOOK_SECONDS: Final = 1.0
"""It looks so often whether there is anything new; that costs three short queries."""
COMPARING_SHARE: Final = 0.1
"""Comparing takes at most this share of the time: after 2 s of it, 18 s without."""
LAST_SECONDS: Final = 1.0
"""Stopping waits so long at most for a comparison; a kernel that ends has not much longer."""
BEATS_APART: Final = 2
"""The browser hears from the kernel at every second look, or knows that nobody looks."""
ERROR_CHARS: Final = 300
"""So much is shown of what went wrong with a poll."""
HELD_DISPLAYS: Final = 50
"""So many places in notebooks get the static page when it stops."""
