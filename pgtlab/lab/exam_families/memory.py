"""Claims about where things are: the linear map, the memmap, sections, how much RAM there is, and what CPU it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Final

from pgtlab.arch.registers import PARange
from pgtlab.arch.word import MASK64
from pgtlab.lab.crash import Crash
from pgtlab.lab.exam_claims import Draft
from pgtlab.lab.exam_log import ExamLog
from pgtlab.linux.oops.inferring.layout import PAGE_BITS
from pgtlab.linux.placement import RAM_BASE

GIB: Final = 1 << 30
PHYS: Final = "PHYS_OFFSET"
PFN: Final = "Bad page state"
SP: Final = "sp :"


def in_the_linear_map(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Where the bad page's frame is in the linear map."""
    k, pa = log.crash.kernel, _frame(log.crash)
    for va in (k.__va(pa), k.PAGE_OFFSET + pa & MASK64, k.PAGE_OFFSET + pa + k.memstart_addr & MASK64):
        yield Draft(
            f"In the linear map, the frame of the bad page is at `{va:#x}`.",
            lambda c: c.kernel.__va(_frame(c)),
            va,
            f"PAGE_OFFSET + {pa:#x} - PHYS_OFFSET, and PHYS_OFFSET is below zero: {k.__va(pa):#x}",
            (PFN, PHYS),
            "phys-offset-is-added",
        )


