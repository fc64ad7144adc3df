"""The reference agrees with a real MMU by itself, so that to agree with it is more than to agree with ourselves.

Then pgtlab agrees with it where random words seldom lead: down all of five levels, in each packing of addresses.
"""

from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import OPERATIONS as OPERATIONS_AT_RANDOM
from random_tables import WORD, Machine
from reference_walk import ON, Registers, translate
from test_walk_many import assert_one_answer

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TG0, TG1, TTBR0_EL1, TTBR1_EL1, PARange

DATA = Path(__file__).parents[1] / "data" / "mmu"
OPERATIONS = [("r", 1), ("w", 1), ("r", 0), ("w", 0), ("x", 1), ("x", 0)]
COMPARE, EXCEPTION, SKIP = range(3)
FETCHED = 0x56000007


def images(a):
    """Registers, a function that reads memory, and the numbers of the cases, for each image."""
    for i, size in enumerate(a["img_page_bytes"].tolist()):
        pages = a["page_base"][a["img_page_off"][i] : a["img_page_off"][i + 1]].tolist()
        words = a["words"][a["img_word_off"][i] : a["img_word_off"][i + 1]]
        first = {page: size // 8 * row for row, page in enumerate(pages)}

        def read(pa, size=size, words=words, first=first):
            start = first.get(pa & -size)
            return None if start is None else int(words[start + pa % size // 8])

        names = "tcr_el1", "ttbr0_el1", "ttbr1_el1", "mair_el1", "sctlr_el1"
        registers = Registers(*(int(a[f"img_{name}"][i]) for name in names))
        yield registers, read, range(a["img_case_off"][i], a["img_case_off"][i + 1])


def disagreements(path):
    """The cases in which the reference gives another answer than the recorded one, and how many were compared."""
    a = dict(np.load(path))
    fetches = "esr_el1" in a
    par, mask, status = (a.get(f"{name}_q10", a.get(name)) for name in ("par_el1", "cmp_mask", "status"))
    wrong, compared = [], 0
    for registers, read, cases in images(a):
        for case in cases:
            if status[case] == SKIP:
                continue
            compared += 1
            answer = translate(registers, read, int(a["va"][case]), *OPERATIONS[a["op"][case]])
            if fetches:
                expected, found = int(a["esr_el1"][case]), answer.par >> 1 & 0x3F
                right = answer.pa == int(a["pa"][case]) if expected == FETCHED else found == expected & 0x3F
                right &= (answer.pa is None) == (expected != FETCHED)
            elif status[case] == EXCEPTION:
                right = answer.pa is None and answer.par >> 1 & 0x3F == int(a["esr"][case]) & 0x3F
            else:
                right = (answer.par ^ int(par[case])) & int(mask[case]) == 0
            if not right:
                wrong.append(case)
    return wrong, compared


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("vectors_sample.npz", 7800),
        ("exec_sample.npz", 1950),
        ("specification_at.npz", 31),
        ("specification_exec.npz", 36),
    ],
)
def test_the_reference_agrees_with_the_record(name, compared):
    assert disagreements(DATA / name) == ([], compared)


def some_bits(rng, mask, share):
    """Each bit of `mask` with a chance of `share`."""
    return sum(1 << bit for bit in range(64) if mask >> bit & 1 and rng.random() < share)


def grown_machine(seed, addresses=10):
    """Tables that grow under the walk: a word is made up when the reference first reads it, and mostly leads on."""
    rng = Random(seed)
    ds, wide = rng.random() < 0.6, {}
    tcr = TCR_EL1(TG0=rng.choice([0, 1, 2]), TG1=rng.choice([1, 2, 3]), IPS=rng.choice([6, 6, 6, 7, 5, 4, 2]), DS=ds)
    for half, is_64k in enumerate((tcr.TG0 == TG0.G64K, tcr.TG1 == TG1.G64K)):
        wide[half], least = is_64k, 12 if ds or is_64k else 16
        size = rng.choice([least, least, least + 1, rng.randint(least, 40), rng.randint(least, 47)])
        tcr = tcr.replace(**{f"T{half}SZ": size})
    often = ("HA", "HD", "HPD0", "HPD1", "TBI0", "TBI1", "TBID0", "TBID1")
    seldom = ("EPD0", "EPD1", "E0PD0", "E0PD1")
    tcr = tcr.replace(SH0=rng.randrange(4), SH1=rng.randrange(4), **{name: rng.random() < 0.4 for name in often})
    tcr = tcr.replace(**{name: rng.random() < 0.03 for name in seldom})
    caches = {name: rng.random() < 0.7 for name in "CI"}
    sctlr = SCTLR_EL1(M=1, WXN=rng.random() < 0.3, **caches)
    mair = sum(rng.choice([0x00, 0x04, 0x44, 0xFF, 0xEE, 0x40, 0xA0, 0x05]) << 8 * i for i in range(8))
    pa_range = rng.choice([*[PARange.PA52] * 6, PARange.PA48, PARange.PA44])
    frames = [rng.choice([0, 1, 3]) << 30 | rng.randrange(64) << 16 for _ in range(5)]
    high = rng.choice([0, 0, rng.randrange(16)]) << 48
    frames += [frame | high for frame in frames[:3]]

    def ttbr(frame):
        frame |= rng.choice([0, 0, rng.randrange(0, 1 << 16, 64)])
        return rng.getrandbits(16) << 48 | frame & (1 << 48) - 1 | frame >> 48 << 2

    def made_up(frame, is_64k):
        if is_64k:
            word, sh = frame & (1 << 48) - 1 | frame >> 48 << 12, 0x300
        else:
            word, sh = (frame & (1 << 50) - 1 | frame >> 50 << 8, 0) if ds else (frame & (1 << 48) - 1, 0x300)
        word |= some_bits(rng, 0x0078_0000_0000_08FC | sh, 0.35) | some_bits(rng, 0x7F80 << 48, 0.12)
        word |= (rng.random() < 0.9) << 10
        word ^= some_bits(rng, (1 << 52) - (1 << 12), 0.004)
        return word & ~3 | rng.choices([0b11, 0b01, 0b00, 0b10], [90, 8, 1, 1])[0]

    words, missing = {}, {}

    def grow(half):
        def read(pa):
            if missing.setdefault(pa & -4096, rng.random() < 0.01):
                return None
            if pa not in words:
                words[pa] = made_up(rng.choice(frames), wide[half])
            return words[pa]

        return read

    registers = Registers(int(tcr), ttbr(rng.choice(frames)), ttbr(rng.choice(frames)), mair, int(sctlr), pa_range.bits)
    vas = []
    for _ in range(addresses):
        half = rng.randrange(2)
        bits = 64 - (tcr.T1SZ if half else tcr.T0SZ)
        va = rng.getrandbits(bits) | (WORD >> bits << bits if half else 0)
        va ^= rng.getrandbits(8) << 56 if rng.random() < 0.1 else 0
        translate(registers, grow(half), va, "r", 1)
        vas += [va, va ^ rng.getrandbits(12), va ^ 1 << rng.randrange(bits)]
    held = sorted({pa & -4096 for pa in words})
    pages = {page: np.zeros(512, np.uint64) for page in rng.sample(held, len(held))}
    for pa, word in words.items():
        pages[pa & -4096][pa % 4096 // 8] = word

    def read(pa):
        return int(pages[pa & -4096][pa % 4096 // 8]) if pa & -4096 in pages else None

    ttbrs = TTBR0_EL1(registers.ttbr0), TTBR1_EL1(registers.ttbr1)
    mmu = MMU(Memory.of_pages(pages, 12), tcr, *ttbrs, MAIR_EL1(mair), sctlr, pa_range)
    return Machine(mmu, registers, read, vas)


@settings(max_examples=40)
@given(st.integers(0, (1 << 32) - 1), st.sampled_from(OPERATIONS_AT_RANDOM))
def test_deep_walks_have_one_meaning(seed, operation):
    machine = grown_machine(seed)
    assert_one_answer(machine.mmu, machine.registers, machine.read, machine.vas, *operation)


def test_grown_tables_are_deep():
    """Or the test above would say less than it seems to: every level is reached, and left with an address."""
    reads, leaves = Counter(), Counter()
    for seed in range(60):
        machine = grown_machine(seed)
        for va in machine.vas:
            answer = translate(machine.registers, machine.read, va, "r", 1)
            reads[len(answer.reads)] += 1
            leaves[len(answer.reads), answer.level] += answer.pa is not None
    assert reads[4] + reads[5] > 0.1 * reads.total()
    assert reads[5] > 0.03 * reads.total()
    assert all(leaves[count, 3] for count in (1, 2, 3, 4, 5))
    assert all(any(leaves[count, level] for count in range(1, 6)) for level in (0, 1, 2, 3))


@pytest.mark.slow
@pytest.mark.parametrize("ds", [0, 1])
@pytest.mark.parametrize(("tg0", "tg1"), [(0, 2), (2, 1), (1, 3)], ids=["4K", "16K", "64K"])
def test_every_size_of_input(tg0, tg1, ds):
    """Also those that are not legal: random ones seldom meet a limit. The tables point at themselves."""
    table, shift = 0x50_0000, {0: 12, 1: 16, 2: 14}[tg0]
    words = [table | 0x403] * (1 << shift - 3)
    words[3::4] = [0] * len(words[3::4])  # so that it matters which entry is read
    memory = Memory.of_pages({table: words}, shift)
    read = {table + 8 * i: word for i, word in enumerate(words)}.get
    for size in range(64):
        tcr = TCR_EL1(TG0=tg0, TG1=tg1, DS=ds, IPS=6, T0SZ=size, T1SZ=size)
        base = (
            table | 0x1F << 1
        )  # bits below the first table's alignment, and 51:48 where there are any: then no memory
        for ttbr in table, base:
            mmu = MMU(memory, tcr, TTBR0_EL1(ttbr), TTBR1_EL1(ttbr))
            end = 1 << min(64 - size, 55)
            lower = [va for va in (0, end // 2, end - (1 << shift), end - 1, end) if 0 <= va < 1 << 55]
            vas = lower + [va ^ WORD for va in lower]
            assert_one_answer(mmu, Registers(int(tcr), ttbr, ttbr, 0, ON), read, vas, "r", 1)


@pytest.mark.parametrize("base", [0, 0x4000_0000])
def test_ram_that_was_never_written_is_zero_from_end_to_end(base):
    """The first and the last word of it, and the first ones beyond, which are in no memory."""
    size, tcr = 1 << 16, TCR_EL1(T0SZ=25, TG0=0, IPS=5)
    tables = [base, base + size - 4096, base + size, *([base - 4096] if base else [])]
    for table in tables:
        mmu = MMU(Memory(base, size, 12), tcr, TTBR0_EL1(table))
        vas = [index << 30 for index in (0, 1, 510, 511)]
        registers = Registers(int(tcr), table, 0, 0, ON)
        assert_one_answer(mmu, registers, lambda pa: 0 if base <= pa < base + size else None, vas, "r", 1)


@pytest.mark.parametrize("tbi0", [0, 1])
@pytest.mark.parametrize("operation", OPERATIONS_AT_RANDOM, ids=lambda operation: f"{operation[0]} at EL{operation[1]}")
def test_without_translation_each_range_has_its_own_tags(tbi0, operation):
    """Whichever range the first address is in: translate_many takes that one's settings until it meets the other."""
    tcr, off = TCR_EL1(TBI0=tbi0, TBI1=1 - tbi0), SCTLR_EL1()
    mmu = MMU(Memory(0, 4096, 12), tcr, sctlr=off)
    lower, upper = [0x1000, 0xAB00_0000_0000_1000, 1 << 52], [WORD, 0xAB80_0000_0000_1000]
    registers = Registers(int(tcr), 0, 0, 0, int(off))
    for vas in lower + upper, upper + lower, lower, upper:
        assert_one_answer(mmu, registers, lambda _: 0, vas, *operation)


def test_a_page_beyond_the_output_size_next_to_a_good_one():
    """With 64K the bits beyond are 15:12, which are no other address bits, and not among those that decide the rest."""
    table, good = 0x10_0000, 0x4_0403
    words = [good, *(good | 1 << bit for bit in range(12, 16)), good | 0xF000]
    read = {table + 8 * i: word for i, word in enumerate(words + [0] * (8192 - len(words)))}
    memory = Memory.of_pages({table: list(read.values())}, 16)
    tcr = TCR_EL1(T0SZ=35, TG0=1, IPS=5)
    vas = [0] * 512 + [i << 16 for i in range(len(words))]  # a good page for a whole chunk, then each of them
    registers = Registers(int(tcr), table, 0, 0, ON)
    assert_one_answer(MMU(memory, tcr, TTBR0_EL1(table)), registers, read.get, vas, "r", 1)
