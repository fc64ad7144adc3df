"""The rules of `walk` as numbers and as tables to look up, for the walks of many addresses.

What a leaf permits depends on twelve bits of it and its tables, and with permission overlays on three more. So the
rules in `permissions`, applied to all values of those bits at once, make one small table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.attributes import MemoryAttributes, effective_memory
from pgtlab.arch.descriptor import Leaf, Stage2Leaf
from pgtlab.arch.fault import Access, AccessDescriptor, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.permissions import (
    FORBIDDEN_BY_DIRTY_STATE,
    FORBIDDEN_BY_OVERLAY,
    LeafBits,
    PermissionRules,
    inherit,
)
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.stage2 import stage_2_permitted
from pgtlab.arch.translations import DIRTY_STATE, OVERLAY
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
# An entry of `leaf_rules`: the kind of fault, and above it what else is reported; or 0 below the bits of a
# `MemoryAttributes` word.
VERDICT: Final = 0x3F
DETAIL_AT: Final = 6
#: The bits of a leaf that a permission overlay is chosen by.
PO_INDEX: Final = 7 << 60
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
    def of(cls, regime: TranslationRegime, r: VARange, d: AccessDescriptor) -> Rules:
        """The rules for one range and one kind of access."""
        own_sh = r.sh if r.format.packing is OutputAddress.LPA2 else None
        types = memory_types(regime.mair, own_sh, d.fetch, regime.cached(d.access))
        return cls(leaf_rules(d.access, d.el, r.ha, regime.permission_rules(r, d)), types, STATUS)

    @classmethod
    def of_stage_2(cls, r: VARange, d: AccessDescriptor, *, on_walk: bool) -> Rules:
        """The rules for stage 2; what takes the place of a memory type is MemAttr and SH as they are."""
        own_sh = r.sh if r.format.packing is OutputAddress.LPA2 else None
        types = [bits & 0xF | (bits >> 6 if own_sh is None else own_sh) << 8 for bits in range(1 << 8)]
        leaves = stage_2_leaf_rules(d.access, d.el, r.ha, r.hd, on_walk)
        return cls(leaves, np.array(types, np.uint16), STATUS)


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
    po_mask: np.uint64
    refused: np.int64
    flip: np.uint64
    top_bits: np.uint64
    input_mask: np.uint64
    region_shift: np.uint64
    index_mask: np.uint64

    @classmethod
    def of(cls, r: VARange, d: AccessDescriptor, *, overlays: bool = False) -> Geometry:
        """The numbers that follow from a range, and from whether leaves choose permission overlays."""
        high_from, high_mask, high_to = {
            OutputAddress.PLAIN: (0, 0, 0),
            OutputAddress.LPA: (12, 0xF, 48),
            OutputAddress.LPA2: (8, 0x3, 50),
        }[r.format.packing]
        in_place = 50 if r.format.packing is OutputAddress.LPA2 else 48
        refusal = r.refusal(el=d.el)
        top_bits = r.top_bits(fetch=d.fetch) | (BIT_55 if r.format.stage == 1 else 0)
        input_mask = ~top_bits & BIT_55 - 1
        # One table, less than full, may cover the whole range; and so may several of stage 2 that lie side by side.
        region_shift = min(r.granule.shift + r.granule.bits_per_level, input_mask.bit_length())
        if r.start_level == LAST_LEVEL:
            region_shift = input_mask.bit_length()
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
            deciding=np.uint64(
                DECIDING | (PO_INDEX if overlays else 0) | (0 if r.format.stage == 1 else Stage2Leaf.MemAttr.mask)
            ),
            po_mask=np.uint64(7 if overlays else 0),
            refused=np.int64(-1 if refusal is None else refusal.status_code),
            flip=np.uint64(MASK64 if r.upper else 0),
            top_bits=np.uint64(top_bits),
            input_mask=np.uint64(input_mask),
            region_shift=np.uint64(region_shift),
            index_mask=np.uint64((1 << region_shift) - 1 >> r.granule.shift),
        )


@lru_cache
def leaf_rules(access: Access, el: int, ha: bool, rules: PermissionRules) -> NDArray[np.uint16]:
    """For every value of the bits of `_rule_index`: AP, UXN, PXN, nG and Contiguous in their places of a
    `MemoryAttributes` word, and below them the kind of fault that the leaf makes, or 0."""
    n = np.arange(1 << (15 if rules.poe or rules.e0poe else 12))
    po_index, table, uxn, pxn, contiguous, dbm = n >> 12, n >> 8 & 15, n >> 7 & 1, n >> 6 & 1, n >> 5 & 1, n >> 4 & 1
    ng, af, ap = n >> 3 & 1, n >> 2 & 1, n & 3
    verdict = np.broadcast_to(rules.verdict(access, el, LeafBits(ap, uxn, pxn, dbm, table, po_index)), n.shape)
    kind = np.where(af | ha, np.where(verdict, FaultKind.PERMISSION, 0), FaultKind.ACCESS_FLAG)
    detail = np.where(verdict == FORBIDDEN_BY_OVERLAY, OVERLAY, 0) | np.where(
        verdict == FORBIDDEN_BY_DIRTY_STATE, DIRTY_STATE, 0
    )
    detail[kind != FaultKind.PERMISSION] = 0
    ap, uxn, pxn = inherit(np.where(rules.hd & (dbm == 1), ap & 1, ap), uxn, pxn, table)
    shown = contiguous << 15 | ng << 14 | np.where(rules.pie, 0, pxn << 13 | uxn << 12 | ap << 10)
    rule: NDArray[np.uint16] = np.where(kind, detail << DETAIL_AT | kind, shown).astype(np.uint16)
    return rule


@lru_cache
def stage_2_leaf_rules(access: Access, el: int, ha: bool, hd: bool, on_walk: bool) -> NDArray[np.uint16]:
    """The same for leaves of stage 2, with FnXS in the place of nG; AP, UXN and PXN are S2AP, XN and XNX.

    `on_walk` is for tables of stage 1, of which a write is an update by hardware.
    """
    n = np.arange(1 << 12)
    xn, xnx, contiguous, dbm, fnxs, af, s2ap = (
        n >> 7 & 1,
        n >> 6 & 1,
        n >> 5 & 1,
        n >> 4 & 1,
        n >> 3 & 1,
        n >> 2 & 1,
        n & 3,
    )
    s2ap = s2ap | (dbm & hd) << 1
    allowed = stage_2_permitted(access, el, s2ap, xn, xnx) & (s2ap & 1 if on_walk else 1)
    kind = np.where(af | ha, np.where(allowed, 0, FaultKind.PERMISSION), FaultKind.ACCESS_FLAG)
    rule: NDArray[np.uint16] = np.where(kind, kind, contiguous << 15 | fnxs << 14).astype(np.uint16)
    return rule


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
