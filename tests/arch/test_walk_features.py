"""Random registers of every feature have one meaning: to the walk of one address, to the loops and to numpy."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from random_tables import random_machine

from pgtlab.arch.at import INSTRUCTIONS, at
from pgtlab.arch.fault import Access
from pgtlab.arch.many import vectorised, walk_many
from pgtlab.arch.memory import Memory
from pgtlab.arch.registers import (
    HCR_EL2,
    PIR_EL1,
    PIRE0_EL1,
    POR_EL0,
    POR_EL1,
    TCR2_EL1,
    TCR_EL2,
    VTCR_EL2,
    VTTBR_EL2,
)
from pgtlab.arch.translations import Translations
from pgtlab.arch.walk import walk

FIRST, SECOND = 0x7_0000_0000, 0x7_0001_0000  # tables of stage 2, at levels -1 and 0


def with_features(rng, mmu):
    """The same tables under registers of other features."""

    def some(share=0.5):
        return int(rng.random() < share)

    return replace(
        mmu,
        pan=bool(some()),
        tcr2=TCR2_EL1(PIE=some(0.4), POE=some(0.3), E0POE=some(0.3), HAFT=some()),
        pir=PIR_EL1(rng.getrandbits(64)),
        pire0=PIRE0_EL1(rng.getrandbits(64)),
        por_el1=POR_EL1(rng.getrandbits(64) | 0x7777_7777_7777_7777 * some()),
        por_el0=POR_EL0(rng.getrandbits(64) | 0x7777_7777_7777_7777 * some()),
    )


def as_guest(rng, mmu):
    """The same below a stage 2 of 52 bits: nearly the identity, in blocks of 512G that allow most."""

    def some(share):
        return int(rng.random() < share)

    first = np.zeros(512, np.uint64)
    first[:16] = SECOND | 3
    second = np.zeros(512, np.uint64)
    for i in range(512):
        oa = i << 39
        attributes = some(0.9) << 10 | (3 if some(0.85) else rng.randrange(4)) << 6
        attributes |= (
            (0xF if some(0.7) else rng.randrange(16)) << 2 | some(0.3) << 11 | some(0.1) << 53 | some(0.1) << 51
        )
        second[i] = oa & (1 << 50) - 1 | oa >> 50 << 8 | attributes | some(0.95)
    whole = range(0, 1 << mmu.memory.page_shift, 4096)
    pages = {base + offset: mmu.memory.read(base + offset, 512) for base in mmu.memory.pages for offset in whole}
    return replace(
        mmu,
        memory=Memory.of_pages(pages | {FIRST: first, SECOND: second}, 12),
        hcr=HCR_EL2(VM=1, PTW=some(0.5), FWB=some(0.3), CD=some(0.2), ID=some(0.2)),
        vtcr=VTCR_EL2(T0SZ=12, SL2=1, DS=1, PS=6, HA=some(0.5), HD=some(0.5), SH0=rng.randrange(4)),
        vttbr=VTTBR_EL2(FIRST),
    )


def as_host(rng, mmu):
    """The same in EL2, with the registers of a host."""
    return replace(mmu, tcr=TCR_EL2(int(mmu.tcr)), hcr=HCR_EL2(E2H=1, TGE=1))


@pytest.mark.parametrize("kind", [as_host, as_guest, lambda rng, mmu: mmu], ids=["host", "guest", "EL1"])
def test_every_walker_gives_the_same(kind, monkeypatch):
    for seed in range(8):
        rng, machine = Random(seed), random_machine(seed, 30)
        mmu = kind(rng, with_features(rng, machine.mmu))
        foreign = "S12" if mmu.host else "E2"
        instruction = rng.choice([name for name in INSTRUCTIONS if foreign not in name])
        asked = [mmu.access(access, el) for access in Access for el in (0, None)]
        for d in (*rng.sample(asked, 2), at(mmu, instruction)):
            walks = [walk(mmu, va, d) for va in machine.vas]
            single, compiled = Translations.of(walks), walk_many.walk_many(mmu, machine.vas, d)
            assert not single.differs(compiled).any(), f"seed {seed}, {d}"
            with monkeypatch.context() as numpy_only:
                numpy_only.setattr(walk_many, "translate", vectorised.translate)
                assert not single.differs(walk_many.walk_many(mmu, machine.vas, d)).any(), f"seed {seed}, {d}"
            assert all(str(found) and found.as_dict() for found in walks)
