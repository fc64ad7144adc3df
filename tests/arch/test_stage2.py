"""Stage 2 by its laws: as the identity it changes nothing, and each of its faults names the stage and the IPA."""

from dataclasses import replace

import numpy as np
import pytest

from pgtlab.arch.at import UnsupportedInstruction
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.mapper import Mapper, MappingError
from pgtlab.arch.memory_type import MemoryType, combined, stage_2_type
from pgtlab.arch.regime import UnsupportedRegime
from pgtlab.arch.registers import HCR_EL2, MAIR_EL1, TCR2_EL1, TCR_EL1, TCR_EL2, VTCR_EL2, VTTBR_EL2
from pgtlab.arch.stage2 import stage_2_permitted
from pgtlab.arch.tables.mappings import mapping_table
from pgtlab.arch.translations import Translations

RAM, TABLE = 0x4000_0000, 0x4010_0000  # the first table of stage 2: a level 1 table of two, with blocks of 1G
BLOCK = 1 << 10 | 0b11 << 8 | 0b11 << 6 | 0b1111 << 2 | 1  # AF, SH, S2AP, MemAttr: all is allowed


@pytest.fixture
def guest():
    """A guest with a few pages, and stage 2 as the identity for its first 512G."""
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=2), base=RAM, size=4 << 20, mair=MAIR_EL1(Attr0=0xFF, Attr1=0x04))
    mapper.map_range(0, RAM, 0x10000, blocks=False)
    mapper.map_range(0x20_0000, RAM + 0x10000, 0x1000, AP=2, AttrIndx=1)
    for i in range(1024):
        mapper.mmu.memory.write64(TABLE + 8 * i, i << 30 | BLOCK)
    return replace(
        mapper.mmu, hcr=HCR_EL2(VM=1), vtcr=VTCR_EL2(T0SZ=24, SL0=1, PS=2), vttbr=VTTBR_EL2(TABLE)
    )  # 40 bits: two tables side by side


def with_entry(guest, ipa, word):
    guest.memory.write64(TABLE + 8 * (ipa >> 30), word)
    return guest


VAS = [0, 0x1234, 0xF000, 0x10000, 0x20_0000, 0x20_0FF8, 1 << 38]


@pytest.mark.parametrize("access", Access)
def test_the_identity_changes_nothing_but_what_pages_are_called(guest, access):
    alone = replace(guest, hcr=HCR_EL2())
    for va in VAS:
        nested, single = guest.translate(va, access), alone.translate(va, access)
        if isinstance(single.outcome, Fault):
            assert nested.outcome == single.outcome
        else:
            assert (nested.outcome.pa, nested.outcome.ipa) == (single.outcome.pa, single.outcome.pa)
            assert nested.outcome.attributes == single.outcome.attributes
    walks = [guest.translate(va, access) for va in VAS]
    assert not Translations.of(walks).differs(guest.translate_many(VAS, access)).any()


def test_every_read_of_stage_1_goes_through_stage_2(guest):
    walk = guest.translate(0x1234)
    assert [len(step.stage_2) for step in walk.steps] == [1, 1, 1]
    assert len(walk.stage_2) == 1
    assert walk.steps[0].stage_2[0].pseudocode[0] == "AArch64.S2SLTTEntryAddress"


def test_a_table_that_stage_2_does_not_map(guest):
    outcome = with_entry(guest, RAM, 0).translate(0x1234).outcome
    assert (outcome.kind, outcome.level, outcome.stage, outcome.on_walk) == (FaultKind.TRANSLATION, 1, 2, True)
    assert outcome.ipa == guest.ttbr0.BADDR << 1
    assert outcome.hpfar == outcome.ipa >> 12 << 4
    assert (outcome.par.S, outcome.par.PTW) == (1, 1)
    esr = outcome.esr(Access.READ, 1)
    assert (esr.EC, esr.ISS & 0xFF) == (0x24, 1 << 7 | 0x05)


def test_a_page_that_stage_2_keeps_from_the_guest(guest):
    elsewhere = replace(guest, vttbr=VTTBR_EL2(TABLE))
    elsewhere.memory.write64(TABLE + 8, RAM | BLOCK & ~(0b10 << 6))  # read only
    outcome = elsewhere.translate(0x1234, Access.WRITE).outcome
    assert (outcome.kind, outcome.stage, outcome.on_walk, outcome.ipa) == (FaultKind.PERMISSION, 2, False, RAM + 0x1234)
    assert outcome.hpfar is None  # UNKNOWN
    assert elsewhere.at("S1E1W", 0x1234).outcome.pa == RAM + 0x1234  # stage 1 alone
    assert elsewhere.at("S12E1W", 0x1234).outcome == outcome
    assert elsewhere.at_many("S12E1W", [0x1234]).par.tolist() == [int(outcome.par)]


def test_ptw_forbids_tables_in_device_memory(guest):
    device = with_entry(guest, RAM, RAM | BLOCK & ~(0b1111 << 2))
    assert device.translate(0x1234).outcome.pa == RAM + 0x1234
    forbidding = replace(device, hcr=HCR_EL2(VM=1, PTW=1))
    assert forbidding.translate(0x1234).outcome.cause is Cause.DEVICE_TABLE
    assert forbidding.translate_many([0x1234]).detail.tolist() == [0b11]


