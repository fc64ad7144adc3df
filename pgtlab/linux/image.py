"""An image of a machine's memory: opened from a file, and read with the registers of the machine.

`Image.open` recognises the format. Memory is mapped, not loaded, wherever the file has it as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pgtlab.arch.fault import Access
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.word import is_upper
from pgtlab.limits import quoted
from pgtlab.linux.address import as_address, is_number, parse_address
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.images import formats
from pgtlab.linux.images.contents import REGISTERS, Contents, ImageError
from pgtlab.linux.images.derive import DerivedMachine, Given, mmu_of, settle
from pgtlab.linux.kconfig import Config
from pgtlab.linux.ptdump.versions import OF_THE_MODEL, RANGES, places, version_in

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pgtlab.arch.tables.mappings import Mappings
    from pgtlab.arch.tables.tree import TableNode
    from pgtlab.arch.translations import Translations
    from pgtlab.arch.walk import Walk
    from pgtlab.linux.images.tasks import ImageTask
    from pgtlab.linux.ptdump import Line

__all__ = ["Image", "ImageError"]


@dataclass(frozen=True, eq=False)
class Image:
    """The memory of a machine at one moment, and the registers to read it with.

    Attributes
    ----------
    memory : Memory
        Physical memory, read-only.
    registers : mapping of str to int
        TCR_EL1, MAIR_EL1 and SCTLR_EL1, and of TTBR0_EL1, TTBR1_EL1 and the ID registers those that are known.
    config : Config or None
        The kernel, if the image is of an arm64 Linux.
    cpu : CPU or None
        The CPU that it ran on, or one on which it runs alike.
    kpti : bool
        Kernel page-table isolation was on, as far as the image shows.
    notes : tuple of str
        Notes for the reader: that an image is cut off, what was assumed.
    symbols : mapping of str to int
        Virtual addresses of the kernel's symbols, as far as the image has them.
    numbers : mapping of str to int
        The kernel's `NUMBER(...)`s, with `PAGESIZE` and `KERNELOFFSET`: what a VMCOREINFO note has.
    release : str or None
        What `uname -r` printed, if it is known: v4.4 to today print their tables in different ways.

    Examples
    --------
    >>> image = Image.open("tests/data/kernel/ptdump/4k-va48-max")
    >>> image
    Image(tests/data/kernel/ptdump/4k-va48-max: Config('4k', va_bits=48, pa_bits=48) on max)
    >>> print(image.translate(0xffff_8000_8000_0000))
    0xffff800080000000 read at EL1: upper range, 48 bits, 4K granule, TTBR1_EL1
      ...
    PA 0x40200000, Normal WB RWA, Inner Shareable
    """

    name: str
    memory: Memory
    registers: Mapping[str, int]
    config: Config | None = None
    cpu: CPU | None = None
    kpti: bool = False
    notes: tuple[str, ...] = ()
    symbols: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    release: str | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *others: str | os.PathLike[str],
        base: int | None = None,
        page_size: int | str | None = None,
        va_bits: int | None = None,
        pa_bits: int | None = None,
        cpu: CPU | str | None = None,
        release: str | None = None,
        pid: int | None = None,
        task: str | None = None,
        symbols: Mapping[str, int] | None = None,
        debug_info: str | os.PathLike[str] | None = None,
        **registers: int,
    ) -> Image:
        """Open an image, whatever its format.

        A file that has memory as it was is mapped: it must stay as it is while the image is used. If it becomes
        shorter, what reads the image after that raises ImageError.

        Parameters
        ----------
        path : path
            A folder with `tables.npz` and `regs.json`; an `.npz` that `save` wrote; an ELF core dump, from kdump,
            QEMU's `dump-guest-memory` or `/proc/kcore`; a compressed dump of makedumpfile's or QEMU's, which needs
            drgn; a file of LiME's or AVML's; text, `@address` and the words from there on; or `FILE@ADDRESS`, physical
            memory as it was. Any of them may be in `.gz`, `.bz2`, `.xz` or `.zst`.
        *others : path
            More files of the same machine, each `FILE@ADDRESS`.
        base : int, optional
            The physical address of the first byte of a file that is nothing but memory.
        page_size, va_bits, pa_bits : optional
            The kernel's configuration as in `Config`, where the image does not say it, or says it wrongly.
        cpu : CPU or str, optional
            The CPU, or the name of one.
        release : str, optional
            The kernel's version, or what `uname -r` prints, such as `4.4.302`.
        pid, task : optional
            The process whose tables TTBR0_EL1 shall lead to, by its number or by its name: it is found in the kernel's
            memory.
        symbols : mapping of str to int, optional
            Addresses of the kernel's symbols, which count before those in the image.
        debug_info : path, optional
            A vmlinux with debug information, where the image has no type information to find a process by.
        **registers : int
            `TCR_EL1`, `TTBR0_EL1`, `TTBR1_EL1`, `MAIR_EL1`, `SCTLR_EL1`, `TCR2_EL1`, `PIR_EL1`, `PIRE0_EL1`, those of
            EL2, `HCR_EL2`, `VTCR_EL2`, `VTTBR_EL2`, `PSTATE` and others of `REGISTERS`: they count before those in the
            image. With HCR_EL2.E2H = 1 the registers of EL2 are in force.

        Raises
        ------
        ImageError
            Where there is no such file, the format is not known, the file is damaged, or the way to read the tables is
            not known.
        OSError
            Where the file cannot be read at all.
        """
        for name, value in registers.items():
            if name not in REGISTERS:
                raise ImageError(f"{name} is not a register of an image, which has {', '.join(REGISTERS)}")
            if not 0 <= value < 1 << 64:
                raise ImageError(f"{name}={value:#x} is not a register's value: those have 64 bits")
        if release is not None and version_in(release) is None:
            raise ImageError(f"release {quoted(release)} does not begin with a version, as 6.9 and 4.4.302 do")
        given = Given(page_size, va_bits, pa_bits, CPU.named(cpu) if isinstance(cpu, str) else cpu, registers, release)
        contents, machine = settle(formats.read(os.fspath(path), [os.fspath(other) for other in others], base), given)
        image = cls.of(os.fspath(path), contents, machine)
        if symbols is not None:
            image = replace(image, symbols={**image.symbols, **symbols})
        image.mmu  # noqa: B018 - refuses registers that it cannot be made of
        return image if pid is None and task is None else image.of_process(pid, task, debug_info)

    @classmethod
    def of(cls, name: str, contents: Contents, machine: DerivedMachine) -> Image:
        """An image of what a file holds and what follows from it."""
        return cls(
            name,
            contents.memory,
            machine.registers,
            machine.config,
            machine.cpu,
            machine.kpti,
            machine.notes,
            contents.symbols,
            contents.numbers,
            machine.release,
        )

    def __repr__(self) -> str:
        kernel = f"{self.config!r} on {self.cpu.name}" if self.config and self.cpu else repr(self.mmu.tcr)
        return f"Image({self.name}: {kernel})"

    @cached_property
    def mmu(self) -> MMU:
        """The MMU of the machine, over the image's memory; a root that is not known is zero."""
        return mmu_of(self.memory, self.registers, self.cpu)

    @property
    def boot(self) -> Boot:
        """The kernel on its CPU.

        Raises
        ------
        ImageError
            Where the image is not of an arm64 Linux, or does not say of which.
        """
        if self.config is None or self.cpu is None:
            raise ImageError(
                f"{self.name} does not say which kernel it is of: give page_size and va_bits (--page-size, --va-bits)"
            )
        booted = boot(self.config, self.cpu, kpti=self.kpti)
        if isinstance(booted, NoBoot):
            raise ImageError(f"{self.name}: {booted.reason}; another CPU is to be given (--cpu)")
        return booted

    def tasks(self, debug_info: str | os.PathLike[str] | None = None) -> tuple[ImageTask, ...]:
        """The processes and threads of the kernel, from `init_task` on.

        Raises
        ------
        ImageError
            Where the image does not have the kernel's memory, or not what says how it is laid out: that is named.
        """
        from pgtlab.linux.images.tasks import tasks

        self._root(upper=True)
        vmlinux = None if debug_info is None else Path(debug_info)
        offset = self.numbers.get("KERNELOFFSET", 0)
        return tuple(tasks(self.mmu, self.symbols, debug_info=vmlinux, offset=offset))

    def of_process(
        self,
        pid: int | None = None,
        name: str | None = None,
        debug_info: str | os.PathLike[str] | None = None,
    ) -> Image:
        """The image with the TTBR0_EL1 of a process, by its number or its name.

        Raises
        ------
        ImageError
            Where there is no such process, or the name is that of several.
        """
        from pgtlab.linux.images.tasks import task_of

        task = task_of(self.tasks(debug_info), pid=pid, name=name)
        assert task.pgd is not None
        ttbr0 = task.pgd & (1 << 48) - 1 | task.pgd >> 48 << 2  # phys_to_ttbr()
        name_of_root = self.own_name("TTBR0_EL1")
        note = f"{name_of_root}={ttbr0:#x}: {task}"
        return replace(self, registers={**self.registers, name_of_root: ttbr0}, notes=(*self.notes, note))

    def pointer(self, va: int) -> int | None:
        """The address in a pointer that has an authentication code (PAC) in its upper bits, None where it has none.

        A code takes the bits above the address but bit 55, which still says whether the pointer is the kernel's.
        """
        r = self.mmu.va_range(va)
        top = ((1 << 64) - 1 >> r.input_bits << r.input_bits) & ((1 << 56) - 1 if r.tbi else (1 << 64) - 1)
        stripped = va | top if is_upper(va) else va & ~top
        return None if stripped == va else stripped

    @property
    def places(self) -> dict[str, int]:
        """What the image says about where the parts of the kernel's map of memory are."""
        where = {name: self.numbers[name] for name in RANGES if name in self.numbers}
        return where | {name: self.symbols[name] for name in ("swapper_pg_dir",) if name in self.symbols}

    def address(self, address: int | str) -> int:
        """An address given as a number, as one of the image's symbols, or as `parse_address` reads it.

        Raises
        ------
        AddressError
            Where it is none of these.
        ImageError
            Where it is a name, and the image does not say which kernel's.
        """
        if isinstance(address, str):
            if address in self.symbols:
                return self.symbols[address]
            if self.release and address in (
                where := places(version_in(self.release) or OF_THE_MODEL, self.boot, self.places)
            ):
                return where[address]
            if not is_number(address):
                return parse_address(address, self.boot)
        return as_address(address)

    def translate(self, va: int | str, access: Access = Access.READ, el: int | None = None) -> Walk:
        """Translate one address, a number or a name, as `MMU.translate` does, which documents the other arguments.

        Raises
        ------
        AddressError
            Where it is not an address or the name of one.
        ImageError
            Where the root of the address's range is not known, or a name's kernel.
        """
        va = self.address(va)
        self._root(upper=is_upper(va))
        return self.mmu.translate(va, access, el)

    def translate_many(self, vas: ArrayLike, access: Access = Access.READ, el: int | None = None) -> Translations:
        """Translate an array of addresses as `MMU.translate_many` does.

        Raises
        ------
        ImageError
            Where the root of a range is not known that any of the addresses is in.
        """
        from pgtlab.arch.translations import as_addresses

        addresses = as_addresses(vas)
        for upper in (False, True):
            if ((addresses >> 55 & 1) == upper).any():
                self._root(upper=upper)
        return self.mmu.translate_many(addresses, access, el)

    def tree(self, *, user: bool = False, progress: bool = False) -> TableNode | None:
        """The tables of the kernel, or with `user` those of the process: what `table_tree` makes of them.

        A table that several entries lead to is there once, and `again` elsewhere.

        Raises
        ------
        ImageError
            Where the root of the range is not known, or there are more entries than memory should be filled with.
        """
        from pgtlab.arch.tables.tree import TreeTooLarge, table_tree

        self._root(upper=not user)
        try:
            return table_tree(self.mmu, upper=not user, once=True, progress=progress)
        except TreeTooLarge as error:
            raise ImageError(f"{self.name}: {error}") from None

    def mappings(self, *, user: bool = False, progress: bool = False) -> Mappings:
        """All that the kernel's tables map, or with `user` the process's, as an array of `MAPPING`.

        Neighbours that continue each other, with the same attributes, are one element.

        Raises
        ------
        ImageError
            Where the root of the range is not known, or there are more mappings than memory should be filled with.
        """
        from pgtlab.arch.tables.mappings import TooManyMappings, mapping_table

        self._root(upper=not user)
        try:
            return mapping_table(self.mmu, upper=not user, progress=progress)
        except TooManyMappings as error:
            raise ImageError(f"{self.name}: {error}") from None

    def ptdump(self, *, user: bool = False, progress: bool = False, pa: bool = False) -> Iterator[Line]:
        """The lines of `/sys/kernel/debug/kernel_page_tables`, as the kernel of the image would print them.

        Each is a `Region` or a `Marker`, whose `str` is the line; with `user` they are of the process. With `pa` a
        region has its physical address too, and ends where those do not go on.

        Raises
        ------
        ImageError
            Where the root of the range is not known, or not which kernel it is.
        PtdumpError
            Where the registers are not that kernel's.
        """
        from pgtlab.linux.ptdump import ptdump

        self._root(upper=not user)
        return ptdump(
            self.mmu, self.boot, user=user, progress=progress, pa=pa, release=self.release, numbers=self.places
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tables and the registers to an `.npz` that `open` reads: all that translation needs.

        Raises
        ------
        OSError
            Where the file cannot be written.
        """
        from pgtlab.linux.images import npz

        if self.mmu.stage2 is not None:
            raise ImageError(
                f"{self.name}: HCR_EL2.VM=1: an image with a guest's tables and those of stage 2 is not saved"
            )
        npz.write(Path(path), self)

    def own_name(self, register: str) -> str:
        """The register that counts in place of one of EL1: the same, or that of EL2 for a kernel in EL2.

        >>> Image.open("tests/data/kernel/ptdump/4k-va48-max").own_name("TCR_EL1")
        'TCR_EL1'
        """
        return register.replace("_EL1", "_EL2") if self.mmu.host else register

    def _root(self, *, upper: bool) -> None:
        """`ImageError` if it is not known where the tables of a range begin."""
        name = self.own_name("TTBR1_EL1" if upper else "TTBR0_EL1")
        if name not in self.registers:
            whose = "kernel" if upper else "process"
            raise ImageError(
                f"{self.name} does not say where the tables of the {whose} are: give {name} (--{name[:5].lower()})"
            )
