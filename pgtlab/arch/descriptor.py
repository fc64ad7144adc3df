"""Translation table descriptors, one class for each kind (Arm ARM D8.3).

What a 64-bit word in a table means depends on the level of the table and on the format of the tables::

    bits 1:0   levels -1 to 2            level 3
      x0       Invalid                   Invalid
      01       Block, where there is one Invalid (reserved)
      11       Table                     Page

`DescriptorFormat` makes that choice. The classes that it gives name every bit for their level and format, so that
a descriptor's `repr` and its picture show where the output address really is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.granule import LAST_LEVEL, Granule
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import Shareability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOLE, TABLE, LEAF = range(3)  # what an entry is, as numbers for arrays: `DescriptorFormat.kinds`
ENTRY_TYPE: Final = 0b11  # bits 1:0


class DescriptorError(ValueError):
    """A descriptor that does not exist in the format."""


class Descriptor(BitFields):
    """A word of a translation table, as it is read at one level of one format."""

    VALID = Field(0)
    format: ClassVar[DescriptorFormat]
    level: ClassVar[int]

    def __reduce__(self) -> tuple[Any, ...]:
        return self.format.decode, (self.value, self.level)  # the class was made for the format, and has no import path


class Invalid(Descriptor):
    """No translation here: bit 0 is clear, or the encoding is reserved; hardware ignores the other bits."""


class _WithAddress(Descriptor):
    TYPE = Field(1)

    @property
    def oa(self) -> int:
        """Physical address of the next table, of the page or of the block."""
        return int(self.format.packing.unpack(self.value, self._low_bit()))

    @classmethod
    def _low_bit(cls) -> int:
        return cls.format.granule.level_shift(cls.level)  # a table's is the granule's


class Table(_WithAddress):
    """The address of the next table, with attributes that all below it inherit unless TCR_EL1.HPD is set."""

    PXNTable = Field(59)
    UXNTable = Field(60)
    APTable = Field(62, 61)
    NSTable = Field(63)

    @classmethod
    def _low_bit(cls) -> int:
        return cls.format.granule.shift


class Stage2Table(_WithAddress):
    """The address of the next table of stage 2; nothing below inherits anything."""

    @classmethod
    def _low_bit(cls) -> int:
        return cls.format.granule.shift


class Leaf(_WithAddress):
    """The part that blocks and pages share: an output address and its attributes.

    AP is AP[2:1]: bit 6 lets EL0 in, bit 7 forbids writes. `software` is left to the operating system.
    """

    AttrIndx = Field(4, 2)
    NS = Field(5)
    AP = Field(7, 6)
    AF = Field(10)
    nG = Field(11)
    GP = Field(50)
    DBM = Field(51)
    Contiguous = Field(52)
    PXN = Field(53)
    UXN = Field(54)
    software = Field(58, 55)
    PBHA = Field(62, 59)


class Block(Leaf):
    """A leaf above level 3: it maps all that an entry of its level covers."""


class PageDescriptor(Leaf):
    """A leaf at level 3, which shows itself as a `Page`: it maps one granule."""


class Stage2Leaf(_WithAddress):
    """A block or a page of stage 2: MemAttr is a memory type itself, and S2AP lets the guest read and write."""

    MemAttr = Field(5, 2)
    S2AP = Field(7, 6)
    AF = Field(10)
    FnXS = Field(11)
    DBM = Field(51)
    Contiguous = Field(52)
    XNX = Field(53)
    XN = Field(54)
    software = Field(58, 55)


class Stage2Block(Stage2Leaf):
    """A leaf of stage 2 above level 3."""


class Stage2Page(Stage2Leaf):
    """A leaf of stage 2 at level 3."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of like entries, in order: whose they are, the first entry, how many, what they are, and the first word.

    `table` is the number of a row of what `DescriptorFormat.runs` was given.
    """

    table: NDArray[np.intp]
    index: NDArray[np.intp]
    length: NDArray[np.intp]
    kind: NDArray[np.uint8]
    word: NDArray[np.uint64]

    @property
    def valid(self) -> Runs:
        """Those that are not invalid entries."""
        of = self.kind != HOLE
        return Runs(self.table[of], self.index[of], self.length[of], self.kind[of], self.word[of])


@dataclass(frozen=True)
class DescriptorFormat:
    """The format of tables of one granule: where the output address is, and which levels have blocks.

    >>> from pgtlab.arch.granule import G4K
    >>> plain = DescriptorFormat(G4K, OutputAddress.PLAIN)
    >>> plain.decode(0x4000_0000_0000_0703, 3)
    Page(0x4000000000000703: PBHA=0x8 AF=0x1 SH=INNER TYPE=0x1 VALID=0x1)
    >>> plain.decode(0x701, 0)
    Invalid(0x701: VALID=0x1)
    """

    granule: Granule
    packing: OutputAddress
    stage: int = 1

    @property
    def first_block_level(self) -> int:
        """The highest table in which an entry can be a block (Arm ARM D8.3.1).

        With 48-bit output addresses blocks are 2M and 1G, 32M, or 512M; 52 bits add one of 512G, 64G or 4T.

        >>> from pgtlab.arch.granule import G16K
        >>> [DescriptorFormat(G16K, packing).first_block_level for packing in (OutputAddress.PLAIN, OutputAddress.LPA2)]
        [2, 1]
        """
        smallest = 1 if self.granule.shift == 12 else 2
        return smallest - (self.packing.bits == 52)

    def contiguous_entries(self, level: int) -> int:
        """The number of entries that the Contiguous bit joins into one run at `level`; 1 for none (Arm ARM D8.7.1).

        >>> from pgtlab.arch.granule import G16K
        >>> [DescriptorFormat(G16K, OutputAddress.PLAIN).contiguous_entries(level) for level in (1, 2, 3)]
        [1, 32, 128]
        """
        # A run that is not whole, or whose entries differ, is misprogrammed: the CPU may raise a TLB conflict abort or
        # use any of the entries (CONSTRAINED UNPREDICTABLE). A walk here uses the entry that it reads.
        if level < (1 if self.granule.shift == 12 else 2):
            return 1
        return {12: 16, 14: 128 if level == LAST_LEVEL else 32, 16: 32}[self.granule.shift]

    def decode(self, word: int, level: int) -> Descriptor:
        """The descriptor that `word` is in a table of `level`."""
        table, block, page = (
            (Table, Block, PageDescriptor) if self.stage == 1 else (Stage2Table, Stage2Block, Stage2Page)
        )
        kind: type[Descriptor]
        match word & 0b11, level == LAST_LEVEL:
            case 0b11, True:
                kind = page
            case 0b11, False:
                kind = table
            case 0b01, False if level >= self.first_block_level:
                kind = block
            case _:
                kind = Invalid
        return _layout(kind, self, level)(word)

    def kinds(self, words: NDArray[np.uint64], level: int) -> NDArray[np.uint8]:
        """The kind of each word of an array in a table of `level`, by the rules of `decode`: `HOLE`, `TABLE` or `LEAF`.

        >>> import numpy as np
        >>> plain = DescriptorFormat(Granule(12), OutputAddress.PLAIN)
        >>> plain.kinds(np.array([0, 0x701, 0x4003], np.uint64), 2).tolist()
        [0, 2, 1]
        """
        import numpy as np

        by_type = [HOLE, LEAF if self.first_block_level <= level < LAST_LEVEL else HOLE, HOLE, TABLE]
        if level == LAST_LEVEL:
            by_type[0b11] = LEAF
        kinds: NDArray[np.uint8] = np.array(by_type, np.uint8)[(words & np.uint64(ENTRY_TYPE)).astype(np.uint8)]
        return kinds

    def runs(self, words: NDArray[np.uint64], level: int, output_bits: int = 52) -> Runs:
        """The entries of tables of `level`, each a row of `words`, as runs of entries that are alike.

        Invalid entries in a row are one run, and so are leaves with the same attributes and with addresses in step.
        Each table descriptor is one by itself, and a run ends where its table does. Entries with an address of more
        than `output_bits`, at which every access faults, count as invalid.

        >>> import numpy as np
        >>> words = np.array([[0, 0, 0x20_0701, 0x40_0701, 0x80_0701, 0x4003, 0x4003, 0]], np.uint64)
        >>> runs = DescriptorFormat(Granule(12), OutputAddress.PLAIN).runs(words, 2)
        >>> list(zip(runs.index.tolist(), runs.length.tolist(), runs.kind.tolist()))
        [(0, 2, 0), (2, 2, 2), (4, 1, 2), (5, 1, 1), (6, 1, 1), (7, 1, 0)]
        """
        import numpy as np

        words = np.atleast_2d(words)
        kinds, flat, entries = self.kinds(words, level).reshape(-1), words.reshape(-1), max(words.shape[1], 1)
        if output_bits < self.packing.bits:
            valid = np.flatnonzero(kinds)
            outside = self.addresses(flat[valid], kinds[valid], level) >> np.uint64(output_bits) != 0
            kinds[valid[outside]] = HOLE
        begins = np.empty(kinds.shape, np.bool_)
        np.not_equal(kinds[1:], kinds[:-1], out=begins[1:])
        begins |= kinds != HOLE
        begins[::entries] = True
        leaf = kinds == LEAF
        beside = leaf[1:] & leaf[:-1]
        beside[entries - 1 :: entries] = False
        if beside.any():
            # Words that are one page apart go on, unless the address has run over; of others the addresses are
            # compared, as parts of those may be elsewhere in the word.
            shift = self.granule.level_shift(level)
            alike = beside & ((flat[1:] ^ flat[:-1]) & self.attribute_bits(level) == 0)
            apart = alike & (flat[1:] - flat[:-1] == np.uint64(1 << shift))
            apart &= flat[1:] & np.uint64((1 << 48) - (1 << shift)) != 0
            begins[1:] &= ~apart
            others = np.flatnonzero(alike & ~apart)
            word, before = (self.packing.unpack(flat[at], shift) for at in (others + 1, others))
            begins[others[word - before == np.uint64(1 << shift)] + 1] = False
        at = np.flatnonzero(begins)
        length = np.empty_like(at)
        length[:-1], length[-1:] = at[1:] - at[:-1], len(kinds) - at[-1:]
        return Runs(at // entries, at % entries, length, kinds[at], flat[at])

    def attribute_bits(self, level: int) -> np.uint64:
        """The bits of a leaf of `level` that are not its address."""
        import numpy as np

        return ~np.uint64(self.packing.place((1 << self.packing.bits) - (1 << self.granule.level_shift(level))))

    def addresses(self, words: NDArray[np.uint64], kinds: NDArray[np.uint8], level: int) -> NDArray[np.uint64]:
        """The address in each word of a table of `level`: of a table where `kinds` says `TABLE`, else of a leaf."""
        import numpy as np

        leaves: NDArray[np.uint64] = self.packing.unpack(words, self.granule.level_shift(level))
        return np.where(kinds == TABLE, self.packing.unpack(words, self.granule.shift), leaves)

    def page(self, oa: int, **fields: int) -> Descriptor:
        """A valid page descriptor.

        >>> from pgtlab.arch.granule import G64K
        >>> DescriptorFormat(G64K, OutputAddress.LPA).page(0xf_0000_0001_0000, AF=1).oa == 0xf_0000_0001_0000
        True

        Raises
        ------
        OutputAddressError
            Where `oa` does not fit or is not aligned.
        FieldError
            Where a field is unknown or too large for its bits.
        """
        return self.leaf(oa, LAST_LEVEL, **fields)

    def leaf(self, oa: int, level: int, **fields: int) -> Descriptor:
        """A valid block descriptor of `level`, or at level 3 a page.

        Raises
        ------
        DescriptorError
            Where the level has no blocks, or `oa` is not aligned to the block's size.
        OutputAddressError, FieldError
            As for `page`.
        """
        if not self.first_block_level <= level <= LAST_LEVEL:
            raise DescriptorError(
                f"level {level} of the {self.granule} granule has no blocks: the nearest level that has is "
                f"{min(max(level, self.first_block_level), LAST_LEVEL)}"
            )
        size = 1 << self.granule.level_shift(level)
        if oa & size - 1:
            raise DescriptorError(
                f"{oa:#x} is not aligned to the {size:#x} bytes of a level {level} entry: "
                f"the nearest below is {oa & -size:#x}"
            )
        page = level == LAST_LEVEL
        layout = _layout(PageDescriptor if page else Block, self, level)
        return layout(self.packing.pack(oa), VALID=1, TYPE=page, **fields)

    def table(self, pa: int, level: int, **fields: int) -> Descriptor:
        """A valid descriptor, in a table of `level`, of the next table at `pa`.

        Raises
        ------
        DescriptorError
            At level 3, which has no tables below it.
        OutputAddressError, FieldError
            As for `page`.
        """
        if not level < LAST_LEVEL:
            raise DescriptorError(
                f"there is no table below level {LAST_LEVEL}: a table descriptor is of level 2 or above"
            )
        return _layout(Table, self, level)(self.packing.pack(pa), VALID=1, TYPE=1, **fields)


@cache
def _layout(kind: type[Descriptor], format: DescriptorFormat, level: int) -> type[Descriptor]:
    """The class of `kind` with the bits named that depend on the format and the level."""
    names: dict[str, Any] = {"format": format, "level": level, "__doc__": kind.__doc__, "__module__": kind.__module__}
    if issubclass(kind, _WithAddress):
        is_table = kind in (Table, Stage2Table)
        low_bit = format.granule.shift if is_table else format.granule.level_shift(level)
        names["OA"] = Field(49 if format.packing is OutputAddress.LPA2 else 47, low_bit)
        if format.packing is OutputAddress.LPA:
            names["OA_51_48"] = Field(15, 12)
        if format.packing is OutputAddress.LPA2:
            names["OA_51_50"] = Field(9, 8)
        elif not is_table:
            names["SH"] = Field(9, 8, Shareability)
        if kind in (Block, Stage2Block):
            names["nT"] = Field(16)
    return type(kind.__name__.removesuffix("Descriptor").removeprefix("Stage2"), (kind,), names)
