"""Jupyter widgets for pgtlab: traits on one side, a small view on the other."""

from pgtlab_widgets.explorer import Explorer

__all__ = ["Explorer"]
