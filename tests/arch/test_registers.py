"""The registers against values read out of machines, and against another decoder's."""

import json
from pathlib import Path

import pytest

from pgtlab.arch import registers
from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.registers import (
    ESR_EL1,
    ID_AA64MMFR0_EL1,
    MAIR_EL1,
    SCTLR_EL1,
    TCR_EL1,
    TG0,
    TG1,
    TTBR1_EL1,
    ISSDataAbort,
    PARange,
    Shareability,
)

DATA = Path(__file__).parents[1] / "data"
MACHINES = {machine["config"]: machine for machine in json.loads((DATA / "kernel/translations.json").read_text())}
FIELDS = json.loads((DATA / "kernel/fields.json").read_text())
ESR_CASES = json.loads((DATA / "esr/esr.json").read_text())["cases"]


def read(config: str, name: str) -> int:
    return int(MACHINES[config]["registers"][name], 16)


@pytest.mark.parametrize("config", MACHINES)
@pytest.mark.parametrize("name", MACHINES["4k-va48"]["registers"])
def test_registers_of_running_kernels_survive_decoding(config, name):
    register: type[BitFields] = getattr(registers, name)
    word = read(config, name)
    named = sum(field.mask for field in register.fields)
    assert register(word & ~named, **dict(register(word).items())).value == word


@pytest.mark.parametrize(
    ("config", "size", "tg0", "tg1", "ips", "ds"),
    [
        ("4k-va48", 16, TG0.G4K, TG1.G4K, PARange.PA48, 0),
        ("16k-va52", 12, TG0.G16K, TG1.G16K, PARange.PA52, 1),
        ("64k-va52", 12, TG0.G64K, TG1.G64K, PARange.PA52, 0),
    ],
)
def test_tcr_el1_of_linux(config, size, tg0, tg1, ips, ds):
    tcr = TCR_EL1(read(config, "TCR_EL1"))
    assert tcr == tcr.replace(T0SZ=size, T1SZ=size, TG0=tg0, TG1=tg1, IPS=ips, DS=ds)
    assert tcr == tcr.replace(SH0=Shareability.INNER, SH1=Shareability.INNER, AS=1, A1=1, TBI0=1, TBI1=0)


def test_every_bit_that_linux_sets_in_tcr_has_a_name():
    named = sum(field.mask for field in TCR_EL1.fields)
    for config in MACHINES:
        assert read(config, "TCR_EL1") & ~named == 0


def test_what_linux_puts_into_the_other_registers():
    ttbr1 = TTBR1_EL1(read("16k-va52", "TTBR1_EL1"))
    assert (ttbr1.ASID, ttbr1.BADDR << 1, ttbr1.CnP) == (2, 0x4055_4000, 0)
    # MT_NORMAL, MT_NORMAL_TAGGED (which needs MTE to differ), MT_NORMAL_NC, and the two kinds of device memory.
    mair = MAIR_EL1(read("4k-va48", "MAIR_EL1"))
    assert (mair.Attr0, mair.Attr1, mair.Attr2, mair.Attr3, mair.Attr4) == (0xFF, 0xFF, 0x44, 0x00, 0x04)
    sctlr = SCTLR_EL1(read("4k-va48", "SCTLR_EL1"))
    assert (sctlr.M, sctlr.C, sctlr.I, sctlr.WXN, sctlr.SPAN, sctlr.EE) == (1, 1, 1, 0, 0, 0)


def test_what_the_cpu_says_of_itself():
    mmfr0 = ID_AA64MMFR0_EL1(read("4k-va48", "ID_AA64MMFR0_EL1"))
    assert mmfr0.PARANGE is PARange.PA52
    assert (mmfr0.TGRAN4, mmfr0.TGRAN16, mmfr0.TGRAN64) == (1, 2, 0)
    assert (mmfr0.TGRAN4_2, mmfr0.TGRAN16_2, mmfr0.TGRAN64_2) == (3, 3, 2)


@pytest.mark.parametrize("name", FIELDS)
def test_fields_lie_where_linux_has_them(name):
    """Of the registers that Linux describes in `arch/arm64/tools/sysreg`; it has fields that we do not name."""
    theirs = {field.upper(): (hi, lo) for field, (hi, lo) in FIELDS[name].items()}
    ours = {field.name.upper(): (field.hi, field.lo) for field in getattr(registers, name).fields}
    assert ours.items() <= theirs.items()


def test_mair_is_eight_bytes():
    word = MAIR_EL1(0x0706_0504_0302_0100)
    assert [value for _, value in word.items()] == list(range(8))


@pytest.mark.parametrize("case", ESR_CASES, ids=lambda case: case["name"])
def test_esr_fields_agree_with_another_decoder(case):
    esr = ESR_EL1(int(case["esr"], 16))
    expected = case["fields"]
    ours = dict(esr.items())
    assert ours.items() <= expected.items()
    if esr.EC in (0x24, 0x25):
        ours |= ISSDataAbort(esr.ISS).items()
        assert expected.items() <= ours.items()


def test_esr_of_next_20240229():
    """Printed in the log of next-20240229 as EC = 0x25, IL = 32 bits, FSC = 0x04: level 0 translation fault."""
    esr = ESR_EL1(0x96000004)
    assert (esr.EC, esr.IL, ISSDataAbort(esr.ISS).DFSC, ISSDataAbort(esr.ISS).WnR) == (0x25, 1, 0x04, 0)
