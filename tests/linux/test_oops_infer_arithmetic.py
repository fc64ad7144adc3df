"""The arithmetic of inferences: memory maps of all versions, the memmap backwards, accesses, and disagreements."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgtlab.linux.oops import read
from pgtlab.linux.oops.inferring.clues import disagreements
from pgtlab.linux.oops.inferring.infer import infer
from pgtlab.linux.oops.inferring.inference import DERIVED, STATED, Evidence
from pgtlab.linux.oops.inferring.layout import ERAS, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import (
    STRAY,
    find_relation,
    memstart_of,
    memstarts_of_section,
    page_to_pfn,
    vmemmap_at,
    vmemmap_of,
)
from pgtlab.linux.oops.inferring.narrowing import Clue, common_values, narrow
from pgtlab.linux.oops.inferring.pointers import address_of
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.code import Instruction
from pgtlab.linux.oops.reading.registers import Registers
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.reading.walk import PrintedWalk

DATA = Path(__file__).parents[1] / "data"
CONSTANTS = json.loads((DATA / "kernel/constants.json").read_text())
U64 = (1 << 64) - 1
words = st.integers(0, U64)


def layout_of(since: tuple[int, int], page_size: int = 4096, va_bits: int = 48) -> Layout:
    return next(
        layout
        for layout in layouts()
        if layout.era.since == since and (layout.page_size, layout.va_bits) == (page_size, va_bits)
    )


# Memory maps.


@pytest.mark.parametrize("key", CONSTANTS["configurations"])
def test_newest_layout_agrees_with_compiled_kernels(key):
    page, va, pa = key.split("-")
    own = {**CONSTANTS["everywhere"], **CONSTANTS["configurations"][key]}
    found = [
        layout
        for layout in layouts()
        if layout.era is ERAS[0]
        and (layout.page_size, layout.va_bits) == (int(page[:-1]) << 10, int(va[2:]))
        and (layout.pa_bits == int(pa[2:]) or layout.vabits_actual < layout.va_bits)
    ]
    assert found
    for layout in found:
        assert int(own["VMEMMAP_START"], 16) == layout.VMEMMAP_START
        assert int(own["PAGE_OFFSET"], 16) == layout.PAGE_OFFSET
        assert layout.kernel_bases == (int(own["KIMAGE_VADDR"], 16),)
        assert layout.section_bits == own["SECTION_SIZE_BITS"]


@pytest.mark.parametrize(
    ("since", "kernel", "vmemmap"),
    [
        ((5, 4), 0xFFFF800010000000, 0xFFFFFDFFFFE00000),
        ((5, 12), 0xFFFF800010000000, 0xFFFFFC0000000000),
        ((5, 17), 0xFFFF800008000000, 0xFFFFFC0000000000),
        ((6, 5), 0xFFFF800080000000, 0xFFFFFC0000000000),
        ((6, 9), 0xFFFF800080000000, 0xFFFFFDFFC0000000),
    ],
)
def test_layouts_of_4k_va48_through_versions(since, kernel, vmemmap):
    """`Documentation/arm64/memory.rst` of those versions, and `asm/memory.h`."""
    layout = layout_of(since)
    assert kernel in layout.kernel_bases
    assert vmemmap == layout.VMEMMAP_START


def test_layout_of_a_recorded_5_9_kernel():
    """An access to port 0x201: I/O space has 16 MiB and ends 2 MiB below the memmap."""
    report = read((DATA / "oops/syzkaller/report-524.log").read_text()).reports[0]
    assert report.registers["x9"] == 0x201
    io = report.registers["x19"] - 0x201
    assert io + (16 << 20) + (2 << 20) == layout_of((5, 4)).VMEMMAP_START


def test_stack_of_a_recorded_6_0_kernel():
    report = read((DATA / "oops/syzkaller/report-655.log").read_text()).reports[1]
    (base,) = layout_of((5, 17)).kernel_bases
    assert 0 < report.registers["sp"] - base < 1 << 32


# The memmap, backwards.


@given(page=words, vmemmap=st.integers(0, (1 << 58) - 1).map(lambda n: n << 6))
def test_vmemmap_of_inverts_page_to_pfn(page, vmemmap):
    assert vmemmap_of(page, page_to_pfn(page, vmemmap)) == vmemmap


@given(layout=st.sampled_from(layouts()), sections=st.integers(-(1 << 12), 1 << 12))
def test_memstart_of_inverts_vmemmap_at(layout, sections):
    memstart = sections * layout.memstart_align
    assert memstart_of(layout, vmemmap_at(layout, memstart)) == memstart


@st.composite
def lookups(draw):
    """Registers of a kernel that looked a copy on the stack up: its layout, memstart_addr and four values."""
    layout = draw(st.sampled_from(layouts()))
    shorter = layout.linear_start - layout.PAGE_OFFSET
    most = layout.PAGE_END - layout.PAGE_OFFSET - (1 << 31)
    steps = draw(st.integers(0, min(most - shorter, 1 << 51) // layout.memstart_align - 1))
    ram = draw(st.integers(0, 4)) << 30
    memstart = ram - shorter - steps * layout.memstart_align
    memstart -= memstart % layout.memstart_align
    stack = draw(st.sampled_from(layout.kernel_bases)) + draw(st.integers(0, 1 << 12)) * 0x8000
    page = stack + draw(st.integers(0x40, 0x3C0)) * 16
    pfn = page_to_pfn(page, vmemmap_at(layout, memstart))
    section = pfn >> layout.section_shift
    return layout, memstart, stack, page, pfn, section, section >> layout.root_shift


@given(lookup=lookups(), others=st.lists(words, max_size=10), has_pfn=st.booleans())
def test_four_registers_of_any_kernel_give_its_memstart(lookup, others, has_pfn):
    layout, memstart, stack, page, pfn, section, root = lookup
    assume(layout.memstart_is_possible(memstart))
    assert pfn >= STRAY
    assert root >= 1 << 16
    values = [page, section, root, *([pfn] if has_pfn else []), *others]
    found = find_relation({f"x{n}": value for n, value in enumerate(values)}, None, (stack, stack + 0x4000))
    assert found is not None
    assert (found.page, found.section, found.root) == (page, section, root)
    assert found.pfn == (pfn if has_pfn else None)
    assert memstart in found.memstarts(layout)
    assert all(layout.section_shift == other.section_shift for other in layouts() if found.fits(other))


@given(lookup=lookups())
def test_the_window_of_a_section_has_the_memstart(lookup):
    layout, memstart, _, page, _, section, _ = lookup
    assume(layout.memstart_is_possible(memstart))
    assert memstart in memstarts_of_section(layout, page, section)


@given(values=st.lists(words, max_size=29), pfn=st.integers(0x1000, 1 << 30))
def test_no_relation_is_found_in_noise(values, pfn):
    stack = 0xFFFF80008007B8F0
    registers = {f"x{n}": value for n, value in enumerate(values)} | {"x28": stack + 0x60}
    assert find_relation(registers, pfn, (stack, stack + 0x710)) is None


@given(st.lists(st.integers(0, 1 << 40), max_size=29))
def test_no_relation_is_found_among_pointers(numbers):
    """As of one kernel's: its image, its stacks, its linear map and its memmap."""
    bases = (0xFFFF800080000000, 0xFFFF80008007A000, 0xFFFF000000000000, 0xFFFFFDFFBF000000)
    values = [bases[n % 4] + number % (1 << 30) // 64 * 64 for n, number in enumerate(numbers)]
    found = find_relation({f"x{n}": value for n, value in enumerate(values)}, None, (bases[1], bases[1] + 0x4000))
    assert found is None


def test_pointers_that_fit_by_accident_are_not_a_relation():
    """Registers of a real kernel: rounded addresses, whose zeros at the end fit each other."""
    rounded = {"x26": 0xFFF00000001C0000, "x21": 0xFFFFC0008031F000}
    assert vmemmap_of(rounded["x26"], rounded["x21"]) is not None
    for stack in (None, (0xFFFFC0008053B9A0, 0xFFFFC0008053C000), (0xFFF00000001C0000, 0xFFF00000001C4000)):
        assert find_relation(rounded, None, stack) is None
    fitting = {"x26": 0xFFFFFFDFF3A00000 + (0xFFFFC0008031F0A8 << 6) & U64, "x21": 0xFFFFC0008031F0A8}
    assert find_relation(fitting, None, (0xFFFFC0008053B9A0, 0xFFFFC0008053C000)) is None
    assert find_relation(fitting, None, (fitting["x26"], fitting["x26"] + 0x10)) is not None


def test_a_section_of_1_gib_is_more_than_a_block_of_64k_pages():
    assert layout_of((5, 4), 65536, 42).memstart_align == 1 << 30
    assert layout_of((6, 9), 65536, 42).memstart_align == 1 << 29


def test_pointers_below_the_48_bit_range():
    report = PrintedReport("oops", registers=Registers({"x0": 0xFFF0000001234560, "x1": 0xFFF0000002345678}))
    (bits,) = (inference for inference in infer(report, PrintedLog((report,))) if inference.name == "vabits_actual")
    assert (bits.value, bits.confidence) == (52, "likely")
    alone = PrintedReport("oops", registers=Registers({"x0": 0xFFF0000001234560, "x1": 0xFFFF000002345678}))
    assert infer(alone, PrintedLog((alone,))) == ()


@given(layout=st.sampled_from(layouts()), index=st.integers(1 << 12, 1 << 18))
def test_a_page_and_its_address_have_the_same_number(layout, index):
    page = layout.VMEMMAP_START + index * 64
    if index < layout.VMEMMAP_SIZE >> 6:
        assert address_of(layout, page) == layout.PAGE_OFFSET + index * layout.page_size


def test_page_size_from_a_page_and_its_address():
    layout = layout_of((6, 9), 16384, 48)
    page = layout.VMEMMAP_START + 0x12345 * 64
    address = layout.PAGE_OFFSET + 0x12345 * 16384 + 0x120
    report = PrintedReport("oops", registers=Registers({"x0": page, "x1": address}))
    assert {inference.name: inference.value for inference in infer(report, PrintedLog((report,)))}["page_size"] == 16384


# Narrowing.


def clue(text: str, fits, confidence: str = DERIVED) -> Clue:
    return Clue(Evidence(text, (1,)), fits, confidence)


def test_the_fewest_clues_that_suffice_are_the_evidence():
    clues = [
        clue("small pages", lambda layout: layout.page_size < 65536),
        clue("not 16K", lambda layout: layout.page_size != 16384),
        clue("4K", lambda layout: layout.page_size == 4096),
    ]
    (size, *_) = common_values(narrow(clues))
    assert (size.value, [piece.text for piece in size.evidence]) == (4096, ["4K"])


def test_possible_values_have_their_units():
    possible = list(common_values(narrow([clue("not 64K", lambda layout: layout.page_size < 65536)])))
    assert [inference.claim for inference in possible if inference.name == "page_size"] == [
        "pages have 4 KiB; 16 KiB would fit as well",
        "pages have 16 KiB; 4 KiB would fit as well",
    ]


def test_conflicting_clues_lower_the_confidence():
    clues = [
        clue("4K", lambda layout: layout.page_size == 4096),
        clue("64K", lambda layout: layout.page_size == 65536),
    ]
    narrowed = narrow(clues)
    (conflict,) = narrowed.conflicts
    assert {piece.text for piece in conflict.evidence} == {"4K", "64K"}
    assert {inference.confidence for inference in common_values(narrowed)} <= {"likely", "possible"}


def test_stated_clues_precede_derived_ones():
    clues = [
        clue("derived", lambda layout: layout.page_size == 65536),
        clue("printed", lambda layout: layout.page_size == 4096, STATED),
    ]
    (size, *_) = common_values(narrow(clues))
    assert (size.value, size.confidence) == (4096, STATED)


def test_no_inference_without_clues():
    report = PrintedReport("warning")
    assert infer(report, PrintedLog((report,))) == ()


@pytest.mark.parametrize(
    ("pgdp", "page_size", "va_bits", "expected"),
    [
        (0x112CE2E00, 65536, 48, [48]),  # 512 bytes: a pgd for 52 bits has 8192
        (0x112CE4000, 65536, 48, [48, 52]),
        (0x81D900D50, 16384, 48, [48]),
        (0x440F6980, 4096, 52, [52]),
        (0x440F7000, 4096, 48, [48, 52]),
        (0x440F6980, 4096, 48, []),  # with 48 bits in use both have a page
    ],
)
def test_pgd_alignment(pgdp, page_size, va_bits, expected):
    walk = PrintedWalk(table="user", page_size=page_size, va_bits=va_bits, pgdp=pgdp, lines=(1,))
    report = PrintedReport("oops", walk=walk)
    found = infer(report, PrintedLog((report,)))
    if expected:
        assert [inference.value for inference in found if inference.name == "va_bits"] == expected
    else:
        assert "configuration" in [inference.value for inference in found if inference.name == "disagreement"]


# The access that faulted.


def report_of(text: str, esr: int = 0x96000004, address: int | None = None, **registers: int) -> PrintedReport:
    return PrintedReport(
        "oops",
        address=address,
        esr=esr,
        registers=Registers(registers),
        code=(Instruction(0, text, faulting=True),),
    )


@pytest.mark.parametrize(
    ("text", "registers", "address"),
    [
        ("ldr x0, [x3, #8]", {"x3": 0}, 8),
        ("ldur x0, [x3, #-8]", {"x3": 0x10}, 8),
        ("ldr x0, [x3], #8", {"x3": 0x10}, 0x10),
        ("stp x29, x30, [sp, #-0x20]!", {"sp": 0x100}, 0xE0),
        ("ldr x26, [x22, x9]", {"x22": 0x1000, "x9": 0x40}, 0x1040),
        ("ldr x0, [x1, x2, lsl #3]", {"x1": 0x1000, "x2": 2}, 0x1010),
        ("ldr x0, [x1, w2, sxtw #3]", {"x1": 0x1000, "x2": 0xFFFFFFFF}, 0xFF8),
        ("ldrb w0, [x1, w2, uxtw]", {"x1": 0x1000, "x2": 0x1_0000_0002}, 0x1002),
        ("ldr x0, [x1, xzr]", {"x1": 0x1000}, 0x1000),
        ("casa x0, x1, [x2]", {"x2": 0x1000}, 0x1000),
        ("ldr x0, [x3, #8]", {"x3": U64}, 7),
    ],
)
def test_the_address_of_an_access(text, registers, address):
    access = report_of(text, **registers).access
    assert access.address == address
    assert access.reaches(address)
    assert not access.reaches(address - 1)


@pytest.mark.parametrize(
    "text",
    [
        "ret",
        "udf #0",
        "bl . + 0x8",
        "dc zva, x0",
        "ldr x0, [x9]",
        "ldr x0, [x1, x9]",
        "cpyfm [x1]!, [x1]!, x1!",
        "setm [x1]!, x1!, x2",
    ],
)
def test_no_access_without_address_or_registers(text):
    assert report_of(text, x1=0).access is None


def test_access_reaches_tagged_addresses():
    access = report_of("ldr x0, [x1]", x1=0xF4FF000012345678).access
    assert access.reaches(0xFFFF000012345678)
    assert access.reaches(0xF4FF000012345678)


# What disagrees.


def test_the_instruction_and_the_address_of_one_fault_agree():
    assert not list(disagreements(report_of("ldr x0, [x3, #8]", address=8, x3=0)))
    (disagreement,) = disagreements(report_of("ldr x0, [x3, #8]", address=8, x3=0xFFFF000000001000))
    assert disagreement.name == "disagreement"
    assert "0xffff000000001008" in disagreement.claim


def test_load_reported_as_write_disagrees():
    assert not list(disagreements(report_of("str x0, [x3]", 0x96000044, 0, x3=0)))
    (disagreement,) = disagreements(report_of("ldr x0, [x3]", 0x96000044, 0, x3=0))
    assert "WnR = 1" in disagreement.claim


def test_an_atomic_access_may_be_reported_as_either():
    for esr in (0x96000004, 0x96000044):
        assert not list(disagreements(report_of("ldadd x0, x1, [x3]", esr, 0, x3=0)))


def test_a_far_that_is_not_valid_is_not_compared():
    assert not list(disagreements(report_of("ldr x0, [x3]", 0x96000410, 0x1000, x3=0)))


def test_contradicted_level_is_not_a_clue():
    log = read(
        "Unable to handle kernel paging request at virtual address ffffffc084a1d004\n"
        "swapper pgtable: 4k pages, 39-bit VAs, pgdp=0000000041ef8000\n"
        "[ffffffc084a1d004] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000\n"
        "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP"
    )
    found = log.reports[0].inferences
    assert [inference.value for inference in found if inference.name == "disagreement"] == ["walk"]
    assert [inference.value for inference in found if inference.name == "vabits_actual"] == [39]


def test_a_walk_that_esr_contradicts_is_named():
    walk = next(json.loads(line) for line in (DATA / "oops/walks.jsonl").open() if "stale TLB" in line)
    entries = ", ".join(f"{name}={value}" for name, value in walk["entries"].items())
    log = read(
        f"Unable to handle kernel paging request at virtual address {walk['addr']}\n"
        f"user pgtable: {walk['page_kb']}k pages, {walk['va_bits']}-bit VAs, pgdp=0000000000000000\n"
        f"[{walk['addr']}] {entries}\nInternal error: Oops: {walk['esr'][2:]} [#1] SMP\n"
    )
    disagreements = [inference for inference in log.reports[0].inferences if inference.name == "disagreement"]
    assert [inference.value for inference in disagreements] == ["walk"]
    assert "level 3" in disagreements[0].claim


def test_every_version_has_one_memory_map():
    """The newest first; each ends where the one before it in this list begins."""
    assert [(era.since < era.until, era.until) for era in ERAS[1:]] == [(True, newer.since) for newer in ERAS[:-1]]
    assert [era.name.split()[0] for era in ERAS] == [f"v{era.since[0]}.{era.since[1]}" for era in ERAS]
