"""`struct page`: 64 bytes, of which `_mapcount` and `page_type` share four, and how dump_page() prints them."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.debug import format_page_type
from pgtlab.linux.kernel.page import PAGE_DTYPE
from pgtlab.linux.kernel.page_flags import PAGEFLAGS, page_type_has_type

DATA = Path(__file__).parents[1] / "data"
BAD_PAGE = json.loads((DATA / "oops/badpage.jsonl").read_text())
SEED = (DATA / "seed/next-20240229.log").read_text()

KERNEL = Kernel(boot(Config("4k", 48), CPU.named("max")))


@pytest.fixture
def page():
    allocated = KERNEL.alloc_pages(0)
    yield allocated
    slot = KERNEL.memmap[allocated.pfn - (KERNEL.memory.base >> KERNEL.PAGE_SHIFT)]
    slot["flags"], slot["mapping"], slot["page_type"], slot["_refcount"] = 0, 0, 0xFFFF_FFFF, 1
    KERNEL.__free_pages(allocated, 0)


def set_words(page, words):
    """Fill a `struct page` with eight words as a log prints them."""
    slot = page.pfn - (KERNEL.memory.base >> KERNEL.PAGE_SHIFT)
    KERNEL.memmap.view("u1").reshape(-1, 64)[slot] = list(struct.pack("<8Q", *words))


def dumped(page) -> list[str]:
    printed = len(KERNEL.log.lines)
    KERNEL.dump_page(page, "a test")
    return [line.split("] ", 1)[1] for line in KERNEL.log.lines[printed:]]


def test_member_offsets():
    """The offsets in the recorded kernels, which are of v6.12."""
    fields = {name: offset for name, (_, offset) in PAGE_DTYPE.fields.items()}
    assert fields["page_type"] == fields["_mapcount"] == 48
    assert (fields["flags"], fields["mapping"], fields["index"], fields["private"]) == (0, 24, 32, 40)
    assert (fields["lru"], fields["compound_head"], fields["_refcount"]) == (8, 8, 52)
    assert PAGE_DTYPE.itemsize == 64


@given(count=st.integers(-(1 << 31), (1 << 31) - 1))
def test_mapcount_and_page_type_share_bytes(count):
    page = KERNEL.pfn_to_page(KERNEL.memory.base >> KERNEL.PAGE_SHIFT)
    before = page._mapcount
    page._mapcount = count
    assert page.page_type == count % (1 << 32)
    page.page_type = (count + 1) % (1 << 32)
    assert page._mapcount == (count + 1 + (1 << 31)) % (1 << 32) - (1 << 31)
    page._mapcount = before


def test_setting_and_clearing_a_type(page):
    assert (page._mapcount, page.page_type) == (-1, 0xFFFF_FFFF)
    KERNEL.__SetPageTable(page)
    assert (page._mapcount, page.page_type) == (-513, 0xFFFF_FDFF)
    assert KERNEL.PageTable(page)
    KERNEL.__ClearPageTable(page)
    assert (page._mapcount, KERNEL.PageTable(page)) == (-1, False)


@given(st.integers(-128, (1 << 31) - 1))
def test_mapcount_is_not_a_type(mapcount):
    """PAGE_MAPCOUNT_RESERVE: a count that went below -1, to -128 at most, is still not read as a type."""
    assert not page_type_has_type(mapcount % (1 << 32))


@pytest.mark.parametrize("cleared", [0x80, 0x100, 0x200, 0x400])
def test_cleared_bit_is_a_type(cleared):
    assert page_type_has_type(0xFFFF_FFFF & ~cleared)


@pytest.mark.parametrize(
    ("page_type", "shown"),
    [
        (0xFFFF_FFFF, "0xffffffff()"),
        (0xFFFF_FDFF, "0xfffffdff(table)"),
        (0xFFFF_FF7F, "0xffffff7f(buddy)"),
        (0x0000_0000, "0x0()"),
        (0xFFFF_FFFE, "0xfffffffe()"),
    ],
)
def test_format_page_type(page_type, shown):
    assert format_page_type(page_type) == shown


def test_pages_compare_as_pointers(page):
    assert page == KERNEL.pfn_to_page(page.pfn) != KERNEL.pfn_to_page(page.pfn + 1)
    assert len({page, KERNEL.pfn_to_page(page.pfn)}) == 1
    assert KERNEL.virt_to_page(KERNEL.page_address(page)) == page


def test_unknown_member_is_an_error(page):
    with pytest.raises(AttributeError, match=r"struct page has no member mapcount; it has flags, lru"):
        _ = page.mapcount
    with pytest.raises(AttributeError, match="no member pagetype"):
        page.pagetype = 0


def test_memmap_is_an_array_at_vmemmap(page):
    """pfn_to_page() is vmemmap + pfn, and 64 bytes a page."""
    first = KERNEL.pfn_to_page(KERNEL.memory.base >> KERNEL.PAGE_SHIFT)
    assert first.address == KERNEL.VMEMMAP_START  # RAM begins where memstart_addr does
    assert page.address == first.address + 64 * (page.pfn - first.pfn)


def test_vmemmap_of_the_story():
    """x1 in its log is (x20 - vmemmap) >> 6 for the copy of the page on the stack, with that boot's PHYS_OFFSET."""
    vmemmap = KERNEL.VMEMMAP_START - (0xFFFF_F761_8000_0000 - (1 << 64) >> 12) * 64
    assert vmemmap == 0xFFFF_FE22_3A00_0000
    copy, pfn = 0xFFFF_8000_8007_B950, 0xFFFF_FE07_7918_1EE5
    assert f"x20: {copy:016x}" in SEED
    assert f"x1 : {pfn:016x}" in SEED
    assert ((copy - vmemmap) >> 6) % (1 << 64) == pfn


