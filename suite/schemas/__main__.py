"""`python -m suite.schemas`: writes the schema files anew."""

from __future__ import annotations

import sys

from suite.schemas import write

for path in write():
    sys.stdout.write(f"{path}\n")
