"""The picture of a bisection: whose parent is whose can be followed."""

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.bisection_picture import BOX, STATES, WIDTH, bisection_picture

KERNEL = boot(Config("4k", 48), CPU.named("max"))


def test_edges():
    b = Bisection.start(KERNEL, Bad.PANICS)
    shapes = bisection_picture(b).shapes
    boxes = {s.key.split()[1]: s.attributes for s in shapes if s.key.startswith("commit ")}
    edges = [(s.key.split()[1:3], s.attributes) for s in shapes if s.key.startswith("edge ")]
    assert {tuple(ends) for ends, _ in edges} == {(str(r.number), str(p)) for r in b.revisions for p in r.parents}
    for ends, line in edges:
        if line["x1"] != line["x2"]:
            continue
        for number, box in boxes.items():
            below = line["y1"] < box["y"] + BOX / 2 < line["y2"]
            beside = abs(line["x1"] - box["x"] - BOX / 2) < BOX / 2
            assert number in ends or not (below and beside), (ends, number)


@pytest.fixture
def found():
    b = Bisection.start(KERNEL, Bad.REPORTS).to_the_end()
    return b, {Bad.REPORTS: b.first_bad}


def test_whole_rows_can_be_pressed_and_are_striped(found):
    shapes = {s.key: s.attributes for s in bisection_picture(*found).shapes}
    rows = [shapes[f"row {r.number}"] for r in reversed(found[0].revisions)]
    assert {(row["x"], row["width"], row["height"]) for row in rows} == {(0, WIDTH, 24)}
    assert [row["y"] for row in rows] == [rows[0]["y"] + 24 * n for n in range(len(rows))]
    assert [row["class"] for row in rows[:4]] == ["row", "row odd", "row", "row odd"]
    assert [row["data-commit"] for row in rows] == [str(r.number) for r in reversed(found[0].revisions)]


def test_subjects_are_near_their_commits(found):
    shapes = {s.key: s for s in bisection_picture(*found).shapes}
    for revision in found[0].revisions:
        box, subject = (shapes[f"{what} {revision.number}"].attributes for what in ("commit", "subject"))
        assert 0 < subject["x"] - box["x"] - box["width"] < 60
        assert subject["x"] + 6.6 * len(revision.subject) < WIDTH


def test_legend_has_every_state(found):
    shapes = {s.key: s for s in bisection_picture(*found).shapes}
    for state, (letter, classes, _, words) in STATES.items():
        assert shapes[f"legend {state}"].attributes["class"] == f"commit {classes}"
        assert (shapes[f"legend letter {state}"].text, shapes[f"legend name {state}"].text) == (letter, words)
    assert (
        max(s.attributes["x"] + 6.6 * len(s.text) for key, s in shapes.items() if key.startswith("legend name")) < WIDTH
    )


def test_first_bad_commit_is_marked_in_the_margin(found):
    picture = bisection_picture(*found)
    shapes = {s.key: s for s in picture.shapes}
    culprit = found[0].first_bad
    assert [key for key in shapes if key.startswith("first bad number")] == ["first bad number 2"]
    assert shapes["first bad 2"].attributes["y"] == shapes[f"commit {culprit.number}"].attributes["y"]
    assert (
        "at runtime (arm64/for-next/stage1-lpa2): tested: bad; the first bad commit if bad is: it reports"
        in picture.description
    )


def test_what_the_first_bad_commit_takes():
    takes = {bad: Bisection.start(KERNEL, bad).to_the_end().takes for bad in Bad}
    assert takes == {
        Bad.PANICS: ("fold-puds", "dump-folio"),
        Bad.REPORTS: ("fold-puds",),
        Bad.PANICS_WITH_ARM64: ("dump-folio",),
    }
    small = Bisection.start(boot(Config("4k", 39), CPU.named("max")), Bad.REPORTS)
    assert (small.takes, small.to_the_end().takes) == ((), ()), "not found yet, and not in this kernel"
