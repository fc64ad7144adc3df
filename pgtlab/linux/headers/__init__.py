"""The kernel's headers, one function each: a configuration goes in, constants under their kernel names come out.

Each function is named after its header and defines what that header defines, in its order, from what came before.
The version is that of the configuration, 6.12 by default: the constants that they are checked against were read out of
compiled kernels, 6.12's for every configuration, and 6.1's and 7.3's for Debian's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pgtlab.linux.constants import Constants, include
from pgtlab.linux.headers.compile_time import (
    fixmap_h,
    kernel_pgtable_h,
    memory_h,
    mm_types_h,
    mmzone_h,
    not_defined,
    page_def_h,
    pgtable_h,
    pgtable_hwdef_h,
    pgtable_prot_h,
    processor_h,
    tcr_h,
)
from pgtlab.linux.headers.mm import mm_h, page_flags_h, swap_h
from pgtlab.linux.headers.run_time import runtime

__all__ = ["compile_time", "run_time"]


def compile_time(symbols: Mapping[str, int]) -> Constants:
    """The constants of compile time, which depend on the configuration alone.

    Parameters
    ----------
    symbols : mapping of str to int
        What the configuration defines: `Config.symbols`.
    """
    return _included(tuple(symbols.items()))


@cache
def _included(symbols: tuple[tuple[str, int], ...]) -> Constants:
    return include(
        dict(symbols),
        page_def_h,
        pgtable_hwdef_h,
        mm_types_h,
        memory_h,
        mmzone_h,
        mm_h,
        page_flags_h,
        pgtable_prot_h,
        pgtable_h,
        swap_h,
        tcr_h,
        processor_h,
        kernel_pgtable_h,
        fixmap_h,
        not_defined,
    )


def run_time(k: Constants, *, vabits_actual: int, lpa2: bool, ng: bool) -> Constants:
    """The constants that the boot decides, for a kernel with the compile-time constants `k`."""
    return runtime(k, vabits_actual=vabits_actual, lpa2=lpa2, ng=ng)
