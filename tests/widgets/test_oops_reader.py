"""The oops reader's Python side: a log in, what the page draws out."""

import json
from pathlib import Path

import pytest
from pgtlab_widgets import BugLab, Explorer, OopsReader, TableMap, WalkStepper, oops_reader
from pgtlab_widgets.oops_reader import LONGEST, SAMPLES, UNFOLDED, sample
from work import growth, steps

from pgtlab.linux.oops import read

DATA = Path(__file__).parents[1] / "data"
STORY = (DATA / "seed" / "next-20240229.log").read_text()


def send(reader, **content):
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


def test_default_log_is_the_panic_of_the_model(made):
    reader = OopsReader()
    assert [row["text"] for row in reader.base_view["rows"]] == made.splitlines()
    assert "Kernel panic" in made
    assert reader.view["status"] == "48 lines, 3 reports: bad page, oops, panic."


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_have_a_diagnosis(reader, name):
    send(reader, sample=name)
    assert reader.base_view["claims"][0]["sure"] == "derived"
    assert reader.lit


def test_model_and_recorded_log_have_the_same_diagnoses(made):
    one, other = OopsReader(made).annotated, OopsReader(STORY).annotated
    for claim, real in zip(one.diagnoses, other.diagnoses, strict=True):
        assert real.text.startswith(claim.text)


def test_claim_lights_its_lines(reader):
    chosen = next(claim for claim in reader.base_view["claims"] if claim["text"].startswith("vmemmap, where"))
    send(reader, chosen=chosen["key"])
    assert reader.view["lit"] == chosen["lines"]
    assert any("(x19 = x20 = x26 - vmemmap) >> 6" in item for item in reader.view["because"]["items"])
    send(reader, chosen=chosen["key"])
    assert (reader.chosen, reader.view["lit"]) == ("", ())


def test_line_shows_what_was_read_from_it(reader):
    line = next(row["number"] for row in reader.base_view["rows"] if "ESR = 0x" in row["text"])
    send(reader, chosen=f"line {line}")
    assert reader.view["lit"] == (line,)
    assert "the MMU walks 4 levels of tables, from level 0 (derived)" in reader.view["because"]["items"]
    [picture] = reader.view["pictures"]
    assert picture["title"].startswith("ESR_EL1 = 0x96000004")
    send(reader, chosen="line 1")
    assert reader.view["because"] == {"title": "Nothing was read from line 1.", "items": []}
    assert reader.view["pictures"] == []


@pytest.mark.parametrize("nowhere", ["claim 99", "line 0", "line 61000", "claim x", "page 1", "claim"])
def test_unknown_choice_is_refused(reader, nowhere):
    before = reader.chosen
    send(reader, chosen=nowhere)
    assert "is not in this log" in reader.view["failed"]
    assert reader.chosen == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "there is no kernel report in this text"),
        ((DATA / "oops" / "syzkaller" / "report-238.log").read_text(), "this report is from arm (32 bits)"),
        ((DATA / "oops" / "syzkaller" / "report-431.log").read_text(), "this report is from powerpc"),
    ],
)
def test_text_without_a_report_shows_error(reader, text, message):
    send(reader, log=text)
    assert reader.view["log"]["error"].startswith(message)
    assert "\n" not in reader.view["log"]["error"]
    assert reader.view["log"]["text"] == text
    assert reader.base_view["rows"] == reader.base_view["claims"] == []
    assert reader.picture() is None
    with pytest.raises(ValueError, match="there is no picture"):
        reader.svg()
    send(reader, log=STORY)
    assert reader.view["log"] == {"text": STORY, "error": ""}, "to be edited"
    assert reader.base_view["rows"]


def test_empty_log_changes_nothing(reader):
    before = reader.view
    send(reader, log=" \n")
    assert reader.view == before


def test_long_log_is_folded():
    noise = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 14_000
    reader = OopsReader(noise + STORY)
    assert len(noise) > 1_000_000
    assert len(json.dumps(reader.base_view)) + len(json.dumps(reader.view)) < 40_000
    assert reader.base_view["rows"][0] == {"from": 1, "text": "13999 more lines"}


def test_fold_opens_in_steps():
    reader = OopsReader("quiet\n" * 150 + STORY + "quiet\n" * 5)
    send(reader, unfold=1)
    assert numbers(reader)[:UNFOLDED] == list(range(1, UNFOLDED + 1))
    while folds := [row["from"] for row in reader.base_view["rows"] if "from" in row]:
        send(reader, unfold=folds[0])
    assert numbers(reader) == list(range(1, 150 + len(STORY.splitlines()) + 5 + 1))


def test_long_line_is_cut():
    reader = OopsReader(STORY + "Kernel command line: " + "x" * 100_000 + "\n")
    assert max(len(row["text"]) for row in reader.base_view["rows"]) <= LONGEST + 2


def test_page_gets_a_part_of_many_reports(reader):
    send(reader, log=STORY * 300)
    assert len(json.dumps(reader.base_view)) < 400_000


