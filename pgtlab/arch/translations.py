"""The results of the walk of many addresses, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgtlab.arch.fault import Fault
from pgtlab.arch.memory import U64
from pgtlab.arch.steps import Translation, Walk

NO_FAULT = 0xFF  # not a status code: those have six bits
NO_LEVEL = -2  # with the MMU off nothing is walked
# Bits of `Translations.detail`, as the registers have them: PAR_EL1 from bit 8 on.
ON_WALK, STAGE_2, OVERLAY, DIRTY_STATE = 1 << 0, 1 << 1, 1 << 6, 1 << 7


@dataclass(frozen=True, eq=False)
class Translations:
    """The results of `MMU.translate_many`, element by element.

    `fault` is the six-bit status code, or `NO_FAULT`; `level` that of the leaf or of the fault, or `NO_LEVEL` where the
    MMU is off; `attributes` a `MemoryAttributes` word. A faulting element has zero for its `pa` and `attributes`.
    `detail` has what else a fault reports: the bits `ON_WALK`, `STAGE_2`, `OVERLAY` and `DIRTY_STATE`. `ipa` is the
    address that stage 2 was asked for, and None without one.
    """

    pa: U64
    fault: NDArray[np.uint8]
    level: NDArray[np.int8]
    attributes: NDArray[np.uint16]
    detail: NDArray[np.uint8]
    ipa: U64 | None = None

    @classmethod
    def of(cls, walks: Sequence[Walk]) -> Translations:
        """The arrays of results that walks of single addresses have."""
        rows = [_row(walk.outcome) for walk in walks]
        pa, fault, level, attributes, detail, ipa = zip(*rows, strict=True) if rows else ((),) * 6
        nested = any(address is not None for address in ipa)
        return cls(
            np.array(pa, np.uint64),
            np.array(fault, np.uint8),
            np.array(level, np.int8),
            np.array(attributes, np.uint16),
            np.array(detail, np.uint8),
            np.array([address or 0 for address in ipa], np.uint64) if nested else None,
        )

    @classmethod
    def empty(cls, count: int) -> Translations:
        """Arrays of `count` elements without a value yet."""
        return cls(
            np.empty(count, np.uint64),
            np.empty(count, np.uint8),
            np.empty(count, np.int8),
            np.empty(count, np.uint16),
            np.zeros(count, np.uint8),
        )

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays that every translation has, in their order."""
        return self.pa, self.fault, self.level, self.attributes, self.detail

    def reshape(self, shape: tuple[int, ...]) -> Translations:
        """These results in arrays of another shape."""
        ipa = None if self.ipa is None else self.ipa.reshape(shape)
        pa, fault, level, attributes, detail = (array.reshape(shape) for array in self.arrays)
        return Translations(pa, fault, level, attributes, detail, ipa)

    def __len__(self) -> int:
        return len(self.pa)

    def __repr__(self) -> str:
        faults = int(np.count_nonzero(~self.ok))
        return f"Translations({self.pa.size - faults} addresses translated, {faults} faults; shape {self.pa.shape})"

    def differs(self, other: Translations) -> NDArray[np.bool_]:
        """True for the elements in which anything differs."""
        same = [np.equal(one, two) for one, two in zip(self.arrays, other.arrays, strict=True)]
        if self.ipa is not None and other.ipa is not None:
            same.append(np.equal(self.ipa, other.ipa))
        different: NDArray[np.bool_] = ~np.logical_and.reduce(same)
        return different

    @property
    def ok(self) -> NDArray[np.bool_]:
        """True where there is a translation."""
        return np.equal(self.fault, NO_FAULT)

    @property
    def par(self) -> U64:
        """PAR_EL1 as `AT` leaves it, for each element; bit 11 reads as one."""
        attributes = self.attributes.astype(np.uint64)
        success = (attributes & 0xFF) << 56 | self.pa & 0xF_FFFF_FFFF_F000 | (attributes >> 8 & 3) << 7
        failure = self.detail.astype(np.uint64) << 8 | self.fault.astype(np.uint64) << 1 | 1
        return np.where(self.ok, success, failure) | np.uint64(1 << 11)


def _row(outcome: Translation | Fault) -> tuple[int, int, int, int, int, int | None]:
    if isinstance(outcome, Fault):
        detail = int(outcome.par) >> 8 & (ON_WALK | STAGE_2 | OVERLAY | DIRTY_STATE)
        return 0, outcome.status_code, outcome.level, 0, detail, outcome.ipa
    level = NO_LEVEL if outcome.level is None else outcome.level
    return outcome.pa, NO_FAULT, level, int(outcome.attributes), 0, outcome.ipa


def as_addresses(vas: ArrayLike) -> U64:
    """`vas` as 64-bit addresses.

    >>> as_addresses([0x1000, 0xffff_ffff_ffff_f000])
    array([                4096, 18446744073709547520], dtype=uint64)

    Raises
    ------
    ValueError
        Where an element is not a whole number of 64 bits.
    """
    given = vas if isinstance(vas, np.ndarray) else np.array(vas, object)  # numpy would make floats of a mixed list
    if given.dtype == np.uint64:
        return given
    kinds = {type(va) for va in given.flat} if given.dtype == object else {given.dtype.type}
    if not all(issubclass(kind, int | np.integer) for kind in kinds):
        raise ValueError("addresses are whole numbers: give an array of uint64")
    if not given.size:
        return given.astype(np.uint64)
    for extreme in (given.min(), given.max()):
        if not 0 <= extreme < 1 << 64:
            raise ValueError(
                f"{int(extreme):#x} is not a 64-bit address: give the upper range as uint64, from 2**63 on"
            )
    return given.astype(np.uint64)
