"""ESR_EL1 decoded: against another decoder's texts, against what a kernel printed of one, and for any word at all."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pgtlab.arch import esr
from pgtlab.arch.bitfield import FieldError
from pgtlab.arch.esr.fault_status import FAULT_STATUS, walk_fault_kind
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.sysregs import Encoding

DATA = Path(__file__).parents[1] / "data"
DECODED = json.loads((DATA / "esr" / "decoded.json").read_text())  # tests/data/README.md
ABORTS = {0x20: "IFSC", 0x21: "IFSC", 0x24: "DFSC", 0x25: "DFSC"}
MISPRINT = {"Wrapped WF* instruction execution": "Trapped WF* instruction execution"}
# Of an edition of the Arm ARM before ISS2 grew to 24 bits; both are 0 in every case.
EARLIER = {("RES0", 63, 37): ("RES0", 63, 56), ("ISS2", 36, 32): ("ISS2", 55, 32)}
# Exception classes that Linux 6.12 names (arch/arm64/include/asm/esr.h).
LINUX = {*range(0x00, 0x02), *range(0x03, 0x0A), 0x0C, 0x0D, 0x0E, 0x11, 0x12, 0x13, *range(0x15, 0x1B), 0x1C, 0x1D}
LINUX |= {0x1F, 0x20, 0x21, 0x22, *range(0x24, 0x29), 0x2C, 0x2F, *range(0x30, 0x36), 0x38, 0x3A, 0x3C}

words = st.integers(0, (1 << 64) - 1)
# Most words are of no class; these are, and have few other bits that are reserved.
syndromes = st.builds(lambda ec, il, iss: ec << 26 | il << 25 | iss, *map(st.integers, [0] * 3, [63, 1, (1 << 25) - 1]))


def leaves(value):
    return [leaf for part in esr.decode(value).fields for leaf in part.leaves()]


@pytest.mark.parametrize("value", DECODED["cases"])
def test_agrees_with_another_decoder(value):
    fields = [it for part in esr.decode(int(value, 0)).fields for it in (part, *part.parts) if it.lo < 32 or it is part]
    expected = [
        (*EARLIER.get((name, hi, lo), (name, hi, lo)), number, text)
        for name, hi, lo, number, text in DECODED["cases"][value]
    ]
    assert [(it.name, it.hi, it.lo, it.value, it.meaning) for it in fields] == expected


@pytest.mark.parametrize(("ec", "text"), DECODED["ec"].items())
def test_exception_class_names(ec, text):
    assert esr.decode(int(ec, 0) << 26)["EC"].meaning == MISPRINT.get(text, text)


@pytest.mark.parametrize(("ec", "field"), ABORTS.items())
def test_fault_status_names(ec, field):
    for code, text in DECODED["fsc"].items():
        assert esr.decode(ec << 26 | int(code, 0))[field].meaning == text


def test_reserved_fault_status_codes():
    others = set(range(64)) - {int(code, 0) for code in DECODED["fsc"]}
    told = {code for code in others if esr.decode(0x25 << 26 | code)["DFSC"].meaning}
    assert told == {code for code, text in FAULT_STATUS.items() if text.endswith("level -2.")}


def test_every_class_that_linux_names_is_known():
    assert set(esr.EXCEPTION_CLASSES) >= LINUX


def test_an_abort_reads_as_the_kernel_printed_it():
    """The story's log has the same word, field by field."""
    log = (DATA / "seed" / "next-20240229.log").read_text()
    text = log[log.index("Mem abort info") : log.index("user address but active_mm")]
    printed = {name: int(value, 16) for name, value in re.findall(r"(\w+) = (0x[0-9a-f]+|\d)\b", text)}
    syndrome = esr.decode(printed.pop("ESR"))
    printed["DFSC"] = printed.pop("FSC")
    assert printed.pop("SET") == 0  # the kernel prints the two bits by this name whatever the code
    assert {name: syndrome[name].value for name in printed} == printed
    assert len(printed) >= 14