@pytest.mark.parametrize(
    ("vtcr", "legal"),
    [
        (VTCR_EL2(T0SZ=24, SL0=1), True),
        (VTCR_EL2(T0SZ=20, SL0=1), False),  # 32 tables at level 1
        (VTCR_EL2(T0SZ=21, SL0=1), True),  # 16
        (VTCR_EL2(T0SZ=34, SL0=1), False),  # level 1 would resolve nothing
        (VTCR_EL2(T0SZ=16, SL0=2), True),
        (VTCR_EL2(T0SZ=12, SL0=0, SL2=1, DS=1), True),  # level -1
        (VTCR_EL2(T0SZ=12, SL0=1, SL2=1, DS=1), False),
        (VTCR_EL2(T0SZ=20, TG0=2, SL0=3), False),  # 16K: level 0 needs DS
        (VTCR_EL2(T0SZ=22, TG0=1, SL0=3), False),  # 64K has no level 0
    ],
)
def test_start_levels(guest, vtcr, legal):
    stage2 = replace(guest, vtcr=vtcr).stage2
    assert (stage2.range.start_level is not None) == legal
    if not legal:
        assert stage2.refusal(0).cause is Cause.START_LEVEL


def test_who_may_execute():
    """XN and XNX: all, EL0 only, none, EL1 only (Arm ARM D8.4.1.3)."""
    may = [[stage_2_permitted(Access.FETCH, el, 3, xn, xnx) for el in (0, 1)] for xn in (0, 1) for xnx in (0, 1)]
    assert may == [[1, 1], [1, 0], [0, 0], [0, 1]]


def test_the_stricter_memory_type_counts():
    types = [MemoryType.of(attr) for attr in (0x00, 0x0C, 0x44, 0xAA, 0xFF)]
    second = [stage_2_type(bits, False) for bits in (0b0000, 0b0011, 0b0101, 0b1010, 0b1111)]
    for i, one in enumerate(types):
        for j, two in enumerate(second):
            assert combined(one, two).byte & 0xCC == types[min(i, j)].byte & 0xCC or min(i, j) == 2


def test_a_guest_has_its_own_map(guest):
    [page, read_only] = mapping_table(guest)[["va", "pa", "size"]].tolist()
    assert page == (0, RAM, 0x10000)
    assert read_only == (0x20_0000, RAM + 0x10000, 0x1000)


def test_hardware_sets_access_flags_of_both_stages(guest):
    old = with_entry(guest, RAM, RAM | BLOCK & ~(1 << 10))
    assert old.translate(0x1234).outcome.kind is FaultKind.ACCESS_FLAG
    setting = replace(old, vtcr=old.vtcr.replace(HA=1))
    updates = setting.translate(0x1234).updates
    assert [(update.stage, update.address) for update in updates] == [(2, TABLE + 8)]  # once: then it is set


def test_tables_get_an_access_flag_with_haft():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, HA=1), base=RAM, size=1 << 20)
    mapper.map_range(0, RAM, 0x1000, AF=0)
    mmu = replace(mapper.mmu, tcr2=TCR2_EL1(HAFT=1))
    walk = mmu.translate(0)
    assert [update.address for update in walk.updates] == [step.address for step in walk.steps]
    assert walk.update == walk.updates[-1]
    beyond = mmu.translate(0x1000)  # a fault, yet the tables were used
    assert len(beyond.updates) == 2
    assert beyond.update is None


def test_what_is_left_out_has_its_name(guest):
    with pytest.raises(UnsupportedInstruction, match=r"AT S1E1A \(FEAT_ATS1A\) is not modelled"):
        guest.at("S1E1A", 0)
    with pytest.raises(UnsupportedInstruction, match=r"AT S1E2R does not ask about the EL1&0 regime"):
        guest.at("S1E2R", 0)
    with pytest.raises(UnsupportedRegime, match=r"VTCR_EL2\.S2PIE=1: indirect permissions of stage 2"):
        _ = replace(guest, vtcr=guest.vtcr.replace(S2PIE=1))
    with pytest.raises(UnsupportedRegime, match=r"TCR_EL2 with HCR_EL2\.E2H=0: the EL2 regime"):
        _ = replace(guest, tcr=TCR_EL2(T0SZ=25), hcr=HCR_EL2())
    with pytest.raises(MappingError, match="the mapper writes tables of one stage only"):
        Mapper(guest, iter(()))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"T0SZ": 10}, "TCR_EL1.T0SZ=10 is not between 16 and 48"),
        ({"TG0": 3}, "TCR_EL1.TG0=0b11 is reserved, and a CPU may take it for any granule: here 4K"),
        ({"IPS": 7}, "TCR_EL1.IPS=0b111 is reserved: here it counts as 48 bits"),
    ],
)
def test_choices_of_the_cpu_are_said(guest, fields, said):
    walk = replace(guest, hcr=HCR_EL2(), tcr=TCR_EL1(T0SZ=25).replace(**fields)).translate(0)
    assert any(note.startswith(said) for note in walk.notes)
    assert said in str(walk)


def test_addresses_of_a_guest_in_an_array_keep_their_shape(guest):
    found = guest.translate_many(np.array([[0, 0x1000], [1 << 38, 0x2000]], np.uint64))
    assert found.ipa.tolist() == [[RAM, RAM + 0x1000], [0, RAM + 0x2000]]
    assert found.ok.tolist() == [[True, True], [False, True]]


def test_an_entry_out_of_step_with_its_contiguous_run_is_said():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25), base=RAM, size=1 << 20)
    mapper.map_range(0, RAM + 0x10000, 0x10000, blocks=False)
    [page] = [step for step in mapper.mmu.translate(0x3000).steps if step.level == 3]
    assert page.descriptor.Contiguous
    assert not mapper.mmu.translate(0x3000).notes
    mapper.mmu.memory.write64(page.address, page.descriptor.value + 0x1000)
    walk = mapper.mmu.translate(0x3000)
    assert walk.outcome.pa == RAM + 0x14000
    assert "a CPU may use the run's" in walk.notes[0]
