"""Questions of chapter 10b: a report inside a report, and the fault."""

from __future__ import annotations

from functools import cache
from random import Random

from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.lab.crash import BOOT, story
from pgtlab.lab.question import Number, Question, Wrong, multiple_choice, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel.report import Run


def what_line_3_blames(draw: Random) -> Question:
    return multiple_choice(
        text="`__dump_page` computes `(page - folio) / 64`, the place of the page in its folio. Its folio here is the copy itself. Line 3 says "
        "`page does not match folio`. What is it evidence for?",
        right="the function took the distance of two unrelated places",
        wrong={
            "the page is damaged: its folio is wrong": (
                "line-3-blames-the-page: Take a healthy page and dump it: the distance between the memmap and the "
                "stack is just as large. The line would be printed for *every* page that is not a tail. Below you "
                "can try it."
            ),
            "the page was changed by somebody while it was being copied": (
                "line-3-blames-the-page: That is what the message was written for. But here all six tries fail, for "
                "the same reason."
            ),
            "the page was freed twice": (
                "line-3-blames-the-page: What was compared does not depend on who freed the page, or how often: it is "
                "a distance of two addresses."
            ),
        },
        because="the copy is on the stack, the page's record is in the memmap",
        wrong_reasons={
            "the message names the page, so the page is meant": (
                "line-3-blames-the-page: A message says what its author expected to find. What was compared here is "
                "a distance of two addresses."
            ),
            "a page that is being freed has no folio any more": (
                "line-3-blames-the-page: Every page is a folio, or a part of one, freed or not."
            ),
        },
        truth="It is the **second** bug that speaks here: the address of a copy was used as if the copy were in the memmap. Line 3 says nothing "
        "about the page.",
        lines=(3,),
    )


@cache
def _healthy_dump() -> Run:
    """The run of a tree with only the first bug, whose dump comes to its end."""
    return Tree.named("arm64-for-next").start_kernel(BOOT).run()


def what_is_missing(draw: Random) -> Question:
    lines = [line.partition("] ")[2] for line in _healthy_dump().dmesg]
    after = lines[next(n for n, line in enumerate(lines) if "mapcount:" in line) + 1]
    right = f"a line that begins with `{after.split(':')[0]}:`"
    return multiple_choice(
        text="Above, such a bad page in a kernel whose `dump_page` works. Compare it with the real log. Which line would come right after line 4?",
        right=right,
        wrong={
            "line 5, as it does": (
                "last-message-is-cause: Line 5 is about something else: it interrupts the dump. What was the dump "
                "about to print?"
            ),
            "a line that begins with `Call trace:`": (
                "reports-have-no-order: In the report above it comes after eight others. Which line follows that with "
                "`mapcount`?"
            ),
            "a line that begins with `Modules linked in:`": (
                "reports-have-no-order: That begins the part about the machine. The part about the *page* was not at "
                "its end: which line follows that with `mapcount`?"
            ),
        },
        truth=f"`{after}`. It is not there: the kernel faulted **between line 4 and that line**, while it computed what to print.",
        lines=(4,),
    )


def why_not_tainted(draw: Random) -> Question:
    return multiple_choice(
        text="A bad page *taints* a kernel: from then on its reports carry the letter B. Line 2 reports a bad page, and line 19 still says `Not tainted`. "
        "How can that be?",
        right="the taint is set after the dump",
        wrong={
            "the page was not really a bad one": (
                "line-3-blames-the-page: Line 4 shows the type of a table in a page that is being freed. That is bad."
            ),
            "one bad page is not enough": (
                "taint-needs-more: In the report above it was enough: its last line says that the kernel is tainted. "
                "When does that line come?"
            ),
            "taint is only for modules": (
                "taint-is-for-modules: Some modules taint a kernel, and so do other events: a bad page has a letter "
                "of its own, B."
            ),
        },
        truth="`bad_page()` prints, dumps, prints the trace, and taints last. In line 19 it is still inside the dump.",
        lines=(19,),
    )


