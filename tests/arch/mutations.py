"""Rules of the walk, each broken: what is wrong then, and how to get it wrong."""

from dataclasses import replace

import numpy as np
from mutating import (
    access_flag_first,
    banks,
    base,
    broken,
    code_of_minus_one,
    decoded,
    dirtied,
    effective_memory,
    first_block_level,
    function,
    geometry,
    inherited,
    inherited_ap,
    leaf_field,
    leaf_rules,
    memory_types,
    other,
    other_fault,
    packing,
    permission_first,
    permitted,
    ranges,
    status_code,
    unpacked,
    updated,
)

from pgtlab.arch import attributes, memory_type, permissions, stage2, walk
from pgtlab.arch.attributes import NORMAL_NON_CACHEABLE, NORMAL_NON_CACHEABLE_XS_0, MemoryAttributes
from pgtlab.arch.descriptor import Leaf, _WithAddress
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import Granule
from pgtlab.arch.many import walk_many
from pgtlab.arch.memory import Memory
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.permissions import PermissionRules
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.stage2 import Stage2
from pgtlab.arch.va_range import VARange

READ, WRITE, FETCH = Access


# Rules that both walkers take from the same lines.
SHARED = {
    # Permissions
    "AP[1] keeps EL0 out": permitted(lambda ap, **_: {"ap": ap ^ 0b01}),
    "AP[2] allows writes": permitted(lambda ap, **_: {"ap": ap ^ 0b10}),
    "AP[2] is ignored": permitted(lambda ap, **_: {"ap": ap & 0b01}),
    "EL0 reads and writes what EL1 may": permitted(lambda access, **_: {} if access is FETCH else {"el": 1}),
    "EL1 reads and writes what EL0 may": permitted(lambda access, **_: {} if access is FETCH else {"el": 0}),
    "a write needs what a read needs": permitted(lambda access, **_: {"access": READ} if access is WRITE else {}),
    "a read needs what a write needs": permitted(lambda access, **_: {"access": WRITE} if access is READ else {}),
    "a fetch needs what a read needs": permitted(lambda access, **_: {"access": READ} if access is FETCH else {}),
    "UXN and PXN are swapped": permitted(lambda uxn, pxn, **_: {"uxn": pxn, "pxn": uxn}),
    "UXN is ignored": permitted(lambda uxn, **_: {"uxn": uxn & 0}),
    "PXN is ignored": permitted(lambda pxn, **_: {"pxn": pxn & 0}),
    "UXN holds for EL1 too": permitted(lambda uxn, pxn, **_: {"pxn": pxn | uxn}),
    "WXN is ignored": permitted(lambda **_: {"wxn": 0}),
    "WXN always holds": permitted(lambda **_: {"wxn": 1}),
    "WXN keeps EL0 from executing what EL1 can write": permitted(
        lambda ap, uxn, wxn, **_: {"uxn": uxn | (wxn & (1 ^ (ap >> 1 & 1)))}
    ),
    "EL1 executes what EL0 can write": permitted(
        lambda access, el, ap, **_: {"ap": ap & 0b10} if access is FETCH and el else {}
    ),
    "EL1 does not execute what EL0 can read": permitted(lambda ap, pxn, **_: {"pxn": pxn | (ap & 1)}),
    "APTable is ignored": inherited(lambda table: table & 0b0011),
    "APTable[0] is ignored": inherited(lambda table: table & 0b1011),
    "APTable[1] is ignored": inherited(lambda table: table & 0b0111),
    "the bits of APTable are swapped": inherited(lambda table: table & 3 | (table & 4) << 1 | (table & 8) >> 1),
    "APTable[0] lets EL0 in": inherited_ap(lambda ap, table: ap | (table >> 2 & 1)),
    "APTable[1] allows writes": inherited_ap(lambda ap, table: ap & ~(table >> 2 & 2)),
    "UXNTable is ignored": inherited(lambda table: table & 0b1101),
    "PXNTable is ignored": inherited(lambda table: table & 0b1110),
    "UXNTable and PXNTable are swapped": inherited(lambda table: table & 12 | (table & 2) >> 1 | (table & 1) << 1),
    # What TCR_EL1 and SCTLR_EL1 decide
    "HPD is ignored": ranges(hpd=lambda r, tcr: False),
    "HPD is always set": ranges(hpd=lambda r, tcr: True),
    "HPD0 and HPD1 are swapped": ranges(hpd=other("HPD")),
    "EPD is ignored": ranges(epd=lambda r, tcr: False),
    "EPD0 and EPD1 are swapped": ranges(epd=other("EPD")),
    "E0PD is ignored": ranges(e0pd=lambda r, tcr: False),
    "E0PD0 and E0PD1 are swapped": ranges(e0pd=other("E0PD")),
    "E0PD holds for EL1 too": ranges(epd=lambda r, tcr: r.epd or r.e0pd),
    "TBI is ignored": ranges(tbi=lambda r, tcr: False),
    "TBI is always set": ranges(tbi=lambda r, tcr: True),
    "TBI0 and TBI1 are swapped": ranges(tbi=other("TBI")),
    "AF is ignored without HA": ranges(ha=lambda r, tcr: True),
    "HA is ignored": ranges(ha=lambda r, tcr: False),
    "HD is ignored": ranges(hd=lambda r, tcr: False),
    "HD needs no HA": ranges(hd=lambda r, tcr: bool(tcr.HD)),
    "HA is enough for HD": ranges(hd=lambda r, tcr: r.ha),
    "SCTLR_EL1.WXN is ignored": ranges(wxn=lambda r, tcr: False),
    "DS ignores TCR_EL1.SH": ranges(sh=lambda r, tcr: 3),
    "SH0 and SH1 are swapped": ranges(sh=lambda r, tcr: tcr.SH0 if r.upper else tcr.SH1),
    "T0SZ and T1SZ are swapped": ranges(
        input_bits=lambda r, tcr: min(max(64 - (tcr.T0SZ if r.upper else tcr.T1SZ), 17), 52)
    ),
    "the range has one bit more": ranges(input_bits=lambda r, tcr: r.input_bits + 1),
    "the range has one bit less": ranges(input_bits=lambda r, tcr: r.input_bits - 1),
    "small input sizes are illegal": broken(Granule, "smallest_input", lambda original: lambda g: 25),
    "IPS is ignored": ranges(output_bits=lambda r, tcr: r.format.packing.bits),
    "IPS counts one size too far": ranges(output_bits=lambda r, tcr: min(r.output_bits + 4, r.format.packing.bits)),
    "the walk starts a level too low": ranges(
        start_level=lambda r, tcr: None if r.start_level is None else min(r.start_level + 1, 3)
    ),
    "the walk starts a level too high": ranges(
        start_level=lambda r, tcr: None if r.start_level is None else max(r.start_level - 1, -1)
    ),
    "bits 5:2 of a 52-bit TTBR are dropped": ranges(base=lambda r, tcr: r.base & (1 << 48) - 1),
    "no TTBR is read as a 52-bit one": base(lambda original, ttbr, bits, wide: original(ttbr, bits, False)),
    "every TTBR is read as a 52-bit one": base(lambda original, ttbr, bits, wide: original(ttbr, bits, True)),
    "the base is aligned to 64 bytes": base(lambda original, ttbr, bits, wide: original(ttbr, 6, wide)),
    "the base is aligned to 4K": base(lambda original, ttbr, bits, wide: original(ttbr, 12, wide)),
    "ASID is part of the base": base(lambda original, ttbr, *rest: original(ttbr, *rest) | (ttbr >> 48 & 1) << 47),
    "the base may have any size": broken(
        VARange,
        "refusal",
        lambda original: lambda r, *, el: original(replace(r, base=0), el=el),
    ),
    "TG1 is encoded as TG0": broken(Granule, "tg1", lambda original: lambda g: g.tg0),
    "DS is ignored": packing(ds=False),
    "DS is always set": packing(ds=True),
    "64K has no 52-bit addresses": packing(pa_bits=48),
    # Descriptors and what they say
    "bits 51:48 of an address count only where the output has 52": ranges(
        format=lambda r, tcr: replace(r.format, packing=OutputAddress.PLAIN) if r.output_bits < 52 else r.format
    ),
    "blocks are legal at every level": first_block_level(lambda f, level: -1),
    "52-bit addresses give no larger blocks": first_block_level(lambda f, level: 1 if f.granule.shift == 12 else 2),
    "the largest blocks are illegal": first_block_level(lambda f, level: level + 1),
    "Device memory keeps its shareability": function(
        attributes.effective_shareability,
        lambda original: lambda attr, sh: sh if attr >> 4 == 0 else original(attr, sh),
    ),
    "Non-cacheable memory keeps its shareability": function(
        attributes.effective_shareability,
        lambda original: lambda attr, sh: sh if attr == NORMAL_NON_CACHEABLE else original(attr, sh),
    ),
    "all memory is Outer Shareable": function(attributes.effective_shareability, lambda original: lambda attr, sh: 2),
    # Without translation
    "translation is never off": broken(
        TranslationRegime,
        "__post_init__",
        lambda original: lambda mmu: object.__setattr__(mmu, "sctlr", mmu.sctlr.replace(M=1)),
    ),
    "memory is Normal without translation": function(
        walk.flat_attributes, lambda original: lambda *_: MemoryAttributes(ATTR=0xFF, SH=2, AP=1)
    ),
}

