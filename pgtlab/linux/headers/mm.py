"""The flags of a mapping and the types of swap entries (`linux/mm.h`, `linux/swap.h`, `linux/swapops.h`, v6.9)."""

from __future__ import annotations

from typing import Final

from pgtlab.linux.constants import Constants, Header
from pgtlab.linux.version import since, version_code

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
    k.SWP_DEVICE_NUM = (3 if since(k, "6.15") else 4) * k.CONFIG_DEVICE_PRIVATE
    k.SWP_MIGRATION_NUM = 3 if k.CONFIG_MIGRATION else 0
    k.SWP_HWPOISON_NUM = 1 if k.CONFIG_MEMORY_FAILURE else 0
    others = k.SWP_DEVICE_NUM + k.SWP_MIGRATION_NUM + k.SWP_HWPOISON_NUM + k.SWP_PTE_MARKER_NUM
    k.MAX_SWAPFILES = (1 << k.MAX_SWAPFILES_SHIFT) - others
    if k.CONFIG_MEMORY_FAILURE:
        k.SWP_HWPOISON = k.MAX_SWAPFILES
    if k.CONFIG_MIGRATION:
        k.SWP_MIGRATION_READ = k.MAX_SWAPFILES + k.SWP_HWPOISON_NUM
        k.SWP_MIGRATION_READ_EXCLUSIVE, k.SWP_MIGRATION_WRITE = k.SWP_MIGRATION_READ + 1, k.SWP_MIGRATION_READ + 2


def page_flags_h(k: Header) -> None:
    """linux/page-flags.h: numbers of flags and page types, as VMCOREINFO lists them, for versions that are known."""
    table, names = next((row for version, row in _PAGE_FLAGS if since(k, version)), ((), ()))
    if version_code("6.12") > k.LINUX_VERSION_CODE and since(k, "6.2"):
        return  # the order changed between 6.1 and 6.12
    if since(k, "6.13") and not since(k, "6.16"):
        return  # PG_dropbehind came in one of these
    for name, number in zip(("lru", "private", "swapcache", "swapbacked", "hwpoison", "head"), table, strict=True):
        k[f"PG_{name}"] = number
    k.PG_head_mask = 1 << k.PG_head
    if not k.CONFIG_MEMORY_FAILURE:
        del k.__dict__["PG_hwpoison"]
    for name, value in names:
        k[f"PAGE_{name}_MAPCOUNT_VALUE"] = value


# Since a version: PG_lru, private, swapcache, swapbacked, hwpoison and head; and what _mapcount is in pages of a type.
_BY_BYTE: Final = tuple(
    (name, (byte << 24) - (1 << 32))
    for name, byte in (("BUDDY", 0xF0), ("OFFLINE", 0xF1), ("HUGETLB", 0xF4), ("SLAB", 0xF5))
)
_PAGE_FLAGS: Final = (
    ("6.16", ((5, 14, 10, 17, 21, 6), _BY_BYTE)),
    ("6.12", ((5, 14, 10, 17, 20, 6), _BY_BYTE)),
    ("6.1", ((4, 13, 10, 19, 22, 16), (("BUDDY", ~0x80), ("OFFLINE", ~0x100)))),
)


def swapops_h(k: Constants, r: Header) -> None:
    """linux/swapops.h: how many bits of an offset a frame takes, which the boot decides, and two flags above it."""
    r.SWP_PFN_BITS = r.MAX_PHYSMEM_BITS - k.PAGE_SHIFT
    r.SWP_PFN_MASK = (1 << r.SWP_PFN_BITS) - 1
    r.SWP_MIG_YOUNG, r.SWP_MIG_DIRTY = 1 << r.SWP_PFN_BITS, 1 << r.SWP_PFN_BITS + 1
    r.SWP_MIG_TOTAL_BITS = r.SWP_PFN_BITS + 2
