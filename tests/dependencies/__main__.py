"""`python -m tests.dependencies`: fails when what is installed has a known vulnerability."""

import sys

from tests.dependencies.runtime import installed
from tests.dependencies.vulnerabilities import SOURCES, ask, verdict

packages = installed()
for source in SOURCES:
    told = ask(packages, *source)
    if told.clean or told.holes:
        break
code, said = verdict(told)
print(said)
sys.exit(code)
