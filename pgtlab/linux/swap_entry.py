"""Entries that are neither valid nor present: where the page is, read by the functions of `swapops.py`."""

from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.linux.boot import Boot
from pgtlab.linux.kernel import pgtable, pte, swapops
from pgtlab.linux.kernel.functions import KernelFunctions
from pgtlab.linux.kernel.symbols import functions_of


class SwapEntry(BitFields):
    """An entry that is neither valid nor present: where the page is instead (`swapops.py` says how to read it)."""

    VALID = Field(0)
    exclusive = Field(2)
    uffd_wp = Field(3)
    type = Field(10, 6)
    PRESENT_INVALID = Field(11)
    offset = Field(61, 12)


class SwapEntryBeforeV610(BitFields):
    """The same as Linux kept it before v6.10."""

    VALID = Field(0)
    exclusive = Field(2)
    type = Field(7, 3)
    offset = Field(57, 8)
    PROT_NONE = Field(58)


class EntryHelpers(KernelFunctions):
    """The part of a kernel that functions on entries need: the constants, and these functions."""

    def __init__(self, boot: Boot) -> None:
        self.boot = boot
        self.__dict__.update(boot.constants)
        for module in (pgtable, pte, swapops):
            for name, function in functions_of(module).items():
                self.__dict__[name] = MethodType(function, self)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"{name} needs more of a kernel than an entry")


@dataclass(frozen=True)
class Swap:
    """An entry that is neither valid nor present, decoded.

    Attributes
    ----------
    type : int
        The number of a swap file, or of what else it is.
    what : str
        The same in words.
    offset : int
        The place in the swap file, or a frame with flags above it.
    pfn : int or None
        The frame, of a page under migration or poisoned.
    flags : tuple of str
        `exclusive`, `young`, `dirty`.
    """

    type: int
    what: str
    offset: int
    pfn: int | None
    flags: tuple[str, ...]

    def __str__(self) -> str:
        where = f"pfn {self.pfn:#x}" if self.pfn is not None else f"offset {self.offset:#x}"
        return ", ".join([f"{self.what}, {where}", *self.flags])

    def as_dict(self) -> dict[str, object]:
        """The swap entry as plain data."""
        return {
            "type": self.type,
            "what": self.what,
            "offset": f"{self.offset:#x}",
            "pfn": self.pfn,
            "flags": list(self.flags),
        }


def decode_swap(word: int, k: EntryHelpers) -> Swap:
    """Decode an entry that is neither none nor present.

    >>> from pgtlab import CPU, Config, boot
    >>> print(decode_swap(0x40000 << 12 | 30 << 6, EntryHelpers(boot(Config("4k", 48), CPU.named("max")))))
    page under migration, writable, pfn 0x40000
    """
    entry = k.pte_to_swp_entry(word)
    type, offset = k.swp_type(entry), k.swp_offset(entry)
    migrates = k.is_migration_entry(entry)
    flags = {
        "exclusive": k.pte_swp_exclusive(word),
        "young": migrates and k.is_migration_entry_young(entry),
        "dirty": migrates and k.is_migration_entry_dirty(entry),
    }
    return Swap(
        type,
        _what(type, k),
        offset,
        offset & k.SWP_PFN_MASK if migrates or k.is_hwpoison_entry(entry) else None,
        tuple(name for name, on in flags.items() if on),
    )


def _what(type: int, k: EntryHelpers) -> str:
    if type < k.MAX_SWAPFILES:
        return f"swap file {type}"
    names = {
        "SWP_HWPOISON": "poisoned page",
        "SWP_MIGRATION_READ": "page under migration, read-only",
        "SWP_MIGRATION_READ_EXCLUSIVE": "page under migration, read-only and exclusive",
        "SWP_MIGRATION_WRITE": "page under migration, writable",
    }
    return next((what for name, what in names.items() if getattr(k, name, None) == type), "marker")
