"""The bisection's Python side."""

import os
import subprocess
import sys

import pytest
from pgtlab_widgets import BisectionView

from pgtlab.lab.bisection import Bad


@pytest.mark.parametrize(
    ("bad", "subject"),
    [("PANICS", "Merge branch 'for-next/core'"), ("REPORTS", "folding PUDs"), ("PANICS_WITH_ARM64", "__dump_folio()")],
)
def test_bisecting_finds_the_commits_of_the_thread(bad, subject):
    view = BisectionView(bad)
    steps = 0
    while view.view["next"]:
        view.receive({"next": True})
        steps += 1
    assert subject in view.view["status"]
    assert f"Tests so far: {steps}" in view.view["status"]
    again = BisectionView(bad)
    again.receive({"run": True})
    assert again.text() == view.text()


def test_chosen_commit_is_tested_and_marked():
    view = BisectionView("REPORTS")
    number = next(r.number for r in view.bisection.revisions if "folding PUDs" in r.subject)
    view.receive({"commit": str(number)})
    classes = {s["key"]: s["attributes"].get("class") for s in view.view["picture"]["shapes"]}
    assert classes[f"commit {number}"] == "commit bad"
    assert view.bisection.first_bad is None  # its parents were not tested yet
    view.receive({"commit": number - 1})
    assert "folding PUDs" in view.view["status"]


def test_each_meaning_keeps_its_bisection_and_another_kernel_starts_over():
    view = BisectionView()
    view.receive({"run": True})
    view.receive({"bad": Bad.REPORTS.name})
    assert len(view.bisection.tested) == 2
    view.receive({"run": True})
    view.receive({"bad": Bad.PANICS.name})
    assert "The first bad commit: Merge branch" in view.view["status"]
    view.receive({"start": True})
    assert "24 commits are left" in view.view["status"]
    assert [found["subject"] != "" for found in view.view["found"]] == [False, True, False]
    view.va_bits = 39
    assert not view.found
    view.receive({"run": True})
    assert "It was not tested" in view.view["status"]  # this kernel has no PUDs
    view.choose(page_size="16k", va_bits=48, pa_bits=48)
    view.cpu = "cortex-a72"
    assert view.view["picture"] is None
    assert "no 16K granule" in view.text()


def test_found_commits_are_side_by_side():
    view = BisectionView()
    for bad in Bad:
        assert (view.view["why"] == "") == (len(view.found) < 2)  # of one commit there is nothing to compare
        view.receive({"bad": bad.name})
        view.receive({"run": True})
    assert [(each["number"], each["subject"]) for each in view.view["found"]] == [
        (1, "Merge branch 'for-next/core'"),
        (2, "arm64: mm: Add support for folding PUDs at runtime"),
        (3, "mm: add __dump_folio()"),
    ]
    assert view.view["why"].endswith(
        '"it panics" takes fold-puds and dump-folio; "it reports anything" takes only fold-puds; '
        '"it panics once the arm64 branch is merged" takes only dump-folio.'
    )
    shapes = {shape["key"]: shape for shape in view.view["picture"]["shapes"]}
    rows = {
        revision.subject: shapes[f"row {revision.number}"]["attributes"]["y"] for revision in view.bisection.revisions
    }
    for each in view.view["found"]:
        assert shapes[f"first bad {each['number']}"]["attributes"]["y"] == rows[each["subject"]] + 3


@pytest.mark.parametrize("order", [0, 5])
def test_the_history_is_there_whichever_trait_is_set_first(order):
    """Python calls the observers of the first values in the order of a set, which PYTHONHASHSEED decides."""
    code = "from pgtlab_widgets import BisectionView; print(len(BisectionView().bisection.revisions))"
    environment = {**os.environ, "PYTHONHASHSEED": str(order)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("25\n", "")
