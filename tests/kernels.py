"""The kernels that many tests ask about. Nothing is built here until a test needs it, and then once in each process."""

from functools import cache

import pytest

from pgtlab.lab.matrix import boots
from pgtlab.lab.variants import describe
from pgtlab.linux.boot import Boot
from pgtlab.linux.kernel import Kernel

#: Every configuration on every CPU that boots it.
EVERYWHERE = [booted for booted in boots() if isinstance(booted, Boot)]

#: The 17 kinds of page table, each on the last CPU that has it (`distinct_boots()` has each on the first).
KINDS = list({(booted.config, booted.vabits_actual): booted for booted in EVERYWHERE}.values())


@cache
def kernel(booted: Boot) -> Kernel:
    """A kernel after this boot, which tests share: one that changes it starts its own, `Kernel(booted)`."""
    return Kernel(booted)


#: One for each way in which levels fold, two of each page size. The suite asks these, and `make sweep` the others.
SOME = list({tuple(booted.folded.values()): booted for booted in KINDS}.values())

_CASES = [pytest.param(b, id=describe(b), marks=[] if b in SOME else [pytest.mark.sweep]) for b in KINDS]
every_kind = pytest.mark.parametrize("booted", _CASES)
every_kernel = pytest.mark.parametrize("k", _CASES, indirect=True)  # the fixture `k`
