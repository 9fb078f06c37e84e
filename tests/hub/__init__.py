"""A real JupyterHub, with its proxy and two users, all on loopback."""
