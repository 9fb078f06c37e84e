"""The inbox in a real JupyterLab, seen by a real browser."""
