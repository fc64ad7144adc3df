"""The fold lab's Python side."""

import gc
import weakref

import pytest
from pgtlab_widgets import Explorer, FoldLab, WalkStepper

from pgtlab import Config
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1


def test_cell_is_loaded_in_named_views():
    explorer, other = Explorer(), Explorer("64k", 42)
    lab = FoldLab(explorer, other)
    lab.receive({"cell": "16k/52/52/max,lpa2=off"})
    for view in (lab, explorer, other):
        assert (view.config, view.boot.vabits_actual) == (Config("16k", 52), 47)
    assert lab.view["selected"] == "16k/52/52/max,lpa2=off"
    assert "pud is level 1, folded at run time" in lab.view["status"]


def test_cell_is_loaded_in_all_views_on_the_page():
    explorer, stepper, unseen = Explorer(), WalkStepper(), Explorer()
    of_other_tables = WalkStepper(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu)
    for view in (explorer, stepper, of_other_tables):
        view._repr_mimebundle_()
    before = unseen.config, of_other_tables.config
    FoldLab().receive({"cell": "64k/52/52/max"})
    assert explorer.config == stepper.config == Config("64k", 52)
    assert (unseen.config, of_other_tables.config) == before
    explorer._leave()
    FoldLab().receive({"cell": "4k/39/48/max"})
    assert (explorer.config, stepper.config) == (Config("64k", 52), Config("4k", 39))


def test_cell_that_does_not_boot_can_be_chosen():
    lab = FoldLab()
    lab.receive({"cell": "16k/48/48/cortex-a72"})
    assert "no 16K granule" in lab.view["status"]


@pytest.mark.parametrize("cell", ["16k/39/48/max", "nonsense"])
def test_unknown_cell_shows_failure(cell):
    lab = FoldLab()
    lab._on_message(lab, {"cell": cell}, [])
    assert cell in lab.view["failed"]


def test_picture_is_sent_once():
    lab = FoldLab()
    before = lab.base_view
    lab.receive({"cell": "4k/48/48/max"})
    assert lab.base_view is before
    assert set(lab.view) == {"selected", "status", "share", "quiz"}


def test_fold_lab_does_not_keep_views_alive():
    explorer = Explorer()
    lab, gone = FoldLab(explorer), weakref.ref(explorer)
    explorer.close()
    del explorer
    gc.collect()
    assert gone() is None
    lab.receive({"cell": "4k/48/48/max"})


def test_svg_marks_the_chosen_cell():
    lab = FoldLab(page_size="4k", va_bits=39)
    assert 'class="cell part-of-run selected" data-cell="4k/39/48/max"' in lab.svg()
    assert "4K pages, VA_BITS=39, PA_BITS=48 on max: 39 bits in use" in lab.text()
