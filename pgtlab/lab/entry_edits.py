"""Changes to an entry that a walk has read, such as a clear access flag, to see what the next walk makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgtlab.arch.descriptor import Descriptor, Invalid, Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.walk import Step, Walk

_READ_ONLY, _EL0 = 0b10, 0b01  # bits of AP[2:1]


@dataclass(frozen=True)
class Edit:
    """A change with a name: the word that it leaves at a physical address."""

    name: str
    address: int
    word: int


def edits(walk: Walk, number: int) -> tuple[Edit, ...]:
    """The changes that make sense for the entry which a walk reads at a step; the first step is 1.

    Every one is made through the descriptor of the entry, so that its bits are those of its level and format.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.lab.tables_to_walk import small_process
    >>> space = small_process(boot(Config("4k", 48), CPU.named("max")))
    >>> walk = space.translate(space.trials[0].va, el=0)
    >>> [edit.name for edit in edits(walk, 3)]
    ['clear bit 0', 'make it a block', 'make all below it read-only']
    >>> [edit.name for edit in edits(walk, 4)]
    ['clear bit 0', 'set AF = 0', 'make it read-only', 'keep EL0 out', 'set UXN = 0', 'set PXN = 0']
    """
    if not 1 <= number <= len(walk.steps):
        return ()
    step = walk.steps[number - 1]
    if step.descriptor is None:
        return ()
    place = step.physical
    assert place is not None
    return tuple(Edit(name, place, int(changed)) for name, changed in _changes(walk, step, step.descriptor))


def _changes(walk: Walk, step: Step, entry: Descriptor) -> Iterator[tuple[str, Descriptor | int]]:
    if isinstance(entry, Invalid):
        yield ("set bit 1", int(entry) | 0b10) if entry.VALID else ("set bit 0", entry.replace(VALID=1))
        return
    yield "clear bit 0", entry.replace(VALID=0)
    if isinstance(entry, Table):
        if (block := _block(walk, step)) is not None:
            yield "make it a block", block
        if not walk.va_range.hpd:
            allowed = entry.APTable & _READ_ONLY
            name = "make all below it writable" if allowed else "make all below it read-only"
            yield name, entry.replace(APTable=entry.APTable ^ _READ_ONLY)
    elif isinstance(entry, Leaf):
        yield f"set AF = {1 - entry.AF}", entry.replace(AF=1 - entry.AF)
        clean = walk.va_range.hd and entry.DBM  # then AP[2] says that it is clean, and it is writable
        if entry.AP & _READ_ONLY and not clean:
            yield "make it writable", entry.replace(AP=entry.AP & ~_READ_ONLY)
        else:
            yield "make it read-only", entry.replace(AP=entry.AP | _READ_ONLY, DBM=0)
        yield "keep EL0 out" if entry.AP & _EL0 else "let EL0 in", entry.replace(AP=entry.AP ^ _EL0)
        yield f"set UXN = {1 - entry.UXN}", entry.replace(UXN=1 - entry.UXN)
        yield f"set PXN = {1 - entry.PXN}", entry.replace(PXN=1 - entry.PXN)


def _block(walk: Walk, step: Step) -> Descriptor | None:
    """The block in place of a table, with the attributes of the leaf of the walk; None if there is none."""
    leaf, format = walk.steps[-1].descriptor, walk.va_range.format
    if not isinstance(leaf, Leaf) or not format.first_block_level <= step.level < LAST_LEVEL:
        return None
    shared = {
        name: value for name, value in leaf.items() if name in ("AttrIndx", "AP", "SH", "AF", "nG", "DBM", "PXN", "UXN")
    }
    return format.leaf(leaf.oa & -(1 << format.granule.level_shift(step.level)), step.level, **shared)
