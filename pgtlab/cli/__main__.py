"""``python -m pgtlab.cli``, for when the ``pgtlab`` script is not on the PATH."""

import sys

from pgtlab.cli import main

sys.exit(main())
