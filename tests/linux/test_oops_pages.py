"""Page dumps: of every version's spelling and encoding, recorded and made."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux import oops
from pgtlab.linux.kernel.page_flags import PAGE_TYPES
from pgtlab.linux.oops.reading.page_dump import page_type_of

DATA = Path(__file__).parents[1] / "data"
RECORDED = json.loads((DATA / "oops/badpage.jsonl").read_text().splitlines()[0])
HEADLINE = "BUG: Bad page state in process swapper/0  pfn:40a03\n"


def page_of(text: str, version: str = ""):
    header = f"CPU: 0 PID: 1 Comm: swapper/0 Not tainted {version} #1\n" if version else ""
    return oops.read(HEADLINE + text + header).reports[0].page


def test_a_recorded_page_table_that_was_freed_without_its_destructor():
    """Its raw words alone tell what it was; the dump itself does not depend on the architecture."""
    page = page_of(
        f"page:fffff00001 refcount:{RECORDED['refcount']} mapcount:{RECORDED['mapcount']} mapping:0000000000000000 "
        f"index:0x0 pfn:0x{RECORDED['pfn']}\nflags: {RECORDED['flags']}(node=0|zone=2|lastcpupid=0x1fffff)\n"
        + "".join(f"raw: {words}\n" for words in RECORDED["raw"])
        + f"page dumped because: {RECORDED['reason']}\n",
        "5.19.0-rc1",
    )
    assert (page.mapcount, page.pfn, page.reason) == (-512, 0x20B066, "nonzero mapcount")
    assert (page.page_type.value, page.page_type.names) == (0xFFFF_FDFF, ("table",))
    assert page.fields["lru.next"] == 0xDEAD_0000_0000_0100
    assert page.fields["_refcount"] == page.refcount == 0
    assert page.flag_fields == {"node": 0, "zone": 2, "lastcpupid": 0x1F_FFFF}


@pytest.mark.parametrize("name", ["bad-page-4k-va48", "bad-page-16k-va52"])
def test_a_recorded_dump_of_v6_12(name):
    log = oops.read((DATA / f"kernel/{name}.log").read_text())
    (report,) = log.reports
    page = report.page
    assert (page.page_type.value, page.page_type.encoding) == (0xF200_0000, "byte")
    assert page.page_type.names == ("table",)
    assert page.mapcount == 0
    assert page.reason == "nonzero mapcount"
    assert page.pfn == report.pfn
    assert len(page.raw) == 8


def test_the_flags_of_a_reserved_page():
    page = oops.read((DATA / "oops/syzkaller/report-727.log").read_text()).reports[0].page
    assert (page.flags, page.flag_names) == (0x05FF_C000_0000_1000, ("reserved",))
    assert page.page_type.encoding == "none"


@pytest.mark.parametrize(
    ("value", "version", "encoding", "names"),
    [
        (0xFFFFFFFF, (6, 9), "none", ()),
        (0xFFFFFFFF, (6, 12), "none", ()),
        (0x00000003, (6, 9), "count", ()),
        (0xFFFFFF9C, (6, 9), "count", ()),  # -100: below zero, and not low enough for a type
        (0xFFFFFF7F, (5, 4), "bits", ("buddy",)),
        (0xFFFFFDFF, (5, 10), "bits", ("kmemcg",)),
        (0xFFFFFBFF, (5, 10), "bits", ("table",)),
        (0xFFFFFDFF, (5, 11), "bits", ("table",)),
        (0xFFFFFBFF, (5, 11), "bits", ("guard",)),
        (0xFFFFFDFF, None, "bits", ("table", "kmemcg")),
        (0xEFFFFFFF, (6, 11), "bits", ("table",)),
        (0xEFFFFFFF, None, "bits", ("table",)),
        (0xF7FFFFFF, None, "bits", ("guard",)),
        (0xF2000000, (6, 12), "byte", ("table",)),
        (0xF2000000, None, "byte", ("table",)),
        (0xF0000000, None, "byte", ("buddy",)),
        (0xF60012C0, None, "byte", ("zsmalloc",)),
    ],
)
def test_the_encodings_of_page_type(value, version, encoding, names):
    found = page_type_of(value, version)
    assert (found.value, found.encoding, found.names) == (value, encoding, names)


@given(st.sampled_from(sorted(PAGE_TYPES)))
def test_the_types_of_the_model_are_read_back(bit):
    assert page_type_of(~bit & 0xFFFF_FFFF, (6, 9)).names == (PAGE_TYPES[bit],)


@given(st.integers(0, (1 << 32) - 1), st.sampled_from([None, (4, 19), (5, 15), (6, 11), (6, 12), (6, 16)]))
def test_page_type_encodings_are_exhaustive(value, version):
    assert page_type_of(value, version).encoding in ("none", "count", "bits", "byte")


def test_page_type_from_the_map_count():
    line = "page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x40a03\n"
    assert page_of(line, "6.8.0").page_type.value == 0xFFFF_FDFF
    assert page_of(line.replace("-512", "0"), "6.12.0").page_type is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("page:ffff7e0000812d98 count:1 mapcount:-127 mapping:          (null) index:0x2", (1, -127, None, 2, None)),
        ("page:ffffea000812d980 refcount:0 mapcount:0 mapping:dead000000000400 index:0xa pfn:0x204b66",
         (0, 0, 0xDEAD_0000_0000_0400, 10, 0x204B66)),
        ("page:(____ptrval____) refcount:2 mapcount:1 mapping:00000000abcd1234 index:0x0", (2, 1, 0xABCD1234, 0, None)),
        ("page: refcount:-1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x7deea", (-1, 0, 0, 0, 0x7DEEA)),
    ],
)  # fmt: skip
def test_the_spellings_of_the_first_line(line, expected):
    page = page_of(line + "\n")
    assert (page.refcount, page.mapcount, page.mapping, page.index, page.pfn) == expected


def test_struct_page_before_v4_18():
    raw = (
        "raw: 02fffc0000000000 dead000000000400 0000000000000002 00000001ffffff7f\n"
        "raw: dead000000000100 dead000000000200 0000000000000000 0000000000000000\n"
    )
    first = "page:ffff7e0000812d98 count:1 mapcount:-128 mapping:dead000000000400 index:0x2\n"
    for page in (page_of(first + raw), page_of(first + raw, "4.14.0")):
        assert (page.fields["mapping"], page.fields["index"]) == (0xDEAD_0000_0000_0400, 2)
        assert (page.fields["_refcount"], page.fields["page_type"]) == (1, 0xFFFF_FF7F)


RAW = [
    "raw: 0017ffffc0000000 dead000000000100 dead000000000122 0000000000000000\n",
    "raw: 0000000000000000 0000000000000000 00000000fffffdff 0000000000000000\n",
]
PAGE = "page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x20b066\n"
FLAGS = "flags: 0x17ffffc0000000(node=0|zone=2|lastcpupid=0x1fffff)\n"


@pytest.mark.parametrize(
    ("refcount", "mapcount", "words", "at"),
    [
        (0, 0, "00000000f2000000 0000000000000000", 4),  # a type of v6.12
        (0, 0, "00000000ffffffff 0000000000000000", 4),  # no type, and no mapping
        (5, 3, "0000000500000002 0000000000000000", 4),  # three mappings: the count begins at -1
        (5, 3, "0000000500000002", 4),  # the line is cut off
        (5, 1, "0000000500000000 0000000000000000", 4),
        (-1, 3, "ffffffff00000002 0000000000000000", 4),
        (5, 3, "0000000500000003 0000000000000000", None),
        (5, 3, "0000000500000004 0000000000000000", None),
        (5, 3, "0000000400000002 0000000000000000", None),
        (5, 3, "0000000a00000002 0000000000000000", None),
        (0, 0, "0000000000000005 0000000000000000", None),
        (0, 0, "", None),  # what tells is missing
    ],
)
def test_the_second_raw_line_alone(refcount, mapcount, words, at):
    """It has the reference count above the count of mappings less one, or above a type, whose upper bit is set."""
    page = f"page: refcount:{refcount} mapcount:{mapcount} mapping:0000000000000000 index:0x0 pfn:0x20b066\n"
    raw = f"raw: 0000000000000000 0000000000000000 {words}".rstrip()
    assert page_of(f"{page}{FLAGS}{raw}\n").raw_at == at


@pytest.mark.parametrize(
    ("lines", "at", "names"),
    [
        ((PAGE, FLAGS, *RAW), 0, {"flags", "lru.next", "lru.prev", "mapping", "index", "private"}),
        ((PAGE, FLAGS, RAW[0]), 0, {"flags", "lru.next", "lru.prev", "mapping"}),
        ((PAGE, FLAGS, RAW[1]), 4, {"index", "private", "page_type", "_refcount", "memcg_data"}),
        ((PAGE, RAW[1]), 4, {"index", "private", "page_type", "_refcount", "memcg_data"}),
        ((PAGE, RAW[0]), None, set()),
        ((RAW[1],), None, set()),
    ],
)
def test_one_of_two_raw_lines(lines, at, names):
    """The words of tests/data/oops/badpage.jsonl."""
    text = HEADLINE + "".join(lines)
    (report,) = oops.read(text).reports
    page = report.page
    assert page.raw_at == at
    assert names == page.fields.keys() if len(lines) < 4 else names <= page.fields.keys()
    assert ("one of the two `raw:` lines is missing" in str(oops.read(text))) == (at != 0)
    assert report.notes == ()
    if len(lines) > 1:
        assert "table" in page.page_type.names


def test_flags_and_counts_of_a_tail_page_are_printed_of_its_folio():
    """`__dump_folio()` prints `folio->flags` and `folio_ref_count()`, and the words of the page itself."""
    text = (
        "page: refcount:2 mapcount:0 mapping:0000000000000000 index:0x1 pfn:0x40a01\n"
        "head: order:2 mapcount:0 entire_mapcount:0 nr_pages_mapped:0 pincount:0\n"
        "flags: 0x40(head|node=0|zone=0)\n"
        "raw: 0000000000000000 fffffdffc0028001 0000000000000000 0000000000000000\n"
        "raw: 0000000000000000 0000000000000000 00000000ffffffff 0000000000000000\n"
    )
    assert oops.read(HEADLINE + text).reports[0].notes == ()


def test_contradicting_raw_words_are_noted():
    text = (
        "page: refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x1\n"
        "flags: 0x4(referenced)\n"
        "raw: 0000000000000008 0000000000000000 0000000000000000 0000000000000000\n"
        "raw: 0000000000000000 0000000000000000 00000002ffffffff 0000000000000000\n"
    )
    notes = oops.read(HEADLINE + text).reports[0].notes
    assert len(notes) == 2
    assert "refcount is printed as 1, but the raw words hold 2" in notes


def test_page_owner_traces():
    text = (
        "page: refcount:0 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x1\n"
        "page last allocated via order 0, migratetype Unmovable, gfp_mask 0x40c40(GFP_NOFS|__GFP_COMP), pid 5096\n"
        " post_alloc_hook+0x1f4/0x230\n get_page_from_freelist+0x2e4c/0x2f10\n"
        "page last free pid 5083 tgid 5083 stack trace:\n free_unref_page+0xd18/0xea0\n"
        "Call trace:\n bad_page+0x4/0x8\n"
    )
    (report,) = oops.read(HEADLINE + text).reports
    assert [frame.function for frame in report.page.allocated] == ["post_alloc_hook", "get_page_from_freelist"]
    assert [frame.function for frame in report.page.freed] == ["free_unref_page"]
    assert report.functions == ("bad_page",)


def test_page_dumped_before_a_bug_belongs_to_it():
    text = (
        "page: refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x1\n"
        "page dumped because: VM_BUG_ON_PAGE(!PageTable(page))\n"
        "------------[ cut here ]------------\nkernel BUG at include/linux/page-flags.h:900!\n"
        "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n"
    )
    (report,) = oops.read(text).reports
    assert (report.kind, report.page.reason) == ("bug", "VM_BUG_ON_PAGE(!PageTable(page))")
    assert report.esr == 0xF200_0800
