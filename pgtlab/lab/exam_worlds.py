"""Two machines that print the same log, and differ in what the log does not show.

A claim is decided by a log if it is the same for every machine that could have printed it. A second machine that prints
every line alike and differs elsewhere shows that a claim is not decidable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pgtlab.lab.crash import Crash
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME, Commit, Tree
from pgtlab.linux.boot import Boot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.placement import Placement

MORE_RAM: Final = 1 << 30


@dataclass(frozen=True)
class MoreRam(Placement):
    """A placement with more RAM than the page table needs."""

    def ram_size(self, boot: Boot) -> int:
        """The size of RAM in bytes."""
        return super().ram_size(boot) + MORE_RAM


def _free_then_destruct() -> Commit:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, and call its destructor too late."""
        k.free_page(pud)
        k.pagetable_pud_dtor(k.virt_to_page(pud))

    return Commit("arm64: mm: call the destructor of a PUD table", {"pud_free": pud_free}, name="late-destructor")


def _free_the_pgd_twice() -> Commit:
    def pgd_free(k: Kernel, mm: MmStruct, pgd: int) -> None:
        """Free a pgd, and once more."""
        k.free_page(pgd)
        k.free_page(pgd)

    return Commit("arm64: mm: free the page of a pgd", {"pgd_free": pgd_free}, name="pgd-freed-twice")


def _another_address() -> Commit:
    def get_random_vaddr(k: Kernel) -> int:
        """An address of user space in the other half of it."""
        drawn = k.random.randrange(k.TASK_SIZE_64 >> k.PAGE_SHIFT) << k.PAGE_SHIFT
        return drawn ^ k.TASK_SIZE_64 >> 1

    return Commit("mm/debug_vm_pgtable: another address", {"get_random_vaddr": get_random_vaddr}, name="other-address")


HIDDEN_MISTAKES: Final = (_free_then_destruct(), _free_the_pgd_twice(), _another_address())


def same_log(crash: Crash) -> Crash:
    """Another machine with the same log.

    It has more RAM, if it can be another CPU, and another source: the changes in the opposite order, the destructor
    called too late instead of never, a test at another address, and a third mistake that this boot did not reach.

    Raises
    ------
    ValueError
        If its log differs, which would be a fault of this module.
    """
    ram = MoreRam(crash.placement.phys_offset, crash.placement.page_copy, crash.placement.pud_pfn)
    first, *others = reversed(crash.tree.commits)
    assert FOLD_PUDS_AT_RUNTIME in others
    tree = Tree("another tree", (first, *others, *HIDDEN_MISTAKES))
    cpu = "max-11.1" if crash.boot.has_va52 else "neoverse-n1"
    other = replace(crash, placement=ram, cpu=cpu, tree=tree)
    if other.run.dmesg != crash.run.dmesg:
        raise ValueError(f"{other} prints another log than {crash}")
    return other
