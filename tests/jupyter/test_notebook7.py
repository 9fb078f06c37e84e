"""The inbox in Jupyter Notebook 7, which is JupyterLab's parts in another frame."""

import importlib.util

import pytest

needs_notebook = pytest.mark.skipif(
    importlib.util.find_spec("notebook") is None, reason='pip install "webhooklab[test]"'
)


@needs_notebook
def test_rows_appear_in_notebook_7(notebook):
    opened = notebook(
        "from webhooklab import Lab\nfrom tests.jupyter.kernel_parts import *\nlab = Lab()\nlab",
        "send(lab.url, 3)",
        app="notebooks",
    )
    opened.errors.clear()  # those of its own start
    opened.run(0)
    opened.run(1)
    opened.wait_rows("3", "2", "1")
