"""Jupyter widgets for pgtlab: traits on one side, a small view on the other.

A view is imported when it is first asked for, so that each needs only what it draws.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from pgtlab.extras import needed_by

if TYPE_CHECKING:
    from pgtlab_widgets.bisection_view import BisectionView as BisectionView
    from pgtlab_widgets.bug_lab import BugLab as BugLab
    from pgtlab_widgets.chapter_view import Chapter as Chapter
    from pgtlab_widgets.course_map import CourseMap as CourseMap
    from pgtlab_widgets.explorer import Explorer as Explorer
    from pgtlab_widgets.fold_lab import FoldLab as FoldLab
    from pgtlab_widgets.oops_reader import OopsReader as OopsReader
    from pgtlab_widgets.page_inspector import PageInspector as PageInspector
    from pgtlab_widgets.question_view import QuestionView as QuestionView
    from pgtlab_widgets.table_map import TableMap as TableMap
    from pgtlab_widgets.tlb import TLBView as TLBView
    from pgtlab_widgets.walk_stepper import WalkStepper as WalkStepper

_MODULES = {
    "BisectionView": "bisection_view",
    "BugLab": "bug_lab",
    "Chapter": "chapter_view",
    "CourseMap": "course_map",
    "Explorer": "explorer",
    "FoldLab": "fold_lab",
    "OopsReader": "oops_reader",
    "PageInspector": "page_inspector",
    "QuestionView": "question_view",
    "TLBView": "tlb",
    "TableMap": "table_map",
    "WalkStepper": "walk_stepper",
}

__all__ = [*_MODULES]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needed_by(name):
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
