"""The mappings of one range as one array: all tables of a level are read at once.

A table is read once for each level that reaches it, however many entries lead to it. From the last level up, what a
table maps is put together from its leaves and from what its children map, and neighbours that continue each other are
joined before anything above repeats them. So time goes with the tables and with the result, not with the addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.descriptor import LEAF, Leaf
from pgtlab.arch.fault import Access
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.many.rules import Rules
from pgtlab.arch.memory import U64, Memory, read_tables
from pgtlab.arch.mmu import MMU
from pgtlab.arch.permissions import inherit
from pgtlab.arch.sizes import short_size
from pgtlab.arch.tables.allowed import leaf_fields
from pgtlab.arch.tables.tree import attributes_of
from pgtlab.arch.va_range import VARange

Mappings: TypeAlias = NDArray[Any]

#: An element of a table of mappings. `va`, `size` and `pa` are in bytes, `level` is that of the leaves and `descriptor`
#: the first of them. Then what takes effect, with the restrictions of the tables above: `attr`, the memory type as a
#: byte of MAIR_EL1, and `sh`, both for data; `ap`, `uxn` and `pxn`, which are zero with indirect permissions; `el0` and
#: `el1`, what EL0 and the kernel may do, 4 to read, 2 to write and 1 to execute; and the leaf's `ng`, `af`,
#: `contiguous` and `dbm`.
MAPPING: Final = np.dtype(
    [
        ("va", np.uint64),
        ("size", np.uint64),
        ("pa", np.uint64),
        ("level", np.int8),
        ("descriptor", np.uint64),
        ("attr", np.uint8),
        ("sh", np.uint8),
        ("ap", np.uint8),
        ("uxn", np.bool_),
        ("pxn", np.bool_),
        ("el0", np.uint8),
        ("el1", np.uint8),
        ("ng", np.bool_),
        ("af", np.bool_),
        ("contiguous", np.bool_),
        ("dbm", np.bool_),
    ]
)

_ROW: Final = np.dtype(
    [
        ("va", np.uint64),
        ("size", np.uint64),
        ("pa", np.uint64),
        ("descriptor", np.uint64),
        ("attributes", np.uint64),
        ("level", np.int8),
        ("inherited", np.uint8),
    ]
)
_INHERITED_AT: Final = 56  # a table is known by its address, and from this bit on by what it inherits
_BATCH: Final = 1 << 21  # words looked at together
LARGEST: Final = 1 << 22  # mappings: some 300 MiB while they are put together


class TooManyMappings(ValueError):
    """Tables that map more than an array should hold: some lead back to themselves or are shared very often."""


@dataclass(frozen=True)
class MappedRange:
    """A range of addresses that is mapped alike: one attribute set, one size of entry, physical addresses in step."""

    va: int
    size: int
    first: Leaf

    @property
    def pa(self) -> int:
        """Physical address of the first byte."""
        return self.first.oa

    @property
    def level(self) -> int:
        """The level of its leaves."""
        return self.first.level

    def __str__(self) -> str:
        unit = short_size(1 << self.first.format.granule.level_shift(self.level))
        return (
            f"{self.va:#018x}-{self.va + self.size - 1:#018x} {short_size(self.size):>7} "
            f"{unit:>4} {type(self.first).__name__:5} {self.pa:#014x} {attributes_of(self.first)}"
        )


@dataclass(frozen=True)
class _Level:
    """The tables of one level, and what is in them: leaves and table descriptors in the order of their addresses.

    `child` is the number of the table that an item leads to, among those of the next level, and -1 for leaves; `rows`
    has what an item that is a leaf maps, its `va` counted from the start of its table.
    """

    tables: int
    owner: NDArray[np.intp]
    child: NDArray[np.intp]
    rows: Mappings


def mapping_table(mmu: MMU, *, upper: bool = False, progress: bool = False) -> Mappings:
    """All that one range maps, in the order of addresses, neighbours that continue each other joined.

    Neighbours are of the same level, have the same attributes, and physical addresses in step. An entry with a physical
    address that is too large, at which every access faults, maps nothing; nor does a table that is not in memory. A
    block that is larger than the output size maps what is within it. In a guest `pa` is an intermediate address.

    Parameters
    ----------
    mmu : MMU
        The registers and the memory.
    upper : bool
        The range of TTBR1_EL1, else that of TTBR0_EL1.
    progress : bool
        Show how many tables were read, on a terminal and after a second.

    Returns
    -------
    array of MAPPING
        Empty where the range is not translated.

    Raises
    ------
    TooManyMappings
        Where there are more than `LARGEST`.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x1f_e000, 0x7f_e000, 0x40_4000)
    >>> [(hex(m["va"]), hex(m["size"]), hex(m["pa"]), int(m["level"])) for m in mapping_table(mapper.mmu)]
    [('0x1fe000', '0x2000', '0x7fe000', 3), ('0x200000', '0x400000', '0x800000', 2),
    ('0x600000', '0x2000', '0xc00000', 3)]
    """
    r = mmu.upper if upper else mmu.lower
    if not mmu.walked(r):
        return np.zeros(0, MAPPING)
    return _finished(mmu, r, mapped(mmu.table_memory, r, progress=progress))


def mapped(memory: Memory, r: VARange, *, progress: bool = False) -> Mappings:
    """What the tables of a range of either stage map: the columns `va`, `size`, `pa`, `level` and `descriptor`."""
    from pgtlab.progress_bar import tqdm

    assert r.start_level is not None
    levels = []
    keys = np.array([r.base], np.uint64)
    with tqdm(unit=" tables", delay=1, disable=None if progress else True) as bar:
        for level in range(r.start_level, LAST_LEVEL + 1):
            found, keys = _read_level(memory, r, level, keys, bar)
            levels.append(found)
            if not len(keys):
                break
    rows, first = np.zeros(0, _ROW), np.zeros(1, np.intp)
    for below, found in enumerate(reversed(levels)):
        shift = r.granule.level_shift(r.start_level + len(levels) - 1 - below)
        rows, first = _assemble(found, rows, first, np.uint64((1 << shift) - 1))
    return rows


def mappings(mmu: MMU, *, upper: bool = False) -> Iterator[MappedRange]:
    """The mappings of one range in the order of addresses, with neighbours that continue each other joined.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x1f_e000, 0x7f_e000, 0x40_4000)
    >>> for mapping in mappings(mapper.mmu):
    ...     print(mapping)
    0x00000000001fe000-0x00000000001fffff      8K   4K Page  0x0000007fe000 AF SH=INNER
    0x0000000000200000-0x00000000005fffff      4M   2M Block 0x000000800000 AF SH=INNER
    0x0000000000600000-0x0000000000601fff      8K   4K Page  0x000000c00000 AF SH=INNER
    """
    format = (mmu.upper if upper else mmu.lower).format
    for row in mapping_table(mmu, upper=upper):
        leaf = format.decode(int(row["descriptor"]), int(row["level"]))
        assert isinstance(leaf, Leaf)
        yield MappedRange(int(row["va"]), int(row["size"]), leaf)


def _read_level(memory: Memory, r: VARange, level: int, keys: U64, bar: Any) -> tuple[_Level, U64]:
    """The tables of a level, and which tables of the next they lead to, each once."""
    batch = max(1, _BATCH // r.entries(level))
    parts = [_items(memory, r, level, keys[start : start + batch], start, bar) for start in range(0, len(keys), batch)]
    owner, row, target = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    _limit(len(row))
    leads = row["size"] == 0
    following, which = np.unique(target[leads], return_inverse=True)
    child = np.full(len(row), -1, np.intp)
    child[leads] = which
    return _Level(len(keys), owner, child, row), following


def _items(
    memory: Memory, r: VARange, level: int, keys: U64, first: int, bar: Any
) -> tuple[NDArray[np.intp], Mappings, U64]:
    """The entries of a batch of tables, numbered from `first` on: the owner, the mapping and the next table of each.

    A table descriptor has the size 0.
    """
    words, _ = read_tables(memory, keys & np.uint64((1 << _INHERITED_AT) - 1), r.entries(level))
    runs = r.format.runs(words, level, r.output_bits).valid
    bar.update(len(keys))
    shift = np.uint64(r.granule.level_shift(level))
    rows = np.zeros(len(runs.table), _ROW)
    rows["va"], rows["level"], rows["descriptor"] = runs.index.astype(np.uint64) << shift, level, runs.word
    rows["pa"] = r.format.addresses(runs.word, runs.kind, level)
    rows["attributes"] = runs.word & r.format.attribute_bits(level)
    rows["inherited"] = keys[runs.table] >> np.uint64(_INHERITED_AT)
    within = np.uint64(1 << r.output_bits) - rows["pa"]  # a block may be larger than the output size
    rows["size"] = np.where(runs.kind == LEAF, np.minimum(runs.length.astype(np.uint64) << shift, within), 0)
    passed_on = rows["inherited"] | runs.word >> np.uint64(59) & np.uint64(0 if r.hpd else 0xF)
    return runs.table + first, rows, rows["pa"] | passed_on << np.uint64(_INHERITED_AT)


def _assemble(
    level: _Level, below: Mappings, first: NDArray[np.intp], offset: np.uint64
) -> tuple[Mappings, NDArray[np.intp]]:
    """The mappings of each table of a level, made from those of the tables below: rows, and where each table's begin.

    `below[first[i] : first[i + 1]]` are those of table i of the next level.
    """
    leads = level.child >= 0
    counts = np.ones(len(level.rows), np.intp)
    counts[leads] = (first[1:] - first[:-1])[level.child[leads]] if len(first) > 1 else 0
    total = int(counts.sum())
    _limit(total)
    item = np.repeat(np.arange(len(counts)), counts)
    rows, owner = level.rows[item], level.owner[item]
    inner = leads[item]
    within = np.arange(total) - (np.cumsum(counts) - counts)[item]
    rows[inner] = below[first[level.child[item[inner]]] + within[inner]]
    rows["va"][inner] += level.rows["va"][item[inner]]
    starts = np.flatnonzero(np.append(True, ~_continues(rows, owner))[: len(rows)])
    sizes = np.add.reduceat(rows["size"], starts) if len(rows) else rows["size"]
    rows, owner = rows[starts], owner[starts]
    rows["size"] = sizes
    return rows, np.searchsorted(owner, np.arange(level.tables + 1)).astype(np.intp)


def _limit(count: int) -> None:
    if count > LARGEST:
        raise TooManyMappings(f"{count} mappings or more: an array of them has {LARGEST} at most")


def _continues(rows: Mappings, owner: NDArray[np.intp]) -> NDArray[np.bool_]:
    """For each row but the first, whether it continues the one before."""
    before, after = rows[:-1], rows[1:]
    continues: NDArray[np.bool_] = owner[1:] == owner[:-1]
    for name in "level", "attributes", "inherited":
        continues &= after[name] == before[name]
    for name in "va", "pa":
        continues &= after[name] == before[name] + before["size"]
    return continues


def _finished(mmu: MMU, r: VARange, rows: Mappings) -> Mappings:
    """The rows with a column for each attribute."""
    found = np.zeros(len(rows), MAPPING)
    for name in "size", "pa", "level", "descriptor":
        found[name] = rows[name]
    found["va"] = rows["va"] + np.uint64(r.first)
    word = rows["descriptor"]

    def bits(field: Any) -> Any:
        return (word & np.uint64(field.mask)) >> np.uint64(field.lo)

    d = mmu.access(Access.READ, None)
    rules = replace(mmu.permission_rules(r, d), pan=False)
    types = Rules.of(mmu, r, d).memory_types[word >> np.uint64(2) & np.uint64(0xFF)]
    found["attr"], found["sh"] = types & 0xFF, types >> 8
    leaves = leaf_fields(word, rows["inherited"].astype(np.int64))
    found["el0"], found["el1"] = rules.allowed(0, leaves), rules.allowed(1, leaves)
    if not rules.pie:
        ap = np.where(leaves.dbm == 1, leaves.ap & 1, leaves.ap) if r.hd else leaves.ap
        found["ap"], found["uxn"], found["pxn"] = inherit(ap, leaves.uxn, leaves.pxn, leaves.table)
    for name, field in (("ng", Leaf.nG), ("af", Leaf.AF), ("contiguous", Leaf.Contiguous), ("dbm", Leaf.DBM)):
        found[name] = bits(field)
    return found