# Rules of the walk of one address.
WALK = {
    "bit 63 chooses the range": broken(
        TranslationRegime, "va_range", lambda original: lambda mmu, va: mmu.upper if va >> 63 else mmu.lower
    ),
    "0b01 at level 3 is a page": decoded(lambda word, last: word | 0b10 if last and word & 1 else word),
    "0b10 at level 3 is a page": decoded(lambda word, last: word | 0b01 if last and word & 2 else word),
    "0b10 above is a table": decoded(lambda word, last: word | 0b01 if not last and word & 2 else word),
    "0b01 above is a table": decoded(lambda word, last: word | 0b10 if not last and word & 1 else word),
    "the address of a block has the bits of a page": broken(
        _WithAddress, "_low_bit", lambda original: lambda cls: cls.format.granule.shift
    ),
    "LPA drops bits 51:48": unpacked(OutputAddress.LPA, lambda word, low, oa: oa & (1 << 48) - 1),
    "LPA has bits 51:48 in place": unpacked(OutputAddress.LPA, lambda word, low, oa: word & (1 << 52) - (1 << low)),
    "LPA2 drops bits 51:50": unpacked(OutputAddress.LPA2, lambda word, low, oa: oa & (1 << 50) - 1),
    "LPA2 drops bits 49:48": unpacked(OutputAddress.LPA2, lambda word, low, oa: oa & ~(3 << 48)),
    "LPA2 has bits 49:48 in bits 9:8": unpacked(
        OutputAddress.LPA2, lambda word, low, oa: oa & (1 << 48) - 1 | (word >> 8 & 3) << 48
    ),
    "a plain address has 50 bits": unpacked(OutputAddress.PLAIN, lambda word, low, oa: word & (1 << 50) - (1 << low)),
    "AttrIndx is one bit too high": leaf_field("AttrIndx", lambda word: word >> 3 & 7),
    "AttrIndx counts MAIR_EL1 from the top": leaf_field("AttrIndx", lambda word: 7 - (word >> 2 & 7)),
    "DBM is ignored": leaf_field("DBM", lambda word: 0),
    "DBM is always set": leaf_field("DBM", lambda word: 1),
    "every fault is of level 0": status_code(lambda f, original: int(f.kind)),
    "faults count levels from 1": status_code(lambda f, original: original(replace(f, level=f.level + 1))),
    "translation faults of level -1 have the code of level 3": code_of_minus_one(FaultKind.TRANSLATION, 0b000111),
    "access flag and permission faults have each other's code": status_code(
        lambda f, original: original(f) ^ (4 if f.kind in (FaultKind.ACCESS_FLAG, FaultKind.PERMISSION) else 0)
    ),
    "there is RAM everywhere": broken(
        Memory, "read64", lambda original: lambda memory, pa: original(memory, pa) if pa in memory else 0
    ),
    "EL0 and EL1 have each other's exception class": broken(
        Fault, "esr", lambda original: lambda f, access, el: original(f, access, 1 - el)
    ),
    "a fetch has the exception class of data": broken(
        Fault, "esr", lambda original: lambda f, access, el: original(f, READ, el)
    ),
    "the size of the base is looked at before the address": other_fault(
        lambda fault, steps, r, el: (r.refusal(el=el) or fault) if fault.cause is Cause.INPUT_ADDRESS else fault
    ),
    "the access flag is looked at before the address": other_fault(access_flag_first),
    "permissions are looked at before the access flag": broken(walk._Walker, "finish", permission_first),
    "without translation an address may have any size": broken(
        walk, "_flat", lambda original: lambda mmu, r, va, *rest: original(mmu, r, va & (1 << 52) - 1, *rest)
    ),
    "without translation tags count": broken(
        walk, "_flat", lambda original: lambda mmu, r, *rest: original(mmu, replace(r, tbi=False), *rest)
    ),
}

