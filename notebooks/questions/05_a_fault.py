"""Questions of chapter 5: aborts, ESR_EL1, FAR_EL1, the level of a fault, and what Linux does next."""

from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.registers import ESR_EL1
from pgtlab.arch.walk import Walk
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Choice, Number, Question, Words, Wrong, multiple_choice, recall

STORY = 0x9600_0004
VERBS = {Access.READ: "reads", Access.WRITE: "writes", Access.FETCH: "fetches an instruction from"}


def failing(draw: Random, *accesses: Access) -> Walk:
    """An access that faults, at EL0 or EL1, with a level and a kind that vary."""
    process = Machine().process("a")
    va = draw.randrange(1 << 40, 1 << 47) & ~0xFFF
    kind = draw.choice(("translation", "access flag", "permission"))
    process.map(va, 0x8000_0000, AP=2, UXN=1, PXN=1, AF=0 if kind == "access flag" else 1)
    access = draw.choice(accesses or (Access.READ, Access.WRITE))
    if kind == "translation":
        step = draw.choice(process.walk(va).steps)
        process.mmu.memory.write64(step.address, 0)
    elif kind == "permission":
        access = Access.WRITE if access is Access.READ else access
    return process.mmu.translate(va, access, el=draw.choice((0, 1)))


def syndrome(walk: Walk) -> ESR_EL1:
    """ESR_EL1 after a walk that ends in a fault."""
    assert walk.esr is not None
    return walk.esr


@recall
def exception_class(draw: Random) -> Question:
    esr = syndrome(failing(draw, *Access))
    value, right = int(esr), esr.EC
    return Question(
        text=f"ESR_EL1 is `{value:#010x}`. What is EC, its bits 31:26, in hexadecimal?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                value >> 24,
                "ec-is-the-top-byte",
                "You took the first two hexadecimal digits, bits 31:24. EC has six bits; it ends in the middle of a digit.",
            ),
            Wrong(
                value >> 25,
                "ec-has-seven-bits",
                "One bit too many: bit 25 is IL, a field of its own.",
            ),
            Wrong(
                value >> 24 & 0x3F,
                "ec-ends-with-the-digit",
                f"You took six bits, but the lower six of the first two digits, bits 29:24. EC begins two bits higher: what is `{value >> 24:#010b}` without its last two?",
            ),
            Wrong(
                value & 0x3F << 26,
                "a-field-stays-in-place",
                "The bits are the right ones, still in their places. The value of a field is what stands there when its lowest "
                "bit is shifted to bit 0.",
            ),
            Wrong(
                value & 0x3F,
                "ec-is-the-lowest-field",
                "These are the *lowest* six bits, 5:0: the status code. EC is at the other end of the 32 bits.",
            ),
        ),
        truth=f"`{value:#010x} >> 26` = **`{right:#x}`**.",
        steps=(f"Write the first two digits of `{value:#010x}` as eight bits.", "Which six of them are EC?"),
        lines=(8,),
    )


@recall
def status_code(draw: Random) -> Question:
    walk = failing(draw)
    esr, fault = syndrome(walk), walk.outcome
    assert isinstance(fault, Fault)
    code = fault.status_code
    right = f"{fault.kind} fault, level {fault.level}"
    swapped = f"{fault.kind} fault, level {code >> 2}"
    kinds = [name for name in ("translation", "access flag", "permission") if name != str(fault.kind)]
    return Question(
        text=f"ESR_EL1 is `{int(esr):#010x}`, of a data abort. Its lowest six bits are the status code. Bits 5:2 of it say the kind "
        "(0b0001 translation, 0b0010 access flag, 0b0011 permission), bits 1:0 the level. What happened?",
        answer=Choice(right, (swapped, *(f"{name} fault, level {fault.level}" for name in kinds))),
        wrong=(
            Wrong(
                swapped,
                "level-and-kind-are-swapped",
                f"You took the kind's bits for the level. The level is the two *lowest* bits of 0b{code:06b}.",
            ),
            *(
                Wrong(
                    f"{name} fault, level {fault.level}",
                    "a-kind-is-a-kind",
                    f"The level is right. Bits 5:2 of 0b{code:06b} are 0b{code >> 2:04b}: look in the list again.",
                )
                for name in kinds
            ),
        ),
        truth=f"0b{code:06b}: kind 0b{code >> 2:04b}, level 0b{code & 3:02b}: **{right}**.",
    )


