"""What a listener in a process of its own does not do says so, and whose move it is."""

import pytest

from webhooklab import Lab
from webhooklab.errors import ListenerProcessError


def test_it_says_what_it_does_not_do(file):
    with Lab(file, listener="process") as lab:
        for refused in (
            lambda: lab.respond(503),
            lambda: lab.verify_with("github", "secret"),
            lambda: lab.send_sample("stripe"),
            lambda: lab.expose(base_url="https://abc.example"),
        ):
            with pytest.raises(ListenerProcessError, match='listener="thread"'):
                refused()
