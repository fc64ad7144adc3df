"""A running kernel: memory, the memmap, the symbol table and the log.

The state of a kernel is here. Its functions are in the modules named after the kernel's files, as plain functions over
a `Kernel`, which calls each of them by name.
"""

from __future__ import annotations

import difflib
import inspect
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import ESR_EL1
from pgtlab.arch.word import MASK64
from pgtlab.limits import quoted
from pgtlab.linux import headers
from pgtlab.linux.boot import Boot, BootError, NoBoot
from pgtlab.linux.kernel import memblock, mmu, mmzone, pgtable, printk, slab, sparse, vmlinux
from pgtlab.linux.kernel.functions import KernelFunctions
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.page import PAGE_DTYPE, Page
from pgtlab.linux.kernel.page_owner import PageOwner
from pgtlab.linux.kernel.report import Report, Run
from pgtlab.linux.kernel.stack import Stack
from pgtlab.linux.kernel.symbols import Symbol, through_kernel
from pgtlab.linux.placement import ANYWHERE, RAM_BASE, Placement

STACKS_BEFORE = 15  # stacks below that of init, THREAD_ALIGN apart: of the idle task, kthreadd and its first threads

# How a kernel thread gets to an initcall, innermost first.
INIT_TRACE = ("do_one_initcall", "kernel_init_freeable", "kernel_init", "ret_from_fork")


class LivepatchError(ValueError):
    """A patch for a function that the kernel does not have, or with something that cannot be called in its place."""


@dataclass(frozen=True)
class Task:
    """The task that runs, as reports name it: its command name and process ID."""

    comm: str = "swapper/0"
    pid: int = 1