def test_dump_of_a_recorded_bad_page(page):
    """The raw words of a bad page in a report of 2022, when page types had the same bits."""
    words = [int(word, 16) for line in BAD_PAGE["raw"] for word in line.split()]
    set_words(page, words)
    assert page.words() == tuple(words)
    lines = dumped(page)
    assert f"refcount:{BAD_PAGE['refcount']} mapcount:{BAD_PAGE['mapcount']} mapping:0000000000000000" in lines[0]
    assert lines[1].startswith(f"flags: {BAD_PAGE['flags']}(")
    assert lines[2] == "page_type: 0xfffffdff(table)"
    assert lines[3:5] == [f"raw: {line}" for line in BAD_PAGE["raw"]]
    assert lines[5] == "page dumped because: a test"
    assert "PG_table" in BAD_PAGE["expert_comment"]


def test_page_type_of_the_story(page):
    """x24 in the log of the story is the page_type that was read, and `mapcount:` is the same bytes as a map count."""
    page.page_type = 0xFFFF_FDFF
    assert f"x24: {page.page_type:016x}" in SEED
    assert " mapcount:-512 " in dumped(page)[0]
    assert " mapcount:-512 " in SEED


def test_flag_names(page):
    page.flags = PAGEFLAGS["referenced"] | PAGEFLAGS["uptodate"] | PAGEFLAGS["private"]
    assert dumped(page)[1] == "flags: 0x800c(referenced|uptodate|private|zone=0)"


def test_flag_bits_of_v6_9():
    """`enum pageflags` of v6.9, which still includes PG_error and PG_slab."""
    bits = {name: flag.bit_length() - 1 for name, flag in PAGEFLAGS.items()}
    assert {n: bits[n] for n in ("locked", "writeback", "lru", "slab", "reserved", "private")} == {
        "locked": 0,
        "writeback": 1,
        "lru": 5,
        "slab": 11,
        "reserved": 14,
        "private": 15,
    }


def test_slab_has_no_mapcount(page):
    """Up to v6.9, a slab's is the only other use of the four bytes that dump_page() respects."""
    page.page_type = 0xFFFF_FDFF
    page.flags = PAGEFLAGS["slab"]
    assert " mapcount:0 " in dumped(page)[0]
