"""Push held against pull: which webhooks were missed or stale, and what polling cost.

    result      compare, Comparison
    settling    the rules in their order: sides, identity, thin, reading, versions, runs,
                vanishing, grouping, coverage, verdicts, flags
    table       the changes as a frame; mismatch is computed where it is read
    costs what_if glance explain wording     what is built on the changes
    arrays coded                             columns as numbers: the steps that the rules share

Pure: frames in, frames out; no clock, no file, no thread.
"""

from webhooklab.comparison.entity_states import state_in
from webhooklab.comparison.explain import Explanation
from webhooklab.comparison.lazy import lazily
from webhooklab.comparison.mismatch import PathsArray, PathsDtype
from webhooklab.comparison.missed import Missed
from webhooklab.comparison.result import Comparison, compare
from webhooklab.comparison.table import CHANGE_COLUMNS
from webhooklab.comparison.verdicts import REASONS, VERDICTS
from webhooklab.comparison.what_if import WhatIf

__all__ = [
    "CHANGE_COLUMNS",
    "REASONS",
    "VERDICTS",
    "Comparison",
    "Explanation",
    "Missed",
    "PathsArray",
    "PathsDtype",
    "WhatIf",
    "compare",
    "lazily",
    "state_in",
]
