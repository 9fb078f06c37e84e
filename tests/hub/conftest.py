import importlib.util
import shutil

import pytest

from tests.hub.hub import HOW_TO_INSTALL, PROXY, Hub


@pytest.fixture(scope="package")
def hub(tmp_path_factory):
    if shutil.which(PROXY) is None or importlib.util.find_spec("jupyterhub") is None:
        pytest.skip(HOW_TO_INSTALL)
    running = Hub(tmp_path_factory.mktemp("hub"))
    running.invite("ada")
    yield running
    running.stop()


@pytest.fixture(scope="package")
def ada(hub):
    user = hub.user("ada")
    hub.invite("bob")  # his server starts while hers is asked
    return user


@pytest.fixture(scope="package")
def bob(hub, ada):  # noqa: ARG001 - he is invited after her
    return hub.user("bob")


@pytest.fixture(scope="package")
def url(ada):
    """The public URL of a lab in ada's kernel."""
    return ada.run(EXPOSE)


EXPOSE = """
import json
from webhooklab import Lab
lab = Lab("hub.db", snapshot=False)
exposure = lab.expose()
print(json.dumps(exposure.url))
"""
