"""The two bugs of the story, each alone on top of the fixed tree."""

from __future__ import annotations

from typing import Final

from pgtlab.lab.bugs.address_space import life, new_page
from pgtlab.lab.bugs.bug import Bug
from pgtlab.lab.trees import ADD_DUMP_FOLIO, FOLD_PUDS_AT_RUNTIME, Commit
from pgtlab.linux.boot import Fold
from pgtlab.linux.kernel import Kernel


def _named(commit: Commit) -> str:
    return f"{commit.id} {commit.subject}"


def _free_a_mapped_page(k: Kernel) -> None:
    """Free a page that is still mapped: the kernel must report it and not panic."""
    page = new_page(k)
    page._mapcount = 0
    k.__free_pages(page, 0)


FREED_WITHOUT_ITS_DESTRUCTOR: Final = Bug(
    FOLD_PUDS_AT_RUNTIME,
    symptom="Freeing a PUD table reports a bad page, and the page is lost.",
    cause="Since v6.7 (55d2a0bd5ead) a PUD table has a constructor, which gives its page the type `table` and counts "
    "it. The type is kept in the bytes of _mapcount, where the allocator wants to see -1. This pud_free() was "
    "written before that and frees the page directly, so the allocator finds a page that seems to be "
    "mapped -512 times.",
    where="where PUD tables exist",
    shows=lambda boot: boot.folded["pud"] is Fold.REAL,
    exercise=life,
    upstream=_named(FOLD_PUDS_AT_RUNTIME),
)

PFN_OF_A_COPY: Final = Bug(
    ADD_DUMP_FOLIO,
    symptom="The report of a bad page ends in a panic: an Oops inside dump_page().",
    cause="page_to_pfn() subtracts: it is the distance of a struct page from vmemmap. __dump_page() now works on a "
    "copy on the stack, and a macro takes the distance of the copy, which is a frame number that no memory has. "
    "That frame's memory section does not exist, the lookup gives NULL, which is not checked. Nothing calls it in "
    "a healthy kernel, which is why the commit passed its tests.",
    where="everywhere",
    shows=lambda boot: True,
    exercise=_free_a_mapped_page,
    upstream=_named(ADD_DUMP_FOLIO),
)
