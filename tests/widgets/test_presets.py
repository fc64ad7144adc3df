"""Kernels by name in the views: a trait, a toggle, and a part of the share string."""

import pytest
from pgtlab_widgets import BugLab, Explorer


def bits(view) -> tuple[str, int, int]:
    return view.config.linux, view.config.va_bits, view.config.pa_bits


def test_a_kernel_brings_its_version_and_its_bits_where_it_must():
    view = Explorer("4k", 52)
    view.preset = "debian-6.1"
    assert bits(view) == ("6.1", 48, 48)
    view.preset = "debian-6.12"
    assert bits(view) == ("6.12", 48, 48)  # legal, so it stays
    view.choose(page_size="16k", va_bits=52, pa_bits=52)
    assert bits(view) == ("6.12", 52, 52)
    view.choose(preset="debian-6.1", page_size="4k", va_bits=48, pa_bits=48)
    assert bits(view) == ("6.1", 48, 48)
    view.preset = "minimal"
    assert bits(view) == ("", 48, 48)


def test_an_unknown_kernel_changes_nothing():
    view = Explorer("4k", 52)
    with pytest.raises(ValueError, match="unknown kernel 'debian-5'"):
        view.preset = "debian-5"
    assert (view.preset, view.config.va_bits) == ("minimal", 52)


def test_the_toggle_chooses_the_kernel_of_the_distribution():
    view = Explorer("16k", 47)
    toggle = next(toggle for toggle in view.toggles() if toggle["label"] == "Kernel")
    option = next(option for option in toggle["options"] if option["label"] == "debian-6.12")
    view.receive({"choose": option["choose"]})
    assert (view.preset, *bits(view)) == ("debian-6.12", "6.12", 52, 52)


def test_a_share_string_keeps_the_kernel():
    view, other = Explorer("16k", 52), Explorer("4k", 48)
    view.preset = "debian-7.3"
    other.load(view.share)
    assert other.share == view.share
    assert view.share.startswith("pgtlab://debian-7.3/16k/52/")
    other.load("pgtlab://4k/48/lpa2")
    assert (other.preset, *bits(other)) == ("minimal", "", 48, 48)


def test_the_bug_lab_says_why_a_new_kernel_reports_nothing():
    view = BugLab("arm64-for-next")
    assert view.run.outcome == "report"
    view.preset = "debian-7.3"
    assert view.run.outcome == "clean"
    assert "In Linux 7.3 freeing a page clears its type before it is checked" in view.view["about"]
