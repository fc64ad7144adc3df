"""From what an image says to the registers that its tables are read with.

What the image does not say is taken from the caller, then derived: TCR_EL1 from the kernel's configuration and the
CPU (as boot makes it), TTBR1_EL1 from where `swapper_pg_dir` is, the configuration from VMCOREINFO or from TCR_EL1.
A kernel's own addresses test the result: `swapper_pg_dir` must translate to where VMCOREINFO says it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.granule import GRANULES
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import (
    ID_AA64MMFR0_EL1,
    ID_AA64MMFR1_EL1,
    ID_AA64MMFR2_EL1,
    MAIR_EL1,
    SCTLR_EL1,
    TCR_EL1,
    PARange,
)
from pgtlab.arch.tables.columns import first_mapped
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.regime import by_own_names, in_force, mmu_by, pa_range_of, regime_notes, runs_in_el2
from pgtlab.linux.images.vmcoreinfo import VmcoreInfo, add
from pgtlab.linux.kconfig import PAGE_SIZES, VA_BITS_CHOICES, Config, ConfigError, parse_page_size
from pgtlab.linux.ptdump.versions import modelled, version_in
from pgtlab.linux.registers import MAIR_EL1_SET
from pgtlab.linux.version import HEADERS_OF_THE_MODEL

#: What an arm64 Linux runs with: translation and caches on; memory types as in `arch/arm64/mm/proc.S`, v6.12 and v5.4.
SCTLR: Final = SCTLR_EL1(M=1, C=1, I=1)
MAIR_OF_5_10: Final = MAIR_EL1(Attr0=0xFF, Attr1=0xFF, Attr2=0x44, Attr3=0xBB, Attr4=0x00, Attr5=0x04, Attr6=0x0C)
OLD_MAIR: Final = MAIR_EL1(Attr0=0x00, Attr1=0x04, Attr2=0x0C, Attr3=0x44, Attr4=0xFF, Attr5=0xBB, Attr6=0xFF)


@dataclass(frozen=True)
class Given:
    """What the caller says about an image; None leaves it to the image."""

    page_size: int | str | None = None
    va_bits: int | None = None
    pa_bits: int | None = None
    cpu: CPU | None = None
    registers: Mapping[str, int] = field(default_factory=dict)
    release: str | None = None

    @property
    def enough(self) -> bool:
        """Whether tables can be read with no more than this: how they are written, and where one begins."""
        sizes = self.page_size is not None and self.va_bits is not None
        counting = in_force(self.registers).keys()
        return (sizes or "TCR_EL1" in counting) and bool({"TTBR0_EL1", "TTBR1_EL1"} & counting)


@dataclass(frozen=True)
class DerivedMachine:
    """The registers and the kernel that follow from an image; TCR_EL1 is always there, the roots if they are known."""

    registers: Mapping[str, int]
    config: Config | None
    cpu: CPU | None
    kpti: bool
    notes: tuple[str, ...]
    release: str | None = None
    agrees: bool | None = None  # the tables map swapper_pg_dir where VMCOREINFO says it is; None if it says nothing


def settle(contents: Contents, given: Given) -> tuple[Contents, DerivedMachine]:
    """The contents with the VMCOREINFO that its tables agree with, and what follows from them.

    A dump may have several: those of the kernel before kexec, and of a crash kernel that waits in memory. If no table
    agrees with any, the first counts.

    Raises
    ------
    ImageError
        As from `derive`.
    """
    if contents.numbers or (given.enough and not contents.infos):
        return contents, derive(contents, given)
    first: tuple[Contents, DerivedMachine] | None = None
    refused: ImageError | None = None
    for info, note in _infos(contents):
        notes: tuple[str, ...] = (note,) if note else ()
        if first is not None or refused is not None:
            notes += (_ANOTHER,)
        candidate = add(contents, info, *notes)
        try:
            machine = derive(candidate, given)
        except ImageError as error:
            refused = refused or error
            continue
        if machine.agrees is not False:
            return candidate, machine
        first = first or (candidate, machine)
    if first is not None:
        return first
    if refused is not None:
        raise refused
    return contents, derive(contents, given)


_ANOTHER: Final = "the first VMCOREINFO is not of the kernel whose tables are in memory: another one is, and counts"


def _infos(contents: Contents) -> Iterator[tuple[VmcoreInfo, str]]:
    """Each VMCOREINFO once, those in the memory of a kernel last and with a note."""
    for info in contents.infos:
        yield info, ""
    seen = list(contents.infos)
    for info in contents.search():
        if info not in seen:
            seen.append(info)
            yield info, "VMCOREINFO found in the kernel's own memory"


def derive(contents: Contents, given: Given) -> DerivedMachine:
    """All that follows from `contents` and `given`.

    Raises
    ------
    ImageError
        Where the page size or the size of addresses is not known, or no legal kernel has these values.
    """
    registers = {**contents.registers, **given.registers}
    machine = _derive(contents, given, registers)
    return replace(machine, notes=(*regime_notes(registers), *machine.notes))


def _derive(contents: Contents, given: Given, registers: dict[str, int]) -> DerivedMachine:
    if runs_in_el2(registers):
        # What follows is the same for a kernel in EL2, whose registers of EL2 are laid out as those of EL1.
        counting = in_force(registers)
        machine = _derive(replace(contents, registers=counting), replace(given, registers={}), counting)
        named = by_own_names(machine.registers, registers)
        return replace(machine, registers=named)
    if "TCR_EL1" in registers:
        config = _said_config(contents, given) or config_of(TCR_EL1(registers["TCR_EL1"]))
        return _as_the_tables_say(contents, _machine(contents, given, registers, config))
    candidates = list(_candidates(contents, given, registers))
    best = max(_evidence(contents, machine) for machine in candidates)
    likeliest = [machine for machine in candidates if _evidence(contents, machine) == best]
    if len({machine.config for machine in likeliest}) > 1:
        raise ImageError("the image does not say its kernel's page size: give page_size (--page-size 4k, 16k or 64k)")
    machine = likeliest[0]
    if _symbol(contents) is not None:
        machine = replace(machine, agrees=best >= _MAPS_ITSELF)
    if machine.agrees is False:
        note = "the tables do not map swapper_pg_dir where the kernel says it is: are they all in the image?"
        machine = replace(machine, notes=(*machine.notes, note))
    return _as_the_tables_say(contents, machine)


def mmu_of(memory: Memory, registers: Mapping[str, int], cpu: CPU | None) -> MMU:
    """The MMU that reads `memory` with these registers, with zero for a root that is not known.

    Raises
    ------
    ImageError
        Where the registers ask for what the model leaves out.
    """
    mmfr0 = registers.get("ID_AA64MMFR0_EL1", cpu.mmfr0.value if cpu else int(PARange.PA52))
    return mmu_by(memory, registers, pa_range_of(mmfr0), MAIR_EL1_SET)


def config_of(tcr: TCR_EL1) -> Config | None:
    """The configuration whose kernel would write this TCR_EL1; None where no kernel would.

    A kernel built for 52 bits that runs with fewer cannot be told from one built for fewer, and is taken for that.

    >>> config_of(TCR_EL1(0x10001B5B5503510)), config_of(TCR_EL1(T1SZ=30, TG1=2))
    (Config('4k', va_bits=48, pa_bits=48), None)
    """
    granule = next((granule for granule in GRANULES if granule.tg1 == tcr.TG1), None)
    if granule is None:
        return None
    wide = tcr.IPS == PARange.PA52 and (granule.shift == 16 or tcr.DS)
    try:
        return Config(granule.size, 64 - tcr.T1SZ, 52 if wide else None)
    except ConfigError:
        return None


def _said_config(contents: Contents, given: Given) -> Config | None:
    """The configuration that the caller states, or else the image."""
    page_size, va_bits, pa_bits = _sizes(contents, given)
    if page_size is None or va_bits is None:
        return None
    return _config(page_size, va_bits, pa_bits, contents, given)


def _sizes(contents: Contents, given: Given) -> tuple[int | None, int | None, int | None]:
    """Page size, VA_BITS and PA_BITS, each if it is stated."""
    numbers, config = contents.numbers, contents.config
    page_size = config.page_size if config else numbers.get("PAGESIZE")
    if given.page_size is not None:
        page_size = parse_page_size(given.page_size)
    va_bits = given.va_bits or (config.va_bits if config else numbers.get("VA_BITS"))
    pa_bits = given.pa_bits
    if pa_bits is None and given.page_size is None and given.va_bits is None:
        if config is not None:
            pa_bits = config.pa_bits
        elif page_size == PAGE_SIZES["64k"]:  # elsewhere it is what the CPU can do, and PA_BITS follows VA_BITS
            pa_bits = numbers.get("MAX_PHYSMEM_BITS")
    return page_size, va_bits, pa_bits


def _linux(given: Given, contents: Contents) -> str:
    """The version whose headers count, as `Config` names it; empty for those of the model."""
    if contents.config is not None and not given.release:
        return contents.config.linux
    version = modelled(version_in(given.release or contents.osrelease))
    return "" if version in (None, HEADERS_OF_THE_MODEL) else str(version)


def _config(page_size: int, va_bits: int, pa_bits: int | None, contents: Contents, given: Given) -> Config:
    options: dict[str, Any] = dict(contents.config.options) if contents.config else {}
    with suppress(ConfigError):  # as of a vendor that took 52 bits from a later version
        return Config(page_size, va_bits, pa_bits, linux=_linux(given, contents), **options)
    try:
        return Config(page_size, va_bits, pa_bits, **options)
    except ConfigError as error:
        raise ImageError(f"no arm64 kernel is what the image says it is: {error}") from None


def _candidates(contents: Contents, given: Given, registers: dict[str, int]) -> Iterator[DerivedMachine]:
    """The machines that the image may come from, the likeliest first."""
    page_size, va_bits, pa_bits = _sizes(contents, given)
    if va_bits is None:
        raise ImageError(
            "the image has no TCR_EL1 and does not name its kernel: give page_size and va_bits (--page-size 4k "
            "--va-bits 48), or TCR_EL1 (--tcr)"
        )
    if page_size is not None:
        configs = [_config(page_size, va_bits, pa_bits, contents, given)]
    else:
        configs = [Config(size, va_bits) for size in PAGE_SIZES.values() if _is_legal(size, va_bits)]
        if not configs:
            raise ImageError(f"VA_BITS={va_bits}: arm64 kernels have {', '.join(map(str, VA_BITS_CHOICES))}")
    for config in configs:
        cpu = given.cpu or contents.cpu or cpu_for(config, contents.numbers.get("TCR_EL1_T1SZ"))
        booted = boot(config, cpu)
        if isinstance(booted, NoBoot):
            raise ImageError(booted.reason)
        tcr = booted.tcr.value
        for ttbr1 in _ttbr1s(contents, registers, booted):
            with_roots = {"TCR_EL1": tcr, **registers} | ({} if ttbr1 is None else {"TTBR1_EL1": ttbr1})
            yield _machine(contents, replace(given, cpu=cpu), with_roots, config)


def _is_legal(page_size: int, va_bits: int) -> bool:
    try:
        Config(page_size, va_bits)
    except ConfigError:
        return False
    return True


def cpu_for(config: Config, t1sz: int | None) -> CPU:
    """A CPU on which `config` runs with TCR_EL1.T1SZ as recorded: one with all features, or without wide addresses.

    >>> boot(Config("64k", 52), cpu_for(Config("64k", 52), 16)).vabits_actual
    48
    """
    cpu = CPU.named("max")
    if t1sz is None or config.va_bits < 52 or t1sz <= 12:
        return cpu
    if config.ARM64_LPA2:
        return cpu.without_lpa2()
    return CPU(f"{cpu.name} without FEAT_LVA", cpu.mmfr0, cpu.mmfr1, cpu.mmfr2.replace(VARANGE=0))


def _ttbr1s(contents: Contents, registers: Mapping[str, int], booted: Boot) -> Iterator[int | None]:
    """What TTBR1_EL1 may be: the base of `swapper_pg_dir`, or of its last part where the CPU has fewer bits."""
    swapper = _swapper(contents)
    if "TTBR1_EL1" in registers or swapper is None:
        yield registers.get("TTBR1_EL1")
        return
    k = booted.config.constants
    base = swapper & (1 << 48) - 1 | swapper >> 48 << 2  # bits 51:48 in 5:2, phys_to_ttbr()
    if booted.vabits_actual < k.VA_BITS and not booted.config.ARM64_LPA2:
        yield base + k.TTBR1_BADDR_4852_OFFSET  # offset_ttbr1 in assembler.h
    yield base


def _swapper(contents: Contents) -> int | None:
    """The physical address of `swapper_pg_dir`, if the image says it."""
    if "swapper_pg_dir" in contents.physical:
        return contents.physical["swapper_pg_dir"]
    va, offset = contents.symbols.get("swapper_pg_dir"), contents.numbers.get("kimage_voffset")
    return None if va is None or offset is None else (va - offset) % (1 << 64) & (1 << 52) - 1


def _symbol(contents: Contents) -> int | None:
    """The virtual address of `swapper_pg_dir`, where its physical address is known too."""
    return None if _swapper(contents) is None else contents.symbols.get("swapper_pg_dir")


_NOTHING, _HAS_ROOT, _MAPS_ITSELF = range(3)


def _evidence(contents: Contents, machine: DerivedMachine) -> int:
    """What the image's own memory says for a machine: its root is there; it maps `swapper_pg_dir` where that is."""
    mmu = mmu_of(contents.memory, machine.registers, machine.cpu)
    va = _symbol(contents)
    if va is not None and getattr(mmu.translate(va).outcome, "pa", None) == _swapper(contents):
        return _MAPS_ITSELF
    return _HAS_ROOT if "TTBR1_EL1" in machine.registers and mmu.upper.base in contents.memory else _NOTHING


