"""The command line on a day that is set: ``python night.py DAY ARGUMENTS``."""

from __future__ import annotations

import sys
from datetime import date

from evalkit import zones
from evalkit.cli import main

if __name__ == "__main__":
    DAY = date.fromisoformat(sys.argv[1])
    zones.today = lambda name: DAY
    sys.argv = ["evalkit", *sys.argv[2:]]
    main()
