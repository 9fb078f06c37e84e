"""The live comparison: push held against pull while both go on, also while a cell runs.

A thread looks once a second whether anything came, compares again for a bounded share of the time
(`refreshing`), and says what is so in words (`figures`, `told`), which the browser shows. When it
stops, a static page stands in its place (`page`), for a notebook without a kernel.
"""

from webhooklab.live.refreshing import Refreshing
from webhooklab.live.widget import LiveComparison

__all__ = ["LiveComparison", "Refreshing"]
