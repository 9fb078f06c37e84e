"""What senders get: the rules of `lab.respond`, and answers that are made after the commit.

promises   answers that come after the commit: waited for, given up, written down, sent
rules      which answer a delivery gets: at once, later, or from a maker
calls      the maker that calls a user's function
making     what senders, makers and those who wait for them know of each other
response   what users say, checked
usual      what senders get where nobody says otherwise
"""

from __future__ import annotations

from webhooklab.answering.calls import Calls, Function
from webhooklab.answering.making import Asker, Made, Maker, Sender
from webhooklab.answering.promises import Promise, Promises
from webhooklab.answering.response import Body, GivenHeaders, Response
from webhooklab.answering.rules import (
    FORWARD,
    RESPOND,
    Choice,
    Rule,
    Rules,
    answer_from_told,
    answer_told,
    rule_from,
)
from webhooklab.answering.usual import OK, WITHOUT_BODY, unavailable

__all__ = [
    "FORWARD",
    "OK",
    "RESPOND",
    "WITHOUT_BODY",
    "Asker",
    "Body",
    "Calls",
    "Choice",
    "Function",
    "GivenHeaders",
    "Made",
    "Maker",
    "Promise",
    "Promises",
    "Response",
    "Rule",
    "Rules",
    "Sender",
    "answer_from_told",
    "answer_told",
    "rule_from",
    "unavailable",
]
