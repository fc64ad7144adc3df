"""The tables of a kernel's own half, as a picture and as text."""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.arch.tables.tree import TableNode, table_tree
from pgtlab.lab.machine_picture import tables_picture
from pgtlab.linux.kernel import Kernel


@dataclass(frozen=True)
class KernelTables:
    """The tables to which TTBR1_EL1 of a kernel leads.

    >>> from pgtlab import CPU, Config, boot
    >>> kernel = Kernel(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
    >>> print(str(KernelTables(kernel)).splitlines()[0])
    level 1 table at 0x40000000
    """

    kernel: Kernel

    @property
    def tree(self) -> TableNode:
        """The first table and those below it."""
        tree = table_tree(self.kernel.mmu, upper=True)
        assert tree is not None
        return tree

    def __str__(self) -> str:
        return str(self.tree)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        boot = self.kernel.boot
        title = f"The kernel's tables, {boot.config.granule} pages, {boot.vabits_actual} bits in use"
        upper = self.kernel.mmu.va_range((1 << 64) - 1)
        return tables_picture(self.tree, title, upper).mimebundle(str(self))
