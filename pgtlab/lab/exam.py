"""Exams about a log that the course has not shown, in four parts, each with its key; all of it comes from the model.

1. *Derive*: ten values, some of which the log leaves out, by arithmetic.
2. *Counterfactual*: what the log would be if one thing were different, judged by running it.
3. *Decide*: twenty claims that are true, false, or cannot be decided from this log, with the lines that decide. Each is
   about one idea of the course, and a misconception leads to another verdict.
4. *Transfer*: a case of the project, with its cause and a patch, judged by `check()`.

An exam tests whether somebody can read a log. It is no evidence of learning by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final

from pgtlab.arch.registers import ESR_EL1
from pgtlab.arch.word import MASK64
from pgtlab.lab.case import Case, case
from pgtlab.lab.chapters import misconceptions
from pgtlab.lab.crash import Crash
from pgtlab.lab.crash_code import instructions
from pgtlab.lab.exam_claims import ExamClaim, claims
from pgtlab.lab.exam_families import FAMILIES
from pgtlab.lab.exam_log import ExamLog
from pgtlab.lab.exam_worlds import same_log
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN
from pgtlab.linux.boot import Boot, running
from pgtlab.linux.kconfig import Config
from pgtlab.linux.placement import Placement

KERNELS: Final = (("4k", 48), ("16k", 48), ("16k", 52))
GIB: Final = 1 << 30


@dataclass(frozen=True)
class Item:
    """A question of the first two parts and its answer; `how` says how it is found."""

    text: str
    answer: str
    how: str


@dataclass(frozen=True)
class Exam:
    """An exam; made by `exam`.

    Examples
    --------
    >>> paper = exam(1)
    >>> len(paper.derive), len(paper.counterfactual), len(paper.decide)
    (10, 5, 20)
    >>> exam(1).paper() == paper.paper() != exam(2).paper()
    True
    """

    seed: int | str
    crash: Crash

    @property
    def boot(self) -> Boot:
        """The kernel of the log on its CPU."""
        return self.crash.boot

    @cached_property
    def log(self) -> ExamLog:
        """The log as the paper shows it."""
        return ExamLog(self.crash, self.seed)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the log."""
        return self.log.lines

    @cached_property
    def derive(self) -> tuple[Item, ...]:
        """Ten values to derive."""
        k, c = self.crash.kernel, self.crash
        shift, pfn, copy = k.PAGE_SHIFT, c["x22"], c["x20"]
        esr = ESR_EL1(int(re.findall(r"ESR = 0x([0-9a-f]+)", "\n".join(self.lines))[0], 16))
        per_section, per_root = k.SECTION_SIZE_BITS - shift, k.SECTIONS_PER_ROOT.bit_length() - 1
        page = k.pfn_to_page(pfn).address
        return (
            Item("The exception class (EC) of the fault.", f"{esr.EC:#x}", "ESR >> 26"),
            Item("The level of the fault.", f"{int(esr) & 3}", "the two lowest bits of ESR"),
            Item("PHYS_OFFSET as a signed number.", f"-{-k.memstart_addr:#x}", "the printed value minus 2**64"),
            Item(
                "vmemmap.",
                f"{k.vmemmap:#x}",
                f"VMEMMAP_START - (PHYS_OFFSET >> {shift}) x 64, with an arithmetic shift",
            ),
            Item(
                "The physical address at which the bad page's frame begins.",
                f"{pfn << shift:#x}",
                f"its pfn << {shift}",
            ),
            Item("The address of that frame's struct page.", f"{page:#x}", "vmemmap + pfn x 64"),
            Item(
                f"x1: page_to_pfn() of x20, which is sp + {copy - c['sp']:#x}.",
                f"{c['x1']:#x}",
                "(x20 - vmemmap) >> 6, arithmetic",
            ),
            Item("x4: the section of that pfn.", f"{c['x4']:#x}", f"x1 >> {per_section}, logical"),
            Item("x5: the root of that section.", f"{c['x5']:#x}", f"x4 >> {per_root}"),
            Item(
                "The 32 bits that are stored in _mapcount of the bad page.",
                f"{c['x24'] & 0xFFFF_FFFF:#010x}",
                "the printed mapcount minus 1, as 32 bits",
            ),
        )

    @cached_property
    def counterfactual(self) -> tuple[Item, ...]:
        """Five questions about what the log would be otherwise; each answer is that of a run."""
        other = self.crash.anywhere(self.crash.phys_offset - 64 * GIB & MASK64)
        reported = self.crash.small(USE_THE_REAL_PFN).run()
        return (
            Item(
                "With only the bug of `pud_free()` fixed: clean, report, or panic?",
                self.crash.small(CALL_THE_DESTRUCTOR).run().outcome,
                "no page is bad, so dump_page() is never called",
            ),
            Item(
                "With only the bug of `__dump_folio()` fixed: clean, report, or panic?",
                reported.outcome,
                "the page is still bad, and its report can be printed to the end",
            ),
            Item(
                "With only that fixed: how many lines are left that contain `Unable to handle`?",
                str(sum("Unable to handle" in line for line in reported.dmesg)),
                "the fault was in printing the report",
            ),
            Item(
                "The same boot, but KASLR puts PHYS_OFFSET 64 GiB lower; all else is where it was. What is x1 then?",
                f"{other['x1']:#x}",
                f"vmemmap is 64 GiB / {1 << self.crash.kernel.PAGE_SHIFT} x 64 bytes higher, so x1 is lower by "
                f"{64 * GIB >> self.crash.kernel.PAGE_SHIFT:#x}",
            ),
            Item(
                f"In that boot: which address would the message of line {self.log.line('Unable to handle')} name?",
                f"{other.run.reports[-1].address:#x}",
                "NULL plus the place of the field `usage`, wherever things are",
            ),
        )

    @cached_property
    def decide(self) -> tuple[ExamClaim, ...]:
        """Twenty claims in a drawn order."""
        return tuple(claims(self.log, FAMILIES, (self.crash, same_log(self.crash))))

    @property
    def transfer(self) -> Case:
        """The case of the fourth part."""
        return case(f"exam {self.seed}")

    def paper(self) -> str:
        """The exam for a student, in Markdown."""
        return "\n".join(self._paper())

    def _paper(self) -> Iterator[str]:
        k = self.crash.kernel
        yield f"# Exam {self.seed}"
        yield "\nClosed book; a calculator for hexadecimal numbers is allowed. The log, with its lines numbered:\n"
        yield "```text"
        yield from (f"{number:2} {line}" for number, line in enumerate(self.lines, 1))
        yield "```"
        size, usage = k["sizeof(struct mem_section)"], k["offsetof(struct mem_section,usage)"]
        code = "; ".join(f"`{each.text}`" for each in instructions(k))
        yield (
            f"\nGiven: a kernel built for pages of {1 << k.PAGE_SHIFT - 10} KiB, addresses of "
            f"{self.boot.vabits_actual} bits and physical ones of {self.boot.config.pa_bits}; PAGE_OFFSET = "
            f"`{k.PAGE_OFFSET:#x}`, VMEMMAP_START = `{k.VMEMMAP_START:#x}`; a struct page has 64 bytes, a struct "
            f"mem_section {size}, with the field `usage` at offset {usage}; a section has "
            f"{1 << k.SECTION_SIZE_BITS - 20} MiB; a root is a page full of mem_sections. The function that faulted is "
            f"`get_pfnblock_flags_mask(page, pfn, mask)`. The instructions of line {self.log.line('Code')}: {code}.\n"
        )
        yield "## 1. Derive\n"
        yield from (f"{number}. {item.text}" for number, item in enumerate(self.derive, 1))
        yield "\n## 2. What if?\n"
        yield from (f"{number}. {item.text}" for number, item in enumerate(self.counterfactual, 1))
        yield "\n## 3. True, false, or not decidable from this log?\n"
        yield (
            "For each: T, F or N, and the numbers of the lines that decide it, as few as do (none for N). A value that "
            "you derived counts as the lines that it comes from; for a line that is missing, name those around it.\n"
        )
        yield from (f"{number}. {claim.text}" for number, claim in enumerate(self.decide, 1))
        yield "\n## 4. A case\n"
        yield "In a notebook, with the model:\n\n```python\nfrom pgtlab.lab.case import case\n"
        yield f'mine = case("{self.transfer.seed}")\n```\n'
        yield "Name the function and its mistake, write the fix, and hand in the output of `mine.check(...)`."

    def key(self) -> str:
        """The key for the instructor, in Markdown."""
        return "\n".join(self._key())

    def _key(self) -> Iterator[str]:
        yield f"# Key of exam {self.seed}\n"
        for title, items in (("1. Derive", self.derive), ("2. What if?", self.counterfactual)):
            yield f"## {title}\n"
            yield from (f"{number}. `{item.answer}`: {item.how}" for number, item in enumerate(items, 1))
            yield ""
        yield "## 3. True, false, or not decidable from this log?\n"
        for number, claim in enumerate(self.decide, 1):
            lines = (
                f" (line{'s' if len(claim.lines) > 1 else ''} {', '.join(map(str, claim.lines))})"
                if claim.lines
                else ""
            )
            misconception = misconceptions()[claim.misconception].rstrip(".")
            yield f"{number}. {claim.verdict[0].upper()}{lines}: {claim.why} *(not: {misconception})*"
        bug = self.transfer._bug
        yield f"\n## 4. A case\n\n{', '.join(f'`{name}()`' for name in bug.commit.functions)}: {bug.cause}"


def exam(seed: int | str) -> Exam:
    """The exam of a seed; the same seed gives the same exam everywhere."""
    draw = Random(f"exam {seed}")
    config = Config(*draw.choice(KERNELS))
    k = running(config).config.constants
    phys_offset = -draw.randrange(0x10, 0x700) * 64 * GIB & MASK64  # inside the linear map of 47 bits
    stack = k.VMALLOC_START + draw.randrange(1 << 14) * k.THREAD_ALIGN
    copy = stack + draw.randrange(0x3400, 0x39F0, 16)
    first = (4 * GIB >> k.PAGE_SHIFT) + 0x200
    return Exam(seed, Crash(Placement(phys_offset, copy, first + draw.randrange(0x4_0000)), config))
