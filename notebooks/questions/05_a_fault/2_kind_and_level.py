"""Questions of chapter 5: the kind of a fault, its address and its level."""

from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.arch.registers import ESR_EL1
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Intermediate, Number, Question, Wrong, multiple_choice, recall


def read_only_page(draw: Random) -> Question:
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000, AP=3)
    fault = process.write(0x40_0010, 1)
    assert isinstance(fault, Fault)
    right = f"a {fault.kind} fault at level {fault.level}"
    return multiple_choice(
        text="A page is mapped for reading only (AP = 0b11). The program writes to it. What does the MMU report?",
        right=right,
        wrong={
            f"a translation fault at level {fault.level}": (
                "permission-is-missing-entry: A translation fault means that the walk found no valid entry. Here it "
                "found one, with the address and all: it is the entry that says no. Look at the two side by side in "
                "the next cell."
            ),
            "a permission fault at level 0": (
                "level-0-means-privilege: The level is that of the entry that stopped the access, not of the program."
            ),
            "an access flag fault at level 3": "af-is-valid: AF is bit 10, and it is 1 here: somebody used the page before.",
        },
        because="a valid entry forbids writing",
        wrong_reasons={
            "for a write, the page is not mapped": (
                "mapped-for-each-access: There is one entry for all accesses. It is valid or not; what it permits is "
                "another matter."
            ),
            "the kernel looks at the entry and decides": (
                "the-kernel-decides: The MMU decides, alone, at each access. The kernel only learns of it."
            ),
        },
        truth=f"**{right[0].upper()}{right[1:]}.** The entry is there; it forbids.",
    )


def is_far_valid(draw: Random) -> Question:
    address = draw.getrandbits(32) << 3
    esr = ESR_EL1(EC=0x25, IL=1, ISS=1 << 10 | 0x10)
    right = "nothing"
    return multiple_choice(
        text=f"Another log says `ESR = {int(esr):#010x}` and `FnV = 1`, and then shows `FAR_EL1 = {address:#x}`. What do you "
        "know of the address that was accessed?",
        right=right,
        wrong={
            f"it is {address:#x}, as FAR_EL1 says": (
                "far-is-always-right: FnV stands for *FAR not valid*. It is 1 for some errors of the memory itself, "
                "whose address the processor does not know; the register then still shows something, from earlier."
            ),
            "that no page is mapped there": (
                "permission-is-missing-entry: The status code is 0b010000, an error of the memory behind the "
                "address: no walk failed here."
            ),
        },
        truth="**Nothing**: FAR_EL1 does not hold the address of this access. In our log line 9 says `FnV = 0`, so there the address in line 5 is that of the access.",
        lines=(9,),
    )


@recall
def level_for_null(draw: Random) -> Question:
    process = Machine().process("a")
    page = draw.choice((0x5000, 0x40_0000, 0xC000_0000, 0xAAAA_0000_0000)) + (draw.randrange(1, 64) << 12)
    process.map(page, 0x8000_0000)
    walk = process.walk(8)
    assert isinstance(walk.outcome, Fault)
    level, indices = walk.outcome.level, [page >> shift & 0x1FF for shift in (39, 30, 21, 12)]
    return Question(
        text=f"4K pages, 48 bits. A process has one page mapped, at `{page:#x}`. It reads address `0x8`. At which level is the "
        "translation fault?",
        answer=Number(level),
        wrong=(
            Wrong(
                0,
                "null-is-always-level-0",
                "Only if entry 0 of the level 0 table is invalid. The page that is mapped may need that entry too: which indices "
                f"do `{page:#x}` and `0x8` have in common?",
            ),
            Wrong(
                3,
                "the-page-level-always-fails",
                "Only if there is a level 3 table for address 0x8. Which tables exist?",
            ),
            *(
                (
                    Wrong(
                        level - 1,
                        "the-last-good-level-fails",
                        f"There the two addresses have the same index, so `{page:#x}` has made that entry valid, and the walk goes on. "
                        "It fails at the first entry that is not.",
                    ),
                )
                if level > 1
                else ()
            ),
            *(
                (
                    Wrong(
                        level + 1,
                        "an-invalid-entry-leads-on",
                        f"To read an entry of level {level + 1}, the MMU needs that table, and an entry of level {level} has to lead to "
                        "it. For `0x8`, does one?",
                    ),
                )
                if level < 2
                else ()
            ),
        ),
        truth=f"`{page:#x}` and `0x8` have the same index at "
        + (
            ("level 0" if level == 1 else f"the levels 0 to {level - 1}") + ", where the entries are valid"
            if level
            else "no level"
        )
        + f". **Level {level}**.",
        steps=(
            *(
                Intermediate(f"What is the index of `{page:#x}` at level {number}?", Number(index, base=16))
                for number, index in enumerate(indices)
            ),
            "The indices of `0x8` are all 0. Down to which level do the two use the same entries?",
        ),
    )


def why_level_0(draw: Random) -> Question:
    machine = Machine()
    outcome = machine.process("a task without memory of its own").mmu.translate(8, el=1).outcome
    assert isinstance(outcome, Fault)
    right = "nothing: its entries are invalid, that is all"
    return multiple_choice(
        text=f"The kernel of our log read address 8 and got a translation fault at level {outcome.level}. What is missing at level 0?",
        right=right,
        wrong={
            "the level 0 table itself: there is nothing to read": (
                "level-0-table-missing: The MMU read an entry of the level 0 table; only then could it know that the "
                "entry is invalid. If TTBR0_EL1 pointed nowhere, it would read some word there and follow it."
            ),
            "only the page at address 8: the way down to it is there": (
                "one-table-reaches-all: If only the page were missing, the walk would come down to level 3 and fail "
                "there."
            ),
        },
        because="TTBR0_EL1 leads to an empty table here",
        wrong_reasons={
            "TTBR0_EL1 is 0 as long as the kernel runs": (
                "ttbr0-is-0: If TTBR0_EL1 were 0, the MMU would read whatever lies at physical address 0 and take it "
                "for an entry. Linux gives it a table that is really empty."
            ),
            "the kernel uses TTBR1_EL1 for all its addresses": (
                "the-kernel-has-one-register: Bit 55 of 8 is 0, so the MMU takes TTBR0_EL1, whichever program asks: "
                "the register follows from the address, not from the program."
            ),
        },
        truth="**Nothing is missing.** The table is there, and empty on purpose: so every address of the lower half is refused at the "
        "first read.",
        lines=(11, 16),
    )
