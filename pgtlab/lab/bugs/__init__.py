"""A catalogue of page-table bugs: each is a tree with one bad commit, its symptom, its cause, and where it shows.

>>> from pgtlab.lab.bugs import BUGS
>>> bug = BUGS["small-pgd"]
>>> bug.symptom
'A process sees the memory of another.'
>>> sorted({boot.config for boot in bug.boots()})
[Config('4k', va_bits=52, pa_bits=52), Config('16k', va_bits=52, pa_bits=52)]
"""

from __future__ import annotations

from typing import Final

from pgtlab.lab.bugs.bug import CONSTRUCTED, Bug, BugError
from pgtlab.lab.bugs.elsewhere import (
    GATHERED_FLAGS,
    HUGE_STUBS,
    PMD_WITHOUT_DESTRUCTOR,
    PTE_DESTRUCTOR_TWICE,
    PUD_WITHOUT_CONSTRUCTOR,
)
from pgtlab.lab.bugs.entries import (
    PRESENT_IS_VALID,
    SHARED_IS_ADDRESS,
    SHIFT_OF_64K,
    TG0_FROM_TG1,
    WRPROTECT_CLEANS,
)
from pgtlab.lab.bugs.folding import (
    COPIED_GUARD,
    FOLD_WITHOUT_INDEX,
    FOLDED_IS_ACCOUNTED,
    FOLDED_IS_BAD,
    FOLDED_IS_NONE,
    FREED_BUT_LINKED,
    PGD_ON_THE_STACK,
    SMALL_PGD,
)
from pgtlab.lab.bugs.story import FREED_WITHOUT_ITS_DESTRUCTOR, PFN_OF_A_COPY

__all__ = ["BUGS", "CONSTRUCTED", "Bug", "BugError"]

BUGS: Final = {
    bug.name: bug
    for bug in (
        FREED_WITHOUT_ITS_DESTRUCTOR,
        PFN_OF_A_COPY,
        PMD_WITHOUT_DESTRUCTOR,
        PUD_WITHOUT_CONSTRUCTOR,
        PTE_DESTRUCTOR_TWICE,
        PGD_ON_THE_STACK,
        FOLD_WITHOUT_INDEX,
        SMALL_PGD,
        FOLDED_IS_NONE,
        FOLDED_IS_BAD,
        FOLDED_IS_ACCOUNTED,
        COPIED_GUARD,
        FREED_BUT_LINKED,
        HUGE_STUBS,
        GATHERED_FLAGS,
        WRPROTECT_CLEANS,
        PRESENT_IS_VALID,
        SHARED_IS_ADDRESS,
        SHIFT_OF_64K,
        TG0_FROM_TG1,
    )
}
