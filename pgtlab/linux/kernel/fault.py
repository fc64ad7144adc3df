"""How the kernel handles an access that faulted (`arch/arm64/mm/fault.c`, v6.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pgtlab.arch.fault import Access, Fault, FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.kernel.printk import die
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.arch.walk import Walk
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct

# Exception classes, in the words of arch/arm64/kernel/traps.c.
EC_NAMES = {
    0x20: "IABT (lower EL)",
    0x21: "IABT (current EL)",
    0x24: "DABT (lower EL)",
    0x25: "DABT (current EL)",
}
FORBIDDEN = {
    Access.READ: "read from unreadable memory",
    Access.WRITE: "write to read-only memory",
    Access.FETCH: "execute from non-executable memory",
}


@static_inline
def do_mem_abort(k: Kernel, walk: Walk) -> None:
    """Name the fault of a kernel access and end in an Oops: nothing in the model expects a fault."""
    assert isinstance(walk.outcome, Fault)
    assert walk.esr is not None
    kind = walk.outcome.kind
    if kind is FaultKind.PERMISSION:
        message = FORBIDDEN[walk.access]
    elif kind not in (FaultKind.TRANSLATION, FaultKind.ACCESS_FLAG):
        message = fault_name(walk.outcome)
    elif walk.va < k.PAGE_SIZE:
        message = "NULL pointer dereference"
    else:
        message = "paging request"
    k.die_kernel_fault(message, walk.va, walk.esr, walk.outcome)


@static_inline
def die_kernel_fault(k: Kernel, message: str, addr: int, esr: ESR_EL1, fault: Fault) -> NoReturn:
    """Report the fault of a kernel access and end in an Oops."""
    message = f"Unable to handle kernel {message} at virtual address {addr:016x}"
    k.report("Oops", text=message, address=addr, esr=esr)
    k.printk(message)
    k.mem_abort_decode(esr, fault)
    k.show_pte(addr)
    die(k, "Oops", esr)


@static_inline
def mem_abort_decode(k: Kernel, esr: ESR_EL1, fault: Fault) -> None:
    """Print ESR_EL1 field by field."""
    iss = ISSDataAbort(esr.ISS)
    k.printk("Mem abort info:")
    k.printk(f"  ESR = 0x{int(esr):016x}")
    k.printk(f"  EC = 0x{esr.EC:02x}: {EC_NAMES[esr.EC]}, IL = {32 if esr.IL else 16} bits")
    k.printk(f"  SET = {iss.SET}, FnV = {iss.FnV}")
    k.printk(f"  EA = {iss.EA}, S1PTW = {iss.S1PTW}")
    k.printk(f"  FSC = 0x{iss.DFSC:02x}: {fault_name(fault)}")
    if esr.EC in (0x24, 0x25):
        k.data_abort_decode(esr)


@static_inline
def data_abort_decode(k: Kernel, esr: ESR_EL1) -> None:
    """Print the fields of ESR_EL1 that a data abort has; ISV is 0 for every stage 1 fault."""
    iss, iss2 = ISSDataAbort(esr.ISS), esr.ISS2
    k.printk("Data abort info:")
    k.printk(f"  ISV = {iss.ISV}, ISS = 0x{esr.ISS:08x}, ISS2 = 0x{iss2:08x}")
    k.printk(
        f"  CM = {iss.CM}, WnR = {iss.WnR}, TnD = {iss2 >> 10 & 1}, TagAccess = {iss2 >> 9 & 1}",
    )
    k.printk(
        f"  GCS = {iss2 >> 8 & 1}, Overlay = {iss2 >> 6 & 1}, DirtyBit = {iss2 >> 5 & 1}, Xs = {iss2 & 0x1F}",
    )


def fault_name(fault: Fault) -> str:
    """The name of a fault in the kernel's table `fault_info[]`.

    >>> from pgtlab.arch.fault import Cause
    >>> fault_name(Fault(FaultKind.TRANSLATION, -1, Cause.DESCRIPTOR))
    'level -1 translation fault'
    """
    if fault.kind is FaultKind.EXTERNAL_ABORT:
        return f"level {fault.level} (translation table walk)"
    if fault.kind is FaultKind.ADDRESS_SIZE and fault.level == 0:
        return "ttbr address size fault"
    return f"level {fault.level} {fault.kind} fault"


@static_inline
def show_pte(k: Kernel, addr: int) -> None:
    """Print the page-table entries for an address, from the pgd down to the first that does not name a table."""
    if addr < k.TASK_SIZE_64:
        # Only a kernel thread runs in this model, and it has no user space.
        k.printk(f"[{addr:016x}] user address but active_mm is swapper")
        return
    if addr < k.PAGE_OFFSET:
        k.printk(f"[{addr:016x}] address between user and kernel address ranges")
        return
    k.printk(
        f"swapper pgtable: {k.PAGE_SIZE >> 10}k pages, {k.vabits_actual}-bit VAs, pgdp={k.__pa(k.init_mm.pgd):016x}"
    )
    k.printk(f"[{addr:016x}] " + ", ".join(f"{name}={entry:016x}" for name, entry in k.entries_of(k.init_mm, addr)))


@static_inline
def entries_of(k: Kernel, mm: MmStruct, addr: int) -> list[tuple[str, int]]:
    """The entries for an address with the names of their levels, down to the first that does not name a table."""
    pgdp = k.pgd_offset(mm, addr)
    entries = [("pgd", pgd := k.read64(pgdp))]
    if k.pgd_none(pgd) or k.pgd_bad(pgd):
        return entries
    p4dp = k.p4d_offset(pgdp, addr)
    entries.append(("p4d", p4d := k.read64(p4dp)))
    if k.p4d_none(p4d) or k.p4d_bad(p4d):
        return entries
    pudp = k.pud_offset(p4dp, addr)
    entries.append(("pud", pud := k.read64(pudp)))
    if k.pud_none(pud) or k.pud_bad(pud):
        return entries
    pmdp = k.pmd_offset(pudp, addr)
    entries.append(("pmd", pmd := k.read64(pmdp)))
    if not (k.pmd_none(pmd) or k.pmd_bad(pmd)):
        entries.append(("pte", k.read64(k.pte_offset_kernel(pmdp, addr))))
    return entries
