"""Whether ESR_EL1 and the printed walk agree.

ESR_EL1 reports what the MMU met in its walk; Linux printed the walk a moment later, from memory. If the two differ,
something happened in between: another CPU changed an entry, a TLB held an old one, TTBR0 pointed to other tables, or
the MMU did not raise the abort.
"""

from __future__ import annotations

from dataclasses import replace

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.esr.fault_status import fault_status
from pgtlab.arch.fault import Cause, Fault, FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.reading.registers import PSTATE
from pgtlab.linux.oops.reading.walk import PrintedEntry, PrintedWalk

INSTRUCTION_ABORTS, DATA_ABORTS = (0x20, 0x21), (0x24, 0x25)
ABORTS = INSTRUCTION_ABORTS + DATA_ABORTS
FROM_EL0 = (0x20, 0x24)
SMALLEST_PA_BITS = 32  # ID_AA64MMFR0_EL1.PARANGE = 0: no CPU has fewer

_WALK_FAULTS = {
    Fault(kind, level, Cause.DESCRIPTOR).status_code: (kind, level)
    for kind in FaultKind
    for level in range(-1 if kind not in (FaultKind.ACCESS_FLAG, FaultKind.PERMISSION) else 0, 4)
}


def fault_of(esr: int) -> tuple[FaultKind, int] | None:
    """The kind and the level of the fault that an abort of a walk reports; `None` for every other exception.

    >>> fault_of(0x9600004E)
    (<FaultKind.PERMISSION: 12>, 2)
    """
    register = ESR_EL1(esr)
    return _WALK_FAULTS.get(ISSDataAbort(register.ISS).DFSC) if register.EC in ABORTS else None


def is_write(register: ESR_EL1) -> bool:
    """Whether an abort is that of a store. With CM set WnR is set too, and says nothing.

    >>> is_write(ESR_EL1(0x9600004F)), is_write(ESR_EL1(0x9600014F))
    (True, False)
    """
    syndrome = ISSDataAbort(register.ISS)
    return bool(syndrome.WnR and not syndrome.CM)


def compared(walk: PrintedWalk, esr: int | None, pstate: int | None = None, *, empty: bool = False) -> PrintedWalk:
    """The walk with `consistent` and `inconsistency` filled in, if ESR_EL1 reports an abort.

    They cannot be compared if hardware walked other tables: with `empty`, the empty ones of a kernel that keeps itself
    out of user memory without PAN.

    >>> from pgtlab.linux.oops.reading.lines import Line
    >>> from pgtlab.linux.oops.reading.walk import read_walk
    >>> walk = read_walk([Line(1, "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000"),
    ...     Line(2, "[fffffe000024d588] pgd=0000000000000000, p4d=0000000000000000")])
    >>> compared(walk, 0x96000004).consistent, compared(walk, 0x96000006).inconsistency
    (True, 'ESR_EL1 reports a translation fault at level 2, but the printed walk ends in an invalid entry ...')
    """
    if esr is None or empty or not walk.entries or walk.entries[0].level is None or ESR_EL1(esr).EC not in ABORTS:
        return walk
    problem = _problem(walk, esr, pstate)
    if problem is None:
        return walk
    return replace(walk, consistent=not problem, inconsistency=problem)


def _problem(walk: PrintedWalk, esr: int, pstate: int | None) -> str | None:
    """What disagrees, in words; empty if nothing does, `None` if the walk is cut off too early."""
    fault = fault_of(esr)
    last = walk.walked[-1]
    invalid = next((entry for entry in walk.walked if not entry.valid), None)
    if invalid is None and not last.leaf:
        return None  # the line breaks off at a table
    says = _says(esr)
    if fault is None:
        return _other(esr, walk)
    kind, level = fault
    if kind is FaultKind.TRANSLATION:
        return _translation(walk, level, invalid, says)
    if kind is FaultKind.ADDRESS_SIZE:
        return _address_size(walk, level, says)
    if kind is FaultKind.EXTERNAL_ABORT:
        if invalid is not None and invalid.level is not None and invalid.level < level:
            return f"{says} on reading a table, but {_invalid(invalid)}, so that no table of level {level} was read"
        return ""
    if invalid is not None:
        return (
            f"{says}, for which hardware needs a valid entry, but {_invalid(invalid)}: "
            "the entry was cleared between the fault and the printing, or a TLB still held the old one"
        )
    if last.level != level:
        return (
            f"{says}, but the printed walk ends in a {_kind(last)} at level {last.level}: "
            "the tables changed between the fault and the printing, or a TLB held an older entry"
        )
    if kind is FaultKind.ACCESS_FLAG:
        assert isinstance(last.descriptor, Leaf)
        if last.descriptor.AF:
            return f"{says}, but the {last.name} has its access flag set: it was set after the fault"
        return ""
    return _permission(walk, esr, pstate, says)


