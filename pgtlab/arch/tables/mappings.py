"""What the tables of one range map, as one array: all tables of a level are read at once.

A table is read once for each level that reaches it, however many entries lead to it. From the last level up, what a
table maps is put together from its leaves and from what its children map, and neighbours that continue each other are
joined before anything above repeats them. So time goes with the tables and with the result, not with the addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.attributes import effective_shareability, inherit
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64, ZEROS, Memory, words_there
from pgtlab.arch.mmu import MMU
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.va_range import VARange

Mappings: TypeAlias = NDArray[Any]

#: An element of a table of mappings. `va`, `size` and `pa` are in bytes, `level` is that of the leaves and `descriptor`
#: the first of them. The rest is what takes effect, the tables' own restrictions included: `attr` the byte of MAIR_EL1,
#: `sh`, `ap`, `uxn` and `pxn`; and the leaf's `ng`, `af`, `contiguous` and `dbm`.
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
    """Tables that map more than an array should hold: some lead back to themselves, or are shared many times over."""


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
    address that is too large, at which every access faults, maps nothing; nor does a table that is not in memory.

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
    from tqdm import tqdm

    r = mmu.upper if upper else mmu.lower
    if r.start_level is None or not mmu.sctlr.M or r.epd:
        return np.zeros(0, MAPPING)
    levels = []
    keys = np.array([r.base], np.uint64)
    if r.base >> r.output_bits:
        return np.zeros(0, MAPPING)
    with tqdm(unit=" tables", delay=1, disable=None if progress else True) as bar:
        for level in range(r.start_level, LAST_LEVEL + 1):
            found, keys = _read_level(mmu.memory, r, level, keys, bar)
            levels.append(found)
            if not len(keys):
                break
    rows, first = np.zeros(0, _ROW), np.zeros(1, np.intp)
    for below, found in enumerate(reversed(levels)):
        shift = r.granule.level_shift(r.start_level + len(levels) - 1 - below)
        rows, first = _assemble(found, rows, first, np.uint64((1 << shift) - 1))
    return _finished(mmu, r, rows)


def _read_level(memory: Memory, r: VARange, level: int, keys: U64, bar: Any) -> tuple[_Level, U64]:
    """The tables of a level, and which tables of the next they lead to, each once."""
    bits = r.granule.bits_per_level if level != r.start_level else r.input_bits - r.granule.level_shift(level)
    shift, batch = r.granule.level_shift(level), max(1, _BATCH >> bits)
    owners, rows, targets = [], [], []
    for start in range(0, len(keys), batch):
        some = keys[start : start + batch]
        inherited = (some >> np.uint64(_INHERITED_AT)).astype(np.uint8)
        words = _words(memory, some & np.uint64((1 << _INHERITED_AT) - 1), 1 << bits)
        for owner, row, target in _items(r, level, words, inherited):
            owners.append(owner + start)
            rows.append(row)
            targets.append(target)
            _limit(sum(map(len, rows)))
        bar.update(len(some))
    owner = np.concatenate(owners) if owners else np.zeros(0, np.intp)
    row = np.concatenate(rows) if rows else np.zeros(0, _ROW)
    target = np.concatenate(targets) if targets else np.zeros(0, np.uint64)
    row["va"] <<= np.uint64(shift)
    leads = row["size"] == 0
    following, which = np.unique(target[leads], return_inverse=True)
    child = np.full(len(row), -1, np.intp)
    child[leads] = which
    return _Level(len(keys), owner, child, row), following


def _items(
    r: VARange, level: int, words: U64, inherited: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.intp], Mappings, U64]]:
    """Runs of leaves and table descriptors: whose they are, what they map, and which tables they lead to.

    `va` is an index still, and a table descriptor has the size 0.
    """
    kind, shift = words & np.uint64(3), r.granule.level_shift(level)
    leaf = kind == (3 if level == LAST_LEVEL else 1)
    if level < r.format.first_block_level:
        leaf[:] = False
    table = (kind == 3) & (level < LAST_LEVEL)
    if not leaf.any() and not table.any():
        return
    address: U64 = r.format.packing.unpack(words, shift)
    attributes = words & ~np.uint64(r.format.packing.place((1 << r.format.packing.bits) - (1 << shift)))
    leaf &= address >> np.uint64(r.output_bits) == 0
    goes_on = leaf[:, 1:] & leaf[:, :-1] & (attributes[:, 1:] == attributes[:, :-1])
    goes_on &= address[:, 1:] - address[:, :-1] == np.uint64(1 << shift)
    first, last = leaf.copy(), leaf.copy()
    first[:, 1:] &= ~goes_on
    last[:, :-1] &= ~goes_on
    next_table: U64 = r.format.packing.unpack(words, r.granule.shift)
    table &= next_table >> np.uint64(r.output_bits) == 0
    owner, index = np.nonzero(first | table)
    rows = np.zeros(len(owner), _ROW)
    rows["va"], rows["level"] = index, level
    rows["descriptor"], rows["pa"] = words[owner, index], address[owner, index]
    rows["attributes"], rows["inherited"] = attributes[owner, index], inherited[owner]
    is_leaf = first[owner, index]
    ends = np.nonzero(last)[1]
    rows["size"][is_leaf] = (ends - index[is_leaf] + 1).astype(np.uint64) << np.uint64(shift)
    own = rows["descriptor"] >> np.uint64(59) & np.uint64(0 if r.hpd else 0xF)
    passed_on = rows["inherited"] | own.astype(np.uint8)
    yield owner, rows, next_table[owner, index] | passed_on.astype(np.uint64) << np.uint64(_INHERITED_AT)


def _words(memory: Memory, tables: U64, count: int) -> U64:
    """The first `count` words of each table; zeros, which are invalid entries, where there is no memory."""
    banks = memory.banks()
    size = np.uint64(8 * count)
    found = np.zeros((len(tables), count), np.uint64)
    if not len(banks.base):
        return found
    bank = np.searchsorted(banks.base, tables, side="right") - 1
    inside = (bank >= 0) & (tables + size <= banks.end[bank])
    whole = inside & (banks.first[bank] != ZEROS)
    where = banks.first[bank[whole]] + (tables[whole] - banks.base[bank[whole]] >> np.uint64(3))
    found[whole] = banks.words[where[:, None] + np.arange(count, dtype=np.uint64)]
    for i in np.flatnonzero(~inside):
        there = words_there(memory, int(tables[i]), count)
        if there is not None:
            found[i] = there
    return found


def _assemble(
    level: _Level, below: Mappings, first: NDArray[np.intp], offset: np.uint64
) -> tuple[Mappings, NDArray[np.intp]]:
    """What each table of a level maps, from what those below map: rows, and where each table's begin.

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
    same = owner[1:] == owner[:-1]
    for name in "level", "attributes", "inherited":
        same &= after[name] == before[name]
    for name in "va", "pa":
        same &= after[name] == before[name] + before["size"]
    continues: NDArray[np.bool_] = same
    return continues


