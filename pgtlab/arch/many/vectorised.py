"""The walk of many addresses with numpy alone, level by level: what `loops` does where numba is missing.

It is also the walk of a guest's addresses, whose tables stage 2 finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pgtlab.arch.fault import Access
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.many.rules import ADDRESS_SIZE, DETAIL_AT, EXTERNAL_ABORT, TRANSLATION, VERDICT, Geometry, Rules
from pgtlab.arch.memory import U64, Banks, Memory, read_tables
from pgtlab.arch.translations import NO_FAULT, Translations
from pgtlab.arch.word import BIT_55

if TYPE_CHECKING:
    from pgtlab.arch.many.nested import Nested

AF = 1 << 10


def translate(
    memory: Memory | Banks, g: Geometry, rules: Rules, vas: U64, results: Translations, nested: Nested | None = None
) -> int:
    """Translate the addresses of one range; how many there are of the other one, for which `found` is void."""
    flipped = vas ^ g.flip
    outside = flipped & g.top_bits != 0
    results.pa[:], results.attributes[:], results.level[:], results.detail[:] = 0, 0, 0, 0
    results.fault[:] = np.where(outside, rules.status[TRANSLATION, 1], max(int(g.refused), 0))
    at = np.flatnonzero(~outside) if g.refused < 0 else np.zeros(0, np.intp)
    ia: Any = vas[at] & g.input_mask
    table, inherited = np.full(len(at), g.base), np.zeros(len(at), np.uint64)
    for level in range(int(g.start_level), LAST_LEVEL + 1):
        shift = (LAST_LEVEL - level) * g.bits_per_level + g.shift
        addresses = table + (ia >> shift << 3)
        ia = ia & (1 << int(shift)) - 1
        if nested is not None:
            there = nested.tables(addresses)
            _stop(results, at, there, addresses)
            at, ia, inherited = at[there.ok], ia[there.ok], inherited[there.ok]
            addresses, table = addresses[there.ok], there.pa[there.ok]
        words, known = read_tables(memory, addresses if nested is None else table, 1)
        word = words[:, 0]
        kind = word & 3
        leads_on = (kind == 3) & (level < LAST_LEVEL)
        leaf = kind == 3 if level == LAST_LEVEL else (kind == 1) & (level >= g.first_block_level)
        # Of a table the address of the next one, of a leaf the address that is reached.
        oa = np.where(leads_on, _output_address(g, word, g.shift), _output_address(g, word, shift) | ia)
        rule = rules.leaf[np.where(leaf, _rule_index(g, word, inherited), 0)]
        attributes = rule & ~np.uint16(VERDICT) | rules.memory_types[word >> 2 & 0xFF]
        fault = np.where(rule & VERDICT, rule & VERDICT | max(level, 0), NO_FAULT)
        detail = np.where(rule & VERDICT, rule >> DETAIL_AT & 0xFF, 0)
        for wrong, kind_of_fault in (
            (oa >> g.output_bits != 0, ADDRESS_SIZE),
            (~leaf & ~leads_on, TRANSLATION),
            (known == 0, EXTERNAL_ABORT),
        ):
            fault[wrong], detail[wrong] = rules.status[kind_of_fault, level + 1], 0
        good = leaf & (fault == NO_FAULT)
        results.fault[at], results.level[at], results.detail[at] = fault, level, detail
        results.pa[at[good]], results.attributes[at[good]] = oa[good], attributes[good]
        onward = leads_on & (oa >> g.output_bits == 0) & (known > 0)
        if nested is not None:
            updated = good & nested.written(word) | onward & (word & AF == 0) & nested.r.haft
            update = nested.tables(addresses[updated], Access.WRITE)
            _stop(results, at[updated], update, addresses[updated])
            onward[np.flatnonzero(updated)[~update.ok]] = False
        inherited = (inherited | word >> 59 & g.inherits)[onward]
        at, ia, table = at[onward], ia[onward], oa[onward]
    return int(np.count_nonzero(flipped & BIT_55))


def _stop(results: Translations, at: Any, there: Translations, ipas: U64) -> None:
    """Let those walks end for whose descriptors, at `ipas`, stage 2 has no address."""
    assert results.ipa is not None
    failed = ~there.ok
    at = at[failed]
    results.fault[at], results.level[at], results.detail[at] = (
        there.fault[failed],
        there.level[failed],
        there.detail[failed],
    )
    results.ipa[at], results.pa[at], results.attributes[at] = ipas[failed], 0, 0


def _output_address(g: Geometry, word: Any, low_bit: Any) -> Any:
    """The address in each word, whose lowest bit is `low_bit`."""
    in_place = word & g.address_in_place & ~np.uint64((1 << int(low_bit)) - 1)
    return in_place | (word >> g.high_from & g.high_mask) << g.high_to


def _rule_index(g: Geometry, word: Any, inherited: Any) -> Any:
    """Indices into `Rules.leaf`: bits 54:51, 11:10 and 7:6 of a leaf, below what it inherits, below its POIndex."""
    return (
        (word >> 60 & g.po_mask) << 12
        | inherited << 8
        | (word >> 51 & 0xF) << 4
        | (word >> 10 & 3) << 2
        | word >> 6 & 3
    )
