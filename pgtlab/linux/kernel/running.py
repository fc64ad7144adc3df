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
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

import numpy as np

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import ESR_EL1
from pgtlab.linux import headers, kernel
from pgtlab.linux.boot import Boot, BootError, NoBoot
from pgtlab.linux.kernel import (
    memblock,
    mmu,
    mmzone,
    pgtable,
    pgtable_nop4d,
    pgtable_nopmd,
    pgtable_nopud,
    printk,
    slab,
    sparse,
)
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.page import PAGE_DTYPE, Page
from pgtlab.linux.kernel.page_owner import PageOwner
from pgtlab.linux.kernel.report import Report, Run
from pgtlab.linux.kernel.stack import Frame, Stack
from pgtlab.linux.kernel.symbols import Symbol, functions_of, is_inline, is_leaf, is_of_folded_level
from pgtlab.linux.placement import ANYWHERE, RAM_BASE, Placement

# In place of a level that is folded at compile time, by the number of levels at which it is.
_FOLDED: Final = {pgtable_nop4d: 4, pgtable_nopud: 3, pgtable_nopmd: 2}
_NAMES = (file.name for file in iter_modules(kernel.__path__) if file.name != "running")
_LINKED = (import_module(f"{kernel.__name__}.{name}") for name in _NAMES)
_ALWAYS: Final = tuple(module for module in _LINKED if module not in _FOLDED)

STACKS_BEFORE = 15  # of the idle task, of kthreadd and its first threads, with a guard between any two

# How a kernel thread gets to an initcall, innermost first.
INIT_TRACE = ("do_one_initcall", "kernel_init_freeable", "kernel_init", "ret_from_fork")


class LivepatchError(ValueError):
    """A patch for a symbol that is not there, or that cannot be called."""


@dataclass(frozen=True)
class Task:
    """The current task."""

    comm: str = "swapper/0"
    pid: int = 1


