"""Stage 2 for many addresses at once: where a guest's tables are, and where its addresses lead to.

Stage 1 is walked level by level, and all addresses of a level go through stage 2 together, by the same loops that walk
stage 1 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.attributes import MemoryAttributes
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, AccessDescriptor, FaultKind
from pgtlab.arch.many.rules import Geometry, Rules
from pgtlab.arch.memory import U64
from pgtlab.arch.memory_type import MemoryType, accessed_type, combined_shareability
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.stage2 import Stage2
from pgtlab.arch.translations import ON_WALK, STAGE_2, Translations
from pgtlab.arch.va_range import VARange

Mask = NDArray[np.bool_]
_FNXS_AT = 14  # where the rules of stage 2 leave FnXS, as nG in stage 1
_ATTRIBUTES = 0xFC00  # the bits of `MemoryAttributes` besides ATTR and SH


@dataclass(frozen=True)
class Nested:
    """Stage 2 for one range of a guest and one kind of access; `translate` is the loop to walk with."""

    regime: TranslationRegime
    stage2: Stage2
    r: VARange
    d: AccessDescriptor
    translate: Callable[..., int]

    def tables(self, ipas: U64, access: Access = Access.READ) -> Translations:
        """Where descriptors of stage 1 are that hardware reads, or writes back."""
        found = self._walked(ipas, replace(self.d, access=access), on_walk=True)
        if self.stage2.ptw:
            device = np.array([self.stage2.is_device(bits) for bits in range(16)])[found.attributes & 0xF]
            forbidden = found.ok & device
            found.fault[forbidden] = FaultKind.PERMISSION | found.level[forbidden].astype(np.uint8)
            found.pa[forbidden] = 0
        found.detail[~found.ok] = STAGE_2 | ON_WALK
        return found

    def written(self, words: U64) -> Mask:
        """Which leaves hardware writes back for the access."""
        pie = bool(self.regime.tcr2.PIE)
        writes = self.d.access is Access.WRITE and not self.d.at and self.r.hd
        clean = (words & np.uint64(1 << 7) != 0) & (pie | (words & np.uint64(Leaf.DBM.mask) != 0))
        changed: Mask = (words & np.uint64(Leaf.AF.mask) == 0) | (clean & writes)
        return changed

    def finish(self, results: Translations) -> None:
        """Make final results of those of stage 1, whose ATTR and SH are as programmed."""
        assert results.ipa is not None
        at = np.flatnonzero(results.ok)
        one = results.attributes[at]
        if self.d.stage_1_only:
            results.attributes[at] = one & _ATTRIBUTES | self._shown(one & 0x3FF)
            return
        ipas = results.pa[at]
        two = self._walked(ipas, self.d, on_walk=False)
        good, bad = two.ok, at[~two.ok]
        results.ipa[at] = ipas
        results.pa[at] = two.pa
        results.fault[bad], results.level[bad], results.detail[bad] = two.fault[~good], two.level[~good], STAGE_2
        results.attributes[bad] = 0
        mine, theirs = one[good].astype(np.uint32) & 0x3FF, two.attributes[good].astype(np.uint32)
        results.attributes[at[good]] = one[good] & _ATTRIBUTES | self._shown(mine | theirs << 16)

    def _walked(self, ipas: U64, d: AccessDescriptor, *, on_walk: bool) -> Translations:
        results, r = Translations.empty(len(ipas)), self.stage2.range
        if len(ipas):
            rules = Rules.of_stage_2(r, d, on_walk=on_walk)
            ipas = np.require(ipas, np.uint64, ["C", "W"])
            self.translate(self.regime.memory.banks(), Geometry.of(r, d), rules, ipas, results)
        results.detail[~results.ok] = STAGE_2
        return results

    def _shown(self, keys: NDArray[np.integer]) -> NDArray[np.uint16]:
        """ATTR and SH for each key: those of stage 1, and from bit 16 on what stage 2 has."""
        different, which = np.unique(keys, return_inverse=True)
        return np.array([self._effective(int(key)) for key in different], np.uint16)[which]

    def _effective(self, key: int) -> int:
        attr, sh, off = key & 0xFF, key >> 8 & 3, not self.regime.sctlr.M
        memory = (
            MemoryType.of(attr)
            if off
            else accessed_type(attr, fetch=self.d.fetch, cached=self.regime.cached(self.d.access))
        )
        if not self.d.stage_1_only:
            two = key >> 16
            memory = self.stage2.memory_type(memory, two & 0xF, bool(two >> _FNXS_AT & 1), self.d)
            sh = combined_shareability(sh, two >> 8 & 3)
        return int(MemoryAttributes(ATTR=memory.byte, SH=memory.shareability(sh)))


@cache
def programmed_types(mair: int, sh: int | None) -> NDArray[np.uint16]:
    """ATTR and SH as programmed, for every value of a leaf's bits 9:2; the counterpart of `memory_types`."""
    types = [mair >> 8 * (bits & 7) & 0xFF | (bits >> 6 if sh is None else sh) << 8 for bits in range(1 << 8)]
    return np.array(types, np.uint16)
