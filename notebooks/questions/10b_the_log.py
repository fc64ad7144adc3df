"""The questions of chapter 10b: read the log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from random import Random

from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.lab.chapters import LogLine, log_lines
from pgtlab.lab.crash import BOOT, crash, story
from pgtlab.lab.crash_questions import (
    LINKED_AT,
    frame_question,
    link_address_question,
    phys_offset_question,
    root_question,
    section_elsewhere,
    section_question,
    vmemmap_question,
)
from pgtlab.lab.question import Choice, Number, Order, Question, Wrong, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel.report import Run

KERNEL_OFFSET = 0x3A89_BF80_0000  # line 55
VERDICTS = {
    "evidence": "evidence: a link of the chain rests on it",
    "context": "context: clear, but no link rests on it",
    "empty": "zero or empty",
    "leftover": "leftover: the log does not say what it is",
}
#: The chain from the cause to the silence. log_lines.toml says which lines show each link.
EVENTS = (
    "pud_free frees a table without its destructor",
    "the allocator finds the type where it wants -1, and reports a bad page",
    "__dump_page copies the struct page to its stack",
    "page_to_pfn of the copy makes a number that no frame has",
    "no section has that number: the lookup answers NULL",
    "reading NULL + 8 faults at level 0: an Oops",
    "the Oops ends PID 1",
    "the kernel panics",
)


# Verdicts.


def _numbers() -> Iterator[tuple[LogLine, str, str]]:
    """What has a verdict of its own: its line, how a question names it, and the verdict."""
    for line in log_lines().values():
        if line.number == 52:  # sixteen zeros that are context: both verdicts would do
            continue
        registers = re.findall(r"(x\d+) ?: ([0-9a-f]{16})", line.text)
        names = [f"Line {line.number}, {name}: `{value}`." for name, value in registers]
        names = names or [f"Line {line.number}: `{line.text.strip()[:100]}`."]
        verdicts = line.verdict * len(names) if len(line.verdict) == 1 else line.verdict
        if len(names) == len(verdicts):  # a line with several other numbers is left out
            yield from ((line, name, verdict) for name, verdict in zip(names, verdicts, strict=True))


@recall
def verdict_of_a_line(draw: Random) -> Question:
    verdict = draw.choice(sorted(VERDICTS))
    line, name, _ = draw.choice([each for each in _numbers() if each[2] == verdict])
    said = {
        ("leftover", "evidence"): "What follows from it? If you cannot say which link rests on it, none does.",
        ("leftover", "context"): "Context tells you where, when or on what machine. Does this?",
        ("leftover", "empty"): "Somebody left a number there: do you know who?",
        ("evidence", "leftover"): "The course has derived something from this line. Look it up, and say what.",
        ("evidence", "context"): "It tells more than where and when: a link of the chain rests on it.",
        ("evidence", "empty"): "A zero is a value too. What follows from it?",
        ("context", "evidence"): "For which link? The same line would stand in the log of quite another crash.",
        ("context", "leftover"): "It is clear what it says. That it does not help to find the cause is another matter.",
        ("empty", "evidence"): "It says that there is nothing. For which link is that evidence?",
        ("empty", "leftover"): "It is clear what it says: nothing is set here.",
    }
    why = {
        "evidence": f"From line {line.number} follows:\n\n" + "\n".join(f"- {EVENTS[n - 1]}" for n in line.links),
        "context": "It says where, when, on what machine or how, or what comes next. Nothing in the chain depends on it.",
        "empty": "It says that there is nothing.",
        "leftover": "At most it points into the kernel's image. Who left it there, and what for, no line says.",
    }
    keys = {"evidence": "everything-is-evidence", "empty": "zero-is-nothing"}
    return Question(
        text=f"{name} What is your verdict?",
        answer=Choice(VERDICTS[verdict], tuple(text for name, text in VERDICTS.items() if name != verdict)),
        wrong=tuple(
            Wrong(VERDICTS[wrong], keys.get(wrong, "wrong-verdict"), feedback)
            for (right, wrong), feedback in said.items()
            if right == verdict
        ),
        truth=f"**{VERDICTS[verdict].capitalize()}.** {why[verdict]}",
    )


# The bad page.


def what_line_3_blames(draw: Random) -> Question:
    return Question(
        text="`__dump_page` computes `(page - folio) / 64`, the place of the page in its folio. Its folio here is the copy itself. Line 3 says "
        "`page does not match folio`. What is it evidence for?",
        answer=Choice(
            "the function took the distance of two unrelated places",
            (
                "the page is damaged: its folio is wrong",
                "the page was changed by somebody while it was being copied",
                "the page was freed twice",
            ),
        ),
        reasons=Choice(
            "the copy is on the stack, the page's record is in the memmap",
            ("the message names the page, so the page is meant", "a page that is being freed has no folio any more"),
        ),
        wrong=(
            Wrong(
                "the message names the page, so the page is meant",
                "line-3-blames-the-page",
                "A message says what its author expected to find. What was compared here is a distance of two addresses.",
            ),
            Wrong(
                "a page that is being freed has no folio any more",
                "line-3-blames-the-page",
                "Every page is a folio, or a part of one, freed or not.",
            ),
            Wrong(
                "the page is damaged: its folio is wrong",
                "line-3-blames-the-page",
                "Take a healthy page and dump it: the distance between the memmap and the stack is just as large. The line would be "
                "printed for *every* page that is not a tail. Below you can try it.",
            ),
            Wrong(
                "the page was changed by somebody while it was being copied",
                "line-3-blames-the-page",
                "That is what the message was written for. But here all six tries fail, for the same reason.",
            ),
        ),
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
    return Question(
        text="Above, such a bad page in a kernel whose `dump_page` works. Compare it with the real log. Which line would come right after line 4?",
        answer=Choice(
            right,
            (
                "line 5, as it does",
                "a line that begins with `Call trace:`",
                "a line that begins with `Modules linked in:`",
            ),
        ),
        wrong=(
            Wrong(
                "line 5, as it does",
                "last-message-is-cause",
                "Line 5 is about something else: it interrupts the dump. What was the dump about to print?",
            ),
        ),
        truth=f"`{after}`. It is not there: the kernel faulted **between line 4 and that line**, while it computed what to print.",
        lines=(4,),
    )


def why_not_tainted(draw: Random) -> Question:
    return Question(
        text="A bad page *taints* a kernel: from then on its reports carry the letter B. Line 2 reports a bad page, and line 19 still says `Not tainted`. "
        "How can that be?",
        answer=Choice(
            "the taint is set after the dump",
            ("the page was not really a bad one", "one bad page is not enough", "taint is only for modules"),
        ),
        wrong=(
            Wrong(
                "the page was not really a bad one",
                "line-3-blames-the-page",
                "Line 4 shows the type of a table in a page that is being freed. That is bad.",
            ),
            Wrong(
                "taint is only for modules",
                "taint-is-for-modules",
                "Some modules taint a kernel, and so do other events: a bad page has a letter of its own, B.",
            ),
        ),
        truth="`bad_page()` prints, dumps, prints the trace, and taints last. In line 19 it is still inside the dump.",
        lines=(19,),
    )


# The fault.


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
        ),
        truth=f"{esr:#x} & 0x3f = {code.DFSC:#04x} = 0b{code.DFSC:06b}: kind 1, translation, **level {code.DFSC & 3}**. And WnR is {code.WnR}: it was a read. "
        "Line 11 is the kernel's own reading of these six bits.",
    )


def what_line_16_says(draw: Random) -> Question:
    return Question(
        text="The address in line 5 is 8, an address of the lower half: the walk starts at the table of TTBR0. Line 16 says that `active_mm` is swapper: no "
        "process has run yet. Why did the walk end at level 0?",
        answer=Choice(
            "the first entry that it read was not valid",
            (
                "there was no table of level 0",
                "the address 8 is too small to be translated",
                "process `swapper/0` has no right to read address 8",
            ),
        ),
        wrong=(
            Wrong(
                "there was no table of level 0",
                "level-0-table-missing",
                "The level is that of the *entry* which stopped the walk. To read an entry of level 0 there must be a table of level 0.",
            ),
            Wrong(
                "process `swapper/0` has no right to read address 8",
                "permission-is-missing-entry",
                "That would be a permission fault: kind 3 in the status code. And swapper in line 16 is an address space, not a process.",
            ),
        ),
        truth="Until the first process runs, TTBR0 points to a table full of zeros. So *every* user address faults at the level where walks begin: level 0, "
        "which shows that this kernel walks four levels.",
    )


def what_was_null(draw: Random) -> Question:
    return Question(
        text="`ldr x0, [x3, #8]` read address 8. Its source is `ms->usage`, the second word of a `struct mem_section`. What was NULL?",
        answer=Choice(
            "the pointer to a `struct mem_section`",
            ("the page that was freed", "the copy of the page", "the member `usage` of the structure"),
        ),
        reasons=Choice(
            "`usage` is 8 bytes into that structure",
            ("a page that was freed is NULL", "somebody had stored 8 in a pointer"),
        ),
        wrong=(
            Wrong(
                "a page that was freed is NULL",
                "free-page-was-null",
                "A freed page stays where it is in memory, and so does its `struct page`. Only its owner changes.",
            ),
            Wrong(
                "somebody had stored 8 in a pointer",
                "null-plus-8-was-stored",
                "Line 33 says that x3 is 0. The instruction itself added the 8.",
            ),
            Wrong(
                "the page that was freed",
                "free-page-was-null",
                "That page exists: frame 0x18a65d, and line 4 prints what its `struct page` says. The lookup did not even use it.",
            ),
            Wrong(
                "the copy of the page",
                "free-page-was-null",
                "Its address is in x19, x20 and x26, and is not NULL.",
            ),
            Wrong(
                "the member `usage` of the structure",
                "null-plus-8-was-stored",
                "It was never read: the fault happened on the way to it. NULL is what the 8 was added to.",
            ),
        ),
        truth="`ms` was NULL: **no memory section** has the number in x4. That is a consequence of a wrong pfn, and not of the page's state.",
        lines=(5,),
    )


# The arithmetic, by hand.


def vmemmap_of_a_boot(draw: Random) -> Question:
    return vmemmap_question(crash(draw))


def vmemmap_of_the_log(draw: Random) -> Question:
    return vmemmap_question(story(), (56,))


def x1_of_a_boot(draw: Random) -> Question:
    return frame_question(crash(draw))


def x1_of_the_log(draw: Random) -> Question:
    return frame_question(story(), (34,), computed=True)


@recall
def x4_of_a_boot(draw: Random) -> Question:
    return section_question(crash(draw))


def x4_of_the_log(draw: Random) -> Question:
    return section_question(story(), (33,), computed=True)


def section_in_another_kernel(draw: Random) -> Question:
    return section_elsewhere(crash(draw, Config("16k", draw.choice((48, 52)))))


@recall
def x5_of_a_boot(draw: Random) -> Question:
    return root_question(crash(draw))


def x5_of_the_log(draw: Random) -> Question:
    return root_question(story(), (33,), computed=True)


def phys_offset_of_a_boot(draw: Random) -> Question:
    return phys_offset_question(crash(draw))


def phys_offset_of_the_log(draw: Random) -> Question:
    return phys_offset_question(story())


def what_x20_points_to(draw: Random) -> Question:
    boot = story()
    above = boot["x20"] - boot["sp"]
    return Question(
        text=f"x19, x20 and x26 hold `{boot['x20']:#x}`; sp is `{boot['sp']:#x}`, and stacks have 16 KiB. Where is that?",
        answer=Choice(
            f"on the stack, {above:#x} bytes above sp",
            ("in the memmap: it is a `struct page`", "in the linear map", "in the kernel's image"),
        ),
        wrong=(
            Wrong(
                "in the memmap: it is a `struct page`",
                "any-pointer-is-a-page",
                f"The memmap of this boot begins at {boot.kernel.VMEMMAP_START:#x}, far above. What lies here *looks* like a `struct page`: it is a copy.",
            ),
            Wrong(
                "in the linear map",
                "halves-mixed-up",
                "With 48 bits the linear map ends at 0xffff800000000000. This is above: stacks are in the vmalloc area.",
            ),
            Wrong(
                "in the kernel's image",
                "halves-mixed-up",
                f"Line 55: in this boot the image begins at {LINKED_AT + KERNEL_OFFSET:#x}.",
            ),
        ),
        truth=f"**On the stack**: {boot['x20']:#x} - {boot['sp']:#x} = {above:#x}, in the frame of `__dump_page`, just above the twelve registers that it saved (ten, and x29 and lr).",
        lines=(28,),
    )


# The image and the trace.


def link_address_in_a_boot(draw: Random) -> Question:
    offset = draw.randrange(1 << 24, 1 << 25) << 21
    pointer = LINKED_AT + offset + draw.randrange(1 << 22) * 8
    return link_address_question(
        pointer,
        offset,
        f"`Kernel Offset: {offset:#x} from {LINKED_AT:#x}`, and a register holds `{pointer:#x}`. At which address would that be without KASLR?",
    )


def link_address_of_x23(draw: Random) -> Question:
    pointer = 0xFFFF_BA8A_417B_A000
    return link_address_question(
        pointer,
        KERNEL_OFFSET,
        f"Line 55: `Kernel Offset: {KERNEL_OFFSET:#x} from {LINKED_AT:#x}`. x23 is `{pointer:#x}`. At which address would that be without KASLR?",
    )


def who_freed_the_page(draw: Random) -> Question:
    return Question(
        text="`destroy_args` (line 45) called `free_pages` (line 44), and the page had the type *table*. `destroy_args` calls these, and each but the last is "
        "inlined. Which of them freed the page?\n\n"
        "| | its table has a constructor | it frees with |\n|---|---|---|\n"
        "| `pte_free` | yes | `__free_pages` |\n| `pmd_free` | yes | `__free_pages` |\n| `pud_free` | yes | `free_page`, so `free_pages` |\n"
        "| `p4d_free` | no (and the p4d is folded here) | `free_page`, so `free_pages` |\n| `mmput` → `pgd_free` | no | `free_page`, so `free_pages` |",
        answer=Choice("`pud_free`", ("`pte_free`", "`pmd_free`", "`p4d_free`", "`pgd_free`")),
        wrong=(
            *(
                Wrong(
                    name,
                    "skipped-a-frame",
                    "Between `destroy_args` and `__free_pages` the trace has `free_pages`. This one would go to `__free_pages` directly.",
                )
                for name in ("`pte_free`", "`pmd_free`")
            ),
            *(
                Wrong(
                    name,
                    "type-needs-a-constructor",
                    "Who would have given that page the type *table*? Only a constructor does.",
                )
                for name in ("`p4d_free`", "`pgd_free`")
            ),
        ),
        truth="**`pud_free`** is the only one that fits both: the way through `free_pages`, and the type that a constructor gave. The trace never names it.",
        lines=(44, 45),
    )


# What is left over, and what is printed last.


def text_in_a_register(draw: Random) -> Question:
    word = draw.choice(["refcount", "mapcount", "mapping:", "index:0x", "kthreadd", "pagetype", "dev/null", "/init: x"])
    value = int.from_bytes(word.encode(), "little")
    return Question(
        text=f"A register holds `{value:016x}`. Eight bytes between 0x20 and 0x7e: that smells of text. Which?",
        answer=Choice(f"`{word}`", (f"`{word[::-1]}`", f"`{word[4:] + word[:4]}`", "no text: it is an address")),
        wrong=(
            Wrong(
                f"`{word[::-1]}`",
                "big-endian-text",
                "The lowest byte of the register is the *first* in memory. Read the pairs of digits from the right.",
            ),
            Wrong(
                f"`{word[4:] + word[:4]}`",
                "big-endian-text",
                "Little-endian turns the order of all eight bytes, not that of the halves.",
            ),
            Wrong(
                "no text: it is an address",
                "register-is-a-pointer",
                "An address of the kernel begins with a row of `f`, one of a program with zeros.",
            ),
        ),
        truth=f"**`{word}`**, lowest byte first. It was left by code that copied text. That is a verdict too: *leftover*.",
    )


def what_x17_tells(draw: Random) -> Question:
    return Question(
        text="x17 is `78303a7865646e69` and x16 is `2030303030303030`. As text: `index:0x` and `0000000 `. What do they tell you about the crash?",
        answer=Choice(
            "nothing: they are left over from line 4",
            (
                "the index of the page was 0x78303a78",
                "the fault was in the code that prints text",
                "the stack was overwritten with text",
            ),
        ),
        wrong=(
            Wrong(
                "the index of the page was 0x78303a78",
                "everything-is-evidence",
                "Read it as text: it is the *words* `index:0x` of line 4, and not the value.",
            ),
            Wrong(
                "the fault was in the code that prints text",
                "everything-is-evidence",
                "`pc` says where the fault was. x16 and x17 may be used by any function: they hold what the last one left.",
            ),
            Wrong(
                "the stack was overwritten with text",
                "everything-is-evidence",
                "These are registers. Text is what printing leaves in them.",
            ),
        ),
        truth="**Nothing.** They fit line 4, and that is all. The rows of `0720` in x11 to x15 are blanks of a text console, x6 to x10 and x18 we cannot name. "
        "To say *the log does not say* is a result.",
        lines=(25, 29, 30, 31, 32),
    )


def signal_of_line_53(draw: Random) -> Question:
    return Question(
        text="Line 53: `Attempted to kill init! exitcode=0x0000000b`. The lowest seven bits of an exit code are the signal that killed the task. What happened?",
        answer=Choice(
            "the Oops ended PID 1, in whose name it happened",
            (
                "a program called init crashed, and the kernel could not start",
                "the panic caused the Oops",
                "somebody sent a signal to init, and the kernel obeyed",
            ),
        ),
        wrong=(
            Wrong(
                "a program called init crashed, and the kernel could not start",
                "last-message-is-cause",
                "No program runs yet: PID 1 is still a thread of the kernel (`swapper/0`, line 19), which runs the initcalls (line 47).",
            ),
            Wrong(
                "the panic caused the Oops",
                "last-message-is-cause",
                "Line 17 comes before line 53. The last message is the end of the chain, not its beginning.",
            ),
            Wrong(
                "somebody sent a signal to init, and the kernel obeyed",
                "last-message-is-cause",
                "The kernel itself kills a task that faults inside it: signal 11, SIGSEGV.",
            ),
        ),
        truth="0x0b = **11, SIGSEGV**. Had the test run in an ordinary task, and not in PID 1, the machine would have gone on.",
    )


# Both bugs.


def _lines_for(link: int) -> list[int]:
    return [line.number for line in log_lines().values() if link in line.links]


def chain_of_events(draw: Random) -> Question:
    return Question(
        text="From the cause to the silence: put it in order.",
        answer=Order(EVENTS),
        truth="The log shows each of these eight links, the first only by exclusion: no line names `pud_free`. Behind each, the lines that "
        "show it:\n\n"
        + "\n".join(f"1. {event}: {', '.join(map(str, _lines_for(n)))}" for n, event in enumerate(EVENTS, 1)),
    )


def cause_of_the_stop(draw: Random) -> Question:
    outcomes = {
        name: Tree.named(name).start_kernel(BOOT).run().outcome for name in ("next+fix-pud-free", "next+fix-dump-page")
    }
    assert outcomes == {"next+fix-pud-free": "clean", "next+fix-dump-page": "report"}
    return Question(
        text="*Why did linux-next stop booting?* Which answer is complete?",
        answer=Choice(
            "two bugs together: a bad page, and a bad dump",
            (
                "the kernel tried to kill init",
                "`pud_free` did not call the destructor of the table",
                "`__dump_page` made a page number of the address of a copy",
                "a NULL pointer was dereferenced",
            ),
        ),
        wrong=(
            Wrong(
                "the kernel tried to kill init",
                "last-message-is-cause",
                "That is the last message. Ask of each message: and why did *that* happen?",
            ),
            Wrong(
                "a NULL pointer was dereferenced",
                "last-message-is-cause",
                "That is how it stopped. Why was the pointer NULL, and why did anybody look?",
            ),
            Wrong(
                "`pud_free` did not call the destructor of the table",
                "one-cause-is-enough",
                "That alone gives a report, and the machine boots on: `arm64-for-next` shows it.",
            ),
            Wrong(
                "`__dump_page` made a page number of the address of a copy",
                "one-cause-is-enough",
                "That alone gives nothing at all, as long as no page is bad: `mm-unstable` boots.",
            ),
        ),
        truth="**Two bugs.** Either fix alone lets the machine boot; only both leave nothing wrong.",
    )


def only_the_first_fix(draw: Random) -> Question:
    run = Tree.named("next+fix-pud-free").start_kernel(BOOT).run()
    assert (run.outcome, len(run.dmesg)) == ("clean", 1)
    return Question(
        text="`pud_free` is fixed, and `__dump_page` is not. Which lines of the log disappear?",
        answer=Choice(
            "all but line 1",
            ("lines 2 to 4", "lines 5 to 59", "none: the page is still dumped"),
        ),
        reasons=Choice(
            "only a bad page is dumped",
            ("the dump runs whenever a page is freed", "the two bugs have nothing to do with each other"),
        ),
        wrong=(
            Wrong(
                "the dump runs whenever a page is freed",
                "dump-without-a-bad-page",
                "Then every kernel would print a page for each that it frees. `dump_page` is called for pages that are found to be bad.",
            ),
            Wrong(
                "the two bugs have nothing to do with each other",
                "one-cause-is-enough",
                "In the source they have not. In this run one of them called the other.",
            ),
            Wrong(
                "lines 2 to 4",
                "dump-without-a-bad-page",
                "Lines 5 to 59 come from dumping a bad page. Without one nobody calls `dump_page`.",
            ),
            Wrong("lines 5 to 59", "fixes-mixed-up", "That is what the other fix does."),
        ),
        truth="**All but line 1**: no bad page, no dump, no crash. The second bug is still there and waits for the next bad page.",
    )


def only_the_second_fix(draw: Random) -> Question:
    run = Tree.named("next+fix-dump-page").start_kernel(BOOT).run()
    assert run.outcome == "report"
    stays = any("does not match folio" in line for line in run.dmesg)
    assert stays
    return Question(
        text="`__dump_folio` uses the pfn that it is given instead of computing one from the copy, and `pud_free` is not fixed. What of the log remains?",
        answer=Choice(
            "lines 1 to 4, and then a complete report",
            (
                "only line 1",
                "lines 1, 2 and 4: without the bug, line 3 disappears as well",
                "everything: the page is still bad",
            ),
        ),
        reasons=Choice(
            "the page is still bad, and the dump comes to its end",
            ("a dump that works has no bad page to report", "line 3 and the crash are one mistake, with one fix"),
        ),
        wrong=(
            Wrong(
                "a dump that works has no bad page to report",
                "fixes-mixed-up",
                "The dump only prints. What it prints was done by somebody else, before.",
            ),
            Wrong(
                "line 3 and the crash are one mistake, with one fix",
                "one-fix-for-both-places",
                "One *kind* of mistake, in two places. Look at the row `next+fix-dump-page` that the cell below prints.",
            ),
            Wrong(
                "only line 1",
                "fixes-mixed-up",
                "The page is still freed without its destructor: the allocator still finds it.",
            ),
            Wrong(
                "lines 1, 2 and 4: without the bug, line 3 disappears as well",
                "one-fix-for-both-places",
                "The same mistake was made in two places: the folio index is computed from the copy too. This fix repairs the place that crashes. Run it "
                "below, and look for line 3.",
            ),
            Wrong(
                "everything: the page is still bad",
                "last-message-is-cause",
                "Lines 5 to 59 come from the crash inside the dump.",
            ),
        ),
        truth="**Lines 1 to 4 and a complete report**; line 3 stays, because it comes from another use of the copy's address, which a later kernel put right.",
    )


# The lines that say where and when.


def the_zero_that_counts(draw: Random) -> Question:
    return Question(
        text="Lines 8 to 15 take ESR apart, mostly into zeros. Two of these fields are 0 and still tell you something that you use. Which two?",
        answer=Choice(
            "`FnV = 0` and `WnR = 0`",
            (
                "`CM = 0` and `WnR = 0`",
                "`FnV = 0` and `SET = 0`",
                "`ISV = 0` and `ISS2 = 0x00000000`",
                "none: a zero says nothing",
            ),
        ),
        wrong=(
            Wrong(
                "`CM = 0` and `WnR = 0`",
                "field-means-its-name",
                "CM is 1 if the access was an instruction that cleans a cache: you do not use that. Which zero says that the address in line 5 "
                "may be believed?",
            ),
            Wrong(
                "`FnV = 0` and `SET = 0`",
                "field-means-its-name",
                "SET is about memory that does not answer. Which zero says whether it was a read or a write?",
            ),
            Wrong(
                "`ISV = 0` and `ISS2 = 0x00000000`",
                "field-means-its-name",
                "They say that there is no more to read about this fault. Two others say something about the access and about its address.",
            ),
            Wrong(
                "none: a zero says nothing",
                "zero-is-nothing",
                "A bit that can be 1 says something when it is 0. What would 1 in WnR, *write not read*, have meant?",
            ),
        ),
        truth="**WnR = 0**: a read, which fits the `ldr` in line 51. **FnV = 0**: FAR is valid, so line 5 may be believed. The others are about "
        "what this kernel does not use.",
        lines=(6, 10, 12, 13, 15),
    )


def the_first_oops(draw: Random) -> Question:
    return Question(
        text="A machine often goes on after an Oops, and then crashes again and again. Only the first report shows the cause. How do you see in lines 17 to 20 "
        "that this is the first?",
        answer=Choice(
            "`[#1]` is the first Oops",
            ("`CPU: 1` is the first CPU", "`PID: 1` is the first process", "`#25` counts the reports"),
        ),
        wrong=(
            Wrong(
                "`CPU: 1` is the first CPU",
                "ones-are-alike",
                "CPUs are counted from 0: this is the second. `swapper/0` is just the name that PID 1 began with.",
            ),
            Wrong(
                "`PID: 1` is the first process",
                "ones-are-alike",
                "That is true, and says who ran, not how often it crashed.",
            ),
            Wrong(
                "`#25` counts the reports",
                "ones-are-alike",
                "`#25` counts how often somebody built a kernel in that folder.",
            ),
        ),
        truth="**`[#1]`**. Line 19 also has the build: 966 commits after 6.8-rc6, at commit de701dc1f7f8; line 18 says that no modules were loaded, and line "
        "20 that it was a virtual machine.",
        lines=(17, 18, 20),
    )


def who_runs_the_test(draw: Random) -> Question:
    return Question(
        text="Read the trace from the bottom, lines 50 to 46. When does the crash happen?",
        answer=Choice(
            "while the kernel starts, in PID 1",
            (
                "while a program calls the kernel",
                "while a new process is being forked",
                "in an interrupt",
            ),
        ),
        wrong=(
            Wrong(
                "while a new process is being forked",
                "name-is-the-story",
                "`ret_from_fork` is where every new thread *begins*: this thread was forked long before, and has run from there.",
            ),
            Wrong(
                "while a program calls the kernel",
                "name-is-the-story",
                "Then the bottom of the trace would be the entry of a system call. And no program runs yet.",
            ),
            Wrong(
                "in an interrupt",
                "name-is-the-story",
                "Then the handler's functions would stand above what it interrupted.",
            ),
        ),
        truth="`kernel_init` is PID 1 before it becomes a program; `do_one_initcall` runs one *initcall*, here `debug_vm_pgtable`, whose first message is line 1.",
        lines=(1, 46, 47, 48, 49, 50),
    )


def after_the_panic(draw: Random) -> Question:
    return Question(
        text="A colleague has `vmlinux`, the file that says at which address each function and variable of this build is without KASLR. She wants to "
        "know what x21, x23 and x9 point to. Which of lines 52 to 59 does she need?",
        answer=Choice(
            "line 55, Kernel Offset",
            ("line 56, PHYS_OFFSET", "line 57, CPU features", "line 58, Memory Limit"),
        ),
        wrong=(
            Wrong(
                "line 56, PHYS_OFFSET",
                "offsets-are-alike",
                "PHYS_OFFSET moves the linear map and `vmemmap`: it belongs to pages. The image has an offset of its own.",
            ),
            Wrong(
                "line 57, CPU features",
                "everything-is-evidence",
                "That is a bitmap of the CPU's capabilities: one bit each. It tells what kind of CPU it was.",
            ),
        ),
        truth="**Line 55.** Lines 52 and 59 are brackets around the report, 54 stops the other CPUs, 57 is a bitmap of capabilities, 58 says that no limit was set.",
        lines=(52, 54, 57, 58, 59),
    )


# True, false, or not decidable: claims about the log, and why.

TRUE, FALSE, OPEN = "true: the log shows it", "false: the log shows the opposite", "not decidable from this log"
CLAIMS = {
    "The MMU of this kernel walks four levels of tables.": (
        TRUE,
        "Lines 11 and 16: the walk of a user address ended where walks begin, at level 0; levels 0 to 3 are four.",
    ),
    "The access that faulted was a read.": (TRUE, "Line 14 says WnR = 0, and the instruction in line 51 is a load."),
    "The page was still a page table by type when it was freed.": (
        TRUE,
        "Line 4: -512 is the type *table*; line 26 has the same four bytes.",
    ),
    "`__dump_page` had not returned yet when the kernel faulted.": (
        TRUE,
        "Line 23: the function that faulted returns to it.",
    ),
    "A function that was still running knew the pfn of the bad page.": (
        TRUE,
        "Line 27: x22, which is callee-saved, holds 18a65d.",
    ),
    "No Oops had happened on this machine since it started.": (TRUE, "Line 17: `[#1]`."),
    "The copy was on the stack of the task that crashed.": (TRUE, "Lines 24 and 28: 0x60 bytes above sp."),
    "Programs had mapped the bad page 512 times.": (
        FALSE,
        "Line 4 prints -512: a type, read as a count. A page of that type is mapped by nobody.",
    ),
    "RAM begins at the physical address in line 56.": (
        FALSE,
        "It is a number below zero. KASLR has moved the beginning of the linear map below all RAM.",
    ),
    "The `cmp` in line 51 left the flags in line 21.": (
        FALSE,
        "x3 is 0: that comparison would have set Z, and line 21 has a small z.",
    ),
    "`dump_page` called `get_pfnblock_flags_mask` directly.": (
        FALSE,
        "Line 23: the call came from `__dump_page`. The trace misses the caller of a leaf.",
    ),
    "Somebody had stored 8 in a pointer.": (FALSE, "Line 33: x3 is 0. The 8 is in the instruction."),
    "A program had called the kernel when it crashed.": (
        FALSE,
        "Lines 47 to 50: a thread of the kernel ran an initcall.",
    ),
    "The report of the bad page came to its end.": (
        FALSE,
        "After line 4 there are no flags, no raw words and no reason, and line 19 says `Not tainted`.",
    ),
    "x23 points to a string.": (
        OPEN,
        "It points into the kernel's image: lines 27 and 55. To what there, only the symbols of this build could say.",
    ),
    "The machine has 8 GiB of RAM.": (
        OPEN,
        "Frame 18a65d exists, so there is RAM above the address of 6 GiB. How much in all, no line says.",
    ),
    "The commit in line 19 is the one that brought the bug.": (
        OPEN,
        "It is the commit that was built. What it changed, the log does not say.",
    ),
    "The flags in line 21 come from comparing x4 with x0.": (
        OPEN,
        "That fits, and the source has such a comparison. But the log does not show it.",
    ),
    "Another CPU was writing to the page at the same time.": (
        OPEN,
        "Nothing shows it, and nothing excludes it. (The arithmetic explains the crash without it.)",
    ),
    "Without the bad page this machine would have started.": (
        OPEN,
        "The log shows what did happen. Whether nothing else was wrong takes another run.",
    ),
}


@recall
def claim_about_the_log(draw: Random) -> Question:
    verdict = draw.choice([TRUE, FALSE, OPEN])
    claim = draw.choice([claim for claim, (said, _) in CLAIMS.items() if said == verdict])
    why = CLAIMS[claim][1]
    wrong = {
        (OPEN, TRUE): ("fits-is-proved", "It may well be so. But which line shows it, and by which rule?"),
        (OPEN, FALSE): ("unknown-is-false", "Which line shows the opposite?"),
        (TRUE, OPEN): ("rules-forgotten", "It takes a rule from another chapter, but it can be decided."),
        (FALSE, OPEN): ("rules-forgotten", "It takes a rule from another chapter, but it can be decided."),
        (FALSE, TRUE): ("first-look-is-enough", "So it looks at first. Which line decides?"),
        (TRUE, FALSE): ("first-look-is-enough", "Look at the lines again: one of them decides."),
    }
    return Question(
        text=f"*{claim}* With nothing but the 59 lines, and what you know of Linux and arm64: what do you say?",
        answer=Choice(verdict, tuple(each for each in (TRUE, FALSE, OPEN) if each != verdict)),
        wrong=tuple(Wrong(said, *wrong[verdict, said]) for said in (TRUE, FALSE, OPEN) if said != verdict),
        truth=f"**{verdict.capitalize()}.** {why}",
    )
