"""What can be inferred from a log: from that of the story, from real kernels, and from simulated boots."""

import json
import re
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.diagnosis import NAMES
from pgtlab.linux.oops.inferring import infer as inferring
from pgtlab.linux.oops.inferring.infer import infer
from pgtlab.linux.oops.inferring.inference import CONFIDENCE, DERIVED, LIKELY, POSSIBLE, STATED, Inference
from pgtlab.linux.oops.inferring.layout import layouts
from pgtlab.linux.oops.inferring.memmap_clues import relation_of
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.placement import ANYWHERE, RAM_BASE, Placement, PlacementError

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text()
PANICS = {name: (DATA / f"kernel/panic-{name}.log").read_text() for name in ("4k-va48", "16k-va52")}
WALKS = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]
MATTERS = ("page_size", "vabits_actual", "va_bits", "levels", "pa_bits", "mem_section_size", "vmemmap", "memstart_addr")


def oops_of(log: PrintedLog) -> PrintedReport:
    return next(report for report in log.reports if report.kind == "oops")


def inferred(text: str) -> dict[str, list[Inference]]:
    log = read(text)
    by_name: dict[str, list[Inference]] = {}
    for inference in oops_of(log).inferences:
        by_name.setdefault(inference.name, []).append(inference)
    return by_name


@cache
def of_the_story() -> dict[str, list[Inference]]:
    return inferred(SEED)


# The story's log.


@pytest.mark.parametrize(
    ("name", "value", "arithmetic"),
    [
        ("page_type", 0xFFFFFDFF, "-513 = 0xfffffdff"),
        ("page_on_stack", 0xFFFF80008007B950, "0xffff80008007b8f0 <= x19 = x20 = x26 = 0xffff80008007b950"),
        ("bogus_pfn", 0xFFFFFE0779181EE5, "(0xffff80008007b950 - 0xfffffe223a000000) >> 6 = 0xfffffe0779181ee5"),
        ("vmemmap", 0xFFFFFE223A000000, "(0xffff80008007b950 - 0xfffffe223a000000) >> 6 = 0xfffffe0779181ee5"),
        ("VMEMMAP_START", 0xFFFFFDFFC0000000, "0xfffffdffc0000000 - (0xfffff76180000000 >> 12) * 64"),
        ("memstart_addr", 0xFFFFF76180000000, "PHYS_OFFSET: 0xfffff76180000000"),
        ("page_size", 4096, "0xfffffe0779181ee5 >> 15 = 0x1fffffc0ef230"),
        ("va_bits", 48, "0xfffffe223a000000 + (0xfffff76180000000 >> 12) * 64 = 0xfffffdffc0000000"),
        ("vabits_actual", 48, "0xfffffdffc0000000"),
        ("section_nr", 0x1FFFFFC0EF230, "0xfffffe0779181ee5 >> 15 = 0x1fffffc0ef230"),
        ("section_size", 128 << 20, ">> 15"),
        ("section_root", 0x3FFFFF81DE4, "0x1fffffc0ef230 >> 7 = 0x3fffff81de4"),
        ("mem_section_size", 32, "0x1fffffc0ef230 >> 7 = 0x3fffff81de4"),
        ("pa_bits", 48, ""),
        ("levels", 4, "ESR_EL1 = 0x96000004 reports a translation fault at level 0"),
        ("faulting_access", "ldr x0, [x3, #8]", "0x0 + 0x8 = 0x8"),
        ("field", "mem_section.usage", "0x3fffff81de4"),
        ("section_count", 0x1FFFFF, "x0 = 0x1fffff is NR_MEM_SECTIONS - 1 where sections have 2^27 bytes and physical"),
        ("dumped_pfn", 0x18A65D, "pfn:18a65d, and x22 = 000000000018a65d"),
        ("kaslr_offset", 0x3A89BF800000, "x9 points 0x30d0b8 bytes into it"),
    ],
)
def test_inferences_of_the_story(name, value, arithmetic):
    (inference,) = of_the_story()[name]
    assert inference.value == value
    assert inference.confidence in ((LIKELY,) if name in ("section_count", "dumped_pfn") else (STATED, DERIVED))
    assert arithmetic in " ".join(evidence.text for evidence in inference.evidence)


def test_lines_of_evidence_contain_its_numbers():
    lines = SEED.splitlines()
    (inference,) = of_the_story()["vmemmap"]
    shown = "\n".join(lines[number - 1] for evidence in inference.evidence for number in evidence.lines)
    for number in ("ffff80008007b950", "fffffe0779181ee5", "0001fffffc0ef230", "000003fffff81de4"):
        assert number in shown


def test_story_has_no_disagreement():
    assert "disagreement" not in of_the_story()