def level_of_line_7(draw: Random) -> Question:
    esr = story().run.reports[-1].esr
    assert esr is not None
    code = ISSDataAbort(ESR_EL1(esr).ISS)
    return Question(
        text=f"Line 7, by hand: ESR is `{esr:#x}`. At which level did the walk end?",
        answer=Number(code.DFSC & 3),
        wrong=(
            Wrong(
                code.DFSC,
                "status-is-level",
                "That is the whole status code, 0b000100. The level is in its lowest two bits.",
            ),
            Wrong(code.DFSC >> 2, "kind-is-level", "That is the kind: 1 is a translation fault."),
            Wrong(
                3,
                "the-page-level-always-fails",
                "The page of address 8 has its entry at level 3, if there is a table for it. The walk did not come so far.",
            ),
        ),
        truth=f"{esr:#x} & 0x3f = {code.DFSC:#04x} = 0b{code.DFSC:06b}: kind 1, translation, **level {code.DFSC & 3}**. And WnR is {code.WnR}: it was a read. "
        "Line 11 is the kernel's own reading of these six bits.",
    )


def what_line_16_says(draw: Random) -> Question:
    return multiple_choice(
        text="The address in line 5 is 8, an address of the lower half: the walk starts at the table of TTBR0. Line 16 says that `active_mm` is swapper: no "
        "process has run yet. Why did the walk end at level 0?",
        right="the first entry that it read was not valid",
        wrong={
            "there was no table of level 0": (
                "level-0-table-missing: The level is that of the *entry* which stopped the walk. To read an entry of "
                "level 0 there must be a table of level 0."
            ),
            "the address 8 is too small to be translated": (
                "small-numbers-are-no-addresses: 8 is an address like any other: its indices are all 0, and if the entries "
                "there were valid, it would be mapped."
            ),
            "process `swapper/0` has no right to read address 8": (
                "permission-is-missing-entry: That would be a permission fault: kind 3 in the status code. And "
                "swapper in line 16 is an address space, not a process."
            ),
        },
        truth="Until the first process runs, TTBR0 points to a table full of zeros. So *every* user address faults at the level where walks begin: level 0, "
        "which shows that this kernel walks four levels.",
    )


def what_was_null(draw: Random) -> Question:
    return multiple_choice(
        text="`ldr x0, [x3, #8]` read address 8. Its source is `ms->usage`, the second word of a `struct mem_section`. What was NULL?",
        right="the pointer to a `struct mem_section`",
        wrong={
            "the page that was freed": (
                "free-page-was-null: That page exists: frame 0x18a65d, and line 4 prints what its `struct page` "
                "says. The lookup did not even use it."
            ),
            "the copy of the page": "free-page-was-null: Its address is in x19, x20 and x26, and is not NULL.",
            "the member `usage` of the structure": (
                "null-plus-8-was-stored: It was never read: the fault happened on the way to it. NULL is what the 8 "
                "was added to."
            ),
        },
        because="`usage` is 8 bytes into that structure",
        wrong_reasons={
            "a page that was freed is NULL": (
                "free-page-was-null: A freed page stays where it is in memory, and so does its `struct page`. Only "
                "its owner changes."
            ),
            "somebody had stored 8 in a pointer": (
                "null-plus-8-was-stored: Line 33 says that x3 is 0. The instruction itself added the 8."
            ),
        },
        truth="`ms` was NULL: **no memory section** has the number in x4. That is a consequence of a wrong pfn, and not of the page's state.",
        lines=(5,),
    )


