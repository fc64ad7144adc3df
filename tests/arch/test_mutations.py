"""Each rule of the walk matters: with the rule broken, a walker no longer agrees with the recorded hardware.

What the recordings cannot show is held against the reference instead, on random tables.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from mutating import clear_caches
from mutations import MANY, SHARED, UNRECORDED, UNRECORDED_WALK, WALK
from random_tables import OPERATIONS as REFERENCE_OPERATIONS
from random_tables import random_machine
from reference_walk import translate

from pgtlab.arch.fault import Access
from pgtlab.arch.mmu import MMU
from pgtlab.arch.vectors import EXCEPTION, FETCHED, OPERATIONS, SKIP, Vectors

DATA = Path(__file__).parents[1] / "data" / "mmu"


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
    """What AT left in PAR_EL1, or that part of it that an abort or a fetch tells of."""
    for name in ("vectors_sample.npz", "exec_sample.npz"):
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
            for number, (_, access, el) in enumerate(OPERATIONS):
                which = np.flatnonzero((v["op"][cases] == number) & (status[cases] != SKIP)) + cases.start
                if len(which):
                    esr = v["esr_el1"][which].tolist() if v.fetches else None
                    yield Question(mmu, v["va"][which], access, el, par[which], mask[which], esr)


def reference_questions():
    """Random tables, of which the reference knows everything."""
    for seed in range(60):
        machine = random_machine(seed, 60)
        operation = REFERENCE_OPERATIONS[seed % len(REFERENCE_OPERATIONS)]
        answers = [translate(machine.registers, machine.read, va, *operation) for va in machine.vas]
        par = np.array([answer.par for answer in answers], np.uint64)
        access = {"r": Access.READ, "w": Access.WRITE, "x": Access.FETCH}[operation[0]]
        written = [answer.written for answer in answers]
        vas = np.array(machine.vas, np.uint64)
        yield Question(machine.mmu, vas, access, operation[1], par, np.full_like(par, (1 << 64) - 1), written=written)


@pytest.fixture(scope="module")
def record():
    """In random order, so that a broken rule is seen soon whatever it is about."""
    questions = list(recorded_questions())
    Random(0).shuffle(questions)
    return questions


@pytest.fixture(scope="module")
def reference():
    return list(reference_questions())


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


def test_with_its_rules_whole_nothing_is_wrong(record, reference):
    assert not walk_is_wrong(record[:300])  # test_vectors.py asks all of it
    assert not many_is_wrong(record[:300])
    assert not walk_is_wrong(reference)
    assert not many_is_wrong(reference)


@pytest.mark.parametrize("rule", SHARED)
def test_the_record_shows_it_in_both_walkers(rule, break_rule, record):
    break_rule(SHARED[rule])
    assert walk_is_wrong(record)
    assert many_is_wrong(record)


@pytest.mark.parametrize("rule", WALK)
def test_the_record_shows_it_in_the_walk_of_one_address(rule, break_rule, record):
    break_rule(WALK[rule])
    assert walk_is_wrong(record)


@pytest.mark.parametrize("rule", MANY)
def test_the_record_shows_it_in_the_walk_of_many(rule, break_rule, record):
    break_rule(MANY[rule])
    assert many_is_wrong(record)


@pytest.mark.parametrize("rule", UNRECORDED)
def test_the_reference_shows_it_in_both_walkers(rule, break_rule, reference):
    break_rule(UNRECORDED[rule])
    assert walk_is_wrong(reference)
    assert many_is_wrong(reference)


@pytest.mark.parametrize("rule", UNRECORDED_WALK)
def test_the_reference_shows_it_in_the_walk_of_one_address(rule, break_rule, reference):
    break_rule(UNRECORDED_WALK[rule])
    assert walk_is_wrong(reference)
