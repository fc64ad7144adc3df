"""Claims about the bad page: its four bytes, the allocator's check, its destructor, its report, and the fixes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Final

from pgtlab.lab.crash import Crash
from pgtlab.lab.exam_claims import Draft
from pgtlab.lab.exam_log import ExamLog
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN, Commit
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.page_flags import PAGE_TYPES, PG_table
from pgtlab.linux.kernel.printk import TAINT_BAD_PAGE

COUNTS: Final = "page: refcount"
FREED: Final = "Bad page state"


def stored_word(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """The word that is stored, by how many of its bits are 0."""
    for zeros, words in ((1, "one is"), (9, "nine are")):
        yield Draft(
            f"Of the 32 bits that are stored in `_mapcount` of the bad page, exactly {words} 0.",
            lambda c: 32 - (c["x24"] & 0xFFFF_FFFF).bit_count(),
            zeros,
            f"-512 is printed and -513 is stored: {log.crash['x24'] & 0xFFFF_FFFF:#010x}",
            (COUNTS,),
            "printed-is-stored",
        )


def another_type(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What a page of another type would be printed as."""
    bit, name = draw.choice([(bit, name) for bit, name in PAGE_TYPES.items() if bit != PG_table])
    for printed in (-bit, -bit - 1):
        yield Draft(
            f"A page of the type *{name}*, whose bit is {bit:#x}, would have `mapcount:{printed}` in line "
            f"{log.line(COUNTS)}.",
            lambda c: _mapcount_of_type(c, bit),
            printed,
            f"a type clears its bit in 0xffffffff; {~bit & 0xFFFF_FFFF:#x} is {~bit}, and one more is printed",
            (COUNTS,),
            "printed-is-stored",
        )


def _mapcount_of_type(crash: Crash, bit: int) -> int:
    k = crash.small()
    page = k.alloc_pages(0)
    assert page is not None
    page.page_type &= ~bit & 0xFFFF_FFFF
    return k.page_mapcount(page)