@recall
def level_of_an_esr(draw: Random) -> Question:
    kind, name = draw.choice([(1, "a translation fault"), (2, "an access flag fault"), (3, "a permission fault")])
    level = draw.randrange(4)
    esr = ESR_EL1(EC=0x25, IL=1, ISS=int(ISSDataAbort(WnR=draw.randrange(2), DFSC=kind << 2 | level)))
    fsc = ISSDataAbort(esr.ISS).DFSC
    return Question(
        text=f"ESR is `{int(esr):#010x}`, a data abort. Its lowest six bits are the status code: the upper four of them say the kind (1 translation, 2 access "
        "flag, 3 permission), the lower two the level. At which level did the walk end?",
        answer=Number(level),
        wrong=(
            Wrong(fsc, "status-is-level", "That is the whole status code. The level is in its lowest two bits."),
            Wrong(kind, "kind-is-level", f"That is the kind: {name}."),
            Wrong(3 - level, "levels-from-leaf", "Arm counts levels downwards: the last one is level 3."),
        ),
        truth=f"{int(esr):#x} & 0x3f = {fsc:#04x} = {fsc:#08b}: {name} at **level {level}**.",
    )


def the_zero_that_counts(draw: Random) -> Question:
    return multiple_choice(
        text="Lines 8 to 15 take ESR apart, mostly into zeros. Two of these fields are 0 and still tell you something that you use. Which two?",
        right="`FnV = 0` and `WnR = 0`",
        wrong={
            "`CM = 0` and `WnR = 0`": (
                "field-means-its-name: CM is 1 if the access was an instruction that cleans a cache: you do not use "
                "that. Which zero says that the address in line 5 may be believed?"
            ),
            "`FnV = 0` and `SET = 0`": (
                "field-means-its-name: SET is about memory that does not answer. Which zero says whether it was a "
                "read or a write?"
            ),
            "`ISV = 0` and `ISS2 = 0x00000000`": (
                "field-means-its-name: They say that there is no more to read about this fault. Two others say "
                "something about the access and about its address."
            ),
            "none: a zero says nothing": (
                "zero-is-nothing: A bit that can be 1 says something when it is 0. What would 1 in WnR, *write not "
                "read*, have meant?"
            ),
        },
        truth="**WnR = 0**: a read, which fits the `ldr` in line 51. **FnV = 0**: FAR is valid, so line 5 may be believed. The others are about "
        "what this kernel does not use.",
        lines=(6, 10, 12, 13, 15),
    )


def the_first_oops(draw: Random) -> Question:
    return multiple_choice(
        text="A machine often goes on after an Oops, and then crashes again and again. Only the first report shows the cause. How do you see in lines 17 to 20 "
        "that this is the first?",
        right="`[#1]` is the first Oops",
        wrong={
            "`CPU: 1` is the first CPU": (
                "ones-are-alike: CPUs are counted from 0: this is the second. `swapper/0` is just the name that PID "
                "1 began with."
            ),
            "`PID: 1` is the first process": "ones-are-alike: That is true, and says who ran, not how often it crashed.",
            "`#25` counts the reports": (
                "ones-are-alike: `#25` counts how often somebody built a kernel in that folder."
            ),
        },
        truth="**`[#1]`**, in line 17: no Oops came before this one, so line 5 is not the consequence of an earlier crash.",
        lines=(17, 18, 20),
    )


def who_runs_the_test(draw: Random) -> Question:
    return multiple_choice(
        text="Read the trace from the bottom, lines 50 to 46. When does the crash happen?",
        right="while the kernel starts, in PID 1",
        wrong={
            "while a program calls the kernel": (
                "name-is-the-story: Then the bottom of the trace would be the entry of a system call. And no program "
                "runs yet."
            ),
            "while a new process is being forked": (
                "name-is-the-story: `ret_from_fork` is where every new thread *begins*: this thread was forked long "
                "before, and has run from there."
            ),
            "in an interrupt": (
                "name-is-the-story: Then the handler's functions would stand above what it interrupted."
            ),
        },
        truth="`kernel_init` is PID 1 before it becomes a program; `do_one_initcall` runs one *initcall*, here `debug_vm_pgtable`, whose first message is line 1.",
        lines=(1, 46, 47, 48, 49, 50),
    )