@given(words | syndromes)
@example(0)
@example((1 << 64) - 1)
def test_fields_tile_the_word(value):
    named = leaves(value)
    assert sum(leaf.value << leaf.lo for leaf in named) == value
    covered = [bit for leaf in named for bit in range(leaf.hi, leaf.lo - 1, -1)]
    assert covered == list(range(63, -1, -1))


@given(words | syndromes)
def test_parts_lie_within_what_they_are_parts_of(value):
    for part in esr.decode(value).fields:
        for below in part.parts:
            assert part.hi >= below.hi >= below.lo >= part.lo
            assert part.value >> below.lo - part.lo & ((1 << below.hi - below.lo + 1) - 1) == below.value


@given(words | syndromes)
def test_reserved_bits_that_are_set_are_shown(value):
    syndrome = esr.decode(value)
    for leaf in leaves(value):
        if leaf.name == "RES0":
            assert (leaf in syndrome.reserved) == (leaf.value != 0)
            assert (leaf.meaning == "reserved, yet not 0") == (leaf.value != 0)


@given(words | syndromes)
def test_text_and_plain_data_say_the_same(value):
    syndrome = esr.decode(value)
    data = json.loads(json.dumps(syndrome.as_dict()))
    lines = str(syndrome).splitlines()
    assert int(data["esr"], 0) == value
    assert [line.split()[1] for line in lines[2:]] == [field["name"] for field in data["fields"]]
    assert lines[1] == data["summary"]


def test_every_meaning_is_of_a_field():
    """A name that is misspelt in a class's meanings would never be shown."""
    for layout in {layout for _, layout in esr.EXCEPTION_CLASSES.values()}:
        possible = {field.name for iss in range(1 << 6) for field in layout(iss << 19 | iss).present}
        possible |= {"LST", "WU", "FnP", "PFV", "VFV", *(field.name for field in layout.fields)}
        assert set(layout.meanings) <= possible, layout


def test_access_needs_a_valid_syndrome():
    names = {leaf.name for leaf in leaves(0x25 << 26 | 1 << 24)}
    assert {"SAS", "SSE", "SRT", "SF", "AR"} <= names
    assert not {"SAS", "SSE", "SRT", "SF", "AR"} & {leaf.name for leaf in leaves(0x25 << 26)}


@pytest.mark.parametrize(
    ("bits", "name", "meaning"),
    [
        (0b11 << 16 | 0x10, "WU", "the store updated the location"),
        (1 << 15 | 0x04, "FnP", "FAR is an address in the granule of the one that faulted"),
        (1 << 14 | 0x10, "PFV", "PFAR_EL1 is valid"),
        (0b10 << 11 | 0x0D, "LST", "LD64B or ST64B"),
    ],
)
def test_later_fields_are_named_where_they_are_set(bits, name, meaning):
    with pytest.raises(KeyError):
        esr.decode(0x25 << 26 | bits & 0x3F)[name]
    assert esr.decode(0x25 << 26 | bits)[name].meaning == meaning
    assert not esr.decode(0x25 << 26 | bits).reserved


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0x56000000, "SVC instruction execution in AArch64 state: #0x0"),
        (0x5A000003, "HVC instruction execution in AArch64 state: #0x3"),
        (0xF2000800, "BRK instruction execution in AArch64 state: #0x800"),
        (0x9600014F, "Permission fault, level 3, cache maintenance or address translation"),
        (0x96000045, "Translation fault, level 1, writing"),
        (0x86000004, "Instruction Abort taken without a change in Exception level: Translation fault, level 0"),
        (0x9600003F, "reserved status code 0x3f, reading"),
        (0x02000000 | 0x3F << 26, "reserved exception class"),
    ],
)
def test_the_summary_says_what_and_why(value, says):
    assert esr.decode(value).summary.endswith(says)


