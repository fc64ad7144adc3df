"""`ptdump`: the lines of real kernels, the values they are made of, and laws that hold for any tables."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import CAPTURES, PTDUMP, capture
from kernels import KINDS

from pgtlab.arch.mapper import Mapper, MappingError
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1, TTBR1_EL1
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.ptdump import PTE_BITS, PTE_MASK, Marker, PtdumpError, Region, markers, ptdump

RECORDED = json.loads((Path(__file__).parents[1] / "data/kernel/constants.json").read_text())
LINE = re.compile(r"0x([0-9a-f]{16})-0x([0-9a-f]{16})   +(\d+)([KMGTPE]) (PGD|P4D|PUD|PMD|PTE)((?: .*)?)")
U64 = (1 << 64) - 1


def kernel(page_size, va_bits, cpu="max"):
    return boot(Config(page_size, va_bits), CPU.named(cpu))


def empty(booted):
    """A mapper of tables that are still empty, for the kernel's own range and a process's."""
    return Mapper.in_ram(booted.tcr_el1)


def regions(lines):
    return [line for line in lines if isinstance(line, Region)]


# Real kernels.


@pytest.mark.parametrize("name", CAPTURES)
def test_the_lines_are_those_that_the_kernel_printed(name):
    image = Image.open(PTDUMP / name)
    assert [str(line) for line in image.ptdump()] == (PTDUMP / name / "ptdump.txt").read_text().splitlines()


@pytest.mark.parametrize("user", [False, True], ids=["kernel", "user"])
@pytest.mark.parametrize("name", CAPTURES)
def test_what_is_mapped_is_in_a_region_of_its_level(name, user):
    image = Image.open(PTDUMP / name)
    found = regions(image.ptdump(user=user))
    starts = np.array([region.start for region in found], np.uint64)
    for mapping in image.mappings(user=user):
        region = found[int(np.searchsorted(starts, mapping["va"], side="right")) - 1]
        assert int(mapping["va"]) + int(mapping["size"]) <= region.end
        assert region.level == ("PUD", "PMD", "PTE")[mapping["level"] - 1]
        assert region.prot == int(mapping["descriptor"]) & PTE_MASK
    valid = sum(region.size for region in found if region.prot & 1)  # a process has a PROT_NONE page too
    assert valid == image.mappings(user=user)["size"].sum()


def test_the_markers_are_at_the_recorded_constants():
    for key, own in RECORDED["configurations"].items():
        page_size, va_bits, pa_bits = re.fullmatch(r"(\w+)-va(\d+)-pa(\d+)", key).groups()
        for mode in own["runtime"]:
            cpu = "max" if mode.startswith("full") else "neoverse-n1" if page_size == "64k" else "max,lpa2=off"
            booted = boot(Config(page_size, int(va_bits), int(pa_bits)), CPU.named(cpu))
            k = RECORDED["everywhere"] | RECORDED["everywhere at run time"] | own | own["runtime"][mode]
            k = {name: int(value, 16) if isinstance(value, str) else value for name, value in k.items()}
            assert booted.vabits_actual == k["vabits_actual"], (key, mode)
            # vmemmap_start in ptdump_init(): the struct page of the first address of the linear map
            first = -(1 << k["vabits_actual"]) - (k["PAGE_OFFSET"] - (1 << 64)) >> k["PAGE_SHIFT"]
            assert [marker.start for marker in markers(booted)] == [
                k["PAGE_OFFSET"],
                k["PAGE_END"],
                k["MODULES_VADDR"],
                k["MODULES_END"],
                k["VMALLOC_START"],
                k["VMALLOC_END"],
                k["VMEMMAP_START"] + first * k["sizeof(struct page)"],
                k["VMEMMAP_END"],
                k["PCI_IO_START"],
                k["PCI_IO_END"],
                k["FIXADDR_TOT_START"],
                k["FIXADDR_TOP"],
            ]


def test_the_columns_are_the_kernels_bits():
    names = ("VALID", "USER", "RDONLY", "PXN", "SHARED", "AF", "NG", "CONT", "TABLE_BIT", "UXN", "GP")
    memory = ("DEVICE_nGnRnE", "DEVICE_nGnRE", "NORMAL_NC", "NORMAL", "NORMAL_TAGGED")
    for config in configurations():
        k = config.constants
        assert [bits.mask for bits in PTE_BITS] == [k[f"PTE_{name}"] for name in names] + [k.PTE_ATTRINDX_MASK] * 5
        assert [bits.val for bits in PTE_BITS[-5:]] == [k[f"MT_{name}"] << 2 for name in memory]


# Lines and levels, from the kernel's source.


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (4 << 10, "4K"),
        (1 << 20, "1M"),
        (1023 << 10, "1023K"),
        (1025 << 10, "1025K"),  # the largest unit that leaves a whole number
        (1 << 30, "1G"),
        ((1 << 40) - (1 << 29), "1048064M"),
        (3840 << 40, "3840T"),
        (1 << 50, "1P"),
        (4 << 50, "4P"),
    ],
)
def test_a_size_is_in_the_largest_unit_of_which_it_is_a_multiple(size, shown):
    assert str(Region(0, size, "PMD", 0)) == f"0x{0:016x}-0x{size:016x}   {shown:>10} PMD"


def test_an_entry_that_is_not_valid_says_so_and_an_unknown_memory_type_says_nothing():
    invalid = 1 << 11 | 1 << 7  # PROT_NONE's NG, and read-only
    assert str(Region(0, 4096, "PTE", invalid)).endswith("4K PTE F     ro x         NG     BLK        MEM/NORMAL")
    assert str(Region(0, 4096, "PTE", 7 << 2 | 3)).endswith("4K PTE       RW x" + " " * 26)


HOLES = {  # page size, VA_BITS, CPU: the level of a hole by Arm's level of the table that has it, from the first on
    ("4k", 39, "max"): "PGD PMD",
    ("4k", 48, "max"): "PGD PUD PMD",
    ("4k", 52, "max"): "PGD P4D PUD PMD",
    ("4k", 52, "max,lpa2=off"): "PGD PUD PMD",
    ("16k", 36, "max"): "PGD",
    ("16k", 47, "max"): "PGD PMD",
    ("16k", 48, "max"): "PGD PUD PMD",
    ("16k", 52, "max"): "PGD PUD PMD",
    ("16k", 52, "max,lpa2=off"): "PGD PMD",
    ("64k", 42, "max"): "PGD",
    ("64k", 48, "max"): "PGD PMD",
    ("64k", 52, "max"): "PGD PMD",
    ("64k", 52, "neoverse-n1"): "PGD PMD",
}


@pytest.mark.parametrize("key", HOLES, ids=str)
def test_a_hole_has_the_name_of_the_level_at_which_the_walk_ends(key):
    booted = kernel(*key)
    mapper = empty(booted)
    page = booted.config.page_size
    mapper.map_range((1 << 64) - (1 << booted.vabits_actual), 0, page, blocks=False)
    found = regions(ptdump(mapper.mmu, booted))
    assert found[0].end - found[0].start == page
    names = ["PTE", *reversed(HOLES[key].split())]
    ends = [booted.config.granule.level_shift(level - 1) for level in (3, 2, 1, 0)][: len(names) - 1]
    # Each hole goes to the end of its table; the markers may cut it into several regions.
    for name, shift in zip(names, [*ends, booted.vabits_actual], strict=True):
        upto = found[0].start + (1 << shift)
        last = next(region for region in found if region.end >= upto)
        assert (last.level, last.prot) == (name, 0)


@pytest.mark.parametrize(
    ("key", "level", "name"),
    [
        (("4k", 39, "max"), 1, "PGD"),  # the PUD is folded into the pgd, and note_page() says so of its blocks too
        (("4k", 48, "max"), 1, "PUD"),
        (("4k", 52, "max,lpa2=off"), 1, "PUD"),
        (("16k", 52, "max"), 2, "PMD"),
        (("64k", 42, "max"), 2, "PMD"),  # where the PMD is folded into the pgd, note_page() does not
        (("16k", 36, "max"), 2, "PMD"),
    ],
)
def test_a_block_has_the_name_that_note_page_is_told(key, level, name):
    booted = kernel(*key)
    mapper, size = empty(booted), 1 << booted.config.granule.level_shift(level)
    mapper.map_range((1 << 64) - (1 << booted.vabits_actual), 0, size)
    first = regions(ptdump(mapper.mmu, booted))[0]
    assert (first.size, first.level, "BLK" in first.attributes) == (size, name, True)


def test_with_ds_set_shd_is_two_bits_of_the_address():
    booted = kernel("16k", 52)
    mapper = empty(booted)
    start = (1 << 64) - (1 << 52)
    for i in range(4):
        mapper.map_range(start + (i << 14), i << 50, 1 << 14)
    assert ["SHD" in region.attributes for region in regions(ptdump(mapper.mmu, booted))[:4]] == [
        False,
        False,
        False,
        True,
    ]


def test_of_a_run_of_contiguous_entries_con_is_shown_and_of_the_rest_not():
    booted = kernel("4k", 48)
    mapper = empty(booted)
    mapper.map_range((1 << 64) - (1 << 48) + 0x8000, 0x8000, 0x1_8000, PXN=1, UXN=1, blocks=False)
    assert [(region.size, "CON" in region.attributes) for region in regions(ptdump(mapper.mmu, booted))[:3]] == [
        (0x8000, False),
        (0x8000, False),
        (0x1_0000, True),
    ]


def test_the_tables_of_a_52_bit_64k_kernel_on_48_bits_begin_in_the_middle_of_swapper_pg_dir():
    booted = kernel("64k", 52, "neoverse-n1")
    k = booted.config.constants
    assert k.TTBR1_BADDR_4852_OFFSET == 960 * 8
    swapper = 0x8000_0000
    pages = {swapper: np.zeros(8192, np.uint64), swapper + 0x10000: np.zeros(8192, np.uint64)}
    pages[swapper][960] = swapper + 0x10000 | 3
    mmu = MMU(Memory.of_pages(pages, 16), booted.tcr_el1, TTBR0_EL1(), TTBR1_EL1(swapper + k.TTBR1_BADDR_4852_OFFSET))
    lines = list(ptdump(mmu, booted))
    assert str(lines[0]) == "---[ Linear Mapping start ]---"  # at PAGE_OFFSET, which is lower
    assert lines[1] == Region(0xFFFF_0000_0000_0000, 0xFFFF_0400_0000_0000, "PMD", 0)


# Laws.


@st.composite
def mapped(draw):
    """A kernel, tables, and what was mapped: ranges apart from each other, with attributes."""
    booted = draw(st.sampled_from(KINDS))
    user = draw(st.booleans())
    mapper, granule = empty(booted), booted.config.granule
    first = 0 if user else (1 << 64) - (1 << booted.vabits_actual)
    done = {}
    for _ in range(draw(st.integers(0, 6))):
        shift = draw(st.integers(granule.shift, booted.vabits_actual - 1))
        va = draw(st.integers(0, (1 << booted.vabits_actual - granule.shift) - 1)) << granule.shift
        va = first + (va & -1 << shift)
        pa = draw(st.integers(0, 255)) << draw(st.integers(granule.shift, 36))
        size = draw(st.integers(1, 600)) << draw(st.sampled_from((granule.shift, granule.level_shift(2))))
        size = min(size, first + (1 << booted.vabits_actual) - va)
        fields = draw(
            st.fixed_dictionaries(
                {},
                optional={"AttrIndx": st.integers(0, 7), "PXN": st.just(1), "AP": st.integers(0, 3), "nG": st.just(1)},
            )
        )
        if any(va < at + length and at < va + size for at, length in done.items()):
            continue
        try:
            mapper.map_range(va, pa, size, **fields)
        except MappingError:  # one block would have to map both: the part that was done is the dump's to show too
            return booted, user, mapper.mmu, None
        done[va] = size
    return booted, user, mapper.mmu, done


@given(mapped())
def test_regions_tile_the_address_space_and_neighbours_differ(case):
    booted, user, mmu, done = case
    lines = list(ptdump(mmu, booted, user=user))
    found = regions(lines)
    first = 0 if user else (1 << 64) - (1 << booted.vabits_actual)
    assert (found[0].start, found[-1].end) == (first, first + (1 << booted.vabits_actual))
    assert all(a.end == b.start for a, b in pairwise(found))
    assert sum(region.size for region in found) == 1 << booted.vabits_actual
    assert isinstance(lines[0], Marker)
    for a, b in pairwise(lines):
        if isinstance(a, Region) and isinstance(b, Region):
            assert (a.level, a.prot) != (b.level, b.prot)
    if done is not None:
        assert sum(region.size for region in found if region.prot) == sum(done.values())
        for va, size in done.items():
            inside = [region for region in found if region.start < va + size and va < region.end]
            assert all(region.prot & 1 for region in inside)
    shown = [line for line in lines if isinstance(line, Marker)]
    assert shown == list(markers(booted, user=user)[: len(shown)])


@settings(max_examples=30)
@given(mapped())
def test_a_line_says_what_its_region_is(case):
    booted, user, mmu, _ = case
    for region in regions(ptdump(mmu, booted, user=user)):
        start, end, size, unit, level, columns = LINE.fullmatch(str(region)).groups()
        assert (int(start, 16), int(end, 16), level) == (region.start, region.end & U64, region.level)
        assert int(size) << 10 * "KMGTPE".index(unit) + 10 == region.size
        assert unit == "E" or int(size) % 1024
        assert tuple(columns.split()) == region.attributes
        assert region.as_dict()["attributes"] == list(region.attributes)
        assert bool(columns) == bool(region.prot)


# Tables that are not a kernel's.


def test_tables_of_another_kernel_are_refused():
    booted, other = kernel("4k", 48), kernel("4k", 39)
    with pytest.raises(
        PtdumpError, match=r"TCR_EL1\.T1SZ says 48 bits with the 4K granule, where Config\('4k', va_bits=39"
    ):
        ptdump(empty(booted).mmu, other)
    with pytest.raises(PtdumpError, match=r"TCR_EL1\.T0SZ says 47 bits with the 16K granule"):
        ptdump(empty(kernel("16k", 47)).mmu, kernel("64k", 48), user=True)


def test_a_table_that_is_not_in_memory_is_said_to_be_missing():
    booted, root = kernel("4k", 48), 0x4000_0000
    words = np.zeros(512, np.uint64)
    words[1] = 0x7777_7000 | 3
    mmu = MMU(Memory.of_pages({root: words}, 12), booted.tcr_el1, TTBR0_EL1(), TTBR1_EL1(root))
    lines = [str(line) for line in ptdump(mmu, booted)]
    assert lines[2] == "0xffff008000000000-0xffff010000000000         512G PUD (table not in memory)"
    assert regions(ptdump(mmu, booted))[1].as_dict()["prot"] is None


@given(st.sampled_from(CAPTURES), st.integers(0, (1 << 32) - 1), st.booleans())
def test_damaged_tables_give_regions_that_tile_or_the_error(name, seed, user):
    _, pages = capture(name)
    rng = np.random.default_rng(seed)
    words = {pa: page.copy() for pa, page in pages.items() if rng.random() < 0.9}
    for pa in rng.choice(list(words), 12).tolist():
        where = rng.integers(0, len(words[pa]), 8)
        words[pa][where] ^= np.uint64(1) << rng.integers(0, 64, 8, np.uint64)
        words[pa][rng.integers(0, len(words[pa]))] = int(rng.choice(list(words))) | 3  # a table, and perhaps its own
    image = Image.open(PTDUMP / name)
    mmu = replace(image.mmu, memory=Memory.of_pages(words, image.boot.config.granule.shift))
    try:
        found = regions(ptdump(mmu, image.boot, user=user))
    except PtdumpError:  # tables that lead back to themselves
        return
    assert all(a.end == b.start for a, b in pairwise(found))
    assert found[-1].end == (1 << image.boot.vabits_actual if user else 1 << 64)
