"""``python -m pgtlab.cli`` is ``python -m pgtlab``."""

import sys

from pgtlab.__main__ import main

sys.exit(main())
