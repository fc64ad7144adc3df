"""Questions of chapter 10b: true, false, or not decidable from this log."""

from __future__ import annotations

from random import Random

from pgtlab.lab.question import Choice, Question, Wrong, recall

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
        (OPEN, TRUE): (
            "fits-is-proved",
            "It may well be so. True is what a line shows, by a rule that you can name: none shows this.",
        ),
        (OPEN, FALSE): (
            "unknown-is-false",
            "False needs a line that shows the opposite. That none shows the claim is not enough.",
        ),
        (TRUE, OPEN): ("rules-forgotten", "It takes a rule from another chapter, but it can be decided."),
        (FALSE, OPEN): ("rules-forgotten", "It takes a rule from another chapter, but it can be decided."),
        (FALSE, TRUE): (
            "first-look-is-enough",
            "So it looks at first. Before you say *true*, look for the line that would contradict it.",
        ),
        (TRUE, FALSE): (
            "first-look-is-enough",
            "False needs a line that shows the opposite, and here one shows that it is so.",
        ),
    }
    return Question(
        text=f"*{claim}* With nothing but the 59 lines, and what you know of Linux and arm64: what do you say?",
        answer=Choice(verdict, tuple(each for each in (TRUE, FALSE, OPEN) if each != verdict)),
        wrong=tuple(Wrong(said, *wrong[verdict, said]) for said in (TRUE, FALSE, OPEN) if said != verdict),
        truth=f"**{verdict.capitalize()}.** {why}",
    )
