"""VMSAv8-64 stage 1 of the EL1&0 regime once more, to hold pgtlab against: no line of it is shared.

What pgtlab derives by formulas stands here as the Arm ARM's tables list it (D8.2 to D8.4, ESR_EL1 in D24.2), and words
are strings of binary digits that are cut and joined as its pseudocode does (J1.3: `descriptor<47:12>:Zeros(12)`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

ON = 0x1005  # SCTLR_EL1 with translation and caches on: M, C and I


class Registers(NamedTuple):
    """The registers' values, and how many bits of physical address the PE has."""

    tcr: int
    ttbr0: int
    ttbr1: int
    mair: int
    sctlr: int
    pa_bits: int = 52


@dataclass(frozen=True)
class Answer:
    """PAR_EL1, and what it leaves out: the whole address, the descriptors read, the one that hardware writes back."""

    par: int
    pa: int | None = None
    level: int | None = None
    reads: tuple[int, ...] = ()
    written: tuple[int, int] | None = None


# Where TCR_EL1 has what belongs to each half of the address space.
TCR = {
    "0": {"TxSZ": (5, 0), "EPD": (7,), "SH": (13, 12), "TG": (15, 14), "TBI": (37,), "HPD": (41,), "TBID": (51,)},
    "1": {"TxSZ": (21, 16), "EPD": (23,), "SH": (29, 28), "TG": (31, 30), "TBI": (38,), "HPD": (42,), "TBID": (52,)},
}
E0PD, MTX = {"0": 55, "1": 56}, {"0": 60, "1": 61}
# The granule field of each half; the reserved value of each is left to the PE, and taken for 4K.
TG = {
    "0": {"00": "4K", "01": "64K", "10": "16K", "11": "4K"},
    "1": {"00": "4K", "01": "16K", "10": "4K", "11": "64K"},
}
IPS = {"000": 32, "001": 36, "010": 40, "011": 42, "100": 44, "101": 48, "110": 52, "111": 52}

# The bits of an address that each level resolves.
RESOLVED = {
    "4K": {-1: (51, 48), 0: (47, 39), 1: (38, 30), 2: (29, 21), 3: (20, 12)},
    "16K": {0: (51, 47), 1: (46, 36), 2: (35, 25), 3: (24, 14)},
    "64K": {1: (51, 42), 2: (41, 29), 3: (28, 16)},
}
# The level at which a walk starts, from so many bits of input on.
STARTS = {
    "4K": [(49, -1), (40, 0), (31, 1), (22, 2), (16, 3)],
    "16K": [(48, 0), (37, 1), (26, 2), (16, 3)],
    "64K": [(43, 1), (30, 2), (17, 3)],
}
# The levels with blocks, with 48 and with 52 bits of output address.
BLOCKS = {
    ("4K", 48): {1, 2},
    ("4K", 52): {0, 1, 2},
    ("16K", 48): {2},
    ("16K", 52): {1, 2},
    ("64K", 48): {2},
    ("64K", 52): {1, 2},
}
# What AP[2:1] lets EL1 and EL0 do.
AP = {"00": ("rw", ""), "01": ("rw", "rw"), "10": ("r", ""), "11": ("r", "r")}

ADDRESS_SIZE = {-1: 0b101001, 0: 0b000000, 1: 0b000001, 2: 0b000010, 3: 0b000011}
TRANSLATION = {-1: 0b101011, 0: 0b000100, 1: 0b000101, 2: 0b000110, 3: 0b000111}
ACCESS_FLAG = {0: 0b001000, 1: 0b001001, 2: 0b001010, 3: 0b001011}
PERMISSION = {0: 0b001100, 1: 0b001101, 2: 0b001110, 3: 0b001111}
EXTERNAL_ABORT = {-1: 0b010011, 0: 0b010100, 1: 0b010101, 2: 0b010110, 3: 0b010111}


