"""The oops reader's Python side: a log in, what the page draws out."""

import json
import time
from pathlib import Path

import pytest
from pgtlab_widgets import OopsReader
from pgtlab_widgets.oops_reader import LONGEST, SAMPLES, UNFOLDED, sample

from pgtlab.linux.oops import read

DATA = Path(__file__).parents[1] / "data"
STORY = (DATA / "seed" / "next-20240229.log").read_text()


def said(reader, **content):
    reader._on_message(reader, content, [])


@pytest.fixture(scope="module")
def made():
    """The story's log, by the model."""
    return sample("The story's log")


@pytest.fixture
def reader():
    return OopsReader(STORY)


def numbers(reader):
    return [row["number"] for row in reader.base_view["rows"] if "number" in row]


def test_it_starts_with_the_models_own_panic(made):
    reader = OopsReader()
    assert [row["text"] for row in reader.base_view["rows"]] == made.splitlines()
    assert "Kernel panic" in made
    assert reader.view["told"] == "48 lines, 3 reports: bad page, oops, panic."


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_a_diagnosis(reader, name):
    said(reader, sample=name)
    assert reader.base_view["claims"][0]["sure"] == "derived"
    assert reader.lit


def test_the_model_and_the_machine_come_to_the_same_diagnoses(made):
    one, other = OopsReader(made).annotated, OopsReader(STORY).annotated
    for claim, real in zip(one.diagnoses, other.diagnoses, strict=True):
        assert real.text.startswith(claim.text)


def test_a_claim_lights_the_lines_that_it_rests_on_and_says_why(reader):
    chosen = next(it for it in reader.base_view["claims"] if it["text"].startswith("vmemmap, where"))
    said(reader, chosen=chosen["key"])
    assert reader.view["lit"] == chosen["lines"]
    assert any("(x19 = x20 = x26 - vmemmap) >> 6" in item for item in reader.view["because"]["items"])
    said(reader, chosen=chosen["key"])
    assert (reader.chosen, reader.view["lit"]) == ("", ())


def test_a_line_says_what_was_made_of_it_with_the_word_in_it_as_a_picture(reader):
    line = next(row["number"] for row in reader.base_view["rows"] if "ESR = 0x" in row["text"])
    said(reader, chosen=f"line {line}")
    assert reader.view["lit"] == (line,)
    assert "the MMU walks 4 levels of tables, from level 0 (derived)" in reader.view["because"]["items"]
    [picture] = reader.view["pictures"]
    assert picture["title"].startswith("ESR_EL1 = 0x96000004")
    said(reader, chosen="line 1")
    assert reader.view["because"] == {"title": "Nothing was made of line 1.", "items": []}
    assert reader.view["pictures"] == []


@pytest.mark.parametrize("nowhere", ["claim 99", "line 0", "line 61000", "claim x", "page 1", "claim"])
def test_there_is_nothing_else_to_choose(reader, nowhere):
    before = reader.chosen
    said(reader, chosen=nowhere)
    assert "is not in this log" in reader.view["failed"]
    assert reader.chosen == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "no report of a kernel is in this text"),
        ((DATA / "oops" / "syzkaller" / "report-238.log").read_text(), "this is a report of arm (32 bits)"),
        ((DATA / "oops" / "syzkaller" / "report-431.log").read_text(), "this is a report of powerpc"),
    ],
)
def test_what_is_no_report_of_arm64_is_told_in_one_line_and_stays_where_it_was_typed(reader, text, told):
    said(reader, log=text)
    assert reader.view["log"]["error"].startswith(told)
    assert "\n" not in reader.view["log"]["error"]
    assert reader.view["log"]["text"] == text
    assert reader.base_view["rows"] == reader.base_view["claims"] == []
    assert reader.picture() is None
    with pytest.raises(ValueError, match="there is no picture"):
        reader.svg()
    said(reader, log=STORY)
    assert reader.view["log"] == {"text": "", "error": ""}
    assert reader.base_view["rows"]


def test_an_empty_field_changes_nothing(reader):
    before = reader.view
    said(reader, log=" \n")
    assert reader.view == before


def test_a_megabyte_is_read_in_a_second_and_only_what_matters_is_sent():
    noise = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 14_000
    start = time.perf_counter()
    reader = OopsReader(noise + STORY)
    assert time.perf_counter() - start < 1
    assert len(noise) > 1_000_000
    assert len(json.dumps(reader.base_view)) + len(json.dumps(reader.view)) < 40_000
    assert reader.base_view["rows"][0] == {"from": 1, "text": "13999 more lines"}


def test_a_fold_opens_by_so_many_lines_until_nothing_is_folded():
    reader = OopsReader("quiet\n" * 150 + STORY + "quiet\n" * 5)
    said(reader, unfold=1)
    assert numbers(reader)[:UNFOLDED] == list(range(1, UNFOLDED + 1))
    while folds := [row["from"] for row in reader.base_view["rows"] if "from" in row]:
        said(reader, unfold=folds[0])
    assert numbers(reader) == list(range(1, 150 + len(STORY.splitlines()) + 5 + 1))


def test_a_line_of_any_length_is_cut():
    reader = OopsReader(STORY + "Kernel command line: " + "x" * 100_000 + "\n")
    assert max(len(row["text"]) for row in reader.base_view["rows"]) <= LONGEST + 2


def test_of_many_reports_the_page_gets_some(reader):
    said(reader, log=STORY * 300)
    assert len(json.dumps(reader.base_view)) < 400_000


def test_what_is_chosen_and_what_is_read_are_sent_together(reader):
    """A page never draws a choice of one log over the lines of another."""
    said(reader, chosen="claim 9")
    said(reader, log="Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    assert len(reader.base_view["rows"]) == 1
    assert set(reader.view["lit"]) <= {1}


def test_the_static_picture_and_the_text(reader):
    assert reader.svg().count('class="lit"') == len(reader.lit)
    assert reader.text() == str(read(STORY))
    said(reader, chosen="line 7")
    assert reader.svg().count('class="lit"') == 1


def test_choosing_costs_python_less_than_5_ms(reader):
    times = []
    for n in range(40):
        start = time.perf_counter()
        said(reader, chosen=f"line {n + 1}")
        times.append(time.perf_counter() - start)
    assert sorted(times)[20] < 0.005
