"""From the flags of a mapping to the protection of its pages (`arch/arm64/mm/mmap.c`, `asm/pgtable-prot.h`, v6.9).

A page of a shared writable mapping begins with PTE_WRITE and PTE_RDONLY: it is clean until the first write. A page of a
private one begins without PTE_WRITE, because the first write is to copy it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

VM_NAMES = {"VM_READ": "read", "VM_WRITE": "write", "VM_EXEC": "exec", "VM_SHARED": "shared"}

# `protection_map`: the constant PAGE_NONE and so on for each combination of VM_READ (1), VM_WRITE (2) and VM_EXEC (4),
# without and with VM_SHARED (8).
PRIVATE = ("NONE", "READONLY", "READONLY", "READONLY", *4 * ("READONLY_EXEC",))
SHARED = ("NONE", "READONLY", "SHARED", "SHARED", "READONLY_EXEC", "READONLY_EXEC", "SHARED_EXEC", "SHARED_EXEC")

PAN_EPAN = 3  # the value of ID_AA64MMFR1_EL1.PAN that says FEAT_PAN3, Enhanced PAN


def adjust_protection_map(k: Kernel) -> int:
    """Set up `protection_map` for this CPU; an initcall that returns 0.

    Execute-only mappings need Enhanced PAN, which keeps the kernel from reading them by accident; other CPUs make them
    readable too. With LPA2 the bits of PTE_SHARED are address bits, and must be clear.
    """
    k.protection_map = [k.constants[f"pgprot_val(PAGE_{name})"] for name in PRIVATE + SHARED]
    if k.boot.cpu.mmfr1.PAN >= PAN_EPAN:
        k.protection_map[k.VM_EXEC] = k.protection_map[k.VM_EXEC | k.VM_SHARED] = k._PAGE_EXECONLY
    if k.lpa2_is_enabled:
        k.protection_map = [prot & ~k.PTE_SHARED for prot in k.protection_map]
    return 0


def vm_get_page_prot(k: Kernel, vm_flags: int) -> int:
    """Return the protection of a page in a mapping with flags `vm_flags`."""
    prot: int = k.protection_map[vm_flags & k.VM_ACCESS_FLAGS | vm_flags & k.VM_SHARED]
    return prot


def format_vm_flags(k: Kernel, vm_flags: int) -> str:
    """Return the names of VM flags, joined by `|`, as `%pGv` prints them (`lib/vsprintf.c`)."""
    return "|".join(name for flag, name in VM_NAMES.items() if vm_flags & k.constants[flag])


# Changing a protection, mostly its memory type.


@static_inline
def __pgprot_modify(k: Kernel, prot: int, mask: int, bits: int) -> int:
    """Return protection `prot` with the bits of `mask` replaced by `bits`."""
    return (prot & ~mask) | bits


@static_inline
def pgprot_nx(k: Kernel, prot: int) -> int:
    """Return protection `prot` with execution by the kernel forbidden (PTE_PXN)."""
    return prot | k.PTE_PXN


@static_inline
def pgprot_noncached(k: Kernel, prot: int) -> int:
    """Return protection `prot` with memory type Device-nGnRnE, never executable."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_DEVICE_nGnRnE << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_device(k: Kernel, prot: int) -> int:
    """Return protection `prot` with memory type Device-nGnRE, never executable."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_DEVICE_nGnRE << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_writecombine(k: Kernel, prot: int) -> int:
    """Return protection `prot` with memory type Normal Non-cacheable, never executable."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_NORMAL_NC << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_tagged(k: Kernel, prot: int) -> int:
    """Return protection `prot` with memory type Normal Tagged (MTE)."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_NORMAL_TAGGED << 2)
