"""The rules of `walk` as numbers and as tables to look up, for the walks of many addresses.

What a leaf permits depends on twelve bits of it and its tables, so the rules in `attributes`, applied to all values of
those bits at once, make one small table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.attributes import MemoryAttributes, effective_memory, inherit, permitted
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import BIT_55, MASK64

ADDRESS_SIZE, TRANSLATION, EXTERNAL_ABORT = range(3)  # rows of `Rules.status`
STATUS: Final = np.array(
    [
        [Fault(kind, level, Cause.DESCRIPTOR).status_code for level in range(-1, LAST_LEVEL + 1)]
        for kind in (FaultKind.ADDRESS_SIZE, FaultKind.TRANSLATION, FaultKind.EXTERNAL_ABORT)
    ],
    np.uint8,
)
VERDICT: Final = 0x3F  # an entry of `leaf_rules`: the kind of fault, or 0, below the bits of `MemoryAttributes`
#: The bits of a leaf that decide its attributes and its verdict.
DECIDING: Final = (
    Leaf.VALID.mask | Leaf.TYPE.mask | Leaf.AttrIndx.mask | Leaf.AP.mask | 0b11 << 8 | Leaf.AF.mask | Leaf.nG.mask
    | Leaf.DBM.mask | Leaf.Contiguous.mask | Leaf.PXN.mask | Leaf.UXN.mask
)  # fmt: skip


class Rules(NamedTuple):
    """Tables to look up: `leaf_rules`, `memory_types`, and status codes by the kind of fault and the level plus one."""

    leaf: NDArray[np.uint16]
    memory_types: NDArray[np.uint16]
    status: NDArray[np.uint8]

    @classmethod
    def of(cls, regime: TranslationRegime, r: VARange, access: Access, el: int) -> Rules:
        """The rules for one range, one kind of access and one exception level."""
        own_sh = r.sh if r.format.packing is OutputAddress.LPA2 else None
        types = memory_types(regime.mair, own_sh, access is Access.FETCH, regime.cached(access))
        return cls(leaf_rules(access, el, r.ha, r.hd, r.wxn), types, STATUS)


class Geometry(NamedTuple):
    """A `VARange` as numbers, for one kind of access.

    Addresses of a range that one last table translates are a region; its number is in `region_mask` of the address,
    after it was flipped by `flip`, from bit `region_shift` on. `refused` is the status code of a range that is not
    walked, else -1.
    """

    base: np.uint64
    start_level: np.int64
    first_block_level: np.int64
    shift: np.uint64
    bits_per_level: np.uint64
    output_bits: np.uint64
    address_in_place: np.uint64
    high_from: np.uint64
    high_mask: np.uint64
    high_to: np.uint64
    inherits: np.uint64
    deciding: np.uint64
    refused: np.int64
    flip: np.uint64
    top_bits: np.uint64
    input_mask: np.uint64
    region_shift: np.uint64
    index_mask: np.uint64

    @classmethod
    def of(cls, r: VARange, access: Access, el: int) -> Geometry:
        """The numbers that follow from a range."""
        high_from, high_mask, high_to = {
            OutputAddress.PLAIN: (0, 0, 0),
            OutputAddress.LPA: (12, 0xF, 48),
            OutputAddress.LPA2: (8, 0x3, 50),
        }[r.format.packing]
        in_place = 50 if r.format.packing is OutputAddress.LPA2 else 48
        refusal = r.refusal(el=el)
        top_bits = r.top_bits(fetch=access is Access.FETCH) | BIT_55
        input_mask = ~top_bits & BIT_55 - 1
        # One table, less than full, may cover the whole range.
        region_shift = min(r.granule.shift + r.granule.bits_per_level, input_mask.bit_length())
        return cls(
            base=np.uint64(r.base),
            start_level=np.int64(LAST_LEVEL if r.start_level is None else r.start_level),
            first_block_level=np.int64(r.format.first_block_level),
            shift=np.uint64(r.granule.shift),
            bits_per_level=np.uint64(r.granule.bits_per_level),
            output_bits=np.uint64(r.output_bits),
            address_in_place=np.uint64((1 << in_place) - (1 << r.granule.shift)),
            high_from=np.uint64(high_from),
            high_mask=np.uint64(high_mask),
            high_to=np.uint64(high_to),
            inherits=np.uint64(0 if r.hpd else 0xF),
            deciding=np.uint64(DECIDING),
            refused=np.int64(-1 if refusal is None else refusal.status_code),
            flip=np.uint64(MASK64 if r.upper else 0),
            top_bits=np.uint64(top_bits),
            input_mask=np.uint64(input_mask),
            region_shift=np.uint64(region_shift),
            index_mask=np.uint64((1 << region_shift) - 1 >> r.granule.shift),
        )


@lru_cache
def leaf_rules(access: Access, el: int, ha: bool, hd: bool, wxn: bool) -> NDArray[np.uint16]:
    """For every value of the twelve bits of `rule_index`: AP, UXN, PXN, nG and Contiguous in their places of a
    `MemoryAttributes` word, and below them the kind of fault that the leaf makes, or 0."""
    n = np.arange(1 << 12)
    inherited, uxn, pxn, contiguous, dbm = n >> 8, n >> 7 & 1, n >> 6 & 1, n >> 5 & 1, n >> 4 & 1
    ng, af, ap = n >> 3 & 1, n >> 2 & 1, n & 3
    ap, uxn, pxn = inherit(np.where(hd & (dbm == 1), ap & 1, ap), uxn, pxn, inherited)  # type: ignore[arg-type, assignment]
    allowed = permitted(access, el, ap, uxn, pxn, int(wxn))  # type: ignore[arg-type]
    kind = np.where(af | ha, np.where(allowed, 0, FaultKind.PERMISSION), FaultKind.ACCESS_FLAG)
    return (contiguous << 15 | ng << 14 | pxn << 13 | uxn << 12 | ap << 10 | kind).astype(np.uint16)


@lru_cache
def memory_types(mair: MAIR_EL1, sh: int | None, fetch: bool, cached: bool) -> NDArray[np.uint16]:
    """ATTR and SH of a `MemoryAttributes` word for every value of a leaf's bits 9:2.

    `sh` replaces the leaf's own where descriptors have none; `fetch` and `cached` are those of `effective_memory`.
    """
    types = []
    for bits in range(1 << 8):
        programmed = int(mair) >> 8 * (bits & 7) & 0xFF, bits >> 6 if sh is None else sh
        attr, effective_sh = effective_memory(*programmed, fetch=fetch, cached=cached)
        types.append(int(MemoryAttributes(ATTR=attr, SH=effective_sh)))
    return np.array(types, np.uint16)