def test_log_and_choice_are_sent_together(reader):
    """A page never draws a choice of one log over the lines of another."""
    send(reader, chosen="claim 9")
    send(reader, log="Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    assert len(reader.base_view["rows"]) == 1
    assert set(reader.view["lit"]) <= {1}


def test_svg_and_text(reader):
    assert reader.svg().count('class="lit"') == len(reader.lit)
    assert reader.text() == str(read(STORY))
    send(reader, chosen="line 7")
    assert reader.svg().count('class="lit"') == 1


def test_choosing_does_not_read_the_log_again(reader, monkeypatch):
    base = reader.base_view
    for name in ("read", "annotate", "claim_rows"):
        monkeypatch.setattr(oops_reader, name, None)
    for n in range(40):
        send(reader, chosen=f"line {n + 1}")
        assert reader.view["lit"] == (n + 1,)
    assert reader.base_view is base


NOISE = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 1000


def test_first_report_of_a_long_log_is_shown_before_all_has_arrived(reader):
    text = NOISE + STORY + NOISE
    end = len(NOISE + STORY)
    for piece, first in ((text[:900], True), (text[900:end], False)):
        send(reader, piece=piece, of=len(text), first=first)
    assert reader.view["reading"] == {"got": end, "of": len(text)}
    assert reader.annotated.log.reports[0].lines[0] > 1000, "lines are counted from the beginning"
    send(reader, piece=text[end:], of=len(text), first=False)
    assert reader.view["reading"] is None
    assert reader.view["status"].startswith("2,0")
    assert reader.view["log"]["text"] == "", "a long log does not stay in the field"


def test_cancelled_log_leaves_what_was_shown(reader):
    before = reader.annotated
    send(reader, piece=NOISE, of=10**7, first=True)
    send(reader, cancel=True)
    assert reader.view["reading"] is None
    assert reader.annotated is before


def test_one_line_is_one_line(reader):
    send(reader, log="Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    assert reader.view["status"] == "1 line, 1 report: oops."


def test_with_nothing_chosen_the_reader_is_asked_to_choose(reader):
    """Why: what a claim rests on, and before one is chosen how to see that."""
    send(reader, chosen=reader.chosen)
    assert reader.chosen == ""
    assert reader.view["because"]["title"].startswith("Choose a claim to see what it rests on")
    assert reader.view["because"]["items"] == []


# What the other views can open.

WALK = "user pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000\n"
NULL = "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\n"
OOPS = "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP\n"


@pytest.mark.parametrize("view", [Explorer, WalkStepper, TableMap])
def test_views_of_an_address_take_the_share_string(reader, view):
    opened = view()
    opened.load(reader.share)
    assert (opened.page_size, opened.va_bits) == ("4k", 48)
    assert int(opened.address, 16) == 0x8


def test_share_string_names_another_address(reader):
    [stack] = [a for a in reader.view["openings"]["addresses"] if a["label"].startswith("a struct page on the stack")]
    send(reader, **stack["send"])
    assert reader.share == "pgtlab://4k/48/lpa2/0xffff80008007b950"
    assert reader.view["share"]["text"] == reader.share
    assert [a["label"] for a in reader.view["openings"]["addresses"] if a["selected"]] == [stack["label"]]
    assert reader.view["openings"]["chosen"] == "4k · VA 48 · max · 0xffff80008007b950, a struct page on the stack"


def test_each_kernel_that_fits_can_be_chosen(reader):
    send(reader, log=NULL + WALK + OOPS)
    assert [kernel["label"] for kernel in reader.view["openings"]["kernels"]] == [
        "4K pages, VA_BITS=48 on max",
        "4K pages, VA_BITS=52 on max without LPA2",
    ]
    send(reader, kernel=1)
    assert reader.share == "pgtlab://4k/52/no-lpa2/0x0000000000000008"
    send(reader, kernel=2)
    assert reader.view["failed"]
    assert reader.share == "pgtlab://4k/52/no-lpa2/0x0000000000000008"


def test_share_string_is_loaded(reader):
    send(reader, log=NULL + WALK + OOPS)
    send(reader, share="pgtlab://4k/52/no-lpa2")
    assert reader.share == "pgtlab://4k/52/no-lpa2/0x0000000000000008"
    for share, reason in (
        ("pgtlab://4k/48/lpa2/0x123", "0x123 is not an address in this log"),
        ("pgtlab://64k/48/lpa2", "pgtlab://64k/48/lpa2 cannot have printed this log"),
        ("nothing", "is not a share string"),
    ):
        send(reader, share=share)
        assert reason in reader.view["share"]["error"]
        assert reader.share == "pgtlab://4k/52/no-lpa2/0x0000000000000008"


def test_log_that_hardly_says_which_kernel_has_no_share_string(reader):
    send(reader, log=OOPS)
    assert (reader.share, reader.view["openings"]) == ("", None)
    with pytest.raises(ValueError, match="hardly says which kernel"):
        reader.open_in_views()
    send(reader, log="no report")
    assert reader.share == ""


@pytest.mark.usefixtures("no_other_views")
def test_views_on_the_page_open_it(reader):
    send(reader, open=True)
    assert reader.view["opened"].startswith("No other view is shown")
    views = explorer, stepper, _, lab = Explorer("16k", 52), WalkStepper(), Explorer("64k"), BugLab()
    for view in (explorer, stepper, lab):
        view._repr_mimebundle_()
    send(reader, open=True)
    assert reader.view["opened"] == "Opened in BugLab, Explorer, WalkStepper."
    assert [view.page_size for view in views] == ["4k", "4k", "64k", "4k"]
    assert explorer.address == stepper.address == "0x0000000000000008"
    for view in views:
        view._leave()


def test_what_is_opened_is_foreseen_and_changes_no_view(reader):
    explorer = Explorer("16k", 52)
    explorer._repr_mimebundle_()
    assert reader.foresee({"address": 1})["view"]
    assert reader.foresee({"open": True}) is None
    assert explorer.page_size == "16k"
    assert reader.share.endswith("/0x0000000000000008")
    explorer._leave()


@pytest.mark.long
def test_the_work_for_a_log_is_proportional_to_its_length():
    assert growth(lambda n: steps(lambda: OopsReader("BUG: x\n" * n + STORY)), 100) < 2.7
