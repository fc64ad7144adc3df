"""A running kernel: memory, the memmap, the symbol table and the log.

What changes while a kernel runs is here; what it does is in the modules named after the kernel's files, as plain
functions over a `Kernel`, which calls each of them by name.
"""

from __future__ import annotations

import difflib
import inspect
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pgtlab.arch.memory import Memory
from pgtlab.linux import (
    debug,
    debug_vm_pgtable,
    linear_map,
    memory,
    mm,
    page_alloc,
    page_flags,
    pgalloc,
    pgtable,
    pgtable_nop4d,
    pgtable_nopmd,
    pgtable_nopud,
    printk,
    slab,
)
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.mmzone import Zone
from pgtlab.linux.page import PAGE_DTYPE, Page
from pgtlab.linux.page_flags import PG_reserved
from pgtlab.linux.page_owner import Owner, PageOwner
from pgtlab.linux.symbols import Symbol, functions_of, is_inline

_ALWAYS = (linear_map, printk, page_flags, page_alloc, slab, debug, pgtable, pgalloc, memory, mm, debug_vm_pgtable)

RAM_BASE, RAM_SIZE = 0x4000_0000, 128 << 20  # QEMU's `virt` with -m 128, as the recorded boots
RESERVED = 10 << 20  # the image, the initrd and the memmap, at the start of RAM

# How a kernel thread gets to an initcall, innermost first.
INIT_TRACE = ("do_one_initcall", "kernel_init_freeable", "kernel_init", "ret_from_fork")


class LivepatchError(ValueError):
    """A patch for a symbol that is not there, or that cannot be called."""


@dataclass(frozen=True)
class Task:
    """The current task."""

    comm: str = "swapper/0"
    pid: int = 1


@dataclass(frozen=True)
class Report:
    """Something that the kernel found wrong, as it stood when it was found.

    `kind` is `Bad page state`, `WARNING`, `BUG`, `Oops` or `Bad mm`; `text` is the reason in its words. Where a
    page is concerned, `raw` are the eight words of its `struct page`, with what they mean beside them.
    """

    kind: str
    text: str
    trace: tuple[str, ...]
    pfn: int | None = None
    mapcount: int | None = None
    page_type: int | None = None
    raw: tuple[int, ...] = ()
    location: str = ""

    def as_dict(self) -> dict[str, object]:
        """The report as plain data."""
        report: dict[str, object] = {"kind": self.kind, "text": self.text, "trace": list(self.trace)}
        if self.page_type is not None:
            report |= {
                "pfn": self.pfn,
                "mapcount": self.mapcount,
                "page_type": f"{self.page_type:#x}",
                "raw": [f"{word:016x}" for word in self.raw],
            }
        return report


@dataclass(frozen=True)
class Run:
    """How running the initcalls went.

    Attributes
    ----------
    outcome : str
        `clean`, `report` or `panic`; `no boot` where there was nothing to run.
    reports : tuple of Report
        What the kernel found wrong, in order.
    dmesg : tuple of str
        The log.
    lost : tuple of Owner
        Pages allocated during the run and never given back, by page_owner.
    nr_page_table_pages : int
        What the run left in that counter: 0 when every constructor met its destructor.
    """

    outcome: str
    reports: tuple[Report, ...] = ()
    dmesg: tuple[str, ...] = ()
    lost: tuple[Owner, ...] = ()
    nr_page_table_pages: int = 0

    def __str__(self) -> str:
        return "\n".join(self.dmesg)

    def as_dict(self) -> dict[str, object]:
        """The run as plain data, as `pgtlab debug-vm-pgtable --json` prints it."""
        return {
            "outcome": self.outcome,
            "reports": [report.as_dict() for report in self.reports],
            "lost": [{"pfn": o.pfn, "order": o.order, "trace": list(o.trace)} for o in self.lost],
            "nr_page_table_pages": self.nr_page_table_pages,
            "dmesg": list(self.dmesg),
        }

    def __repr__(self) -> str:
        return f"Run({self.outcome}: {len(self.reports)} reports, {len(self.lost)} pages lost)"


