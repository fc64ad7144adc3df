"""What the tables of one range map, as one array: read level by level, all tables of a level at once.

Each table is read once for each level that reaches it, however many entries lead to it. From the last level up, what a
table maps is put together from its leaves and from what its children map, and neighbours that continue each other are
joined before anything above repeats them. Time and memory go with the tables and with the result.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.mmu import MMU

Mappings: TypeAlias = NDArray[Any]


class TooManyMappings(ValueError):
    """Tables that map more than fits into an array: some lead back to themselves, or are shared many times."""


MAPPING: Final = np.dtype([("va", np.uint64)])


def mapping_table(mmu: MMU, *, upper: bool = False, progress: bool = False) -> Mappings:
    """Stub"""
    raise NotImplementedError
