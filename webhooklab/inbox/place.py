"""Where this runs."""

from __future__ import annotations

from IPython.core.getipython import get_ipython


def in_notebook() -> bool:
    """Whether a front end that shows widgets may be listening: a Jupyter kernel, no terminal."""
    return getattr(get_ipython(), "kernel", None) is not None