@pytest.mark.parametrize(
    ("encoding", "rt", "read", "instruction"),
    [
        ((3, 0, 0, 7, 0), 0, 1, "MRS X0, ID_AA64MMFR0_EL1"),
        ((3, 3, 14, 0, 2), 19, 1, "MRS X19, CNTVCT_EL0"),
        ((3, 0, 2, 0, 2), 31, 0, "MSR TCR_EL1, XZR"),
        ((3, 0, 10, 2, 3), 2, 0, "MSR PIR_EL1, X2"),
        ((3, 3, 15, 2, 1), 4, 1, "MRS X4, S3_3_C15_C2_1"),
        ((1, 3, 7, 5, 1), 7, 0, "IC IVAU, X7"),
        ((1, 0, 8, 7, 1), 5, 0, "TLBI VAE1, X5"),
        ((1, 2, 3, 4, 5), 6, 0, "SYS #2, C3, C4, #5, X6"),
        ((1, 2, 3, 4, 5), 6, 1, "SYSL X6, #2, C3, C4, #5"),
    ],
)
def test_a_trapped_register_is_named(encoding, rt, read, instruction):
    """Where the fields are: `esr_sys64_to_sysreg` of Linux 6.12."""
    op0, op1, crn, crm, op2 = encoding
    iss = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read
    syndrome = esr.decode(0x18 << 26 | 1 << 25 | iss)
    assert syndrome["ISS"].meaning == instruction
    assert syndrome.summary.endswith(f": {instruction}")
    assert Encoding(*encoding).instruction(rt, bool(read)) == instruction


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("access", Access)
def test_decodes_faults_of_the_mmu(kind, access):
    for level in (0, 1, 2, 3):
        syndrome = esr.decode(int(Fault(kind, level, Cause.DESCRIPTOR).esr(access, 1)))
        code = syndrome["IFSC" if access is Access.FETCH else "DFSC"]
        assert walk_fault_kind(code.value) is kind
        assert str(level) in code.meaning
        assert not syndrome.reserved
        if access is not Access.FETCH:
            assert syndrome.summary.endswith("writing" if access is Access.WRITE else "reading")


@pytest.mark.parametrize(
    ("iss", "fields"),
    [
        (0x03 << 26 | 1 << 24, {"CV": 24, "COND": 20, "Opc2": 17, "Opc1": 14, "CRn": 10, "Rt": 5, "CRm": 1}),
        (0x04 << 26, {"Opc1": 16, "Rt2": 10, "Rt": 5, "CRm": 1, "Direction": 0}),
        (0x01 << 26, {"RN": 5, "RV": 2, "TI": 0}),
        (0x18 << 26, {"Op0": 20, "Op2": 17, "Op1": 14, "CRn": 10, "Rt": 5, "CRm": 1, "Direction": 0}),
        (0x1A << 26, {"ERET": 1, "ERETA": 0}),
        (0x1D << 26, {"SMTC": 0}),
        (0x27 << 26, {"MemInst": 24, "FromEpilogue": 18, "WrongOption": 17, "OptionA": 16, "destreg": 10, "srcreg": 5}),
        (0x2C << 26, {"TFV": 23}),
        (0x2D << 26, {"ExType": 20, "Rn": 5, "IT": 0}),
        (0x2D << 26 | 2 << 20, {"ExType": 20, "Raddr": 10, "Rvalue": 5}),
        (0x2F << 26, {"IDS": 24, "AET": 10, "EA": 9, "DFSC": 0}),
        (0x24 << 26 | 1 << 24, {"ISV": 24, "SAS": 22, "SSE": 21, "SRT": 16, "SF": 15, "AR": 14, "CM": 8, "WnR": 6}),
        (0x24 << 26 | 0x10, {"SET": 11, "FnV": 10, "EA": 9, "S1PTW": 7}),
        (0x25 << 26, {"TnD": 42, "TagAccess": 41, "GCS": 40, "Overlay": 38, "DirtyBit": 37, "Xs": 32}),
    ],
)
def test_fields_are_where_the_kernel_looks_for_them(iss, fields):
    """The shifts of arch/arm64/include/asm/esr.h: Linux 6.12, and for GCS 6.13."""
    syndrome = esr.decode(iss)
    assert {name: syndrome[name].lo for name in fields} == fields


def test_missing_field_is_a_key_error():
    with pytest.raises(KeyError):
        esr.decode(0)["DFSC"]


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_more_than_64_bits_is_refused(value):
    with pytest.raises(FieldError):
        esr.decode(value)
