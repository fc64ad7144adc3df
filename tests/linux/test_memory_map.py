"""The kernel's map of memory: against the kernel's own dump of it, and as a partition."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab import CPU, Config, boot, configurations
from pgtlab.linux.address import AddressError
from pgtlab.linux.boot import NoBoot
from pgtlab.linux.decompose import decompose
from pgtlab.linux.memory_map import locate, memory_map

DUMPS = sorted((Path(__file__).parents[1] / "data" / "kernel" / "ptdump").glob("*/ptdump.txt"))
STARTS = {
    "Linear Mapping start": "linear map",
    "Modules start": "modules",
    "vmalloc() area": "vmalloc",
    "vmemmap start": "vmemmap",
    "PCI I/O start": "PCI I/O",
    "Fixmap start": "fixmap",
}
ENDS = {"vmalloc() end": "vmalloc", "vmemmap end": "vmemmap", "PCI I/O end": "PCI I/O", "Fixmap end": "fixmap"}
BOOTS = [
    booted
    for config in configurations()
    for cpu in ("max", "neoverse-n1")
    if not isinstance(booted := boot(config, CPU.named(cpu)), NoBoot)
]
any_address = st.integers(0, (1 << 64) - 1)


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.parent.name)
def test_regions_match_the_markers_of_real_page_table_dumps(path):
    """The line after a marker begins at the border, or at the end of the empty PMD entry that holds it."""
    page, va_bits = re.match(r"(\d+k)-va(\d+)", path.parent.name).groups()
    booted = boot(Config(page, int(va_bits)), CPU.named("max"))
    regions = {region.name: region for region in memory_map(booted)}
    borders = {marker: regions[name].start for marker, name in STARTS.items()}
    borders |= {marker: regions[name].end for marker, name in ENDS.items()}
    lines = path.read_text().splitlines()
    begins = {
        marker.strip("-[] "): int(line[:18], 0)
        for marker, line in pairwise(lines)
        if marker.startswith("---[") and line.startswith("0x")
    }
    assert len(begins) >= 8
    pmd_size = booted.config.constants.PMD_SIZE
    for marker in borders.keys() & begins:
        assert begins[marker] in (borders[marker], -(-borders[marker] // pmd_size) * pmd_size), marker
    if page == "4k":  # whose PMD entries are small enough for every border
        assert begins == {marker: borders[marker] for marker in begins}


def test_dumps_are_present():
    assert len(DUMPS) >= 3


@pytest.mark.parametrize("boot", BOOTS, ids=str)
def test_regions_cover_the_upper_half_once(boot):
    user, *upper = memory_map(boot)
    assert (user.start, upper[0].start, upper[-1].end) == (0, (1 << 64) - (1 << boot.vabits_actual), 1 << 64)
    assert all(below.end == above.start for below, above in pairwise(upper))
    assert all(region.start < region.end for region in upper)


@given(st.sampled_from(BOOTS), any_address)
def test_address_is_in_the_map_if_a_ttbr_translates_it(boot, va):
    place = locate(va, boot)
    translated = decompose(va, boot).ttbr is not None
    assert (place.region is not None) == translated
    if translated:
        assert place.region.start + place.offset == place.address
        assert place.region.start <= place.address < place.region.end
    else:
        assert "level 0 translation fault" in place.note


@pytest.mark.parametrize("boot", BOOTS, ids=str)
def test_struct_page_and_its_frame_in_the_linear_map(boot):
    """`virt_to_page()`: the memmap has one for each page from PAGE_OFFSET on."""
    k = boot.config.constants
    linear = next(region for region in memory_map(boot) if region.name == "linear map")
    for page in (linear.start, linear.start + 5 * k.PAGE_SIZE, linear.end - k.PAGE_SIZE):
        struct_page = k.VMEMMAP_START + (page - k.PAGE_OFFSET) // k.PAGE_SIZE * k["sizeof(struct page)"]
        place = locate(struct_page + 12, boot)
        assert place.region.name == "vmemmap"
        assert place.note == f"byte 12 of the struct page of the frame at {page:#x} in the linear map"


def test_tag_does_not_change_the_region():
    booted = BOOTS[0]
    assert locate(0xAB00_0000_0000_1000, booted).region == locate(0x1000, booted).region


def test_text_and_as_dict_name_the_region():
    place = locate(0xFFFF_8000_0000_1000, boot(Config("4k", 48), CPU.named("max")))
    assert place.as_dict()["region"] == {
        "name": "modules",
        "start": "0xffff800000000000",
        "end": "0xffff80007fffffff",
        "offset": "0x1000",
    }
    assert "modules [0xffff800000000000, 0xffff80007fffffff] + 0x1000" in str(place)


def test_more_than_64_bits_is_refused():
    with pytest.raises(AddressError):
        locate(1 << 64, BOOTS[0])