class Kernel(KernelFunctions):
    """A booted kernel. Its functions are called through it by their names: `kernel.pud_offset(p4dp, addr)`.

    Parameters
    ----------
    boot : Boot
        The result of booting a configuration on a CPU.
    replaced : mapping of str to callable, optional
        Functions to use instead of the model's own, as a tree's commits give them.
    seed : int or str
        The seed of the kernel's random numbers.
    placement : Placement
        Addresses that differ from boot to boot.

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
    tramp_pg_dir: int  # with kernel page-table isolation

    def __init__(
        self,
        boot: Boot | NoBoot,
        replaced: Mapping[str, Symbol] | None = None,
        seed: int | str = 0,
        placement: Placement = ANYWHERE,
    ) -> None:
        if isinstance(boot, NoBoot):
            raise BootError(boot.reason)
        placement.check(boot, boot.config.constants)
        self.boot, self.placement = boot, placement
        self.replaced = dict(replaced or {})
        self.tree: object = None  # the `pgtlab.lab.Tree` that started it, if one did
        self.release = f"{self.boot.config.linux or '6.9'}.0-pgtlab"
        self.current = Task()
        self.random = random.Random(seed)
        self._link()
        self._keep_records()
        self._find_memory()
        self._enter_init()
        self._start()

    def _link(self) -> None:
        """Make the symbol table, and every function in it and every constant an attribute of the kernel."""
        # page_owner, which the model always has, selects CONFIG_PAGE_EXTENSION.
        compiled = headers.compile_time({**self.boot.config.symbols, "CONFIG_PAGE_EXTENSION": 1})
        at_run_time = headers.run_time(
            compiled,
            vabits_actual=self.boot.vabits_actual,
            lpa2=self.boot.lpa2_is_enabled,
            ng=self.boot.use_ng_mappings,
        )
        self.constants = {**compiled, **at_run_time}
        self._as_booted = vmlinux.link(self.boot.config.PGTABLE_LEVELS, self.replaced)
        self.symbols = dict(self._as_booted)
        vars(self).update(self.constants)
        for name, function in vmlinux.callable_through(self._as_booted):
            vars(self)[name] = MethodType(function, self)

    def _keep_records(self) -> None:
        """Make the empty records of a run: the log, the reports, taints, counters and page owners."""
        self.log = printk.Log()
        self.tainted: set[int] = set()
        self.debug_locks = True
        self.reports: list[Report] = []
        self.tests_run: dict[str, None] = {}  # by debug_vm_pgtable, in order
        self.vmstat: Counter[str] = Counter()
        self.page_owner = PageOwner()
        self.poisoned: set[int] = set()  # frames that hold poison since they were freed
        self.preempt_count = 0  # how many spinlocks are held
        self.next_warn_alloc = 0.0  # microseconds

    def _find_memory(self) -> None:
        """Place RAM, the linear map and the memmap."""
        ram = self.placement.ram_size(self.boot)
        self.reserved_base = self.placement.reserved_base(self.boot, memblock.reserved(ram, self.PAGE_SHIFT))
        self.memory = Memory(RAM_BASE, ram, self.PAGE_SHIFT)
        self.memstart_addr = self.placement.memstart_addr
        if self.placement.phys_offset is None:
            # A 52-bit linear map on fewer bits keeps PAGE_OFFSET and slides RAM up instead (arch/arm64/mm/init.c).
            self.memstart_addr -= (-1 << self.boot.vabits_actual) - (-1 << self.boot.config.va_bits)
        # Where the `struct page` of frame 0 would be: that of `memstart_addr` is at VMEMMAP_START.
        self.vmemmap = self.VMEMMAP_START - (self.memstart_addr >> self.PAGE_SHIFT) * PAGE_DTYPE.itemsize & MASK64
        self.memmap = np.zeros(ram >> self.PAGE_SHIFT, PAGE_DTYPE)
        self.memmap_words = self.memmap.view(np.uint64)
        self.early_pages = memblock.early_pages(self.PAGE_SHIFT, self.reserved_base)

    def _enter_init(self) -> None:
        """Make the stack of the task that runs the initcalls."""
        copy = self.placement.page_copy
        self.task_stack = (
            self.VMALLOC_START + STACKS_BEFORE * self.THREAD_ALIGN if copy is None else copy & -self.THREAD_SIZE
        )
        inline, leaf = vmlinux.without_frames(self.boot.config.PGTABLE_LEVELS)
        self.stack = Stack(INIT_TRACE[::-1], inline, leaf, self.task_stack + self.THREAD_SIZE)

    def _start(self) -> None:
        """Do what the kernel does before its initcalls, in the same order."""
        self.pgd_cache = slab.KmemCache(self.PTRS_PER_PGD * pgtable.ENTRY_SIZE)
        mmzone.zone_sizes_init(self)
        mmu.paging_init(self)
        sparse.sparse_init(self)
        memblock.memblock_free_all(self)
        self.adjust_protection_map()
        self._print_features()

    # Symbols and constants, by name.

    def __getitem__(self, name: str) -> int:
        return self.constants[name]  # for names that are not identifiers: k["sizeof(struct page)"]

    if not TYPE_CHECKING:  # a type checker knows every name from functions.pyi, and refuses others

        def __getattr__(self, name: str) -> Any:
            known = [*self.__dict__.get("symbols", ()), *self.__dict__.get("constants", ())]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise AttributeError(f"this kernel has no symbol or constant {name}{hint}")

    def trace(self) -> tuple[str, ...]:
        """The call trace, innermost function first, as an unwinder finds it; inlined functions have no frame."""
        return self.stack.unwind()

    def hold(self, **registers: int) -> None:
        """Note, from a kernel function, which values the compiler keeps in which registers, for an Oops to print."""
        self.stack.hold(registers)

    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first: `livepatch(pud_free=my_pud_free)`.

        Raises
        ------
        LivepatchError
            If the kernel has no function of that name, or the replacement cannot be called in its place.
        """
        for name, function in functions.items():
            if name not in self.symbols:
                near = difflib.get_close_matches(name, self.symbols, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise LivepatchError(f"livepatch: this kernel has no function {name}{hint}")
            if not callable(function):
                raise LivepatchError(f"livepatch: {name}={quoted(function)} is not a function of (k, ...)")
            called_with = inspect.signature(self._as_booted[name]).parameters
            try:
                takes = inspect.signature(function)
            except KeyboardInterrupt:
                raise
            except BaseException:  # some built-in functions have none, and an object's own methods may raise anything
                raise LivepatchError(
                    f"livepatch: {name}=... does not say what parameters it takes: give a function of (k, ...)"
                ) from None
            by_name = {p.name: None for p in called_with.values() if p.kind is p.KEYWORD_ONLY}
            by_place = [p for p in called_with.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
            try:
                takes.bind(*by_place, **by_name)
            except TypeError as error:
                raise LivepatchError(
                    f"livepatch: the kernel calls {name}({', '.join(called_with)}), and the function in its place "
                    f"takes {takes}"
                ) from error
        self.symbols.update(functions)
        for name, function in functions.items():
            vars(self)[name] = MethodType(through_kernel(name, function), self)

    @property
    def patched(self) -> dict[str, Symbol]:
        """The functions that were replaced since the kernel booted, by name."""
        return {name: function for name, function in self.symbols.items() if function is not self._as_booted[name]}

    # Running.

    def run(self) -> Run:
        """Run the late initcalls, of which the model has one: debug_vm_pgtable."""
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
        """Record what the kernel found wrong, with the present state of the page or the registers."""
        report = Report(kind, text or where, self.trace(), location=location)
        if page is not None:
            report = replace(
                report,
                text=text,
                pfn=page.pfn,
                mapcount=self.page_mapcount(page),
                page_type=page.page_type,
                raw=page.words(),
            )
        if esr is not None:
            report = replace(report, address=address, esr=int(esr), registers=self.stack.registers())
        self.reports.append(report)

    # Boot.

    def _print_features(self) -> None:
        if self.boot.has_va52:
            feature = "LPA2" if self.boot.lpa2_is_enabled else "LVA"
            self.log.printk(f"CPU features: detected: 52-bit Virtual Addressing ({feature})")

    def __repr__(self) -> str:
        return f"Kernel({self.boot.config!r} on {self.boot.cpu.name}, {self.boot.vabits_actual} bits)"
