"""Targets to be fuzzed: each a small function that asserts what must hold of whatever it is given.

`python -m tests.fuzz --seconds 600` looks for what breaks them; `tests/test_fuzz.py` runs a bounded
part of it, the same each time. `python -m tests.fuzz.guided TARGET` goes on from what led to new
code.
"""
