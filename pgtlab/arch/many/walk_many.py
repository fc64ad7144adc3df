"""Many addresses translated at once, each as `walk` would translate it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from pgtlab.arch.fault import Access, AccessDescriptor, Cause, Fault, FaultKind
from pgtlab.arch.fetched_memory import FetchedMemory
from pgtlab.arch.many import vectorised
from pgtlab.arch.many.nested import Nested, programmed_types
from pgtlab.arch.many.rules import Geometry, Rules
from pgtlab.arch.memory import U64
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.translations import NO_FAULT, NO_LEVEL, Translations, as_addresses
from pgtlab.arch.va_range import VARange
from pgtlab.arch.walk import flat_address_bits, flat_attributes

try:
    from pgtlab.arch.many.loops import translate
except ModuleNotFoundError as error:
    if error.name != "numba":
        raise
    from pgtlab.arch.many.vectorised import translate  # type: ignore[assignment]


def walk_many(regime: TranslationRegime, vas: ArrayLike, d: AccessDescriptor) -> Translations:
    """`MMU.translate_many`, which documents it."""
    addresses = as_addresses(vas)
    flat = np.require(addresses, requirements=["C", "W"]).reshape(-1)  # which is what the loop is compiled for
    results = _empty(regime, len(flat))
    if len(flat):
        first = regime.va_range(int(flat[0]))
        if _one_range(regime, first, flat, d, results):
            second = regime.lower if first.upper else regime.upper
            mask = (flat >> 55 & 1) == second.upper
            part = _empty(regime, int(np.count_nonzero(mask)))
            _one_range(regime, second, flat[mask], d, part)
            for whole, piece in zip(results.arrays, part.arrays, strict=True):
                whole[mask] = piece
            if results.ipa is not None and part.ipa is not None:
                results.ipa[mask] = part.ipa
    return results.reshape(addresses.shape)


def _empty(regime: TranslationRegime, count: int) -> Translations:
    results = Translations.empty(count)
    return results if regime.stage2 is None else replace(results, ipa=np.zeros(count, np.uint64))


def _one_range(regime: TranslationRegime, r: VARange, vas: U64, d: AccessDescriptor, results: Translations) -> int:
    """Translate the addresses of one range; how many there are of the other one, for which `found` is void."""
    nested = None
    if regime.stage2 is not None:
        nested = Nested(regime, regime.stage2, r, d, translate)
    if not regime.sctlr.M:
        others = _flat(regime, r, vas, d.access, results)
    else:
        geometry = Geometry.of(r, d, overlays=bool(regime.tcr2.POE or regime.tcr2.E0POE))
        rules, memory = Rules.of(regime, r, d), regime.memory
        if nested is None and not isinstance(memory, FetchedMemory):  # which a compiled loop cannot fetch from
            return translate(memory.banks(), geometry, rules, vas, results)
        if nested is None:
            return vectorised.translate(memory, geometry, rules, vas, results)
        own_sh = r.sh if r.format.packing is OutputAddress.LPA2 else None
        rules = rules._replace(memory_types=programmed_types(int(regime.mair), own_sh))
        others = vectorised.translate(memory, geometry, rules, vas, results, nested)
    if nested is not None:
        nested.finish(results)
    return others


def _flat(regime: TranslationRegime, r: VARange, vas: U64, access: Access, results: Translations) -> int:
    """Translate the addresses of one range with SCTLR_EL1.M = 0, and return the number of others."""
    address = vas & np.uint64(flat_address_bits(r, access))
    outside = address >> np.uint64(regime.pa_range.bits) != 0
    results.pa[:] = np.where(outside, 0, address)
    results.fault[:] = np.where(outside, Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF).status_code, NO_FAULT)
    results.level[:] = np.where(outside, 0, NO_LEVEL)
    results.attributes[:] = np.where(outside, 0, int(flat_attributes(regime, access)))
    results.detail[:] = 0
    return int(np.count_nonzero((vas >> 55 & 1) != r.upper))