class Kernel:
    """A booted kernel. Its functions are called through it by their names: `kernel.pud_offset(p4dp, addr)`.

    Parameters
    ----------
    boot : Boot
        What booting the configuration on a CPU gave.
    replaced : mapping of str to callable, optional
        Functions that stand in for the model's own, as a tree's commits do.
    seed : int or str
        Of the kernel's random numbers.
    placement : Placement
        Where things are that differ from boot to boot.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> kernel = Kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> kernel.run()
    Run(clean: 0 reports, 0 pages lost)
    """

    init_mm: MmStruct
    mem_section: int
    node_zones: tuple[mmzone.Zone, ...]
    protection_map: list[int]
    mmu: MMU

    def __init__(
        self,
        boot: Boot | NoBoot,
        replaced: Mapping[str, Symbol] | None = None,
        seed: int | str = 0,
        placement: Placement = ANYWHERE,
    ) -> None:
        if isinstance(boot, NoBoot):
            raise BootError(boot.reason)
        self.boot, self.placement = boot, placement
        self.replaced = dict(replaced or {})
        self.tree: object = None  # the `pgtlab.lab.Tree` that it was started from, where it was
        # page_owner, which the model always has, selects CONFIG_PAGE_EXTENSION.
        compiled = headers.compile_time(boot.config, page_extension=True)
        at_run_time = headers.run_time(
            compiled, vabits_actual=boot.vabits_actual, lpa2=boot.lpa2_is_enabled, ng=boot.kpti
        )
        self.constants = {**compiled, **at_run_time}
        self._link(boot, self.replaced)
        ram = placement.ram_size(boot)
        reserved = memblock.reserved(ram, self.PAGE_SHIFT)
        placement.check(boot, boot.config.constants)
        self.reserved_base = placement.reserved_base(boot, reserved)

        self.log = printk.Log()
        self.tainted: set[int] = set()
        self.debug_locks = True
        self.release = "6.9.0-pgtlab"
        self.current = Task()
        self.random = random.Random(seed)
        self.reports: list[Report] = []
        self.tests_run: dict[str, None] = {}  # by debug_vm_pgtable, in order

        self.memory = Memory(RAM_BASE, ram, self.PAGE_SHIFT)
        self.memstart_addr = placement.memstart_addr
        if placement.phys_offset is None:
            # A 52-bit linear map on fewer bits keeps PAGE_OFFSET and slides RAM up instead (arch/arm64/mm/init.c).
            self.memstart_addr -= (-1 << boot.vabits_actual) - (-1 << boot.config.va_bits)
        # Where the `struct page` of frame 0 would be: that of `memstart_addr` is at VMEMMAP_START.
        self.vmemmap = (
            self.VMEMMAP_START - (self.memstart_addr >> self.PAGE_SHIFT) * PAGE_DTYPE.itemsize & (1 << 64) - 1
        )
        self.memmap = np.zeros(ram >> self.PAGE_SHIFT, PAGE_DTYPE)
        self.memmap_words = self.memmap.view(np.uint64)
        self.early_pages = memblock.early_pages(self.PAGE_SHIFT, self.reserved_base)
        copy = placement.page_copy
        self.task_stack = (
            self.VMALLOC_START + STACKS_BEFORE * self.THREAD_ALIGN if copy is None else copy & -self.THREAD_SIZE
        )
        self.stack = Stack(INIT_TRACE[::-1], self._inline, self._leaf, self.task_stack + self.THREAD_SIZE)
        self.vmstat: Counter[str] = Counter()
        self.page_owner = PageOwner()
        self.pgd_cache = slab.KmemCache(self.PTRS_PER_PGD * pgtable.ENTRY_SIZE)
        self.poisoned: set[int] = set()  # frames that hold poison since they were freed
        self.preempt_count = 0  # how many spinlocks are held
        self.next_warn_alloc = 0.0  # microseconds
        mmzone.zone_sizes_init(self)
        mmu.paging_init(self)
        sparse.sparse_init(self)
        memblock.memblock_free_all(self)
        self.adjust_protection_map()
        self._say_features()

    def _link(self, boot: Boot, replaced: dict[str, Symbol]) -> None:
        """Make the symbol table, and put everything in it and every constant within reach by name."""
        self.symbols: dict[str, Symbol] = {}
        for module in (*_ALWAYS, *_folded_at_compile_time(boot)):
            self.symbols.update(functions_of(module))
        self._inline = {name for name, function in self.symbols.items() if is_inline(function)}
        self._leaf = {name for name, function in self.symbols.items() if is_leaf(function)}
        # A level folded at compile time has no code for a commit to change, but for what takes the code's place.
        folded = {name for module in _folded_at_compile_time(boot) for name in functions_of(module)}
        replaced = {name: f for name, f in replaced.items() if is_of_folded_level(f) == (name in folded)}
        self.symbols.update(replaced)
        self._as_booted = dict(self.symbols)
        vars(self).update(self.constants)
        vars(self).update({name: partial(self._call, name) for name in self.symbols})

    # Symbols and constants, by name.

    def __getitem__(self, name: str) -> int:
        return self.constants[name]  # those that Python cannot spell: k["sizeof(struct page)"]

    def __getattr__(self, name: str) -> Any:
        known = [*self.__dict__.get("symbols", ()), *self.__dict__.get("constants", ())]
        near = difflib.get_close_matches(name, known, n=1)
        raise AttributeError(f"this kernel has no symbol or constant {name}" + (f"; {near[0]}?" if near else ""))

    def _call(self, name: str, *args: Any) -> Any:
        frames = self.stack.frames
        frames.append(Frame(name))
        try:
            return self.symbols[name](self, *args)
        finally:
            frames.pop()

    def trace(self) -> tuple[str, ...]:
        """The chain of calls, innermost first, as an unwinder finds it; inlined functions leave no frame."""
        return self.stack.unwind()

    def hold(self, **registers: int) -> None:
        """Said by a kernel function: what the compiler has it keep in which registers, for an Oops to show."""
        self.stack.hold(registers)

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
            by_name = {it.name: None for it in called_with.values() if it.kind is it.KEYWORD_ONLY}
            by_place = [it for it in called_with.values() if it.kind not in (it.KEYWORD_ONLY, it.VAR_KEYWORD)]
            try:
                takes.bind(*by_place, **by_name)
            except TypeError as error:
                raise LivepatchError(
                    f"livepatch: the kernel calls {name}({', '.join(called_with)}), and the function in its place "
                    f"takes {takes}"
                ) from error
        self.symbols.update(functions)

    @property
    def patched(self) -> dict[str, Symbol]:
        """The functions that are not those that it booted with."""
        return {name: function for name, function in self.symbols.items() if function is not self._as_booted[name]}

    # Running.

    def run(self) -> Run:
        """Run the late initcalls, of which debug_vm_pgtable is the one that the model has."""
        before = {owner.pfn for owner in self.page_owner.owners()}
        depth, first = len(self.stack.frames), len(self.reports)
        try:
            self.debug_vm_pgtable()
            self.check_preempt_count("debug_vm_pgtable", 0)
            outcome = "report" if self.reports[first:] else "clean"
        except printk.Panic:
            outcome = "panic"
        finally:
            del self.stack.frames[depth:]
        lost = tuple(owner for owner in self.page_owner.owners() if owner.pfn not in before)
        return Run(
            outcome,
            tuple(self.reports[first:]),
            tuple(self.log.lines),
            lost,
            self.vmstat["nr_page_table_pages"],
            tuple(self.tests_run),
            tuple(name for name in self.symbols if name.endswith("_tests") and name not in self.tests_run),
        )

    def report(
        self,
        kind: str,
        *,
        text: str = "",
        page: Page | None = None,
        location: str = "",
        where: str = "",
        address: int | None = None,
        esr: ESR_EL1 | None = None,
    ) -> None:
        """Note what the kernel found wrong, with the state of the page, or of the registers, as it is now."""
        found = Report(kind, text or where, self.trace(), location=location)
        if page is not None:
            found = replace(
                found,
                text=text,
                pfn=page.pfn,
                mapcount=self.page_mapcount(page),
                page_type=page.page_type,
                raw=page.words(),
            )
        if esr is not None:
            found = replace(found, address=address, esr=int(esr), registers=self.stack.registers())
        self.reports.append(found)

    # Boot.

    def _say_features(self) -> None:
        if self.boot.has_va52:
            feature = "LPA2" if self.boot.lpa2_is_enabled else "LVA"
            self.log.printk(f"CPU features: detected: 52-bit Virtual Addressing ({feature})")

    def __repr__(self) -> str:
        return f"Kernel({self.boot.config!r} on {self.boot.cpu.name}, {self.boot.vabits_actual} bits)"


def _folded_at_compile_time(boot: Boot) -> tuple[ModuleType, ...]:
    return tuple(module for module, most in _FOLDED.items() if most >= boot.config.PGTABLE_LEVELS)
