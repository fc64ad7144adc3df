"""Boots of the kernel of 29 February 2024, each elsewhere in memory: the same panic with other numbers.

The model computes every register from where things are, so that each boot is a log of its own to take apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from random import Random
from typing import Final

from pgtlab.arch.word import MASK64
from pgtlab.lab.calls import Calls, calls_at_the_last_report
from pgtlab.lab.trees import Commit, Tree
from pgtlab.linux.boot import Boot, boot, running
from pgtlab.linux.cpu import CPU
from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.oops.inferring.layout import PAGE_BITS
from pgtlab.linux.oops.inferring.memmap import signed
from pgtlab.linux.placement import RAM_BASE, Placement

STORY: Final = Placement(0xFFFF_F761_8000_0000, 0xFFFF_8000_8007_B950, 0x18A65D)
BOOT: Final = Config("4k", 48)
TREE: Final = Tree.named("next-20240229")

_GIB = 1 << 30  # the linear map begins at a multiple of it, so that its blocks are aligned


@dataclass(frozen=True)
class Crash:
    """One boot that panics, of `next-20240229` unless another tree is given.

    Attributes
    ----------
    placement : Placement
        Where the linear map, the stack and the PUD table are in this boot.
    config : Config
        The kernel's configuration.
    cpu : str
        The CPU that it runs on.
    tree : Tree
        Its source.

    Examples
    --------
    The boot of the real log:

    >>> story = Crash(STORY)
    >>> hex(story["x1"]), hex(story.kernel.vmemmap), story.calls.lr
    ('0xfffffe0779181ee5', '0xfffffe223a000000', '__dump_page')
    """

    placement: Placement
    config: Config = BOOT
    cpu: str = "max"
    tree: Tree = TREE

    @cached_property
    def _ran(self) -> tuple[Kernel, Run, Calls]:
        kernel = self.tree.start_kernel(self.boot, placement=self.placement)
        return kernel, *calls_at_the_last_report(kernel)

    def small(self, *more: Commit) -> Kernel:
        """The same kernel with further commits, in a machine with little memory, before its initcalls."""
        return Tree(self.tree.name, (*self.tree.commits, *more)).start_kernel(self.boot)

    def anywhere(self, phys_offset: int) -> Crash:
        """The same boot with the linear map elsewhere; the bad page is elsewhere, too."""
        return replace(self, placement=Placement(phys_offset, self.placement.page_copy))

    @cached_property
    def boot(self) -> Boot:
        """The kernel as it runs on its CPU."""
        return running(boot(self.config, CPU.named(self.cpu)))

    @property
    def kernel(self) -> Kernel:
        """The kernel after it panicked: its constants, `vmemmap` and `memstart_addr` are to read."""
        return self._ran[0]

    @property
    def run(self) -> Run:
        """The run, with its reports and the log that the model writes."""
        return self._ran[1]

    @property
    def calls(self) -> Calls:
        """The calls in progress at the Oops."""
        return self._ran[2]

    @property
    def phys_offset(self) -> int:
        """PHYS_OFFSET as the log prints it: 64 bits without a sign."""
        return self.kernel.memstart_addr & MASK64

    @cached_property
    def registers(self) -> dict[str, int]:
        """The registers that the log prints, `sp` among them."""
        printed = (re.findall(r"\b(x\d+|sp) ?: ([0-9a-f]{16})", line) for line in self.run.dmesg)
        return {name: int(value, 16) for line in printed for name, value in line}

    def by_hand(self) -> str:
        """Every step from PHYS_OFFSET and the address of the copy to x1, x4 and x5, a line each.

        >>> print(story().by_hand().splitlines()[-1])
        / 128 sections of a root: x5          0x3fffff81de4
        """
        k, copy = self.kernel, self["x20"]
        pages = k.memstart_addr >> k.PAGE_SHIFT
        vmemmap = k.VMEMMAP_START - pages * PAGE.size
        pfn = signed(copy - vmemmap & MASK64) >> PAGE_BITS & MASK64
        section = pfn >> k.SECTION_SIZE_BITS - k.PAGE_SHIFT
        steps = (
            ("PHYS_OFFSET", self.phys_offset),
            ("with its sign", k.memstart_addr),
            (f"/ {k.PAGE_SIZE} bytes of a page", pages),
            (f"· {PAGE.size} bytes of a struct page", pages * PAGE.size),
            ("VMEMMAP_START", k.VMEMMAP_START),
            ("minus the line before: vmemmap", vmemmap),
            ("x20, the copy", copy),
            ("x20 - vmemmap", copy - vmemmap & MASK64),
            (f">> {PAGE_BITS}, ones come in: x1", pfn),
            (f">> {k.SECTION_SIZE_BITS - k.PAGE_SHIFT}, zeros come in: x4", section),
            (f"/ {k.SECTIONS_PER_ROOT} sections of a root: x5", section // k.SECTIONS_PER_ROOT),
        )
        return "\n".join(f"{what:36}{value:#20x}" for what, value in steps)

    def __getitem__(self, register: str) -> int:
        return self.registers[register]


@cache
def story() -> Crash:
    """The boot of the real log, which runs once.

    >>> story().run.outcome
    'panic'
    """
    return Crash(STORY)


def crash(draw: Random, config: Config = BOOT) -> Crash:
    """A boot with KASLR, a stack and a PUD table where `draw` puts them; by default with 4K pages and 48 bits.

    >>> crash(Random(1)).run.outcome, hex(crash(Random(1))["x2"])
    ('panic', '0x7')
    """
    k = config.constants
    phys_offset = -draw.randrange(0x100, 0x1_0000) * _GIB & MASK64
    stack = k.VMALLOC_START + draw.randrange(1 << 16) * k.THREAD_ALIGN
    copy = stack + draw.randrange(0x3400, 0x39F0, 16)  # where the calls leave it, near the upper end
    return Crash(Placement(phys_offset, copy, (RAM_BASE >> k.PAGE_SHIFT) + draw.randrange(0x200, 0x4000)), config)


def flags_after_cmp(left: int, right: int) -> str:
    """The flags that `cmp` leaves for two unsigned 64-bit values, as a report prints them: capital letters are set.

    >>> flags_after_cmp(5, 5), flags_after_cmp(6, 5), flags_after_cmp(5, 6)
    ('nZCv', 'nzCv', 'Nzcv')
    """
    result = left - right & MASK64
    signs = left >> 63, right >> 63, result >> 63
    flags = {"n": signs[2], "z": not result, "c": left >= right, "v": signs[0] != signs[1] and signs[0] != signs[2]}
    return "".join(name.upper() if is_set else name for name, is_set in flags.items())
