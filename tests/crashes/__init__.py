"""What is captured, killed again and again: nothing acknowledged is lost, altered or invented.

`python -m tests.crashes --rounds 200` runs every scenario that often; `tests/test_crashes.py` runs
a few rounds of each. A round sends without rest, kills with SIGKILL at a point that the seed
decides, starts again what was killed, and holds what has arrived against what was sent.
"""