# What the compiled loops are told.
MANY = {
    "a walk starts one table too far": geometry(base=lambda g: int(g.base) + (1 << int(g.shift))),
    "a walk starts a level too low": geometry(start_level=lambda g: min(g.start_level + 1, 3)),
    "a walk starts at level 3": geometry(start_level=lambda g: 3),
    "blocks are legal a level higher": geometry(first_block_level=lambda g: g.first_block_level - 1),
    "blocks are legal a level lower": geometry(first_block_level=lambda g: g.first_block_level + 1),
    "output addresses have any size": geometry(output_bits=lambda g: 52),
    "LPA and LPA2 drop the high bits": geometry(high_mask=lambda g: 0),
    "LPA has two high bits": geometry(high_mask=lambda g: int(g.high_mask) & 3),
    "LPA2 has 48 bits in place": geometry(address_in_place=lambda g: int(g.address_in_place) & (1 << 48) - 1),
    "a plain address has 50 bits": geometry(address_in_place=lambda g: int(g.address_in_place) | 3 << 48),
    "the high bits land one too low": geometry(high_to=lambda g: max(int(g.high_to), 1) - 1),
    "tables hand nothing down": geometry(inherits=lambda g: 0),
    "tables hand down whatever HPD says": geometry(inherits=lambda g: 0xF),
    "tables hand down all but APTable": geometry(inherits=lambda g: int(g.inherits) & 3),
    "leaves without AF are used": leaf_rules(ha=True),
    "leaves without AF are never used": leaf_rules(ha=False),
    "DBM makes no leaf writable": leaf_rules(hd=False),
    "DBM makes every leaf writable": leaf_rules(hd=True),
    "WXN is ignored": leaf_rules(wxn=False),
    "every access is a read": leaf_rules(access=READ),
    "every access is of EL1": leaf_rules(el=1),
    "MAIR_EL1 is read one attribute too far": memory_types(
        lambda mair, sh: (MAIR_EL1(int(mair) >> 8 | (int(mair) & 0xFF) << 56), sh)
    ),
    "every leaf has a shareability": memory_types(lambda mair, sh: (mair, None)),
    "no leaf has a shareability": memory_types(lambda mair, sh: (mair, sh or 0)),
    "banks lie a page too high": banks(base=lambda base: base + 4096, end=lambda end: end + 4096),
    "banks all have the same words": banks(first=lambda first: first & 0),
    "banks end a word early": banks(end=lambda end: end - 8),
    "there is RAM everywhere": banks(ram_base=lambda _: np.uint64(0), ram_end=lambda _: np.uint64(1 << 52)),
    "without translation an address may have any size": broken(
        walk_many, "_flat", lambda original: lambda mmu, r, vas, *rest: original(mmu, r, vas & (1 << 52) - 1, *rest)
    ),
}

