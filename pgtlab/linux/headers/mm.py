"""The flags of a mapping and the types of swap entries (`linux/mm.h`, `linux/swap.h`, `linux/swapops.h`, v6.9)."""

from __future__ import annotations

from pgtlab.linux.constants import Constants, Header

BITS_PER_XA_VALUE = 63


def mm_h(k: Header) -> None:
    """linux/mm.h: what a mapping may be used for."""
    k.VM_NONE, k.VM_READ, k.VM_WRITE, k.VM_EXEC, k.VM_SHARED = 0, 1, 2, 4, 8
    k.VM_ACCESS_FLAGS = k.VM_READ | k.VM_WRITE | k.VM_EXEC


def swap_h(k: Header) -> None:
    """linux/swap.h and swapops.h: from the last type down, markers, pages under migration and poisoned pages."""
    k.MAX_SWAPFILES_SHIFT = 5
    k.SWP_TYPE_SHIFT = BITS_PER_XA_VALUE - k.MAX_SWAPFILES_SHIFT
    k.SWP_OFFSET_MASK = (1 << k.SWP_TYPE_SHIFT) - 1
    k.SWP_PTE_MARKER_NUM = 1
    k.SWP_DEVICE_NUM = 0  # CONFIG_DEVICE_PRIVATE is off in the `minimal` configuration
    k.SWP_MIGRATION_NUM = 3 if k.CONFIG_MIGRATION else 0
    k.SWP_HWPOISON_NUM = 1 if k.CONFIG_MEMORY_FAILURE else 0
    others = k.SWP_DEVICE_NUM + k.SWP_MIGRATION_NUM + k.SWP_HWPOISON_NUM + k.SWP_PTE_MARKER_NUM
    k.MAX_SWAPFILES = (1 << k.MAX_SWAPFILES_SHIFT) - others
    if k.CONFIG_MEMORY_FAILURE:
        k.SWP_HWPOISON = k.MAX_SWAPFILES
    if k.CONFIG_MIGRATION:
        k.SWP_MIGRATION_READ = k.MAX_SWAPFILES + k.SWP_HWPOISON_NUM
        k.SWP_MIGRATION_READ_EXCLUSIVE, k.SWP_MIGRATION_WRITE = k.SWP_MIGRATION_READ + 1, k.SWP_MIGRATION_READ + 2


def swapops_h(k: Constants, r: Header) -> None:
    """linux/swapops.h: how many bits of an offset a frame takes, which the boot decides, and two flags above it."""
    r.SWP_PFN_BITS = r.MAX_PHYSMEM_BITS - k.PAGE_SHIFT
    r.SWP_PFN_MASK = (1 << r.SWP_PFN_BITS) - 1
    r.SWP_MIG_YOUNG, r.SWP_MIG_DIRTY = 1 << r.SWP_PFN_BITS, 1 << r.SWP_PFN_BITS + 1
    r.SWP_MIG_TOTAL_BITS = r.SWP_PFN_BITS + 2