def test_reports_of_a_log_share_the_kernel():
    log = read(SEED)
    assert [report.kind for report in log.reports] == ["bad page", "oops", "panic"]
    for report in log.reports:
        values = {inference.name: inference.value for inference in report.inferences}
        assert (values["page_size"], values["va_bits"], values["vmemmap"]) == (4096, 48, 0xFFFFFE223A000000)


def test_register_inferences_belong_to_one_report():
    log = read(SEED)
    assert not {"section_nr", "page_on_stack"} & {inference.name for inference in log.reports[0].inferences}


def test_without_phys_offset_two_kernels_remain():
    by_name = inferred("\n".join(line for line in SEED.splitlines() if "PHYS_OFFSET" not in line))
    assert [(inference.value, inference.confidence) for inference in by_name["va_bits"]] == [
        (48, POSSIBLE),
        (52, POSSIBLE),
    ]
    assert [inference.value for inference in by_name["vabits_actual"]] == [48]
    assert 0xFFFFF76180000000 in {inference.value for inference in by_name["memstart_addr"]}


def test_without_kernel_offset_a_range_is_inferred():
    by_name = inferred("\n".join(line for line in SEED.splitlines() if "Kernel Offset" not in line))
    (between,) = by_name["kernel_between"]
    low, high = (int(end, 16) for end in str(between.value).split(".."))
    assert low < 0xFFFF800080000000 + 0x3A89BF800000 <= high
    assert between.confidence == LIKELY


# Real kernels.


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "4k-va48",
            {
                "page_size": 4096,
                "va_bits": 48,
                "vabits_actual": 48,
                "levels": 4,
                "pa_bits": 48,
                "mem_section_size": 32,
                "vmemmap": 0xFFFFFDFFC0000000 - (0x40000000 >> 12) * 64,
                "VMEMMAP_START": 0xFFFFFDFFC0000000,
                "memstart_addr": 0x40000000,
                "page_on_stack": 0xFFFF80008048B9E0,
                "bogus_pfn": 0xFFFFFE08030522E7,
                "field": "mem_section.usage",
                "kaslr_offset": 0,
            },
        ),
        (
            "16k-va52",
            {
                "page_size": 16384,
                "va_bits": 52,
                "vabits_actual": 52,
                "levels": 4,
                "pa_bits": 52,
                "mem_section_size": 32,
                "VMEMMAP_START": 0xFFFFF03FC0000000,
                "memstart_addr": 0x40000000,
                "page_on_stack": 0xFFFFC0008053B9E0,
                "section_nr": 0x7FFFFF9F81812,
                "section_root": 0x3FFFFFCFC0C,
            },
        ),
    ],
)
def test_inferences_of_a_recorded_6_12_panic(name, values):
    by_name = inferred(PANICS[name])
    assert {name: by_name[name][0].value for name in values} == values
    assert all(len(by_name[name]) == 1 for name in values)
    assert "disagreement" not in by_name


