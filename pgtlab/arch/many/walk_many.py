"""Many addresses translated at once, each as `walk` would translate it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.many.rules import Geometry, Rules
from pgtlab.arch.memory import U64
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.translations import NO_FAULT, NO_LEVEL, Translations, as_addresses
from pgtlab.arch.va_range import VARange
from pgtlab.arch.walk import check_arguments, flat_attributes

try:
    from pgtlab.arch.many.loops import translate
except ModuleNotFoundError as error:
    if error.name != "numba":
        raise
    from pgtlab.arch.many.vectorised import translate


def walk_many(regime: TranslationRegime, vas: ArrayLike, access: Access, el: int) -> Translations:
    """`MMU.translate_many`, which documents it."""
    check_arguments(el)
    addresses = as_addresses(vas)
    flat = np.require(addresses, requirements=["C", "W"]).reshape(-1)  # which is what the loop is compiled for
    results = Translations.empty(len(flat))
    if len(flat):
        first = regime.va_range(int(flat[0]))
        if _one_range(regime, first, flat, access, el, results):
            second = regime.lower if first.upper else regime.upper
            mask = (flat >> 55 & 1) == second.upper
            part = Translations.empty(int(np.count_nonzero(mask)))
            _one_range(regime, second, flat[mask], access, el, part)
            for whole, piece in zip(results.arrays, part.arrays, strict=True):
                whole[mask] = piece
    return results.reshape(addresses.shape)


def _one_range(regime: TranslationRegime, r: VARange, vas: U64, access: Access, el: int, results: Translations) -> int:
    """Translate the addresses of one range; how many there are of the other one, for which `found` is void."""
    if not regime.sctlr.M:
        return _flat(regime, r, vas, access, results)
    geometry, rules = Geometry.of(r, access, el), Rules.of(regime, r, access, el)
    return translate(regime.memory.banks(), geometry, rules, vas, results)


def _flat(regime: TranslationRegime, r: VARange, vas: U64, access: Access, results: Translations) -> int:
    """Translate the addresses of one range with SCTLR_EL1.M = 0, and return the number of others."""
    address = vas & np.uint64((1 << r.address_bits(fetch=access is Access.FETCH)) - 1)
    outside = address >> np.uint64(regime.pa_range.bits) != 0
    results.pa[:] = np.where(outside, 0, address)
    results.fault[:] = np.where(outside, Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF).status_code, NO_FAULT)
    results.level[:] = np.where(outside, 0, NO_LEVEL)
    results.attributes[:] = np.where(outside, 0, int(flat_attributes(regime, access)))
    return int(np.count_nonzero((vas >> 55 & 1) != r.upper))
