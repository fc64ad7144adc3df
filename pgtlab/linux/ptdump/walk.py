"""What the kernel notes when it walks its own page tables: `mm/ptdump.c` and `mm/pagewalk.c`, v6.12.

Such a walk reads entries as Linux reads them, which is not how the MMU does: `pud_none()` and its kin decide. It notes
every leaf, every entry of a last table, and every hole, and of tables nothing.

Entries that are noted alike are one run here, found for all tables at once that lie side by side in the tree. The
runs of a table are kept if they are few, so a table that many entries lead to is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64, Memory, read_tables, words_known
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.ptdump import PtdumpError

if TYPE_CHECKING:
    from pgtlab.arch.va_range import VARange

_ENOUGH: Final = 1 << 20  # runs, if that is more than the tables have entries
_SHORT: Final = 64  # runs of a table that are worth keeping
_BATCH: Final = 1 << 20  # words looked at together

# A run's key: what is noted of its entries, and two small numbers in bits that no attribute has.
_MISSING: Final = 1 << 63  # the table is not in memory, so its entries are not known
_DEPTH_AT: Final = 56  # the level under which Linux notes it, 0 (pgd) to 4 (pte)
_LEVEL_AT: Final = 59  # Arm's level plus one, which says how far apart the entries are
_PROT: Final = (1 << _DEPTH_AT) - 1

_VALID, _TYPE = np.uint64(Leaf.VALID.mask), np.uint64(3)
_TABLE_BIT, _PRESENT_INVALID = np.uint64(Leaf.TYPE.mask), np.uint64(Leaf.nG.mask)

Runs = NDArray[np.uint64]  # rows of start, end and key; addresses count from the start of a table


class Noted(NamedTuple):
    """Entries at `start`, `start + step` and so on before `end`, all noted with the same `depth` and `prot`.

    `prot` is None where the table is not in memory.
    """

    start: int
    end: int
    step: int
    depth: int
    prot: int | None


class _Items(NamedTuple):
    """Tables of one level taken apart: runs of entries that are noted, and entries that lead to a table."""

    rows: Runs
    target: U64  # of an item that leads to a table, the address of that
    leads: NDArray[np.bool_]
    first: NDArray[np.intp]  # the items of table i are those from first[i] up to first[i + 1]


class PageWalk:
    """`walk_page_range_debug()` with the callbacks of ptdump, over the tables of one range.

    Parameters
    ----------
    memory : Memory
        Where the tables are.
    r : VARange
        The range, which says where the first table is and how the address of the next one is packed.
    boot : Boot
        The kernel, which says which levels are folded.
    mask : int
        The bits of an entry that are of interest.
    bar : tqdm
        Counts the tables that were read.
    """

    def __init__(self, memory: Memory, r: VARange, boot: Boot, mask: int, bar: Any) -> None:
        self.memory, self.r, self.boot, self.mask, self.bar = memory, r, boot, np.uint64(mask), bar
        self._known: dict[tuple[int, int], Runs | None] = {}  # None: too many runs to keep
        self._words = 0

    def notes(self) -> Iterator[Noted]:
        """All that is noted, in the order of addresses.

        Raises
        ------
        PtdumpError
            Where it is more than the tables have entries: some lead back to themselves, and the dump would not end.
        """
        r = self.r
        assert r.start_level is not None
        meanings: dict[int, tuple[int, int, int | None]] = {}
        noted = 0
        for va, rows in self._runs(r.start_level, r.base, r.first):
            noted += len(rows)
            if noted > max(_ENOUGH, self._words):
                raise PtdumpError(
                    f"the dump has {noted} regions up to {va:#x}, more than its tables have entries: "
                    "some of them lead back to themselves or are shared very often"
                )
            for start, end, key in rows:
                if key not in meanings:
                    shift = r.granule.level_shift((key >> _LEVEL_AT & 7) - 1)
                    meanings[key] = 1 << shift, key >> _DEPTH_AT & 7, None if key & _MISSING else key & _PROT
                yield Noted(va + start, va + end, *meanings[key])

    def _runs(self, level: int, table: int, va: int) -> Iterator[tuple[int, list[list[int]]]]:
        """The runs of the table that maps what begins at `va`, and what their addresses count from."""
        runs = self._known.get((level, table))
        if runs is not None:
            yield va, runs.tolist()
            return
        items, done = self._items(level, np.array([table], np.uint64)), 0
        for i in np.flatnonzero(items.leads).tolist():
            yield va, items.rows[done:i].tolist()
            done, child = i + 1, int(items.target[i])
            if (level + 1, child) not in self._known:
                # Last tables all at once; above them one by one, so that the first lines need not wait for all tables.
                ahead = items.target[i:][items.leads[i:]] if level + 1 == LAST_LEVEL else items.target[i : i + 1]
                self._look(level + 1, ahead)
            yield from self._runs(level + 1, child, va + int(items.rows[i, 0]))
        yield va, items.rows[done:].tolist()

    def _look(self, level: int, tables: U64) -> None:
        """Find the runs of each of the tables."""
        unknown = [table for table in np.unique(tables).tolist() if (level, table) not in self._known]
        batch = max(1, _BATCH // self.r.entries(level))
        for start in range(0, len(unknown), batch):
            batch_of_tables = unknown[start : start + batch]
            items = self._items(level, np.array(batch_of_tables, np.uint64))
            self.bar.update(len(batch_of_tables))
            self._words += len(batch_of_tables) * self.r.entries(level)
            if items.leads.any():
                self._look(level + 1, items.target[items.leads])
            for i, table in enumerate(batch_of_tables):
                these = slice(int(items.first[i]), int(items.first[i + 1]))
                self._known[level, table] = self._short(
                    level, items.rows[these], items.target[these], items.leads[these]
                )

    def _short(self, level: int, rows: Runs, target: U64, leads: NDArray[np.bool_]) -> Runs | None:
        """The runs of one table with those of the tables below it, if they are few."""
        parts, done = [], 0
        for i in () if level == LAST_LEVEL else np.flatnonzero(leads).tolist():
            below = self._known[level + 1, int(target[i])]
            if below is None:
                return None
            moved = below.copy()
            moved[:, :2] += rows[i, 0]
            parts += [rows[done:i], moved]
            done = i + 1
        if parts:
            rows = _joined(np.concatenate([*parts, rows[done:]]))
        return rows.copy() if len(rows) <= _SHORT else None

    def _items(self, level: int, tables: U64) -> _Items:
        """Tables taken apart into runs and entries that lead on."""
        entries = self.r.entries(level)
        words, counts = read_tables(self.memory, tables, entries)
        there = counts == entries
        key, leads, noted = self._keys(level, words)
        for i in np.flatnonzero(~there).tolist():  # of a table that is partly in memory, the rest counts
            missing = ~words_known(self.memory, int(tables[i]), entries)
            key[i, missing] = _MISSING | self._depth(level, leaf=False) << _DEPTH_AT
            leads[i, missing], noted[i, missing] = False, True
        starts = np.ones(key.shape, np.bool_)
        np.not_equal(key[:, 1:], key[:, :-1], out=starts[:, 1:])
        starts[:, 1:] |= leads[:, 1:] | leads[:, :-1] | (noted[:, 1:] != noted[:, :-1])
        at = np.flatnonzero(starts)
        end = np.append(at[1:], key.size)
        seen = noted.reshape(-1)[at]
        at, end = at[seen], end[seen]
        owner, index = np.divmod(at, entries)
        rows = np.empty((len(at), 3), np.uint64)
        rows[:, 0], rows[:, 1] = index, index + end - at
        rows[:, :2] <<= np.uint64(self.r.granule.level_shift(level))
        rows[:, 2] = key.reshape(-1)[at] | np.uint64(level + 1 << _LEVEL_AT)
        target: U64 = self.r.format.packing.unpack(words.reshape(-1)[at], self.r.granule.shift)
        return _Items(rows, target, leads.reshape(-1)[at], np.searchsorted(owner, np.arange(len(tables) + 1)))

    def _keys(self, level: int, words: U64) -> tuple[U64, NDArray[np.bool_], NDArray[np.bool_]]:
        """For each entry what is noted of it, whether it leads to a table, and whether it does either."""
        every = np.ones(words.shape, np.bool_)
        prot = words & self.mask
        if level == LAST_LEVEL:
            return prot | np.uint64(self._depth(level, leaf=True) << _DEPTH_AT), ~every, every
        hole = np.uint64(self._depth(level, leaf=False) << _DEPTH_AT)
        if level < 1:  # pgd_none_or_clear_bad(): of a word without the table bit a hole is made
            leads = words & _TABLE_BIT != 0
            return np.where(leads, np.uint64(0), hole), leads, every
        none = words == 0
        present = (words & _VALID != 0) | (words & _PRESENT_INVALID != 0)
        always = level == 1 and self.boot.config.granule.shift == 16  # pud_table() with 64K pages
        table = every if always else words & _TYPE == _TYPE
        leaf = np.uint64(self._depth(level, leaf=True) << _DEPTH_AT)
        leads = present & table
        return np.where(present & ~table, prot | leaf, hole), leads, none | present

    def _depth(self, level: int, *, leaf: bool) -> int:
        """The level, 0 (pgd) to 4 (pte), that an entry of Arm's `level` is noted under."""
        k, folded = self.boot.config.constants, self.boot.folded
        depth = level + 1
        if not leaf:  # real_depth(): a hole counts as one of the level that those folded at compile time are part of
            for at, entries in (3, k.PTRS_PER_PMD), (2, k.PTRS_PER_PUD), (1, k.PTRS_PER_P4D):
                if depth == at and entries == 1:
                    depth -= 1
        name = {1: "p4d", 2: "pud"}.get(depth)  # note_page() asks of these two, however they were folded
        return 0 if name and folded[name] is not Fold.REAL else depth


def _joined(rows: Runs) -> Runs:
    """Runs of which none continues the one before."""
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = (rows[1:, 2] != rows[:-1, 2]) | (rows[1:, 0] != rows[:-1, 1])
    ends = np.append(starts[1:], True)
    return np.column_stack([rows[starts, 0], rows[ends, 1], rows[starts, 2]])