def cut(word: int, hi: int, lo: int | None = None) -> str:
    """The manual's `word<hi:lo>`, or `word<hi>`."""
    digits = format(word, "064b")
    return digits[63 - hi : 64 - (hi if lo is None else lo)]


def translate(registers: Registers, read: Callable[[int], int | None], va: int, access: str, el: int) -> Answer:
    """What becomes of an access, "r", "w" or "x", to `va`; `read` gives the word at an address, None without memory."""
    tcr, half = registers.tcr, cut(va, 55)
    fields = {name: cut(tcr, *where) for name, where in TCR[half].items()}
    tag = fields["TBI"] == "1" and not (access == "x" and fields["TBID"] == "1")
    top = 55 if tag else 63
    checked = va
    if cut(tcr, MTX[half]) == "1":  # bits 59:56 were compared with the memory's tag, and are taken for right
        checked = va | 0xF << 56 if half == "1" else va & ~(0xF << 56)
    if cut(registers.sctlr, 0) == "0":
        return without_translation(registers, va if access == "x" else checked, top, access)

    # Input: the size, the range, whether walks are allowed at all.
    granule = TG[half][fields["TG"]]
    lpa2 = granule != "64K" and cut(tcr, 59) == "1"
    lpa = granule == "64K" and registers.pa_bits == 52
    bits = 64 - int(fields["TxSZ"], 2)
    start = next((level for least, level in STARTS[granule] if bits >= least), None)
    if start is None or bits > (52 if lpa2 or granule == "64K" else 48):
        return fault(TRANSLATION, 0)
    if cut(checked, top, bits) != half * (top - bits + 1):
        return fault(TRANSLATION, 0)
    if fields["EPD"] == "1" or (el == 0 and cut(tcr, E0PD[half]) == "1"):
        return fault(TRANSLATION, 0)

    # The first table.
    output = min(IPS[cut(tcr, 34, 32)], registers.pa_bits, 52 if lpa2 or lpa else 48)
    ttbr = registers.ttbr1 if half == "1" else registers.ttbr0
    low = bits - RESOLVED[granule][start][1] + 3
    if lpa2 or (granule == "64K" and output == 52):
        low = max(low, 6)
        base = cut(ttbr, 5, 2) + cut(ttbr, 47, low) + "0" * low
    else:
        base = "0000" + cut(ttbr, 47, low) + "0" * low
    if "1" in base[: 52 - output]:
        return fault(ADDRESS_SIZE, 0)

    # Down the levels.
    reads, tables = [], []
    for level in range(start, 4):
        hi, lo = RESOLVED[granule][level]
        index = cut(va, min(hi, bits - 1), lo)
        reads.append(int(base[: 52 - len(index) - 3] + index + "000", 2))
        word = read(reads[-1])
        if word is None:
            return fault(EXTERNAL_ABORT, level, reads)
        kind = cut(word, 1, 0)
        leaf = kind == "11" if level == 3 else kind == "01" and level in BLOCKS[granule, 52 if lpa2 or lpa else 48]
        if not leaf and (kind != "11" or level == 3):
            return fault(TRANSLATION, level, reads)
        if not leaf:
            lo = {"4K": 12, "16K": 14, "64K": 16}[granule]
        if lpa2:
            base = cut(word, 9, 8) + cut(word, 49, lo) + "0" * lo
        else:
            base = (cut(word, 15, 12) if lpa else "0000") + cut(word, 47, lo) + "0" * lo
        if leaf:  # all of the output address counts, the bits that come from the input too
            base = base[: 52 - lo] + cut(va, lo - 1, 0)
        if "1" in base[: 52 - output]:
            return fault(ADDRESS_SIZE, level, reads)
        if leaf:
            break
        if fields["HPD"] == "0":
            tables.append(cut(word, 62, 59))

    # The leaf.
    ha, hd = cut(tcr, 39) == "1", cut(tcr, 39) + cut(tcr, 40) == "11"
    after = word
    if cut(word, 10) == "0":
        if not ha:
            return fault(ACCESS_FLAG, level, reads)
        after |= 1 << 10
    dbm = hd and cut(word, 51) == "1"
    if access not in rights(word, tables, dbm, cut(registers.sctlr, 19) == "1")[el]:
        return fault(PERMISSION, level, reads)
    if dbm and access == "w":
        after &= ~(1 << 7)
    pa = int(base, 2)
    attr = cut(registers.mair, 8 * int(cut(word, 4, 2), 2) + 7, 8 * int(cut(word, 4, 2), 2))
    attr = effective(attr, access, cut(registers.sctlr, 12 if access == "x" else 2))
    sh = shareability(attr, fields["SH"] if lpa2 else cut(word, 9, 8))
    written = None if after == word else (reads[-1], after)
    return Answer(par_of(pa, attr, sh), pa, level, tuple(reads), written)


