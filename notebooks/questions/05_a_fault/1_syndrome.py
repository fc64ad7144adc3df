"""Questions of chapter 5: the fields of ESR_EL1."""

from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.registers import ESR_EL1
from pgtlab.arch.walk import Walk
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, multiple_choice, recall

STORY = 0x9600_0004


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
        steps=(
            f"Write the first two digits of `{value:#010x}` as eight bits. Which six of them are EC?",
            Intermediate("Which digit are the lower four of the six?", Number(right & 0xF, base=16)),
            Intermediate("And the upper two?", Number(right >> 4, base=16)),
        ),
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
            Intermediate(
                "What is EC, bits 31:26, for a data abort from that exception level?", Number(esr.EC, base=16)
            ),
            Intermediate("What is WnR, bit 6?", Number(value >> 6 & 1)),
            Intermediate(
                f"What number is the status code of a translation fault at level {level}?",
                Number(code, base=16),
            ),
            "Put them into their places. Bit 25, IL, is 1.",
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
