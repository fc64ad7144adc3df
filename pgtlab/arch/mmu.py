"""The MMU of one processing element: the EL1&0 regime, with a stage 2 or without, or EL2&0 (Arm ARM D8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgtlab.arch.at import at
from pgtlab.arch.fault import Access
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.walk import Walk, walk

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pgtlab.arch.translations import Translations


@dataclass(frozen=True)
class MMU(TranslationRegime):
    """The registers that translation reads, and the memory that holds the tables.

    With a `TCR_EL2` the regime is EL2&0, that of a host in EL2 (VHE), and needs HCR_EL2.E2H = 1; with HCR_EL2.VM = 1
    EL1&0 has a stage 2. `pan` is PSTATE.PAN, and `pa_range` is ID_AA64MMFR0_EL1.PARANGE. The model does not ask
    whether a CPU has a feature: where a register uses it, it has. Unless `sctlr` is given, translation and caches are
    on.

    Where the architecture lets a CPU choose, this one does the following. It fetches instructions from Device memory
    as from Normal Non-cacheable memory, without a Permission fault. PAR_EL1 shows the memory type and shareability that
    take effect, also with caches off (SCTLR_EL1.C or I = 0). It takes the reserved values of TCR_EL1.TG0 and TG1 for
    4K. It sets no access flag for an access that ends in a Permission fault. `Walk.notes` says which choices a walk
    met. Neither allocation tags nor alignment to Device memory is checked. There is no TLB: each walk reads memory.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=16, TG0=0, IPS=5))
    >>> mapper.map_range(0x40_0000, 0x8020_0000, 0x20_0000)
    >>> print(mapper.mmu.translate(0x40_1234))
    0x401234 read at EL1: lower range, 48 bits, 4K granule, TTBR0_EL1
      level 0  0x40000000[0x000] = 0x0000000040002003  Table 0x40002000
      level 1  0x40002000[0x000] = 0x0000000040003003  Table 0x40003000
      level 2  0x40003000[0x002] = 0x0000000080200701  Block 0x80200000
    PA 0x80201234, Normal WB RWA, Inner Shareable

    Raises
    ------
    UnsupportedRegime
        For what the model leaves out, by the name of the field: SCTLR_EL1.EE, TCR2_EL1.D128, AIE and PnCH, HCR_EL2.DC
        and NV1, VTCR_EL2.S2PIE and others.
    """

    def translate(self, va: int, access: Access = Access.READ, el: int | None = None) -> Walk:
        """Translate one address as hardware does, and keep every step.

        Parameters
        ----------
        va : int
            Virtual address, 64 bits.
        access : Access
            What is done with the address.
        el : int, optional
            Exception level that does it: 0, or that of the kernel, 1 or 2, which is the default.

        Returns
        -------
        Walk
            Its outcome is a `Translation` or a `Fault`.

        Raises
        ------
        ValueError
            Where `va` has more than 64 bits, `access` is not an `Access`, or `el` not a level of the regime.

        Notes
        -----
        Source: Arm ARM D8.2 and, for the order of the checks, J1.3.
        """
        return walk(self, va, self.access(Access(access), el))

    def translate_many(self, vas: ArrayLike, access: Access = Access.READ, el: int | None = None) -> Translations:
        """Translate an array of addresses, each as `translate` does.

        The first call on a machine compiles the loops, which takes some seconds and is kept on disk. Where numba is not
        installed, numpy does the same, more slowly.

        Parameters
        ----------
        vas : array of uint64
            Virtual addresses, of any shape.
        access, el
            As for `translate`.

        Returns
        -------
        Translations
            Arrays of the shape of `vas`.

        Raises
        ------
        ValueError
            Where `vas` has anything but whole numbers of 64 bits, `access` is not an `Access`, or `el` not a level of
            the regime.
        """
        from pgtlab.arch.many.walk_many import walk_many  # compiled loops, loaded by those who use them

        return walk_many(self, vas, self.access(Access(access), el))

    def at(self, instruction: str, va: int) -> Walk:
        """Do what an `AT` instruction does, executed in EL2 or, without a stage 2, in EL1.

        Unlike a load or a store, it marks no page dirty, and PSTATE.PAN counts for S1E1RP and S1E1WP only. S1E... asks
        stage 1 alone: its `pa` is an IPA where there is a stage 2.

        >>> from pgtlab.arch.mapper import Mapper
        >>> from pgtlab.arch.registers import TCR_EL1
        >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
        >>> mapper.mmu.at("S1E1R", 0).par
        PAR_EL1_Fault(0x80b: FST=0x5 F=0x1)

        Raises
        ------
        UnsupportedInstruction
            Where the model leaves the instruction out, by its name, or the regime is another one's.
        """
        return walk(self, va, at(self, instruction))

    def at_many(self, instruction: str, vas: ArrayLike) -> Translations:
        """Do for an array of addresses what `at` does for one."""
        from pgtlab.arch.many.walk_many import walk_many

        return walk_many(self, vas, at(self, instruction))
