"""Each rule of the walk matters: with the rule broken, a walker no longer agrees with the recorded hardware.

What the recordings cannot show is held against the reference instead, on random tables.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from mutating import clear_caches, code_of_minus_one, function, ranges
from mutations import MANY, SHARED, SPECIFIED, UNRECORDED, UNRECORDED_WALK, WALK
from random_tables import OPERATIONS as REFERENCE_OPERATIONS
from random_tables import WORD, random_machine
from reference_walk import ON, Registers, translate

from pgtlab.arch import walk
from pgtlab.arch.attributes import MemoryAttributes
from pgtlab.arch.fault import Access, FaultKind
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1
from pgtlab.cli.vectors import EXCEPTION, FETCHED, OPERATIONS, SKIP, Vectors, asked, verify

DATA = Path(__file__).parents[1] / "data" / "mmu"


# What neither the record nor random tables show: in the record no 64K range has its first table beyond 48 bits, sizes
# that are not legal are left out, and a fetch tells no attributes.
EDGES = {
    "64K reads no 52-bit TTBR": ranges(base=lambda r, tcr: r.base & (1 << 48) - 1 if r.granule.shift == 16 else r.base),
    "TxSZ of 15 is legal without DS": ranges(
        start_level=lambda r, tcr: (
            r.granule.start_level(49)
            if r.format.packing is OutputAddress.PLAIN and r.input_bits == 49
            else r.start_level
        )
    ),
    "TxSZ of 48 is legal with 64K": ranges(
        start_level=lambda r, tcr: 3 if r.granule.shift == 16 and r.input_bits == 16 else r.start_level
    ),
    "instructions are Normal Write-Through whatever SCTLR_EL1.I says": function(
        walk.flat_attributes,
        lambda original: (
            lambda mmu, access: (
                MemoryAttributes(ATTR=0xAA, SH=2, AP=1) if access is Access.FETCH else original(mmu, access)
            )
        ),
    ),
}


@dataclass
class Question:
    """Addresses for one operation, and the answers: the bits `mask` of PAR_EL1, and what else is known."""

    mmu: MMU
    vas: np.ndarray
    access: Access
    el: int
    par: np.ndarray
    mask: np.ndarray
    esr: list | None = None
    written: list | None = None

    def fresh(self):
        """The MMU without what it has worked out already."""
        return replace(self.mmu)

    def walk_is_wrong(self):
        mmu, par, mask = self.fresh(), self.par.tolist(), self.mask.tolist()
        for i, va in enumerate(self.vas.tolist()):
            found = mmu.translate(va, self.access, self.el)
            written = found.update and (found.update.address, found.update.after)
            if (
                (int(found.par) ^ par[i]) & mask[i]
                or (self.esr and self.esr[i] != int(found.esr or FETCHED))
                or (self.written and self.written[i] != written)
            ):
                return True
        return False

    def many_is_wrong(self):
        found = self.fresh().translate_many(self.vas, self.access, self.el)
        return bool(((found.par ^ self.par) & self.mask).any())


def recorded_questions():
    """What AT left in PAR_EL1, or that part of it that an abort or a fetch tells of; also as Arm specifies it."""
    for name in ("vectors_sample.npz", "exec_sample.npz", "specification_at.npz", "specification_exec.npz"):
        v = Vectors.load(DATA / name)
        status = v["status"]
        if v.fetches:
            reached = v["esr_el1"] == FETCHED
            code = (v["esr_el1"] & 0x3F).astype(np.uint64) << 1 | 0x801
            par = np.where(reached, v["pa"] & 0xF_FFFF_FFFF_F000, code)
            mask = np.where(reached, 0xF_FFFF_FFFF_F001, 0x87F).astype(np.uint64)
        else:
            aborted = status == EXCEPTION
            par = np.where(aborted, (v["esr"] & 0x3F).astype(np.uint64) << 1 | 0x801, v["par_el1"])
            mask = np.where(aborted, 0x87F, v["cmp_mask"]).astype(np.uint64)
        for mmu, cases in v.images():
            for number, operation in enumerate(OPERATIONS[:6]):
                which = np.flatnonzero((v["op"][cases] == number) & (status[cases] != SKIP)) + cases.start
                if len(which):
                    d = asked(mmu, operation)
                    esr = v["esr_el1"][which].tolist() if v.fetches else None
                    yield Question(mmu, v["va"][which], d.access, d.el, par[which], mask[which], esr)


def question(mmu, registers, read, vas, operation):
    """What the reference answers."""
    answers = [translate(registers, read, va, *operation) for va in vas]
    par = np.array([answer.par for answer in answers], np.uint64)
    access = {"r": Access.READ, "w": Access.WRITE, "x": Access.FETCH}[operation[0]]
    written = [answer.written for answer in answers]
    mask = np.full_like(par, WORD)
    return Question(mmu, np.array(vas, np.uint64), access, operation[1], par, mask, written=written)


def reference_questions():
    """Random tables, of which the reference knows everything."""
    for seed in range(60):
        machine = random_machine(seed, 60)
        operation = REFERENCE_OPERATIONS[seed % len(REFERENCE_OPERATIONS)]
        yield question(machine.mmu, machine.registers, machine.read, machine.vas, operation)


def edge_questions():
    """Sizes of input at the limits, first tables beyond 48 bits, no translation: random tables have little of it."""
    low, high = 0x50_0000, 0x9_0000_0050_0000
    memory = Memory.of_pages({low: [low | 0x403] * 8192, high: [low | 0x9403] * 8192}, 16)
    read = {pa + 8 * i: word for pa, word in ((low, low | 0x403), (high, low | 0x9403)) for i in range(8192)}.get
    for ds in (0, 1):
        for tg0, tg1 in (0, 2), (2, 1), (1, 3):
            for size in (11, 12, 15, 16, 47, 48, 49):
                for ttbr in low, low | 9 << 2:
                    tcr = TCR_EL1(TG0=tg0, TG1=tg1, DS=ds, IPS=6, T0SZ=size, T1SZ=size)
                    mmu = MMU(memory, tcr, TTBR0_EL1(ttbr), TTBR1_EL1(ttbr))
                    registers = Registers(int(tcr), ttbr, ttbr, 0, ON)
                    yield question(mmu, registers, read, [0, WORD], ("r", 1))
    for instruction_cache in (0, 1):
        off = SCTLR_EL1(I=instruction_cache)
        for operation in REFERENCE_OPERATIONS:
            mmu = MMU(memory, TCR_EL1(), sctlr=off)
            yield question(mmu, Registers(0, 0, 0, 0, int(off)), read, [0, 0x1234_5000, 1 << 52], operation)


@pytest.fixture(scope="module")
def record():
    """In random order, so that a broken rule is seen soon whatever it is about."""
    questions = list(recorded_questions())
    Random(0).shuffle(questions)
    return questions


@pytest.fixture(scope="module")
def reference():
    return list(reference_questions())


@pytest.fixture(scope="module")
def edges():
    return list(edge_questions())


@pytest.fixture
def break_rule():
    clear_caches()
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield lambda mutation: mutation(monkeypatch)
    clear_caches()


def walk_is_wrong(questions):
    return any(question.walk_is_wrong() for question in questions)


def many_is_wrong(questions):
    return any(question.many_is_wrong() for question in questions)


@pytest.mark.long
def test_unchanged_rules_agree_with_the_record(record, reference, edges):
    """All of it: one question with a wrong answer would make every rule below look broken."""
    for questions in record, reference, edges:
        assert questions
        assert not walk_is_wrong(questions)
        assert not many_is_wrong(questions)


@pytest.mark.long
@pytest.mark.parametrize("rule", SHARED)
def test_record_detects_mutation_of_both_walkers(rule, break_rule, record):
    break_rule(SHARED[rule])
    assert walk_is_wrong(record)
    assert many_is_wrong(record)


@pytest.mark.parametrize("rule", WALK)
def test_record_detects_mutation_of_walk(rule, break_rule, record):
    break_rule(WALK[rule])
    assert walk_is_wrong(record)


@pytest.mark.long
@pytest.mark.parametrize("rule", MANY)
def test_record_detects_mutation_of_walk_many(rule, break_rule, record):
    break_rule(MANY[rule])
    assert many_is_wrong(record)


@pytest.mark.long
@pytest.mark.parametrize("rule", UNRECORDED)
def test_reference_detects_mutation_of_both_walkers(rule, break_rule, reference):
    break_rule(UNRECORDED[rule])
    assert walk_is_wrong(reference)
    assert many_is_wrong(reference)


@pytest.mark.parametrize("rule", UNRECORDED_WALK)
def test_reference_detects_mutation_of_walk(rule, break_rule, reference):
    break_rule(UNRECORDED_WALK[rule])
    assert walk_is_wrong(reference)


@pytest.mark.parametrize("rule", EDGES)
def test_edges_detect_mutation_of_both_walkers(rule, break_rule, edges):
    break_rule(EDGES[rule])
    assert walk_is_wrong(edges)
    assert many_is_wrong(edges)


def test_record_distinguishes_level_minus_1_from_level_0(break_rule, record):
    break_rule(code_of_minus_one(FaultKind.TRANSLATION, 0b000100))  # mutations.py has the code of level 3
    assert walk_is_wrong(record)


@pytest.mark.long
@pytest.mark.parametrize("rule", SPECIFIED)
def test_specification_detects_mutation(break_rule, rule):
    name, mutation = SPECIFIED[rule]
    break_rule(mutation)
    verification = verify(Vectors.load(DATA / f"specification_{name}.npz"))
    assert verification.walk_wrong.any()