def the_story_syndrome(draw: Random) -> Question:
    el, access = draw.choice(((1, Access.WRITE), (0, Access.READ), (0, Access.WRITE)))
    level = draw.choice((2, 3))
    process = Machine().process("a")
    process.map(0, 0x8000_0000)
    process.mmu.memory.write64(process.walk(8).steps[level].address, 0)
    esr = syndrome(process.mmu.translate(8, access, el=el))
    value, code = int(esr), int(esr) & 0x3F
    who, what = ("a program" if el == 0 else "the kernel"), ("written" if access is Access.WRITE else "read")
    other_access = Wrong(
        value ^ 1 << 6,
        "wnr-is-read",
        f"Bit 6 is {value >> 6 & 1 ^ 1} in your number. WnR is *write, not read*: a write has a 1, and a read a 0.",
    )
    other_el = Wrong(
        value ^ 1 << 26,
        "ec-does-not-say-who",
        "You left EC at 0x25, an abort from EL1. A program runs at EL0, and that has a number of its own."
        if el == 0
        else "0x24 is an abort from EL0, from a program. Here it was the kernel itself, at EL1.",
    )
    only_the_level = Wrong(
        STORY + level,
        "a-fault-has-one-number",
        "The level is right, and nothing else was changed. Line 7 is about the kernel, reading: who was it here, and what did it try?",
    )
    return Question(
        text=f"Line 7 of the log: `ESR = {STORY:#018x}`. Suppose that {who} had {what} at address 8, and that the walk had found the "
        f"invalid entry at level {level}. Which ESR would that be?",
        answer=Number(value, base=16),
        wrong=(
            other_access,
            other_el,
            *((only_the_level,) if el == 0 and access is Access.WRITE else ()),
            Wrong(
                value - level,
                "a-fault-has-one-number",
                f"Who and what are right. Your level is still that of line 7, 0: bits 1:0 should say {level}.",
            ),
            Wrong(
                value & ~(1 << 25),
                "il-is-left-out",
                "You built it from EC, WnR and FSC alone. Bit 25, IL, is 1 in line 7 (line 8 says so), and stays 1.",
            ),
            Wrong(
                value & (1 << 25) - 1,
                "esr-is-its-iss",
                "These are the lowest 25 bits, ISS, and they are right. EC and IL stand above them: the eight digits say who it was, too.",
            ),
            *(
                (
                    Wrong(
                        value ^ 3 << 5,
                        "bits-are-counted-from-1",
                        "You set bit 5. Bits are counted from 0: bit 6 has the value 0x40.",
                    ),
                )
                if access is Access.WRITE
                else ()
            ),
            Wrong(
                value - code + level,
                "the-code-is-the-level",
                "Your status code is the level alone. The level is its two lowest bits; bits 5:2 must still say translation "
                "fault, 0b0001.",
            ),
            Wrong(
                value - code + (level << 2 | 1),
                "level-and-kind-are-swapped",
                "You put the level into bits 5:2 and the kind below it. The kind is in bits 5:2, the level in bits 1:0.",
            ),
            Wrong(
                STORY,
                "a-fault-has-one-number",
                "That is line 7 as it is. What happened is another thing now, so at least one field has another value.",
            ),
        ),
        truth=f"EC = {esr.EC:#x}, {'EL0' if el == 0 else 'EL1'}; WnR = {value >> 6 & 1}; status code 0b{code:06b}, a translation "
        f"fault at level {level}: **`{value:#010x}`**. The real one is 0b{STORY & 0x3F:06b}, level 0, as line 11 says, with EC "
        f"{ESR_EL1(STORY).EC:#x} and WnR 0: the kernel, reading.",
        steps=(
            "What is EC, bits 31:26, for an abort from that exception level?",
            "What is WnR, bit 6?",
            f"Which six bits are the status code of a translation fault at level {level}?",
        ),
        lines=(7, 11),
    )


@recall
def write_or_read(draw: Random) -> Question:
    walk = failing(draw)
    esr = syndrome(walk)
    bit = int(esr) >> 6 & 1
    right, wrong = ("a write", "a read") if bit else ("a read", "a write")
    return multiple_choice(
        text=f"A data abort with ESR_EL1 = `{int(esr):#010x}`. Was it a read or a write? WnR is bit 6.",
        right=right,
        wrong={
            wrong: (
                "wnr-is-read: WnR stands for *write, not read*: 1 is a write. The last digit but one is bits 7 to 4; "
                f"bit 6 is its second from the left, and it is {bit}."
            ),
        },
        truth=f"Bit 6 is {bit}: **{right}**.",
        lines=(14,),
    )


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
    level = walk.outcome.level
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
        steps=(f"What are the four indices of `{page:#x}`?", "Down to which level are they all 0?"),
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