def objection(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which of the printed counts the allocator does not accept."""
    for mapcount, refcount, said in (
        (0, 0, "`mapcount:0` in place of `mapcount:-512`"),
        (-512, 1, "`refcount:1` in place of `refcount:0`"),
    ):
        yield Draft(
            f"With {said}, and line {log.line(COUNTS)} as it is otherwise, the allocator would have taken the page.",
            partial(_is_accepted, mapcount=mapcount, refcount=refcount),
            True,
            "a page that comes back has no reference any more: refcount 0 is right, and the four bytes are not -1",
            (COUNTS,),
            "refcount-is-mapcount",
        )


def _is_accepted(crash: Crash, mapcount: int, refcount: int) -> bool:
    """Whether the allocator takes a page with these counts as they are printed."""
    k = crash.small()
    page = k.alloc_pages(0)
    assert page is not None
    page._mapcount, page._refcount = mapcount - 1, refcount
    return k.page_expected_state(page, 0)


def counted(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the counter of page tables still counts the page."""
    for words, counts in (("was still", True), ("was no longer", False)):
        yield Draft(
            f"When the machine stopped, the frame of the bad page {words} in the kernel's count of page tables.",
            _is_counted,
            counts,
            "the destructor clears the type and takes the page from the counter; the type is still there",
            (COUNTS,),
            "freed-is-uncounted",
        )


def _is_counted(crash: Crash) -> bool:
    all_freed = Crash(crash.placement, crash.config).small(CALL_THE_DESTRUCTOR).run()
    return crash.run.nr_page_table_pages > all_freed.nr_page_table_pages


def destructor(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the destructor ran before the page was freed."""
    for words, called in (("had not yet been called", False), ("had been called", True)):
        yield Draft(
            f"When the allocator got the bad page, the destructor {words} for it.",
            lambda c: bool(c["x24"] & PG_table),
            called,
            f"the destructor clears the type, and line {log.line(COUNTS)} shows that it is still there",
            (COUNTS,),
            "free-then-destruct",
        )


def no_destructor(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the destructor would have been called later."""
    yield Draft(
        "The function that freed the table calls the destructor nowhere, neither before it frees the page nor after.",
        _calls_the_destructor,
        False,
        "the boot ends while the page is freed: a function that calls the destructor after that leaves the same log",
        (),
        "fits-is-proved",
    )


def _calls_the_destructor(crash: Crash) -> bool:
    """Run `pud_free()` with an allocator that accepts all."""
    k = crash.small()
    called: list[Page] = []
    pud = k.pud_alloc_one(k.init_mm, 0)
    k.livepatch(free_page=lambda k, addr: None, pagetable_pud_dtor=lambda k, page: called.append(page))
    k.pud_free(k.init_mm, pud)
    return bool(called)


def finished_report(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What `Not tainted` says."""
    yield Draft(
        "`Not tainted` shows that this kernel had met no bad page before.",
        lambda c: c.run.reports[0].kind == FREED,
        False,
        "the kernel is tainted by the last step of the report of a bad page, and this report was never finished",
        (FREED, "Not tainted"),
        "first-look-is-enough",
    )
    yield Draft(
        "If the report of the bad page had been finished, the kernel would be tainted from then on.",
        _would_be_tainted,
        True,
        "a bad page taints the kernel; `Not tainted` is because the report was never finished",
        (FREED, "Not tainted"),
        "taint-is-for-modules",
    )


def _would_be_tainted(crash: Crash) -> bool:
    k = crash.small(USE_THE_REAL_PFN)
    k.run()
    return TAINT_BAD_PAGE in k.tainted


def not_its_folio(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which pages the line about the folio is printed for."""
    for text, printed in (
        ("This kernel would print `page does not match folio` for a page that is in order, too.", True),
        ("This kernel prints `page does not match folio` only for a page whose record is damaged.", False),
    ):
        yield Draft(
            text,
            _printed_for_a_sound_page,
            printed,
            "the folio is the copy on the stack, for every ordinary page: its distance to the page is huge",
            ("page does not match",),
            "line-3-blames-the-page",
        )


def _printed_for_a_sound_page(crash: Crash) -> bool:
    k = crash.small(USE_THE_REAL_PFN)
    page = k.alloc_pages(0)
    assert page is not None
    k.dump_page(page, None)
    return "page does not match folio" in str(k.log)


def after_a_fix(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which lines stay after one fix: which line stands for which mistake."""
    for fix, name in ((CALL_THE_DESTRUCTOR, "pud_free"), (USE_THE_REAL_PFN, "__dump_folio")):
        for text in ("page does not match folio", "mapcount:-512", "Kernel panic"):
            yield Draft(
                f"If only the bug of `{name}()` were fixed, and there is no third one, line {log.line(text)} would "
                "still be printed.",
                partial(_is_printed, log.crash, fix, text),
                True,
                f"with that fix alone the outcome is *{log.crash.small(fix).run().outcome}*",
                (FREED, text),
                "fixes-mixed-up",
            )


def _is_printed(crash: Crash, fix: Commit, text: str, world: Crash) -> bool:
    """Whether a line is there with a fix; of the kernel that has two mistakes, whatever another `world` has."""
    return any(text in line for line in crash.small(fix).run().dmesg)


def third_mistake(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the test would be clean without the two mistakes."""
    yield Draft(
        "With the bugs of `pud_free()` and `__dump_folio()` fixed, the test of line "
        f"{log.line('Validating')} ends without a report in this kernel.",
        lambda c: c.small(CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN).run().outcome,
        "clean",
        "what comes after the table was freed never ran, and may have mistakes of its own",
        (),
        "one-cause-is-enough",
    )


def order_of_changes(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which change is older."""
    if not log.crash.boot.has_va52:  # where better questions are not decidable
        return
    yield Draft(
        "The change that lets the report crash was made before the change that makes the page bad.",
        lambda c: c.tree.commits[0].name,
        "dump-folio",
        "a log says nothing about the history of the source",
        (),
        "first-bad-is-cause",
    )


FAMILIES: Final = (
    stored_word,
    another_type,
    objection,
    counted,
    destructor,
    no_destructor,
    finished_report,
    not_its_folio,
    after_a_fix,
    third_mistake,
    order_of_changes,
)