# What no recording shows, in both walkers: nothing was fetched through a tag, nothing translated with caches off, of
# fetches the memory type is not known, and no CPU had FEAT_XS.
UNRECORDED = {
    "TBID is ignored": ranges(tbid=lambda r, tcr: False),
    "TBID holds for data too": ranges(tbi=lambda r, tcr: r.tbi and not r.tbid),
    "SCTLR_EL1.C is ignored": effective_memory(lambda attr, fetch, cached: {"cached": cached or not fetch}),
    "SCTLR_EL1.I is ignored": effective_memory(lambda attr, fetch, cached: {"cached": cached or fetch}),
    "SCTLR_EL1.C and I are swapped": broken(
        TranslationRegime,
        "cached",
        lambda original: lambda mmu, access: original(mmu, READ if access is FETCH else FETCH),
    ),
    "Device memory is fetched as Device memory": effective_memory(
        lambda attr, fetch, cached: {"fetch": fetch and attr >> 4 != 0}
    ),
    "Non-cacheable memory with XS=0 keeps its shareability": function(
        attributes.effective_shareability,
        lambda original: lambda attr, sh: sh if attr == NORMAL_NON_CACHEABLE_XS_0 else original(attr, sh),
    ),
    "memory without caches loses XS=0": function(attributes._has_xs_0, lambda original: lambda attr: False),
}

