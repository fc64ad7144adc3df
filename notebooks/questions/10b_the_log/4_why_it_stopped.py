"""Questions of chapter 10b: the last lines, and both bugs."""

from __future__ import annotations

from random import Random

from pgtlab.lab.chain import EVENTS, lines_for
from pgtlab.lab.crash import BOOT
from pgtlab.lab.question import Order, Question, Wrong, multiple_choice
from pgtlab.lab.trees import Tree


def signal_of_line_53(draw: Random) -> Question:
    return multiple_choice(
        text="Line 53: `Attempted to kill init! exitcode=0x0000000b`. The lowest seven bits of an exit code are the signal that killed the task. What happened?",
        right="the Oops ended PID 1, in whose name it happened",
        wrong={
            "a program called init crashed, and the kernel could not start": (
                "last-message-is-cause: No program runs yet: PID 1 is still a thread of the kernel (`swapper/0`, "
                "line 19), which runs the initcalls (line 47)."
            ),
            "the panic caused the Oops": (
                "last-message-is-cause: Line 17 comes before line 53. The last message is the end of the chain, not "
                "its beginning."
            ),
            "somebody sent a signal to init, and the kernel obeyed": (
                "last-message-is-cause: The kernel itself kills a task that faults inside it: signal 11, SIGSEGV."
            ),
        },
        truth="0x0b = **11, SIGSEGV**. Had the test run in an ordinary task, and not in PID 1, the machine would have gone on.",
    )


def after_the_panic(draw: Random) -> Question:
    return multiple_choice(
        text="A colleague has `vmlinux`, the file that says at which address each function and variable of this build is without KASLR. She wants to "
        "know what x21, x23 and x9 point to. Which of lines 52 to 59 does she need?",
        right="line 55, Kernel Offset",
        wrong={
            "line 56, PHYS_OFFSET": (
                "offsets-are-alike: PHYS_OFFSET moves the linear map and `vmemmap`: it belongs to pages. The image "
                "has an offset of its own."
            ),
            "line 57, CPU features": (
                "everything-is-evidence: That is a bitmap of the CPU's capabilities: one bit each. It tells what "
                "kind of CPU it was."
            ),
            "line 58, Memory Limit": (
                "everything-is-evidence: It says that nobody had told the kernel to use less RAM than there is. That "
                "moves nothing."
            ),
        },
        truth="**Line 55**: subtract it from the pointer, and look the result up in `vmlinux`. The registers point into the image, and no other of these lines is about that.",
        lines=(52, 54, 57, 58, 59),
    )


def in_order(*links: int) -> tuple[str, ...]:
    """The links of the chain in another order, by their numbers."""
    return tuple(EVENTS[link - 1] for link in links)


def chain_of_events(draw: Random) -> Question:
    return Question(
        text="From the cause to the silence: put it in order.",
        answer=Order(EVENTS),
        wrong=(
            Wrong(
                in_order(2, 3, 6, 5, 4, 1, 7, 8),
                "log-order-is-the-order",
                "That is the order in which the log *prints* them. A report of a fault begins with the fault; the registers and the "
                "trace that it prints then are older, and the oldest come last: lines 44 and 45.",
            ),
            Wrong(
                in_order(2, 1, 3, 4, 5, 6, 7, 8),
                "log-order-is-the-order",
                "Line 2 is printed before any line that leads to `pud_free`. But what did the allocator look at, and who gave it that page?",
            ),
            Wrong(
                in_order(1, 3, 2, 4, 5, 6, 7, 8),
                "dump-without-a-bad-page",
                "Only a bad page is dumped: who decides that the page is bad comes before who copies it.",
            ),
            Wrong(
                in_order(1, 2, 4, 3, 5, 6, 7, 8),
                "effect-before-cause",
                "The number was made of the address of the copy. Before there is a copy, it has no address.",
            ),
            Wrong(
                in_order(1, 2, 3, 5, 4, 6, 7, 8),
                "effect-before-cause",
                "Which number has no section? It must have been made before it was looked up.",
            ),
            Wrong(
                in_order(1, 2, 3, 4, 6, 5, 7, 8),
                "effect-before-cause",
                "Where did that NULL come from? The lookup answered it; only then did somebody add 8 to it and read.",
            ),
            Wrong(
                in_order(1, 2, 3, 4, 5, 6, 8, 7),
                "oops-is-panic",
                "An Oops ends a task, and no more. The panic comes because of *which* task it was: line 53 says it.",
            ),
        ),
        truth="The log shows each of these eight links, the first only by exclusion: no line names `pud_free`. Behind each, the lines that "
        "show it:\n\n"
        + "\n".join(f"1. {event}: {', '.join(map(str, lines_for(n)))}" for n, event in enumerate(EVENTS, 1)),
    )