def _machine(contents: Contents, given: Given, registers: Mapping[str, int], config: Config | None) -> DerivedMachine:
    complete = {"SCTLR_EL1": SCTLR.value, **registers}
    mmfr = [complete.get(f"ID_AA64MMFR{i}_EL1", 0) for i in range(3)]
    cpu = given.cpu or contents.cpu
    if cpu is None and "ID_AA64MMFR0_EL1" in complete:
        cpu = CPU("as registers say", ID_AA64MMFR0_EL1(mmfr[0]), ID_AA64MMFR1_EL1(mmfr[1]), ID_AA64MMFR2_EL1(mmfr[2]))
    if cpu is None and config is not None:
        cpu = cpu_for(config, TCR_EL1(registers["TCR_EL1"]).T1SZ)
    return DerivedMachine(complete, config, cpu, contents.kpti, contents.notes, given.release or contents.osrelease)


def _as_the_tables_say(contents: Contents, machine: DerivedMachine) -> DerivedMachine:
    """The machine with what its tables show: MAIR_EL1, if it is not stated, and kernel page-table isolation.

    The lowest address that a kernel maps is ordinary memory, the linear map's or a module's. In the order of kernels
    before v5.10 its AttrIndx is 4 or 6, which are device memory or nothing later, where it is 0 or 1; v5.10 to v5.13
    have device memory elsewhere. Its nG is set where the kernel's entries must not stay in the TLB at EL0.
    """
    version, stated = version_in(machine.release), "MAIR_EL1" in machine.registers
    registers = {"MAIR_EL1": _mair_of(version).value, **machine.registers}
    leaf = _lowest_leaf(mmu_of(contents.memory, registers, machine.cpu)) if "TTBR1_EL1" in registers else None
    notes = machine.notes
    if leaf is None:
        notes += () if stated or version is not None else (_NO_TYPES,)
        return replace(machine, registers=registers, notes=notes)
    if not stated and leaf.AttrIndx in (4, 6):
        registers["MAIR_EL1"] = OLD_MAIR.value
        if version is None:
            notes += (_OLDER,)
    return replace(machine, registers=registers, kpti=machine.kpti or bool(leaf.nG), notes=notes)


def _mair_of(version: tuple[int, int] | None) -> MAIR_EL1:
    """What a kernel sets MAIR_EL1 to, without memory tags; the newest, if its version is not known."""
    if version is None or version >= (5, 14):
        return MAIR_EL1_SET
    return MAIR_OF_5_10 if version >= (5, 10) else OLD_MAIR


_NO_TYPES: Final = (
    "MAIR_EL1 is not known, and neither is the kernel's release: memory types are those of Linux since v5.14 "
    "(--mair or --release says others)"
)
_OLDER: Final = (
    "its kernel is older than v5.10, by its memory types, and does not say its release: until you do (--release), "
    "a dump has the map of memory of v6.12"
)


def _lowest_leaf(mmu: MMU) -> Leaf | None:
    """The leaf for the lowest address that the upper range maps."""
    va = first_mapped(mmu, mmu.upper.first, 1 << 64)
    descriptor = None if va is None else mmu.translate(va).steps[-1].descriptor
    return descriptor if isinstance(descriptor, Leaf) else None
