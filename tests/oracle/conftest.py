"""Lets the tests import the oracle by its name, as `make oracle` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