def cause_of_the_stop(draw: Random) -> Question:
    outcomes = {
        name: Tree.named(name).start_kernel(BOOT).run().outcome for name in ("next+fix-pud-free", "next+fix-dump-page")
    }
    assert outcomes == {"next+fix-pud-free": "clean", "next+fix-dump-page": "report"}
    return multiple_choice(
        text="*Why did linux-next stop booting?* Which answer is complete?",
        right="two bugs together: a bad page, and a bad dump",
        wrong={
            "the kernel tried to kill init": (
                "last-message-is-cause: That is the last message. Ask of each message: and why did *that* happen?"
            ),
            "`pud_free` did not call the destructor of the table": (
                "one-cause-is-enough: That alone gives a report, and the machine boots on: `arm64-for-next` shows it."
            ),
            "`__dump_page` made a page number of the address of a copy": (
                "one-cause-is-enough: That alone gives nothing at all, as long as no page is bad: `mm-unstable` boots."
            ),
            "a NULL pointer was dereferenced": (
                "last-message-is-cause: That is how it stopped. Why was the pointer NULL, and why did anybody look?"
            ),
        },
        truth="**Two bugs.** Either fix alone lets the machine boot; only both leave nothing wrong.",
    )


def only_the_first_fix(draw: Random) -> Question:
    run = Tree.named("next+fix-pud-free").start_kernel(BOOT).run()
    assert (run.outcome, len(run.dmesg)) == ("clean", 1)
    return multiple_choice(
        text="`pud_free` is fixed, and `__dump_page` is not. Which lines of the log disappear?",
        right="all but line 1",
        wrong={
            "lines 2 to 4": (
                "dump-without-a-bad-page: Lines 5 to 59 come from dumping a bad page. Without one nobody calls "
                "`dump_page`."
            ),
            "lines 5 to 59": "fixes-mixed-up: That is what the other fix does.",
            "none: the page is still dumped": (
                "dump-without-a-bad-page: Why was it dumped? What made the page bad is what this fix repairs."
            ),
        },
        because="only a bad page is dumped",
        wrong_reasons={
            "the dump runs whenever a page is freed": (
                "dump-without-a-bad-page: Then every kernel would print a page for each that it frees. `dump_page` "
                "is called for pages that are found to be bad."
            ),
            "the two bugs have nothing to do with each other": (
                "one-cause-is-enough: In the source they have not. In this run one of them called the other."
            ),
        },
        truth="**All but line 1**: no bad page, no dump, no crash. The second bug is still there and waits for the next bad page.",
    )


def only_the_second_fix(draw: Random) -> Question:
    run = Tree.named("next+fix-dump-page").start_kernel(BOOT).run()
    assert run.outcome == "report"
    stays = any("does not match folio" in line for line in run.dmesg)
    assert stays
    return multiple_choice(
        text="`__dump_folio` uses the pfn that it is given instead of computing one from the copy, and `pud_free` is not fixed. What of the log remains?",
        right="lines 1 to 4, and then a complete report",
        wrong={
            "only line 1": (
                "fixes-mixed-up: The page is still freed without its destructor: the allocator still finds it."
            ),
            "lines 1, 2 and 4: without the bug, line 3 disappears as well": (
                "one-fix-for-both-places: The same mistake was made in two places: the folio index is computed from "
                "the copy too. This fix repairs the place that crashes. Run it below, and look for line 3."
            ),
            "everything: the page is still bad": "last-message-is-cause: Lines 5 to 59 come from the crash inside the dump.",
        },
        because="the page is still bad, and the dump comes to its end",
        wrong_reasons={
            "a dump that works has no bad page to report": (
                "fixes-mixed-up: The dump only prints. What it prints was done by somebody else, before."
            ),
            "line 3 and the crash are one mistake, with one fix": (
                "one-fix-for-both-places: One *kind* of mistake, in two places. Look at the row `next+fix-dump-page` "
                "that the cell below prints."
            ),
        },
        truth="**Lines 1 to 4 and a complete report**; line 3 stays, because it comes from another use of the copy's address, which a later kernel put right.",
    )
