"""Questions of chapter 10b: from the copy to NULL by hand, and the function that is not in the trace."""

from __future__ import annotations

from random import Random

from pgtlab.lab.crash import crash, story
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
from pgtlab.lab.question import Choice, Question, Wrong, multiple_choice, recall
from pgtlab.linux.kconfig import Config

KERNEL_OFFSET = 0x3A89_BF80_0000  # line 55


def what_x20_points_to(draw: Random) -> Question:
    boot = story()
    above = boot["x20"] - boot["sp"]
    return multiple_choice(
        text=f"x19, x20 and x26 hold `{boot['x20']:#x}`; sp is `{boot['sp']:#x}`, and stacks have 16 KiB. Where is that?",
        right=f"on the stack, {above:#x} bytes above sp",
        wrong={
            "in the memmap: it is a `struct page`": (
                f"any-pointer-is-a-page: The memmap of this boot begins at {boot.kernel.VMEMMAP_START:#x}, far above. "
                "What lies here *looks* like a `struct page`: it is a copy."
            ),
            "in the linear map": (
                "halves-mixed-up: With 48 bits the linear map ends at 0xffff800000000000. This is above: stacks are "
                "in the vmalloc area."
            ),
            "in the kernel's image": (
                f"halves-mixed-up: Line 55: in this boot the image begins at {LINKED_AT + KERNEL_OFFSET:#x}."
            ),
        },
        truth=f"**On the stack**: {boot['x20']:#x} - {boot['sp']:#x} = {above:#x}, in the frame of `__dump_page`, just above the twelve registers that it saved (ten, and x29 and lr).",
        lines=(28,),
    )


def x1_of_a_boot(draw: Random) -> Question:
    return frame_question(crash(draw))


def vmemmap_of_a_boot(draw: Random) -> Question:
    return vmemmap_question(crash(draw))


def vmemmap_of_the_log(draw: Random) -> Question:
    return vmemmap_question(story(), (56,))


def x1_of_the_log(draw: Random) -> Question:
    return frame_question(story(), (34,), computed=True)


def x4_of_the_log(draw: Random) -> Question:
    return section_question(story(), (33,), computed=True)


def x5_of_the_log(draw: Random) -> Question:
    return root_question(story(), (33,), computed=True)


@recall
def x4_of_a_boot(draw: Random) -> Question:
    return section_question(crash(draw))


@recall
def x5_of_a_boot(draw: Random) -> Question:
    return root_question(crash(draw))


def section_in_another_kernel(draw: Random) -> Question:
    return section_elsewhere(crash(draw, Config("16k", draw.choice((48, 52)))))


def phys_offset_of_a_boot(draw: Random) -> Question:
    return phys_offset_question(crash(draw))


def phys_offset_of_the_log(draw: Random) -> Question:
    return phys_offset_question(story())


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


def link_address_of_x23(draw: Random) -> Question:
    pointer = 0xFFFF_BA8A_417B_A000
    return link_address_question(
        pointer,
        KERNEL_OFFSET,
        f"Line 55: `Kernel Offset: {KERNEL_OFFSET:#x} from {LINKED_AT:#x}`. x23 is `{pointer:#x}`. At which address would that be without KASLR?",
    )


def link_address_in_a_boot(draw: Random) -> Question:
    offset = draw.randrange(1 << 24, 1 << 25) << 21
    pointer = LINKED_AT + offset + draw.randrange(1 << 22) * 8
    return link_address_question(
        pointer,
        offset,
        f"`Kernel Offset: {offset:#x} from {LINKED_AT:#x}`, and a register holds `{pointer:#x}`. At which address would that be without KASLR?",
    )