def rights(leaf: int, tables: list[str], dbm: bool, wxn: bool) -> tuple[set[str], set[str]]:
    """What EL0 and what EL1 may do; of each table above, its APTable, UXNTable and PXNTable."""
    el1, el0 = (set(allowed) for allowed in AP["0" + cut(leaf, 6) if dbm else cut(leaf, 7, 6)])
    for no_write, no_el0, _, _ in tables:
        if no_el0 == "1":
            el0 -= {"r", "w"}
        if no_write == "1":
            el0, el1 = el0 - {"w"}, el1 - {"w"}
    if cut(leaf, 54) == "0" and all(uxn == "0" for _, _, uxn, _ in tables) and not (wxn and "w" in el0):
        el0 = el0 | {"x"}
    may_execute = cut(leaf, 53) == "0" and all(pxn == "0" for _, _, _, pxn in tables)
    if may_execute and "w" not in el0 and not (wxn and "w" in el1):  # what EL0 can write is never executed at EL1
        el1 = el1 | {"x"}
    return el0, el1


def without_translation(registers: Registers, va: int, top: int, access: str) -> Answer:
    """SCTLR_EL1.M = 0: Device-nGnRnE data; instructions Write-Through, or Non-cacheable where SCTLR_EL1.I is 0."""
    if "1" in cut(va, top, registers.pa_bits):
        return fault(ADDRESS_SIZE, 0)
    attr = "00000000"
    if access == "x":
        attr = "10101010" if cut(registers.sctlr, 12) == "1" else "01000100"
    pa = int(cut(va, registers.pa_bits - 1, 0), 2)
    return Answer(par_of(pa, attr, "10"), pa)


def effective(attr: str, access: str, cache: str) -> str:
    """The memory type that an access gets; `cache` is SCTLR_EL1.I for "x", else SCTLR_EL1.C.

    Non-cacheable is what Normal memory becomes without the cache, and Device memory when it is executed, which the PE
    could forbid instead. XS is kept where the byte shows it.
    """
    xs = "0" if attr in ("01000000", "10100000") or (attr[:4] == "0000" and attr[6:] == "01") else "1"
    becomes_non_cacheable = access == "x" if attr[:4] == "0000" else cache == "0"
    return "01000" + xs + "00" if becomes_non_cacheable else attr


def shareability(attr: str, sh: str) -> str:
    """Device memory and Normal memory that neither cache holds are Outer Shareable, whatever the tables say."""
    return "10" if attr[:4] == "0000" or attr in ("01000100", "01000000") else sh


def par_of(pa: int, attr: str, sh: str) -> int:
    """PAR_EL1 with F = 0: ATTR, the address, RES1, SH."""
    return int(attr + "0000" + cut(pa, 51, 12) + "1" + "0" * 2 + sh + "0" * 7, 2)


def fault(codes: dict[int, int], level: int, reads: list[int] | None = None) -> Answer:
    """PAR_EL1 with F = 1: RES1, FST."""
    return Answer(1 << 11 | codes[level] << 1 | 1, level=level, reads=tuple(reads or ()))