def _finished(mmu: MMU, r: VARange, rows: Mappings) -> Mappings:
    """The rows with their attributes by name."""
    found = np.zeros(len(rows), MAPPING)
    for name in "size", "pa", "level", "descriptor":
        found[name] = rows[name]
    found["va"] = rows["va"] + np.uint64((1 << 64) - (1 << r.input_bits) if r.upper else 0)
    word = rows["descriptor"]

    def bits(field: Any) -> Any:
        return (word & np.uint64(field.mask)) >> np.uint64(field.lo)

    attr = np.array([int(mmu.mair) >> 8 * i & 0xFF for i in range(8)], np.uint8)[bits(Leaf.AttrIndx).astype(np.intp)]
    sh = np.array([[effective_shareability(a, s) for s in range(4)] for a in range(256)], np.uint8)
    own = np.full(len(word), r.sh) if r.format.packing is OutputAddress.LPA2 else word >> np.uint64(8) & np.uint64(3)
    found["attr"], found["sh"] = attr, sh[attr, own.astype(np.intp)]
    ap, uxn, pxn = (bits(field).astype(np.uint8) for field in (Leaf.AP, Leaf.UXN, Leaf.PXN))
    if r.hd:
        ap = np.where(bits(Leaf.DBM) == 1, ap & 1, ap)
    found["ap"], found["uxn"], found["pxn"] = inherit(ap, uxn, pxn, rows["inherited"])  # type: ignore[arg-type]
    for name, field in (("ng", Leaf.nG), ("af", Leaf.AF), ("contiguous", Leaf.Contiguous), ("dbm", Leaf.DBM)):
        found[name] = bits(field)
    return found
