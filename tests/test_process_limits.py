"""What a listener in a process of its own does not do says so, and whose move it is."""

import pytest

from webhooklab import Lab
from webhooklab.errors import ListenerProcessError


def test_it_is_not_exposed(file):
    with Lab(file, listener="process") as lab:
        with pytest.raises(ListenerProcessError, match='listener="thread"'):
            lab.expose(base_url="https://abc.example")
        assert lab.public_url is None