def which_swapper(draw: Random) -> Question:
    right = "no: one is a task, the other an address space"
    return multiple_choice(
        text="Line 19 says `PID: 1 Comm: swapper/0`, and line 16 `active_mm is swapper`. Do the two speak of the same thing?",
        right=right,
        wrong={
            "yes: the address space of the process swapper/0 was in use": (
                "two-swappers: This task has no address space of its own, and no process has run before it. Line 16 "
                "calls the *kernel's* tables swapper, after the first table that Linux ever had. Line 19 calls a "
                "*task* so: it still has the name of the one that started it."
            ),
            "yes: both say that memory was being swapped to disk": (
                "swapper-swaps: Nothing has been swapped. Both are old names that nobody changed."
            ),
        },
        truth="**They are two things.** swapper/0 is the name of the idle task of CPU 0, which PID 1 has inherited; swapper is the "
        "address space of the kernel itself, with its tables swapper_pg_dir.",
        lines=(16, 19),
    )


def exit_code(draw: Random) -> Question:
    return Question(
        text="Line 53: `Attempted to kill init! exitcode=0x0000000b`. The low seven bits of an exit code are the number of the signal "
        "that ended the task. What is the number of that signal?",
        answer=Number(0x0000000B & 0x7F),
        wrong=(
            Wrong(0, "exit-code-means-no-error", "0 would be a task that ended by itself. Look at the last digit."),
            Wrong(13, "hex-counts-in-tens", "`b` is the digit for eleven."),
            Wrong(
                9,
                "kill-is-a-signal",
                "9 is SIGKILL, and the line has the word *kill* in it; but it is about the task that ended, init. By what, the exit code says: read the number.",
            ),
            Wrong(1, "pid-is-the-signal", "1 is the number of the task, its PID. The signal is in the exit code."),
            Wrong(8, "the-address-is-the-signal", "8 is the address that was read. The signal is in the exit code."),
        ),
        truth=f"`0xb` = **{0xB}**: SIGSEGV, the signal for an access to memory that is not there. The kernel ends the task that failed "
        "as it would end a program.",
        lines=(53,),
    )


def why_it_stopped(draw: Random) -> Question:
    right = "the task that died was PID 1"
    return multiple_choice(
        text="Many kernels print an oops and go on. Why did this one stop?",
        right=right,
        wrong={
            "after an oops no kernel can go on": (
                "oops-is-panic: An oops usually ends the *task* in which it happened, and the kernel goes on without "
                "it. A panic is the kernel's decision not to go on."
            ),
            "the page tables had been destroyed": (
                "panic-is-damage: Nothing says so: the kernel went on to print thirty more lines, so its own half of "
                "the addresses was mapped."
            ),
            "all CPUs had failed, see line 54": (
                "smp-means-all-failed: Line 54 says that the *others* were stopped, afterwards and on purpose."
            ),
        },
        truth="**PID 1 died.** It is the first task, which becomes init, the parent of all programs. A kernel that loses it panics.",
        lines=(53, 54),
    )


def exception_level(draw: Random) -> Question:
    pstate = 0x2140_0005
    return Question(
        text="Line 21: `pstate: 21400005`. Its lowest four bits are the mode: bits 3:2 are the exception level. Which number has "
        "the one that the processor was at?",
        answer=Number(pstate >> 2 & 3),
        wrong=(
            Wrong(
                pstate & 0xF,
                "the-mode-is-the-level",
                "5 is the whole mode, 0b0101. The exception level is its upper two bits.",
            ),
            Wrong(0, "an-oops-is-a-program-s", "0 would be a program. Write 5 as four bits: 0101."),
            Wrong(
                pstate & 0xC,
                "a-field-stays-in-place",
                "Those are the right bits, still in their places: 0100. Shifted down to bit 0, which number are they?",
            ),
            Wrong(
                pstate >> 1 & 3,
                "bits-are-counted-from-1",
                "2 are bits 2:1. Bits are counted from 0, on the right: 3:2 are the two on the left of 0101.",
            ),
        ),
        truth=f"0b{pstate & 0xF:04b}: **EL{pstate >> 2 & 3}**, the kernel. It agrees with EC = 0x25, *current EL*.",
        lines=(21,),
    )


def in_your_words(draw: Random) -> Question:
    return Question(
        text="Say in two or three sentences what lines 5 to 17 of the log tell you, to somebody who has not read this chapter.",
        answer=Words(),
        truth="The kernel itself read from address 8, where nothing is mapped. No program was involved: the task has no memory of its "
        "own, and so the walk ended at its first read, at level 0. What the kernel was looking for at address 8, and why, these "
        "lines do not say. Did you say who read, at which address, at which level and why, and what is not known?",
        lines=(5, 17),
    )