class Kernel:
    """A booted kernel. Its functions are called through it by their names: `kernel.pud_offset(p4dp, addr)`.

    Parameters
    ----------
    boot : Boot
        What booting the configuration on a CPU gave.
    replaced : mapping of str to callable, optional
        Functions that stand in for the model's own, as a tree's commits do.
    seed : int
        Of the kernel's random numbers.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> kernel = Kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> kernel.run()
    Run(clean: 0 reports, 0 pages lost)
    """

    def __init__(self, boot: Boot | NoBoot, replaced: Mapping[str, Symbol] | None = None, seed: int = 0) -> None:
        if isinstance(boot, NoBoot):
            raise ValueError(boot.reason)
        self.boot = boot
        self.constants = {**boot.config.constants, **boot.constants}
        self.symbols: dict[str, Symbol] = {}
        for module in (*_ALWAYS, *_folded_at_compile_time(boot)):
            self.symbols.update(functions_of(module))
        self._inline = {name for name, function in self.symbols.items() if is_inline(function)}
        overridden = {} if replaced is None else dict(replaced)
        for module in _folded_at_compile_time(boot):
            # A level folded at compile time has no code for a commit to change.
            for name in functions_of(module):
                overridden.pop(name, None)
        self.symbols.update(overridden)
        self._as_booted = dict(self.symbols)
        vars(self).update(self.constants)
        vars(self).update({name: partial(self._call, name) for name in self.symbols})

        self.log = printk.Log()
        self.tainted: set[int] = set()
        self.debug_locks = True
        self.release = "6.9.0-pgtlab"
        self.current = Task()
        self.random = random.Random(seed)
        self.reports: list[Report] = []
        self._stack: list[str] = list(reversed(INIT_TRACE))

        page_shift = boot.config.granule.shift
        self.memory = Memory(RAM_BASE, RAM_SIZE, page_shift)
        # A 52-bit linear map on fewer bits keeps PAGE_OFFSET and slides RAM up instead (arch/arm64/mm/init.c).
        self.memstart_addr = RAM_BASE - ((-1 << boot.vabits_actual) - (-1 << boot.config.va_bits))
        self.vmstat: Counter[str] = Counter()
        self.page_owner = PageOwner()
        self.pgd_cache = slab.KmemCache(self.PTRS_PER_PGD * pgtable.ENTRY_SIZE)
        self.zone = Zone(self.MAX_PAGE_ORDER)
        self.memmap = np.zeros(RAM_SIZE >> page_shift, PAGE_DTYPE)
        self._memblock_free_all()
        self._say_features()

    # Symbols and constants, by name.

    def __getattr__(self, name: str) -> Any:
        known = [*self.__dict__.get("symbols", ()), *self.__dict__.get("constants", ())]
        near = difflib.get_close_matches(name, known, n=1)
        raise AttributeError(f"this kernel has no symbol or constant {name}" + (f"; {near[0]}?" if near else ""))

    def _call(self, name: str, *args: Any) -> Any:
        self._stack.append(name)
        try:
            return self.symbols[name](self, *args)
        finally:
            self._stack.pop()

    def trace(self) -> tuple[str, ...]:
        """The chain of calls, innermost first; inlined functions leave no frame."""
        return tuple(name for name in reversed(self._stack) if name not in self._inline)

    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first: `livepatch(pud_free=mine)`.

        Raises
        ------
        LivepatchError
            Where the kernel has no such symbol, or the replacement cannot be called.
        """
        for name, function in functions.items():
            if name not in self.symbols:
                near = difflib.get_close_matches(name, self.symbols, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise LivepatchError(f"livepatch: this kernel has no function {name}{hint}")
            if not callable(function):
                raise LivepatchError(f"livepatch: {name}={function!r} is not a function of (k, ...)")
            called_with, takes = inspect.signature(self._as_booted[name]).parameters, inspect.signature(function)
            try:
                takes.bind(*called_with)
            except TypeError as error:
                raise LivepatchError(
                    f"livepatch: the kernel calls {name}({', '.join(called_with)}), and the function in its place "
                    f"takes {takes}"
                ) from error
        self.symbols.update(functions)

    # Running.

    def run(self) -> Run:
        """Run the late initcalls, of which debug_vm_pgtable is the one that the model has."""
        before = {owner.pfn for owner in self.page_owner.owners()}
        depth, first = len(self._stack), len(self.reports)
        try:
            self.debug_vm_pgtable()
            outcome = "report" if self.reports[first:] else "clean"
        except printk.Panic:
            outcome = "panic"
        finally:
            del self._stack[depth:]
        lost = tuple(owner for owner in self.page_owner.owners() if owner.pfn not in before)
        return Run(
            outcome,
            tuple(self.reports[first:]),
            tuple(self.log.lines),
            lost,
            self.vmstat["nr_page_table_pages"],
        )

    def report(
        self, kind: str, *, text: str = "", page: Page | None = None, location: str = "", where: str = ""
    ) -> None:
        """Note what the kernel found wrong, with the state of the page as it is now."""
        found = Report(kind, text or where, self.trace(), location=location)
        if page is not None:
            found = Report(
                kind,
                text,
                self.trace(),
                pfn=page.pfn,
                mapcount=debug.page_mapcount(page),
                page_type=page.page_type,
                raw=page.words(),
                location=location,
            )
        self.reports.append(found)

    # Boot.

    def _memblock_free_all(self) -> None:
        """Set up every `struct page`, and give all RAM that is not reserved to the buddy allocator."""
        self.memmap["page_type"] = 0xFFFFFFFF
        first = RAM_BASE >> self.PAGE_SHIFT
        free, end = (RAM_BASE + RESERVED) >> self.PAGE_SHIFT, (RAM_BASE + RAM_SIZE) >> self.PAGE_SHIFT
        self.memmap["flags"][: free - first] = PG_reserved
        self.memmap["_refcount"][: free - first] = 1
        blocks = []
        while free < end:
            order = min(self.MAX_PAGE_ORDER, (free & -free).bit_length() - 1, (end - free).bit_length() - 1)
            blocks.append((free, order))
            free += 1 << order
        for pfn, order in reversed(blocks):  # so that the lowest block is the first to be taken
            getattr(self, "__add_to_free_list")(self.pfn_to_page(pfn), order)

    def _say_features(self) -> None:
        if self.boot.has_va52:
            feature = "LPA2" if self.boot.lpa2_is_enabled else "LVA"
            self.log.printk(f"CPU features: detected: 52-bit Virtual Addressing ({feature})")

    def __repr__(self) -> str:
        return f"Kernel({self.boot.config!r} on {self.boot.cpu.name}, {self.boot.vabits_actual} bits)"


def _folded_at_compile_time(boot: Boot) -> tuple[Any, ...]:
    levels = boot.config.PGTABLE_LEVELS
    modules: tuple[tuple[int, Any], ...] = ((4, pgtable_nop4d), (3, pgtable_nopud), (2, pgtable_nopmd))
    return tuple(module for most, module in modules if levels <= most)
