"""What a real kernel prints of a crash beside what the model prints: five instructions, and the flags in pstate.

The function that faults ends a lookup, in C `&mem_section[root][number % SECTIONS_PER_ROOT]` and then `->usage`. Its
five instructions depend on the sizes of the kernel's structures.
"""

from __future__ import annotations

from pgtlab.lab.crash import Crash, flags_after_cmp
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.oops.reading.code import Instruction
from pgtlab.linux.oops.reading.registers import PSTATE

EL1H = 5  # PSTATE.M: EL1 with its own stack pointer


def instructions(k: Kernel) -> tuple[Instruction, ...]:
    """The five instructions of `Code:`; the last is at pc (Arm ARM C6.2).

    >>> from pgtlab.lab.crash import story
    >>> for each in instructions(story().kernel):
    ...     print(f"{each.word:08x}  {each.text}")
    d37b1884  ubfiz x4, x4, #5, #7
    f100007f  cmp x3, #0
    8b040064  add x4, x3, x4
    9a831083  csel x3, x4, x3, ne
    f9400460  ldr x0, [x3, #8]
    """
    low, width = (n.bit_length() - 1 for n in (k["sizeof(struct mem_section)"], k.SECTIONS_PER_ROOT))
    usage = k["offsetof(struct mem_section,usage)"]
    return (
        Instruction(0xD340_0084 | 64 - low << 16 | width - 1 << 10, f"ubfiz x4, x4, #{low}, #{width}"),
        Instruction(0xF100_007F, "cmp x3, #0"),
        Instruction(0x8B04_0064, "add x4, x3, x4"),
        Instruction(0x9A83_1083, "csel x3, x4, x3, ne"),
        Instruction(0xF940_0060 | usage // 8 << 10, f"ldr x0, [x3, #{usage}]", faulting=True),
    )


def code_line(k: Kernel) -> str:
    """The line `Code:` of a report.

    >>> from pgtlab.lab.crash import story
    >>> code_line(story().kernel)
    'Code: d37b1884 f100007f 8b040064 9a831083 (f9400460)'
    """
    words = [f"{each.word:08x}" for each in instructions(k)]
    return f"Code: {' '.join(words[:-1])} ({words[-1]})"


def flags(crash: Crash) -> str:
    """The flags that the lookup's comparison of the section, x4, with the largest one, x0, left.

    >>> from pgtlab.lab.crash import story
    >>> flags(story())
    'nzCv'
    """
    return flags_after_cmp(crash["x4"], crash["x0"])


def pstate_line(crash: Crash) -> str:
    """The line `pstate:` of a report.

    >>> from pgtlab.lab.crash import story
    >>> pstate_line(story())
    'pstate: 20400005 (nzCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)'
    """
    left = flags(crash)
    word = PSTATE(M=EL1H, PAN=1, **{letter.upper(): int(letter.isupper()) for letter in left})
    return f"pstate: {int(word):08x} ({left} daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)"


def four_could_have_run(crash: Crash) -> bool:
    """Whether registers and flags permit that any of the four instructions before pc ran on the way there.

    Whichever ran, `csel` ran last: it copies x4 to x3 where the flags say *not equal*.

    >>> from pgtlab.lab.crash import story
    >>> four_could_have_run(story())
    False
    """
    return "Z" in flags(crash) or crash["x3"] == crash["x4"]
