"""The kernel's headers, one function each: a configuration goes in, constants under their kernel names come out.

Each function is named after its header and defines what that header defines, in its order, from what came before.
Version 6.12, because the constants that they are checked against were read out of compiled 6.12 kernels.
"""

from __future__ import annotations

from functools import cache

from pgtlab.linux.constants import Constants, include
from pgtlab.linux.headers.compile_time import (
    fixmap_h,
    kernel_pgtable_h,
    memory_h,
    mm_types_h,
    mmzone_h,
    page_def_h,
    pgtable_h,
    pgtable_hwdef_h,
    pgtable_prot_h,
    processor_h,
    tcr_h,
)
from pgtlab.linux.headers.mm import mm_h, swap_h
from pgtlab.linux.headers.run_time import runtime
from pgtlab.linux.kconfig import Config

__all__ = ["compile_time", "run_time"]


@cache
def compile_time(config: Config, *, page_extension: bool = False) -> Constants:
    """The constants that a compiler sees: they depend on the configuration alone.

    `page_extension` is CONFIG_PAGE_EXTENSION, which the recorded kernels have not.
    """
    start = {
        "CONFIG_PGTABLE_LEVELS": config.PGTABLE_LEVELS,
        "CONFIG_ARM64_PA_BITS": config.pa_bits,
        "CONFIG_PAGE_EXTENSION": int(page_extension),
        "CONFIG_ARM64_LPA2": int(config.ARM64_LPA2),
        "CONFIG_ARM64_CONT_PTE_SHIFT": {12: 4, 14: 7, 16: 5}[config.granule.shift],
        "CONFIG_ARM64_CONT_PMD_SHIFT": {12: 4, 14: 5, 16: 5}[config.granule.shift],
        **config.options_constants,
        "PAGE_SHIFT": config.granule.shift,
        "VA_BITS": config.va_bits,
    }
    return include(
        start,
        page_def_h,
        pgtable_hwdef_h,
        mm_types_h,
        memory_h,
        mmzone_h,
        mm_h,
        pgtable_prot_h,
        pgtable_h,
        swap_h,
        tcr_h,
        processor_h,
        kernel_pgtable_h,
        fixmap_h,
    )


def run_time(k: Constants, *, vabits_actual: int, lpa2: bool, ng: bool) -> Constants:
    """The macros whose value the boot decides, for a kernel whose compile-time constants are `k`."""
    return runtime(k, vabits_actual=vabits_actual, lpa2=lpa2, ng=ng)
