"""A log line by line, and its pictures: on the story's log, on what testers posted, and on logs of any length."""

from pathlib import Path

import pytest

from pgtlab.linux.oops import read
from pgtlab.linux.oops.reading.page_dump import page_type_of
from pgtlab.linux.oops.showing.annotate import CONTEXT, annotate
from pgtlab.linux.oops.showing.pictures import log_picture, type_bits, word_pictures

DATA = Path(__file__).parents[1] / "data"
STORY = (DATA / "seed" / "next-20240229.log").read_text()
OTHERS = ("report-725", "report-238", "report-607", "report-431")  # other architectures'
POSTED = [path for path in sorted((DATA / "oops" / "syzkaller").glob("*.log")) if path.stem not in OTHERS]
LOGS = [STORY, *(path.read_text() for path in POSTED)]


@pytest.fixture(scope="module")
def story():
    return annotate(read(STORY))


def line_of(annotated, words):
    return next(number for number, line in enumerate(annotated.lines, 1) if words in line)


def test_diagnoses_name_their_lines(story):
    table, stack = story.diagnoses
    assert "freed in destroy_args() without its destructor" in table.text
    assert line_of(story, "mapcount:-512") in table.lines
    assert "a struct page on the stack" in stack.text
    assert {line_of(story, "sp :"), line_of(story, "x1 :")} <= set(stack.lines)


def test_remarks_and_claims_of_a_line(story):
    esr = line_of(story, "ESR = 0x")
    assert story.remarks[esr][-1] == "DFSC = 0x4: Translation fault, level 0."
    assert "the MMU walks 4 levels of tables, from level 0" in [claim.text for claim in story.resting_on(esr)]
    offset = line_of(story, "PHYS_OFFSET")
    assert story.remarks[offset][0].startswith("memory PHYS_OFFSET 0xfffff76180000000")


def test_what_is_said_of_the_folio_and_of_the_page_stands_under_their_lines(story):
    folio, page = line_of(story, "page does not match folio"), line_of(story, "mapcount:-512")
    assert [remark.split()[0] for remark in story.remarks[folio]] == ["folio"]
    assert story.remarks[page][0].startswith("page pfn 0x18a65d")
    table = story.diagnoses[0]
    assert page in table.lines
    assert folio not in table.lines


@pytest.mark.parametrize("text", LOGS)
def test_lines_of_claims_and_remarks_are_shown(text):
    annotated = annotate(read(text))
    cited = {line for claim in annotated.claims for line in claim.lines} | set(annotated.remarks)
    assert cited <= set(annotated.shown) <= set(range(1, len(annotated.lines) + 1))
    assert all(claim in annotated.claims for line in cited for claim in annotated.resting_on(line))


def test_lines_far_from_reports_are_not_shown(story):
    text = "[    0.000000] nothing to see\n" * 10_000 + STORY
    annotated = annotate(read(text))
    assert min(annotated.shown) >= 10_000 + 1 - CONTEXT
    assert [claim.text for claim in annotated.claims] == [claim.text for claim in story.claims]
    assert {line - 10_000 for claim in annotated.claims for line in claim.lines} == {
        line for claim in story.claims for line in claim.lines
    }


def test_shown_lines_are_limited(monkeypatch):
    monkeypatch.setattr("pgtlab.linux.oops.showing.annotate.MOST_LINES", 10)
    annotated = annotate(read(STORY * 200))
    cited = {line for claim in annotated.claims for line in claim.lines}
    assert cited <= set(annotated.shown)
    assert len(annotated.shown) <= 10 + len(cited)


# Pictures


def texts(picture):
    return [shape.text for shape in picture.shapes if shape.text]


@pytest.mark.parametrize("text", LOGS)
def test_log_picture(text):
    annotated = annotate(read(text))
    picture = log_picture(annotated)
    keys = [shape.key for shape in picture.shapes]
    assert len(set(keys)) == len(keys)
    assert {f"line {number}" for number in annotated.shown} <= set(keys)
    assert {remark for remarks in annotated.remarks.values() for remark in remarks} <= set(texts(picture))
    assert " ".join(shape.text for shape in picture.shapes if shape.key.startswith("diagnosis")).startswith(
        annotated.diagnoses[0].text
    )
    lit = {int(shape.key.split()[1]) for shape in picture.shapes if shape.key.startswith("lit")}
    assert lit == {line for claim in annotated.diagnoses for line in claim.lines}


def test_the_words_in_the_lines_of_the_story(story):
    esr, page = line_of(story, "ESR = 0x"), line_of(story, "mapcount:-512")
    [syndrome] = word_pictures(story.log, (esr,))
    assert "Translation fault, level 0." in texts(syndrome)
    [kind] = word_pictures(story.log, (page,))
    assert {"page_type = 0xfffffdff", "0x200", "cleared: table"} <= set(texts(kind))
    for picture in (syndrome, kind):  # words of 32 bits, which begin at the left
        bits = [shape for shape in picture.shapes if shape.key.startswith("bit-")]
        assert (len(bits), bits[0].key, bits[0].attributes["x"]) == (32, "bit-31", 8)
    assert not list(word_pictures(story.log, (1,)))


def test_raw_words_of_a_page_are_drawn_as_a_struct_page():
    """The page dump of tests/data/oops/badpage.jsonl, as an arm64 kernel prints it."""
    text = """BUG: Bad page state in process 444  pfn:20b066
page:00000000f9f7f4ba refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x20b066
flags: 0x17ffffc0000000(node=0|zone=2|lastcpupid=0x1fffff)
raw: 0017ffffc0000000 dead000000000100 dead000000000122 0000000000000000
raw: 0000000000000000 0000000000000000 00000000fffffdff 0000000000000000
page dumped because: nonzero mapcount
"""
    *_, page = word_pictures(read(text), (4,))
    assert page.title == "struct page of pfn 0x20b066"
    assert {"page_type = 0xfffffdff", "table"} <= set(texts(page))


@pytest.mark.parametrize("value", [0xFFFFFDFF, 0xFFFFFFFF, 0xF2000000, 0xF2001234, 0, 5, 0xEFFFFFFF, 0xFFFFFF7F])
def test_type_bits_cover_the_word(value):
    bits = type_bits(page_type_of(value))
    assert sum(part.value << part.lo for part in bits) == value
    assert [part.hi for part in bits] == [31, *(part.lo - 1 for part in bits[:-1])]
    assert bits[-1].lo == 0
