"""The walk that a report prints: recorded ones of many kernels, and those of every configuration."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import GRANULES, Granule
from pgtlab.linux import oops
from pgtlab.linux.oops.reading.consistency import compared, fault_of
from pgtlab.linux.oops.reading.walk import LEVELS, packing

DATA = Path(__file__).parents[1] / "data"
RECORDED = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]
# What is odd about three of them, in the words of the file's notes; all others agree.
ODD = {
    "stale TLB theory": "every entry of the printed walk is valid, down to the pte",
    "Xen-injected": "the MMU did not raise this",
}


def printed(record: dict, spelling: str = "pgdp={}") -> str:
    """The lines of the kernel that the record was made of."""
    pgdp = spelling.format(record["pgdp"] or "(____ptrval____)")
    entries = ", ".join(f"{name}={value}" for name, value in record["entries"].items())
    return (
        f"Unable to handle kernel paging request at virtual address {record['addr']}\n"
        f"  ESR = {record['esr']}\n"
        f"{record['table']} pgtable: {record['page_kb']}k pages, {record['va_bits']}-bit VAs, {pgdp}\n"
        f"[{record['addr']}] {entries}\n"
    )


def walk_of(text: str):
    (report,) = oops.read(text).reports
    return report.walk


@pytest.mark.parametrize("record", RECORDED, ids=[record["addr"] for record in RECORDED])
def test_recorded_walks_agree_with_esr(record):
    walk = walk_of(printed(record))
    odd = next((words for note, words in ODD.items() if note in record["note"]), None)
    assert walk.consistent is (odd is None)
    assert (odd or "") in walk.inconsistency
    assert bool(walk.inconsistency) == (odd is not None)


@pytest.mark.parametrize("record", RECORDED, ids=[record["addr"] for record in RECORDED])
def test_recorded_walks_are_read_exactly(record):
    walk = walk_of(printed(record))
    assert {entry.name: f"{entry.value:016x}" for entry in walk.entries} == record["entries"]
    assert (walk.page_size, walk.va_bits, walk.table) == (record["page_kb"] << 10, record["va_bits"], record["table"])
    assert walk.pgdp == (int(record["pgdp"], 16) if record["pgdp"] else None)
    assert f"{walk.address:016x}" == record["addr"]
    kind, level = fault_of(int(record["esr"], 16)) or (None, None)
    if kind is FaultKind.TRANSLATION and walk.consistent:
        assert walk.first_invalid_level == level


@pytest.mark.parametrize("record", RECORDED, ids=[record["addr"] for record in RECORDED])
def test_folded_entries_repeat_the_one_above(record):
    """Recorded: where a level is folded, the kernel printed the same word again."""
    walk = walk_of(printed(record))
    for above, entry in zip(walk.entries, walk.entries[1:], strict=False):
        assert not entry.folded or entry.value == above.value
        assert (entry.level == above.level) is entry.folded


@pytest.mark.parametrize("spelling", ["pgdp = {}", "pgdp=0x(____ptrval____)"])
def test_a_pgdp_that_was_printed_as_a_pointer_is_not_a_physical_address(spelling):
    assert walk_of(printed(RECORDED[0], spelling)).pgdp is None


def test_a_walk_that_a_mail_broke_into_two_lines():
    text = printed(RECORDED[0]).replace(", pud=", ",\n> pud=")
    assert walk_of(text).entries == walk_of(printed(RECORDED[0])).entries


def test_cut_off_walk_is_not_compared():
    text = printed(RECORDED[0])
    assert walk_of(text[: text.index(", pmd=")]).consistent is None


@pytest.mark.parametrize(
    "note", ["user address but active_mm is swapper", "address between user and kernel address ranges"]
)
def test_reason_for_a_missing_walk(note):
    walk = walk_of(f"  ESR = 0x96000004\n[0000000000000008] {note}\n")
    assert (walk.note, walk.entries, walk.consistent, walk.address) == (note, (), None, 8)


# Every level of every configuration.


@st.composite
def walks(draw):
    """Lines of a walk that stops at a level, with the level and the granule."""
    granule = draw(st.sampled_from(GRANULES))
    va_bits = draw(st.sampled_from({12: (39, 48, 52), 14: (36, 47, 48, 52), 16: (42, 48, 52)}[granule.shift]))
    start = granule.start_level(va_bits)
    stop = draw(st.integers(start, 3))
    format = DescriptorFormat(granule, packing(granule, va_bits))
    words = {level: format.table(granule.size * (level + 2), level).value for level in range(start, 3)}
    words[stop] = draw(st.integers(0, (1 << 63) - 1)) << 1  # bit 0 is clear
    names = {name: max(level, start) for name, level in LEVELS.items() if max(level, start) <= stop}
    entries = ", ".join(f"{name}={words[level]:016x}" for name, level in names.items())
    text = (
        f"swapper pgtable: {granule.size >> 10}k pages, {va_bits}-bit VAs, pgdp=0000000041ef8000\n"
        f"[ffff800000000000] {entries}\n"
    )
    return text, stop, start


def esr(kind: FaultKind, level: int, access: Access = Access.READ) -> int:
    return Fault(kind, level, Cause.DESCRIPTOR).esr(access, 1).value


@given(walks(), st.integers(-1, 3))
def test_a_translation_fault_agrees_with_the_level_of_the_invalid_entry_alone(lines, reported):
    text, stop, start = lines
    walk = walk_of(f"ESR = {esr(FaultKind.TRANSLATION, reported):#018x}\n{text}")
    assert (walk.first_invalid_level, walk.start_level) == (stop, start)
    assert walk.consistent is (reported == stop)
    assert (
        walk.consistent or f"at level {reported}, but the printed walk ends in an invalid entry" in walk.inconsistency
    )


@given(walks(), st.sampled_from([FaultKind.PERMISSION, FaultKind.ACCESS_FLAG]), st.integers(0, 3))
def test_a_fault_that_needs_a_valid_entry_disagrees_with_an_invalid_one(lines, kind, level):
    walk = walk_of(f"ESR = {esr(kind, level):#018x}\n{lines[0]}")
    assert walk.consistent is False
    assert "for which hardware needs a valid entry" in walk.inconsistency


PAGE = 0x0068_0000_4000_0F03  # a kernel page: EL1 writes, not executable, access flag set


def leaf(pte: int, syndrome: int, table: str = "swapper", pstate: str = "60400005"):
    """A walk of three levels that ends in `pte`, with a syndrome."""
    granule = Granule(12)
    format = DescriptorFormat(granule, packing(granule, 39))
    pgd, pmd = format.table(0x1000, 1).value, format.table(0x2000, 2).value
    return walk_of(
        f"ESR = {syndrome:#018x}\n{table} pgtable: 4k pages, 39-bit VAs, pgdp=0000000041ef8000\n"
        f"[ffffffc000000000] pgd={pgd:016x}, p4d={pgd:016x}, pud={pgd:016x}, pmd={pmd:016x}, pte={pte:016x}\n"
        f"pstate: {pstate}\n"
    )


RDONLY, USER, PXN, AF = 1 << 7, 1 << 6, 1 << 53, 1 << 10


@pytest.mark.parametrize(
    ("pte", "access", "agrees"),
    [
        (PAGE, Access.READ, False),
        (PAGE, Access.WRITE, False),
        (PAGE | RDONLY, Access.WRITE, True),
        (PAGE | RDONLY, Access.READ, False),
        (PAGE, Access.FETCH, True),
        (PAGE & ~PXN, Access.FETCH, False),
        (PAGE | USER, Access.READ, True),  # PAN
    ],
)
def test_a_permission_fault_agrees_where_the_entry_forbids_the_access(pte, access, agrees):
    walk = leaf(pte, esr(FaultKind.PERMISSION, 3, access))
    assert walk.consistent is agrees
    assert agrees or "permits" in walk.inconsistency


def test_without_pan_the_kernel_may_read_what_a_user_may():
    assert leaf(PAGE | USER, esr(FaultKind.PERMISSION, 3), pstate="60000005").consistent is False


def test_an_access_flag_fault_agrees_where_the_flag_is_clear():
    assert leaf(PAGE & ~AF, esr(FaultKind.ACCESS_FLAG, 3)).consistent
    assert "access flag set" in leaf(PAGE, esr(FaultKind.ACCESS_FLAG, 3)).inconsistency


def test_the_level_of_a_permission_fault_is_the_level_of_the_leaf():
    assert "ends in a page at level 3" in leaf(PAGE | RDONLY, esr(FaultKind.PERMISSION, 2, Access.WRITE)).inconsistency


def test_valid_user_walk_with_software_pan():
    walk = leaf(PAGE | USER, esr(FaultKind.TRANSLATION, 1), table="user")
    assert "CONFIG_ARM64_SW_TTBR0_PAN" in walk.inconsistency


@pytest.mark.parametrize("syndrome", [0x9600_0021, 0x9600_0010, 0x9600_0061])
def test_other_aborts_agree_with_a_whole_walk(syndrome):
    assert leaf(PAGE, syndrome).consistent


def test_an_external_abort_of_an_access_needs_a_translation():
    assert "comes after a translation" in leaf(0, 0x9600_0010).inconsistency


@pytest.mark.parametrize("syndrome", [0xF200_0800, 0x0200_0000, 0x5600_0000])
def test_other_exceptions_are_not_compared(syndrome):
    assert leaf(PAGE, syndrome).consistent is None


def test_an_address_size_fault_needs_an_address_that_is_too_large():
    assert "the MMU did not raise this" in leaf(PAGE, esr(FaultKind.ADDRESS_SIZE, 3)).inconsistency
    assert leaf(PAGE | 0x4000_0000_0000, esr(FaultKind.ADDRESS_SIZE, 3)).consistent


def test_without_a_syndrome_nothing_is_compared():
    walk = leaf(PAGE, 0x9600_0007)
    assert compared(walk, None) == walk


def test_a_walk_that_fits_the_syndrome_says_so():
    walk = (
        "  user pgtable: 4k pages, 48-bit VAs, pgdp=000000010a8da000\n"
        "  [0000000100000017] pgd=0800000107ed2003, p4d=0800000107ed2003, pud=0000000000000000"
    )
    text = (
        "Unable to handle kernel paging request at virtual address 0000000100000017\nMem abort info:\n"
        "  ESR = 0x{esr:016x}\n{walk}\nInternal error: Oops: {esr:016x} [#1] PREEMPT SMP\npc : f+0x0/0x10"
    )
    agree, disagree = (str(oops.read(text.format(esr=esr, walk=walk))) for esr in (0x96000005, 0x96000007))
    assert "ESR_EL1 and this walk agree." in agree
    assert "disagree" not in agree
    assert "They disagree: " in disagree
    assert "walk agree." not in disagree
