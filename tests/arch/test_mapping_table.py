"""What tables map, as an array: exactly what the walk of each address says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_tables import random_machine
from work import calls

from pgtlab.arch.attributes import MemoryAttributes
from pgtlab.arch.fault import FaultKind
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1, TTBR0_EL1
from pgtlab.arch.tables import mappings as module
from pgtlab.arch.tables.mappings import TooManyMappings, mapping_table, mappings
from pgtlab.arch.walk import Translation

FEW = 1 << 14  # mappings: random tables are shared many times over
UNMAPPED = (FaultKind.TRANSLATION, FaultKind.ADDRESS_SIZE, FaultKind.EXTERNAL_ABORT)
ATTRIBUTES = {
    "attr": "ATTR",
    "sh": "SH",
    "ap": "AP",
    "uxn": "UXN",
    "pxn": "PXN",
    "ng": "nG",
    "contiguous": "Contiguous",
}


def few_mappings(mmu, upper, **constants):
    """The array, or None where it has more than `FEW`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LARGEST": FEW, **constants}.items():
            patch.setattr(module, name, value)
        try:
            return mapping_table(mmu, upper=upper)
        except TooManyMappings:
            return None


@given(seed=st.integers(0, 1 << 32), upper=st.booleans(), size=st.sampled_from([0, 30, 34, 37, 40]))
def test_mapping_table_has_all_mapped_addresses_and_no_others(seed, upper, size):
    machine = random_machine(seed, addresses=60, **({"T0SZ": size, "T1SZ": size} if size else {}))
    mmu = replace(machine.mmu, sctlr=machine.mmu.sctlr.replace(M=1))
    found = few_mappings(mmu, upper)
    if found is None:
        return
    ends = found["va"] + found["size"] - np.uint64(1)
    assert (ends >= found["va"]).all()
    assert (found["va"][1:] > ends[:-1]).all()
    r = mmu.upper if upper else mmu.lower
    vas = [va for va in machine.vas if va >> 55 & 1 == upper] + found["va"][:20].tolist() + ends[-20:].tolist()
    for va in vas:
        plain = (
            va | -1 << 56 & (1 << 64) - 1 if upper else va & (1 << 56) - 1
        )  # without a tag, which is not part of the address
        row = int(np.searchsorted(found["va"], np.uint64(plain), side="right")) - 1
        inside = row >= 0 and plain <= int(ends[row])
        outcome = mmu.translate(plain).outcome
        if not isinstance(outcome, Translation):
            assert inside == (outcome.kind not in UNMAPPED)
            continue
        assert inside
        assert outcome.pa == int(found["pa"][row]) + plain - int(found["va"][row])
        assert outcome.level == found["level"][row]
        said = {name: int(found[name][row]) for name in ATTRIBUTES}
        assert MemoryAttributes(**{ATTRIBUTES[name]: value for name, value in said.items()}) == outcome.attributes
        assert r.ha or found["af"][row]


@given(seed=st.integers(0, 1 << 32), upper=st.booleans(), batch=st.sampled_from([1 << 13, 1 << 15]))
def test_batch_size_changes_nothing(seed, upper, batch):
    machine = random_machine(seed, addresses=1)
    whole = few_mappings(machine.mmu, upper)
    if whole is not None:
        assert np.array_equal(few_mappings(machine.mmu, upper, _BATCH=batch), whole)


@pytest.mark.parametrize(
    ("tcr", "sctlr"),
    [(TCR_EL1(T0SZ=16, EPD0=1), SCTLR_EL1(M=1)), (TCR_EL1(T0SZ=16), SCTLR_EL1()), (TCR_EL1(T0SZ=5), SCTLR_EL1(M=1))],
    ids=["EPD0", "MMU off", "T0SZ out of range"],
)
def test_a_range_that_is_not_walked_maps_nothing(tcr, sctlr):
    assert len(mapping_table(MMU(Memory(0, 1 << 20, 12), tcr, TTBR0_EL1(0), sctlr=sctlr))) == 0


def test_what_the_mapper_mapped_is_in_it_once():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    mapper.map_range(0x1000, 0x20_0000, 0x5000, UXN=1)
    mapper.map_range(0x4000_0000, 0x8000_0000, 0x8000_0000)
    mapper.map_range(0xFFFF_FFFF_F000, 0x7000, 0x1000)
    found = mapping_table(mapper.mmu)
    assert found[["va", "size", "pa", "uxn"]].tolist() == [
        (0x1000, 0x5000, 0x20_0000, True),
        (0x4000_0000, 0x8000_0000, 0x8000_0000, False),
        (0xFFFF_FFFF_F000, 0x1000, 0x7000, False),
    ]
    assert [(m.va, m.size, m.pa) for m in mappings(mapper.mmu)] == found[["va", "size", "pa"]].tolist()


def full(pmds):
    """A 48-bit space without a hole: `pmds` tables of 2M blocks, then blocks of 1G."""
    base, tables = 0x1_0000_0000, np.zeros((513 + pmds, 512), np.uint64)
    tables[0] = base + 4096 * (1 + np.arange(512, dtype=np.uint64)) | 3
    puds = np.arange(512 * 512, dtype=np.uint64) << np.uint64(30) | np.uint64(0x701)
    puds[:pmds] = base + 4096 * (513 + np.arange(pmds, dtype=np.uint64)) | 3
    tables[1:513] = puds.reshape(512, 512)
    tables[513:] = (np.arange(512 * pmds, dtype=np.uint64) << np.uint64(21) | np.uint64(0x701)).reshape(-1, 512)
    memory = ReadOnlyMemory(tables.reshape(-1), [Extent(base, 0, tables.size)])
    return MMU(memory, TCR_EL1(T0SZ=16, IPS=5), TTBR0_EL1(base))


def test_a_full_space_takes_time_by_its_tables():
    """256 TiB, mapped by 4,609 tables: two mappings, since all blocks of one size continue each other."""
    found = mapping_table(full(4096))
    assert found[["va", "size", "pa"]].tolist() == [(0, 1 << 42, 0), (1 << 42, (1 << 48) - (1 << 42), 1 << 42)]
    few, many = (calls(lambda pmds=pmds: mapping_table(full(pmds))) for pmds in (512, 4096))
    assert many < 2 * few  # eight times the tables, and read many at once


def test_a_table_that_is_shared_is_read_once():
    """Each entry of one level leads to the same table of the next: 2**36 pages by four tables."""
    pages = {0x1000 * i: np.full(512, 0x1000 * (i + 1) | 3, np.uint64) for i in (1, 2, 3)}
    pages[0x4000] = (np.arange(512, dtype=np.uint64) << np.uint64(12)) | np.uint64(0x703)
    mmu = MMU(Memory.of_pages(pages, 12), TCR_EL1(T0SZ=16, IPS=5), TTBR0_EL1(0x1000))
    with pytest.raises(TooManyMappings, match="mappings or more: an array of them has 4194304 at most"):
        mapping_table(mmu)
    found = mapping_table(replace(mmu, tcr=mmu.tcr.replace(T0SZ=25), ttbr0=TTBR0_EL1(0x2000)))
    assert len(found) == 512 * 512  # 2M each, all on the same pages
    assert (found["size"] == 2 << 20).all()
    assert (found["pa"] == 0).all()