def _translation(walk: PrintedWalk, level: int, invalid: PrintedEntry | None, says: str) -> str:
    start = walk.start_level
    if invalid is None:
        text = (
            f"{says}, but every entry of the printed walk is valid, down to the {walk.entries[-1].name} "
            f"{walk.entries[-1].value:016x}"
        )
        if walk.table == "user" and level == start:
            return (
                f"{text}: TTBR0_EL1 may have held the empty tables that keep the kernel out of user memory "
                "(CONFIG_ARM64_SW_TTBR0_PAN)"
            )
        return f"{text}: the entry was made valid between the fault and the printing, or a stale TLB entry was used"
    if invalid.level == level:
        return ""
    text = f"{says}, but the printed walk ends in an invalid entry at level {invalid.level}"
    if start is not None and level < start:
        return (
            f"{text}, and with {walk.va_bits}-bit addresses and {(walk.page_size or 0) >> 10}K pages hardware begins "
            f"at level {start}: one of these numbers belongs to another fault"
        )
    return f"{text}: the tables changed between the fault and the printing, or other tables were in use"


def _address_size(walk: PrintedWalk, level: int, says: str) -> str:
    """Whether an address size fault fits the walk: Linux read every table, so only the last address can be too large.

    An address of 32 bits fits every CPU.
    """
    last = walk.walked[-1]
    at_level = isinstance(last.descriptor, Table | Leaf) and last.level == level
    if at_level and last.descriptor.oa >> SMALLEST_PA_BITS:  # type: ignore[union-attr]
        return ""
    if not last.valid:
        how = _invalid(last)
    else:
        how = f"the {last.name} {last.value:016x} at level {last.level} " + (
            f"has an address that fits every CPU ({last.descriptor.oa:#x})" if at_level else "is valid"  # type: ignore[union-attr]
        )
    return (
        f"{says}, which means an address with more bits than the CPU has, but Linux read the tables of this walk, and "
        f"{how}: the MMU did not raise this for these tables; a hypervisor or firmware may have injected the abort "
        "without setting a status code"
    )


def _permission(walk: PrintedWalk, esr: int, pstate: int | None, says: str) -> str:
    """Whether the entries forbid the access.

    What the log does not show may forbid it too, so that only an access that the entries permit is a disagreement.
    """
    register, leaf = ESR_EL1(esr), walk.walked[-1].descriptor
    assert isinstance(leaf, Leaf)
    tables = [dict(entry.descriptor.items()) for entry in walk.walked[:-1] if entry.descriptor is not None]
    user = register.EC in FROM_EL0
    if register.EC in INSTRUCTION_ABORTS:
        forbidden = leaf.UXN if user else leaf.PXN or leaf.AP & 1  # EL1 never executes what EL0 may write
        forbidden = forbidden or any(bits.get("UXNTable" if user else "PXNTable") for bits in tables)
        access = "executing"
    else:
        write = is_write(register)
        if ISSDataAbort(register.ISS).CM:
            return ""  # which permission the instruction needs depends on the instruction
        pan = pstate is None or PSTATE(pstate).PAN
        forbidden = leaf.AP >> 1 if write else 0
        forbidden = forbidden or (not leaf.AP & 1 if user else leaf.AP & 1 and pan)
        forbidden = forbidden or any(bits.get("APTable") for bits in tables) or register.ISS2 >> 5 & 0b11
        # Execute-only user memory has AP clear and UXN clear: reading from EL0 is caught above, from EL1 by EPAN.
        forbidden = forbidden or (not user and not leaf.UXN)
        access = "writing" if write else "reading"
    if forbidden:
        return ""
    return (
        f"{says}, but the {walk.entries[-1].name} {walk.entries[-1].value:016x} permits {access} from "
        f"{'EL0' if user else 'EL1'}: they changed between the fault and the printing, or a TLB held older ones"
    )


def _other(esr: int, walk: PrintedWalk) -> str | None:
    """Aborts that the walk does not raise (alignment, external, tags): the printed walk should reach a page."""
    invalid = next((entry for entry in walk.walked if not entry.valid), None)
    code = ISSDataAbort(ESR_EL1(esr).ISS).DFSC
    if invalid is None or code in (0b100001, 0b100010):  # alignment may be checked before the walk
        return ""
    if code in (0b010000, 0b010001, 0b011000):
        return (
            f"{_says(esr)}, which comes after a translation, but {_invalid(invalid)}: "
            "the tables changed between the fault and the printing"
        )
    return None


def _says(esr: int) -> str:
    fault = fault_of(esr)
    if fault is not None:
        kind, level = fault
        if kind is FaultKind.EXTERNAL_ABORT:
            return f"ESR_EL1 reports an external abort on the walk at level {level}"
        article = "an" if str(kind)[0] in "aeiou" else "a"
        return f"ESR_EL1 reports {article} {kind} fault at level {level}"
    code = ISSDataAbort(ESR_EL1(esr).ISS).DFSC
    return f"ESR_EL1 reports: {(fault_status(code) or f'status code {code:#04x}').removesuffix('.')}"


def _invalid(entry: PrintedEntry) -> str:
    return f"the printed {entry.name} {entry.value:016x} is invalid at level {entry.level}"


def _kind(entry: PrintedEntry) -> str:
    return type(entry.descriptor).__name__.lower()