# Nor, in the walk of one address: at level -1 QEMU 7.2 stops at these, and nobody looked at what is written back.
UNRECORDED_WALK = {
    "address size faults of level -1 have the code of level 0": code_of_minus_one(FaultKind.ADDRESS_SIZE, 0b000000),
    "external aborts of level -1 have the code of level 0": code_of_minus_one(FaultKind.EXTERNAL_ABORT, 0b010100),
    "hardware sets no access flag": updated(
        lambda found: found.update and replace(found.update, after=found.update.after & ~Leaf.AF.mask)
    ),
    "hardware marks no page dirty": updated(
        lambda found: found.update and replace(found.update, after=found.update.before | Leaf.AF.mask)
    ),
    "hardware marks a page dirty that is read": updated(dirtied),
}


def rules_without(*names):
    """Permission rules in which some registers count as zero."""

    def mutate(original):
        return lambda rules, access, el, leaf: original(replace(rules, **dict.fromkeys(names, False)), access, el, leaf)

    return broken(PermissionRules, "verdict", mutate)


# What only Arm's specification shows: the file of cases that shows it, and the broken rule.
SPECIFIED = {
    "PSTATE.PAN is ignored": ("pan", rules_without("pan")),
    "PSTATE.PAN is ignored by a host": ("el20", rules_without("pan")),
    "SCTLR_EL1.EPAN is ignored": ("pan", rules_without("epan")),
    "a host has the table bases of EL1's registers": ("el20", ranges(base=lambda r, tcr: r.base ^ 1 << 16)),
    "PIE is ignored": ("pie", rules_without("pie")),
    "POE is ignored": ("pie", rules_without("poe")),
    "E0POE is ignored": ("pie", rules_without("e0poe")),
    "PIIndex has its bits in another order": (
        "pie",
        function(
            permissions.pi_index, lambda original: lambda leaf: original(leaf._replace(uxn=leaf.pxn, pxn=leaf.uxn))
        ),
    ),
    "MTX is ignored": ("mte_tbi", ranges(mtx=lambda r, tcr: False)),
    "HAFT is ignored": ("haft", ranges(haft=lambda r, tcr: False)),
    "HCR_EL2.PTW is ignored": ("s2", broken(Stage2, "is_device", lambda original: lambda stage2, mem_attr: False)),
    "XN and XNX are swapped": (
        "s2",
        function(
            stage2.stage_2_permitted,
            lambda original: lambda access, el, s2ap, xn, xnx: original(access, el, s2ap, xnx, xn),
        ),
    ),
    "stage 2 leaves the memory type": (
        "s2",
        broken(Stage2, "memory_type", lambda original: lambda s2, one, *rest, **_: one),
    ),
    "stage 2 leaves the shareability": (
        "s2",
        function(memory_type.combined_shareability, lambda original: lambda one, two: one),
    ),
}