def test_16k_va52_from_registers_alone():
    """Its pfn is lost: the register was used again. The number of the section is enough."""
    lines = PANICS["16k-va52"].splitlines()
    oops = "\n".join(line for line in lines[150:] if "6.12" not in line)
    by_name = inferred(oops)
    for name, value in (("page_size", 16384), ("va_bits", 52), ("vabits_actual", 52), ("memstart_addr", 0x40000000)):
        assert [(inference.value, inference.confidence) for inference in by_name[name]] == [(value, DERIVED)]


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk["addr"])
def test_a_printed_walk_states_page_size_and_bits(walk):
    entries = ", ".join(f"{name}={value}" for name, value in walk["entries"].items())
    text = (
        f"Unable to handle kernel paging request at virtual address {walk['addr']}\n"
        f"{walk['table']} pgtable: {walk['page_kb']}k pages, {walk['va_bits']}-bit VAs, pgdp={walk['pgdp'] or '0'}\n"
        f"[{walk['addr']}] {entries}\n"
        f"Internal error: Oops: {walk['esr'][2:]} [#1] PREEMPT SMP\n"
    )
    log = read(text)
    by_name = {inference.name: inference for inference in log.reports[0].inferences}
    assert (by_name["page_size"].value, by_name["page_size"].confidence) == (walk["page_kb"] << 10, STATED)
    assert (by_name["vabits_actual"].value, by_name["vabits_actual"].confidence) == (walk["va_bits"], STATED)
    per_level = (walk["page_kb"] << 10).bit_length() - 4
    assert by_name["levels"].value == -(-(walk["va_bits"] - per_level - 3) // per_level)
    disagreements = [inference for inference in by_name.values() if inference.name == "disagreement"]
    assert bool(disagreements) == (log.reports[0].walk.consistent is False)


@pytest.mark.parametrize("path", sorted((DATA / "oops/syzkaller").glob("*.log")), ids=lambda path: path.stem)
def test_no_relation_without_a_section_lookup(path):
    try:
        log = read(path.read_text(errors="replace"))
    except OopsError:
        return
    for report in log.reports:
        names = {inference.name for inference in report.inferences}
        assert not names & {"section_nr", "page_on_stack", "mem_section_size", "bogus_pfn"}


def test_address_of_a_dumped_page_from_its_lru():
    """Its list head points to itself; with its pfn that is where vmemmap begins. A kernel of 6.5 with 4K pages."""
    log = read((DATA / "oops/syzkaller/report-727.log").read_text())
    by_name: dict[str, list[int | str]] = {}
    for inference in log.reports[0].inferences:
        by_name.setdefault(inference.name, []).append(inference.value)
    assert by_name["vmemmap"] == [0xFFFFFC0005CC5EC0 - 0x1B317B * 64]
    assert 4096 in by_name["page_size"]
    assert 0x40000000 in by_name["memstart_addr"]


def test_boot_messages_of_two_kernels_are_not_used():
    other = "Dentry cache hash table entries: 16384 (order: 3, 131072 bytes, linear)"
    lines = [line for line in PANICS["4k-va48"].splitlines() if "hash table" in line or "Oops" in line]
    for text, sizes in (("\n".join(lines), [4096]), ("\n".join([other, *lines]), [])):
        assert [inference.value for inference in inferred(text).get("page_size", [])] == sizes


@pytest.mark.parametrize(("release", "fits"), [("6.4.0", True), ("6.9.0", True), ("6.10.0", False)])
def test_release_may_be_off_by_one(release, fits):
    """The memmap of a real kernel of 6.5, which 6.9 moved."""
    text = (DATA / "oops/syzkaller/report-727.log").read_text().replace("6.5.0-rc5-syzkaller", release)
    log = read(text)
    starts = {inference.value for inference in log.reports[0].inferences if inference.name == "memstart_addr"}
    assert (0x40000000 in starts) == fits


def test_kernel_older_than_every_known_map():
    """3.18 has its stacks in the linear map."""
    log = read((DATA / "oops/syzkaller/report-45.log").read_text())
    assert not {inference.name for inference in log.reports[0].inferences} & {"page_size", "va_bits"}


# The model's own boots: what went in comes out.

PUD_REAL = [booted for booted in distinct_boots() if booted.folded["pud"] is Fold.REAL]


@st.composite
def placements(draw, booted: Boot):
    """Anywhere that KASLR may put the linear map, a stack and a frame."""
    layout = next(
        layout
        for layout in layouts()
        if (layout.page_size, layout.va_bits, layout.vabits_actual)
        == (booted.config.page_size, booted.config.va_bits, booted.vabits_actual)
    )
    k = booted.config.constants
    highest = RAM_BASE - (layout.linear_start - layout.PAGE_OFFSET)
    span = (layout.PAGE_END - layout.linear_start) // layout.memstart_align
    # At least 1: an unmoved log has no PHYS_OFFSET, and on such a CPU the 52-bit kernel has the same memory map.
    start = highest // layout.memstart_align - draw(st.integers(1, span - 32))
    stack = k.VMALLOC_START + draw(st.integers(0, 1 << 16)) * k.THREAD_SIZE
    copy = stack + draw(st.integers(0x10, k.THREAD_SIZE - 0x600 >> 4)) * 16
    pfn = (RAM_BASE >> k.PAGE_SHIFT) + draw(st.integers(0x200, 0x8000))
    return Placement(start * layout.memstart_align & (1 << 64) - 1, copy, pfn)


@pytest.mark.slow
@pytest.mark.parametrize("booted", PUD_REAL, ids=describe)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_configuration_and_placement_are_recovered_from_the_log_of_a_boot(booted, data):
    placement = data.draw(placements(booted))
    try:
        k = Tree.named("next-20240229").start_kernel(booted, placement=placement)
    except PlacementError:
        assume(False)
    run = k.run()
    text = "\n".join(run.dmesg)
    by_name = inferred(text)
    values = {name: [inference.value for inference in inferences] for name, inferences in by_name.items()}
    assert values["page_size"] == [booted.config.page_size]
    assert values["va_bits"] == [booted.config.va_bits]
    assert values["vabits_actual"] == [booted.vabits_actual]
    assert values["levels"] == [4 - booted.start_level]
    assert values["pa_bits"] == [booted.constants.MAX_PHYSMEM_BITS]
    assert values["mem_section_size"] == [k["sizeof(struct mem_section)"]]
    assert values["VMEMMAP_START"] == [booted.config.constants.VMEMMAP_START]
    assert values["memstart_addr"] == [placement.phys_offset]
    assert values["page_on_stack"] == [placement.page_copy]
    assert "disagreement" not in by_name
    # And from the registers alone, of whose kernel nothing else is known.
    bare = "\n".join(
        line for line in run.dmesg if not re.search(r"PHYS_OFFSET|CPU: 0|CPU features|Kernel Offset", line)
    )
    alone = inferred(bare)
    assert [inference.value for inference in alone["page_size"]] == [booted.config.page_size]
    assert {inference.value for inference in alone["memstart_addr"]} >= {placement.phys_offset}
    assert (
        booted.config.va_bits in {inference.value for inference in alone.get("va_bits", [])} or "va_bits" not in alone
    )


@pytest.mark.parametrize("booted", PUD_REAL, ids=describe)
def test_without_kaslr_the_linear_map_begins_at_ram(booted):
    run = Tree.named("next-20240229").start_kernel(booted, placement=ANYWHERE).run()
    by_name = inferred("\n".join(run.dmesg))
    shorter = booted.config.constants.PAGE_OFFSET - (-(1 << booted.vabits_actual) & (1 << 64) - 1)
    starts = {inference.value for inference in by_name["memstart_addr"]}
    assert RAM_BASE + shorter & (1 << 64) - 1 in starts
    assert len(starts) <= 2


# Damage.


def values_of(text: str) -> dict[str, set[int | str]]:
    try:
        log = read(text)
    except OopsError:
        return {}
    by_name: dict[str, set[int | str]] = {}
    for report in log.reports:
        for inference in report.inferences:
            by_name.setdefault(inference.name, set()).add(inference.value)
    return by_name


WHOLE = {name: values_of(text) for name, text in (*PANICS.items(), ("seed", SEED))}


@pytest.mark.parametrize("name", WHOLE)
@given(share=st.integers(1, 9), seed=st.integers(0, 1 << 32))
@settings(max_examples=30, deadline=None)
def test_missing_lines_never_contradict_the_whole_log(name, share, seed):
    lines = ({"seed": SEED} | PANICS)[name].splitlines()
    random = Random(seed)
    part = values_of("\n".join(line for line in lines if random.randrange(10) < share))
    assert "disagreement" not in part
    for matter in MATTERS:
        if matter in part:
            assert part[matter] & WHOLE[name][matter], matter


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_corrupt_digits_and_cut_lines_raise_nothing(data):
    text = list("\n".join(SEED.splitlines()[2:56]))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=40)):
        if text[at] in "0123456789abcdef":
            text[at] = data.draw(st.sampled_from("0123456789abcdefg,[ \n"))
    for inferences in values_of("".join(text)).values():
        assert inferences


