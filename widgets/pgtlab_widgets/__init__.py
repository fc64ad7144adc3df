"""Jupyter widgets for pgtlab: traits on one side, a small view on the other."""

from pgtlab_widgets.bisection_view import BisectionView
from pgtlab_widgets.bug_lab import BugLab
from pgtlab_widgets.explorer import Explorer
from pgtlab_widgets.fold_lab import FoldLab
from pgtlab_widgets.oops_reader import OopsReader
from pgtlab_widgets.page_inspector import PageInspector
from pgtlab_widgets.table_map import TableMap
from pgtlab_widgets.tlb import TLBView
from pgtlab_widgets.walk_stepper import WalkStepper

__all__ = [
    "BisectionView",
    "BugLab",
    "Explorer",
    "FoldLab",
    "OopsReader",
    "PageInspector",
    "TLBView",
    "TableMap",
    "WalkStepper",
]
