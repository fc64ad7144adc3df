"""From the flags of a mapping to the protection of its pages (`arch/arm64/mm/mmap.c`, `asm/pgtable-prot.h`, v6.9).

A shared mapping that may be written gets PTE_WRITE, and PTE_RDONLY with it: it is clean until somebody writes. A
private one gets no PTE_WRITE: the first write is to copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

VM_NAMES = {"VM_READ": "read", "VM_WRITE": "write", "VM_EXEC": "exec", "VM_SHARED": "shared"}

# What `protection_map` has for each combination of VM_READ (1), VM_WRITE (2), VM_EXEC (4) and VM_SHARED (8).
PRIVATE = ("NONE", "READONLY", "READONLY", "READONLY", *4 * ("READONLY_EXEC",))
SHARED = ("NONE", "READONLY", "SHARED", "SHARED", "READONLY_EXEC", "READONLY_EXEC", "SHARED_EXEC", "SHARED_EXEC")

PAN_EPAN = 3  # ID_AA64MMFR1_EL1.PAN from FEAT_PAN3 on


def adjust_protection_map(k: Kernel) -> int:
    """Make `protection_map` fit the CPU: an initcall.

    Execute-only mappings are that only where Enhanced PAN keeps the kernel, too, from reading them by accident. Under
    LPA2 the bits of PTE_SHARED are address bits.
    """
    k.protection_map = [k.constants[f"pgprot_val(PAGE_{name})"] for name in PRIVATE + SHARED]
    if k.boot.cpu.mmfr1.PAN >= PAN_EPAN:
        k.protection_map[k.VM_EXEC] = k.protection_map[k.VM_EXEC | k.VM_SHARED] = k._PAGE_EXECONLY
    if k.lpa2_is_enabled:
        k.protection_map = [prot & ~k.PTE_SHARED for prot in k.protection_map]
    return 0


def vm_get_page_prot(k: Kernel, vm_flags: int) -> int:
    """The protection of a page of a mapping with `vm_flags`."""
    prot: int = k.protection_map[vm_flags & k.VM_ACCESS_FLAGS | vm_flags & k.VM_SHARED]
    return prot


def format_vm_flags(k: Kernel, vm_flags: int) -> str:
    """`%pGv`: the names of the flags (`lib/vsprintf.c`)."""
    return "|".join(name for flag, name in VM_NAMES.items() if vm_flags & k.constants[flag])


# A protection with another memory type.


@static_inline
def __pgprot_modify(k: Kernel, prot: int, mask: int, bits: int) -> int:
    """With the bits of `mask` replaced."""
    return (prot & ~mask) | bits


@static_inline
def pgprot_nx(k: Kernel, prot: int) -> int:
    """Not to be executed by the kernel."""
    return prot | k.PTE_PXN


@static_inline
def pgprot_noncached(k: Kernel, prot: int) -> int:
    """Device-nGnRnE."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_DEVICE_nGnRnE << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_device(k: Kernel, prot: int) -> int:
    """Device-nGnRE."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_DEVICE_nGnRE << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_writecombine(k: Kernel, prot: int) -> int:
    """Normal Non-cacheable."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_NORMAL_NC << 2 | k.PTE_PXN | k.PTE_UXN)


@static_inline
def pgprot_tagged(k: Kernel, prot: int) -> int:
    """Normal Tagged."""
    return k.__pgprot_modify(prot, k.PTE_ATTRINDX_MASK, k.MT_NORMAL_TAGGED << 2)
