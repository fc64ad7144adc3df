"""The walk of many addresses, the walk of one, and a reference that shares no code with them: one answer."""

from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_tables import OPERATIONS, random_machine
from reference_walk import ON, Registers, translate

from pgtlab.arch.fault import Access
from pgtlab.arch.many import vectorised, walk_many
from pgtlab.arch.many.loops import CHUNK
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1
from pgtlab.arch.translations import Translations

ACCESSES = {"r": Access.READ, "w": Access.WRITE, "x": Access.FETCH}
SEEDS = st.integers(0, (1 << 32) - 1)


def translate_with_numpy(mmu, vas, access, el):
    """`translate_many` as it works where numba is missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_many, "translate", vectorised.translate)
        return mmu.translate_many(vas, access, el)


def assert_one_answer(mmu, registers, read, vas, access, el):
    """Everything that can be seen of the translation of `vas`, from four walkers."""
    expected = [translate(registers, read, va, access, el) for va in vas]
    walks = [mmu.translate(va, ACCESSES[access], el) for va in vas]
    found = mmu.translate_many(vas, ACCESSES[access], el)
    for va, answer, walk in zip(vas, expected, walks, strict=True):
        why = f"{walk}\nPAR_EL1 {int(walk.par):#x}, and {answer}"
        assert int(walk.par) == answer.par, why
        assert answer.pa is None or (walk.outcome.pa, walk.outcome.level) == (answer.pa, answer.level), why
        assert tuple(step.address for step in walk.steps) == answer.reads, why
        assert (walk.update and (walk.update.address, walk.update.after)) == answer.written, why
        assert walk.va == va, why
    assert not translate_with_numpy(mmu, vas, ACCESSES[access], el).differs(found).any()
    assert found.par.tolist() == [answer.par for answer in expected]
    assert found.pa.tolist() == [answer.pa or 0 for answer in expected]
    assert not Translations.of(walks).differs(found).any()


@given(SEEDS, st.sampled_from(OPERATIONS))
def test_random_tables_have_one_meaning(seed, operation):
    machine = random_machine(seed)
    assert_one_answer(machine.mmu, machine.registers, machine.read, machine.vas, *operation)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation[0]} at EL{operation[1]}")
@pytest.mark.parametrize(
    "fields",
    [
        {"EPD0": 1},
        {"EPD1": 1},
        {"E0PD0": 1, "E0PD1": 1},
        {"HPD0": 1, "HPD1": 0},
        {"HPD0": 0, "HPD1": 1},
        {"TBI0": 1, "TBI1": 0, "TBID0": 0},
        {"TBI0": 0, "TBI1": 1, "TBID1": 1},
        {"DS": 0, "HA": 0},
        {"DS": 1, "HA": 1, "HD": 1},
        {"HA": 0, "HD": 1},
        {"T0SZ": 0, "T1SZ": 63},
        {"T0SZ": 49, "TG0": 0, "T1SZ": 48, "TG1": 3},
        {"T0SZ": 15, "TG0": 0, "T1SZ": 15, "TG1": 1, "DS": 0},
        {"TG0": 3, "TG1": 0},
        {"IPS": 7},
    ],
    ids=lambda fields: " ".join(f"{name}={value}" for name, value in fields.items()),
)
def test_every_control_means_the_same_to_all(fields, operation):
    machine = random_machine(sum(map(ord, str(fields))), 40, **fields)
    assert_one_answer(machine.mmu, machine.registers, machine.read, machine.vas, *operation)


@pytest.fixture(scope="module")
def answered():
    """Addresses of both ranges, with 16K and 64K granules in memory of 4K pages, and their translations one by one."""
    machine = random_machine(9, 300, TG0=2, TG1=3, T0SZ=22, T1SZ=17, IPS=6, EPD0=0, EPD1=0)
    return machine, Translations.of([machine.mmu.translate(va) for va in machine.vas])


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 1023, 1024, 1025, 5000])
def test_the_length_of_an_array_changes_nothing(answered, count):
    machine, expected = answered
    chosen = np.random.default_rng(count).integers(0, len(machine.vas), count)
    found = machine.mmu.translate_many(np.array(machine.vas, np.uint64)[chosen])
    for theirs, ours in zip(expected.arrays, found.arrays, strict=True):
        assert np.array_equal(theirs[chosen], ours)


def test_an_array_is_read_in_any_layout_and_left_as_it_is(answered):
    machine, expected = answered
    vas = np.array(machine.vas, np.uint64)
    vas.flags.writeable = False
    square = vas[:256].reshape(16, 16)
    for layout in square, square.T, square[::-3, 1::2], square.astype(">u8"), square.astype(object):
        before = layout.copy()
        found = machine.mmu.translate_many(layout)
        order = [machine.vas.index(va) for va in layout.flat]
        assert all(
            np.array_equal(theirs[order].reshape(layout.shape), ours)
            for theirs, ours in zip(expected.arrays, found.arrays, strict=True)
        )
        assert np.array_equal(layout, before)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation[0]} at EL{operation[1]}")
def test_more_regions_than_the_walk_caches_hold(operation):
    """Tables that point at themselves make many regions out of little memory, and the walk caches are sized by that."""
    rng = Random(1)
    words = [
        0x8000_0403 | rng.randrange(2) << 12 | rng.getrandbits(2) << 6 | rng.getrandbits(2) << 61 for _ in range(1024)
    ]
    words = [0 if rng.random() < 0.02 else word for word in words]
    memory = Memory.of_pages({0x8000_0000 + 4096 * i: words[512 * i : 512 * i + 512] for i in range(2)}, 12)
    tcr, ttbr = TCR_EL1(T0SZ=16, T1SZ=16, TG1=2, IPS=5), 0x8000_0000
    mmu = MMU(memory, tcr, TTBR0_EL1(ttbr), TTBR1_EL1(ttbr))
    read = dict(zip(range(0x8000_0000, 0x8000_2000, 8), words, strict=True)).get
    few = [rng.getrandbits(48) for _ in range(50)]
    vas = [rng.choice(few) ^ rng.getrandbits(12) if rng.random() < 0.3 else rng.getrandbits(48) for _ in range(2500)]
    vas = [va | 0xFFFF << 48 if rng.random() < 0.5 else va for va in vas]
    access, el = operation
    found = mmu.translate_many(vas, ACCESSES[access], el)
    registers = Registers(int(tcr), ttbr, ttbr, 0, ON)
    assert not translate_with_numpy(mmu, vas, ACCESSES[access], el).differs(found).any()
    assert found.par.tolist() == [translate(registers, read, va, access, el).par for va in vas]


@settings(max_examples=30)
@given(st.permutations(range(16)), st.sets(st.integers(0, 15), max_size=3), st.booleans())
@example([0, *range(14, 0, -1), 15], set(), False)  # the two ends are where they would be in one piece
@example([0, *range(2, 15), 16, 15], {1}, True)
def test_a_table_may_be_scattered_and_have_holes(order, holes, ram):
    """Memory keeps pages of 4K in the order in which they came, and a table of 64K is sixteen of them."""
    table = 0x5_0000
    words = [table + (i << 16) | 0x403 for i in range(17 * 512)]
    pages = {table + 4096 * i: words[512 * i : 512 * i + 512] for i in order if i not in holes}
    memory = Memory(0, 1 << 20, 12) if ram else Memory.of_pages(pages, 12)
    for pa, page in pages.items():
        memory.write(pa, np.array(page, np.uint64))
    tcr = TCR_EL1(T0SZ=35, TG0=1, IPS=5)
    machine = MMU(memory, tcr, TTBR0_EL1(table)), Registers(int(tcr), table, 0, 0, ON)
    present = {pa + 8 * i: word for pa, page in pages.items() for i, word in enumerate(page)}
    vas = [(512 * i + at << 16) + 0x123 for i in range(16) for at in (0, 1, 511)]
    assert_one_answer(*machine, lambda pa: present.get(pa, 0 if ram else None), vas, "r", 1)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation[0]} at EL{operation[1]}")
@pytest.mark.parametrize("fields", [{"IPS": 2}, {"IPS": 2, "HA": 1, "HD": 1}, {"IPS": 4, "DS": 1}], ids=str)
@pytest.mark.parametrize("tg0", [0, 1, 2], ids=["4K", "64K", "16K"])
def test_neighbours_that_differ_in_one_bit(tg0, fields, operation):
    """A page like the last good one is not looked at twice, so each bit that matters must make it another one.

    The last good one is that of the chunk before, which is why a whole chunk asks for it alone.
    """
    shift, (access, el) = {0: 12, 1: 16, 2: 14}[tg0], operation
    entries, first, last, mair = 1 << shift - 3, 0x10_0000, 0x20_0000, 0x0044_04FF_BB0C_77EE
    tcr = TCR_EL1(T0SZ=64 - shift - 2 * (shift - 3), TG0=tg0, **fields)
    tables = [last | i << 59 | 0b11 for i in (0, 0b0101, 0b1010)]  # one table thrice, with more handed down
    vas = [(table * entries + page << shift) + 0x10 for table in range(len(tables)) for page in range(128)]
    for leaf in 0x0000_0080_0004_0743, 0x0008_0080_0004_07C3:  # open to all; read-only with DBM
        words = [leaf ^ (1 << i // 2 if i % 2 else 0) for i in range(128)]
        pages = {first: tables + [0] * (entries - len(tables)), last: words + [0] * (entries - len(words))}
        mmu = MMU(Memory.of_pages(pages, shift), tcr, TTBR0_EL1(first), mair=MAIR_EL1(mair))
        read = {pa + 8 * i: word for pa, page in pages.items() for i, word in enumerate(page)}.get
        assert_one_answer(mmu, Registers(int(tcr), first, 0, mair, ON), read, vas, access, el)
        expected = Translations.of([mmu.translate(va, ACCESSES[access], el) for va in vas])
        for start in range(0, len(vas), 128):
            order = [start] * CHUNK + [*range(start, start + 128)]
            found = mmu.translate_many([vas[i] for i in order], ACCESSES[access], el)
            for theirs, ours in zip(expected.arrays, found.arrays, strict=True):
                assert np.array_equal(theirs[order], ours)


def test_memory_without_a_page_aborts_every_walk():
    mmu = MMU(Memory.of_pages({}, 12), TCR_EL1(T0SZ=16), TTBR0_EL1(0))
    assert_one_answer(mmu, Registers(16, 0, 0, 0, ON), lambda _: None, [0, 0x1000, (1 << 48) - 1, 1 << 48], "w", 1)


@given(SEEDS)
@settings(max_examples=10)
def test_without_translation_addresses_are_physical(seed):
    machine = random_machine(seed)
    off = MMU(machine.mmu.memory, machine.mmu.tcr, sctlr=SCTLR_EL1(I=seed & 1), pa_range=machine.mmu.pa_range)
    registers = machine.registers._replace(sctlr=int(off.sctlr))
    vas = [va & (1 << 52 - seed % 20) - 1 | va & 0xFF << 56 for va in machine.vas] + machine.vas
    for operation in OPERATIONS:
        assert_one_answer(off, registers, machine.read, vas, *operation)
