"""The word of a step of a walk, field by field: a register, a descriptor, or the syndrome of the fault."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from pgtlab.arch import esr
from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.named_bits import NamedBits
from pgtlab.arch.walk import Walk
from pgtlab.lab.tables_to_walk import AddressSpace
from pgtlab.linux.entry_bits import name_entry

ALWAYS_SHOWN = ("DFSC", "IFSC", "WnR")  # fields of a syndrome; others are shown only if they are not zero
_WITHOUT_MEANING = ("RES0", "ignored")


def word_of(walk: Walk, space: AddressSpace | None, step: int) -> dict[str, Any] | None:
    """What the browser shows of the word of a step: its name, its digits in groups, and a row for each field.

    Step 0 is the register with the first table, the step after the last entry the outcome. None if no word was read.
    """
    assert space is not None
    if step == 0:
        return _shown(space.mmu.ttbr1 if walk.va_range.upper else space.mmu.ttbr0)
    if step <= len(walk.steps):
        descriptor = walk.steps[step - 1].descriptor
        if descriptor is None:
            return None
        return _shown(descriptor, None if space.boot is None else name_entry(descriptor, space.boot))
    if walk.esr is None:
        return _shown(walk.par)
    leaves = [leaf for part in esr.decode(int(walk.esr)).fields for leaf in part.leaves()]
    return _shown(walk.esr, [leaf for leaf in leaves if leaf.value or leaf.name in ALWAYS_SHOWN])


def _shown(word: BitFields, named: Iterable[NamedBits] | None = None) -> dict[str, Any]:
    if named is None:
        named = [NamedBits(field.name, field.hi, field.lo, *_value(field.extract(word.value))) for field in word.fields]
        named = reversed(named)
    leaves = [leaf for part in named for leaf in part.leaves()]
    digits = f"{word.value:016x}"
    return {
        "name": type(word).__name__,
        "digits": " ".join(digits[i : i + 4] for i in range(0, 16, 4)),
        "rows": [
            [leaf.bits, leaf.name, leaf.digits, leaf.meaning or ""]
            for leaf in leaves
            if leaf.value or leaf.name not in _WITHOUT_MEANING
        ],
    }


def _value(value: int) -> tuple[int, str | None]:
    return int(value), value.name if isinstance(value, IntEnum) else None