def start_of_ram(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether RAM begins at PHYS_OFFSET."""
    for text, begins in (
        ("RAM begins at the physical address that PHYS_OFFSET names.", True),
        ("No RAM is at the physical address that PHYS_OFFSET names.", False),
    ):
        yield Draft(
            text,
            lambda c: c.kernel.memstart_addr == RAM_BASE,
            begins,
            "PHYS_OFFSET is below zero: KASLR has moved the beginning of the linear map below all RAM",
            (PHYS,),
            "phys-offset-is-ram-start",
        )


def without_kaslr(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What would have happened with the linear map where it is without KASLR."""
    for text, address in (
        ("the lookup would have found a section", None),
        (f"the message of line {log.line('Unable')} would name the same address", _fault(log.crash)),
    ):
        yield Draft(
            f"With PHYS_OFFSET = {RAM_BASE:#x}, which is where it is without KASLR, and all else where it was, {text}.",
            lambda c: _fault(c.anywhere(RAM_BASE)),
            address,
            "the stack is below the memmap wherever that begins: the difference is negative, a frame in no section",
            (SP, PHYS),
            "offsets-are-alike",
        )


def _fault(crash: Crash) -> int | None:
    return crash.run.reports[-1].address


def shift(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether a shift of the other kind would have found a section."""
    for text, exists in (("find a section", True), ("return NULL as well", False)):
        yield Draft(
            f"If `page_to_pfn()` let zeros in from the left, the lookup for x20 would {text}.",
            lambda c: _section(c, signed=False) < c.kernel.NR_MEM_SECTIONS,
            exists,
            f"section {_section(log.crash, signed=False):#x} is still above {log.crash.kernel.NR_MEM_SECTIONS - 1:#x}",
            (SP, PHYS),
            "one-right-shift",
        )


def _section(crash: Crash, *, signed: bool) -> int:
    k = crash.kernel
    distance = crash["x20"] - k.vmemmap
    pfn = (distance if signed else distance & MASK64) >> PAGE_BITS & MASK64
    return pfn >> k.SECTION_SIZE_BITS - k.PAGE_SHIFT


def section_exists(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the section and the root that were looked up can exist."""
    k = log.crash.kernel
    for text, exists in (
        ("The section that was looked up can exist in this kernel; it had only not been set up.", True),
        ("The number of the section that was looked up is above all that this kernel can have.", False),
    ):
        yield Draft(
            text,
            lambda c: c["x4"] < c.kernel.NR_MEM_SECTIONS,
            exists,
            f"x4 is {log.crash['x4']:#x}; the largest number of a section is {k.NR_MEM_SECTIONS - 1:#x}, in x0",
            (SP, "x0 :", PHYS),
            "registers-hold-good-values",
        )


def record(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which struct page is where the vmemmap area begins."""
    for text, pfn in (
        ("The struct page of frame 0", 0),
        ("The struct page of the first frame of RAM", RAM_BASE >> log.crash.kernel.PAGE_SHIFT),
        ("The struct page of the frame at the physical address PHYS_OFFSET", None),
    ):
        yield Draft(
            f"{text} would be where the vmemmap area begins, at VMEMMAP_START.",
            partial(_record_is_first, pfn=pfn),
            True,
            "vmemmap = VMEMMAP_START - (PHYS_OFFSET >> page shift) x 64: the area begins with the linear map's frame",
            (PHYS,),
            "vmemmap-is-vmemmap-start",
        )


def _record_is_first(crash: Crash, pfn: int | None) -> bool:
    k = crash.kernel
    number = k.memstart_addr >> k.PAGE_SHIFT if pfn is None else pfn
    return k.vmemmap + (number << PAGE_BITS) & MASK64 == k.VMEMMAP_START


def area(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which area the address is in that was turned into a pfn."""
    for name in ("memmap", "linear map", "vmalloc area"):
        yield Draft(
            f"The address from which x1 was computed is in the {name}.",
            _area,
            name,
            f"x20 is {log.crash['x20'] - log.crash['sp']:#x} bytes above sp: on the stack, in the vmalloc area",
            (SP,),
            "any-pointer-is-a-page",
        )


def _area(crash: Crash) -> str:
    k, address = crash.kernel, crash["x20"]
    if k.VMALLOC_START <= address < k.VMALLOC_END:
        return "vmalloc area"
    return "memmap" if address >= k.VMEMMAP_START else "linear map"


def ram_above(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether there is RAM above an address that the frame is above of."""
    yield _ram_above(log, _frame(log.crash) // GIB)


def ram_higher(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether there is RAM above an address that the frame is below of."""
    yield _ram_above(log, _frame(log.crash) // GIB + 1)


def _ram_above(log: ExamLog, at: int) -> Draft:
    return Draft(
        f"There is RAM above the physical address of {at} GiB.",
        lambda c: RAM_BASE + c.placement.ram_size(c.boot) > at * GIB,
        True,
        f"the frame of the bad page begins at {_frame(log.crash):#x}; no line says where RAM ends",
        (PFN,),
        "unknown-is-false",
    )


def ram_in_all(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """How much RAM there is."""
    at = _frame(log.crash) // GIB
    yield Draft(
        f"The machine has more than {at} GiB of RAM.",
        lambda c: c.placement.ram_size(c.boot) > at * GIB,
        True,
        "a frame has an address that high, but RAM need not begin at 0, and no line says how much there is",
        (PFN,),
        "ram-starts-at-0",
    )


def cpu(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What the CPU can do, where the kernel does not use it."""
    if log.crash.boot.has_va52:
        return
    yield Draft(
        "The CPU cannot form physical addresses of more than 48 bits.",
        lambda c: PARange(c.boot.cpu.mmfr0.PARANGE).bits <= 48,
        True,
        "48 is what the kernel was built for, as x0 shows; the CPU may have more",
        (),
        "the-build-decides",
    )


def lpa2(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the CPU has LPA2, where the kernel does not use it."""
    if log.crash.boot.has_va52:
        return
    yield Draft(
        "The CPU of this machine has LPA2.",
        lambda c: c.boot.cpu.has_lpa2(c.config.granule),
        True,
        "a kernel of 48 bits does not use it, whether the CPU has it or not",
        (),
        "the-build-decides",
    )


def tested_address(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which address the test drew."""
    if not log.crash.boot.has_va52:  # where better questions are not decidable
        return
    yield Draft(
        "The address that the test had drawn for its tables is in the lower half of the programs' addresses.",
        lambda c: c.small().get_random_vaddr() < c.kernel.TASK_SIZE_64 >> 1,
        True,
        "the log names the frame of a table, and not the address that leads to it",
        (),
        "unknown-is-false",
    )


def _frame(crash: Crash) -> int:
    return crash["x22"] << crash.kernel.PAGE_SHIFT


FAMILIES: Final = (
    in_the_linear_map,
    start_of_ram,
    without_kaslr,
    shift,
    section_exists,
    record,
    area,
    ram_above,
    ram_higher,
    ram_in_all,
    cpu,
    lpa2,
    tested_address,
)