@given(name=st.sampled_from(["sp", "x1", "x4", "x20", "x3"]), value=st.integers(0, (1 << 64) - 1))
@settings(max_examples=30, deadline=None)
def test_any_value_in_a_register_raises_nothing(name, value):
    text = re.sub(rf"\b{name}( ?): [0-9a-f]{{16}}", lambda match: f"{name}{match[1]}: {value:016x}", SEED)
    values_of(text)


def test_time_is_linear_in_the_reports():
    values = values_of("\n".join([SEED] * 12))
    assert values["page_size"] == {4096}


# What an inference is.


def test_every_confidence_is_documented_and_every_inference_is_plain_data():
    for inferences in of_the_story().values():
        for inference in inferences:
            assert inference.confidence in CONFIDENCE
            assert json.loads(json.dumps(inference.as_dict())).keys() == {
                "name",
                "value",
                "claim",
                "evidence",
                "confidence",
            }


def test_numbers_of_addresses_are_hexadecimal_and_sizes_are_numbers():
    assert of_the_story()["vmemmap"][0].as_dict()["value"] == "0xfffffe223a000000"
    assert of_the_story()["page_size"][0].as_dict()["value"] == 4096


def test_oops_md_shows_what_is_printed():
    page = (Path(__file__).parents[2] / "docs/oops.md").read_text()
    printed = str(read(SEED))
    shown = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1].splitlines()
    assert len(shown) == 4
    assert all(line in printed for line in shown)
    for word, meaning in CONFIDENCE.items():
        assert f"| {word} | {meaning.split(';')[0]}" in page


def test_oops_md_has_every_diagnosis():
    page = (Path(__file__).parents[2] / "docs/oops.md").read_text()
    assert set(re.findall(r"`([a-z-]+)`", page.split("## Diagnoses")[1])) >= NAMES.keys()


def test_clues_are_computed_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        inferring, "relation_of", lambda report, pfn: asked.append(report.lines) or relation_of(report, pfn)
    )
    log = read(SEED * 4)
    together = [report.inferences for report in log.reports]
    assert sorted(asked) == sorted(report.lines for report in log.reports)
    assert together == [infer(report, log) for report in log.reports]
