"""The options that say what page tables are used for (`mm/Kconfig`, `fs/Kconfig`, `arch/arm64/Kconfig`, v6.9).

A value per option: arm64's defconfig, with DEBUG_VM, as in any kernel that is built to find bugs. Kconfig's way with
the rest: an option whose dependency is missing is off; one that another selects is on; and asking for what cannot be is
refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

DEFCONFIG: Final = {
    "TRANSPARENT_HUGEPAGE": 1,
    "HUGETLBFS": 1,
    "SWAP": 1,
    "MIGRATION": 1,
    "NUMA_BALANCING": 1,
    "MEMORY_FAILURE": 1,
    "ARM64_CONTPTE": 1,
    "PTDUMP_DEBUGFS": 0,
    "DYNAMIC_DEBUG": 0,
    "DEBUG_VM": 1,
    "PAGE_POISONING": 0,
    "ZONE_DMA": 1,
    "ZONE_DMA32": 1,
}
_DEPENDS: Final = {"ARM64_CONTPTE": "TRANSPARENT_HUGEPAGE", "NUMA_BALANCING": "MIGRATION"}
_SELECTS: Final = {"TRANSPARENT_HUGEPAGE": "MIGRATION"}  # through COMPACTION

# What arm64 has, or has not, whatever is asked for.
_ARCH: Final = {
    "ARCH_HAS_PTE_DEVMAP": 1,
    "ARCH_HAS_PTE_SPECIAL": 1,
    "ARCH_WANT_GENERAL_HUGETLB": 0,
    "HAVE_ARCH_HUGE_VMAP": 1,
    "HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD": 0,
    "MEM_SOFT_DIRTY": 0,  # depends on HAVE_ARCH_SOFT_DIRTY
}


def resolve(asked: Mapping[str, object]) -> dict[str, int]:
    """Every option of `DEFCONFIG`, with those that are `asked` for instead.

    Raises
    ------
    ValueError
        Where there is no such option, or it cannot have that value.

    Examples
    --------
    >>> resolve({"TRANSPARENT_HUGEPAGE": 0})["ARM64_CONTPTE"]
    0
    """
    for name, value in asked.items():
        if name not in DEFCONFIG:
            raise ValueError(_no_option(name))
        if value not in (0, 1):
            raise ValueError(f"{name}={value!r}: an option is on (1) or off (0)")
    options = {name: int(bool(asked.get(name, default))) for name, default in DEFCONFIG.items()}
    for name, selected in _SELECTS.items():
        if options[name] and not options[selected]:
            raise ValueError(f"{selected}=0: {name} selects it; the nearest legal choice is {name}=0 with {selected}=0")
    for name, needs in _DEPENDS.items():
        if options[name] and not options[needs]:
            if asked.get(name):
                raise ValueError(f"{name}=1: it depends on {needs}; the nearest legal choice is {name}=0")
            options[name] = 0
    return options


def constants(options: Mapping[str, int], pgtable_levels: int) -> dict[str, int]:
    """The options, and what follows from them, as the compiler sees them: `CONFIG_...`, 1 or 0."""
    values = {
        **options,
        **_ARCH,
        "HUGETLB_PAGE": options["HUGETLBFS"],
        "ARCH_ENABLE_THP_MIGRATION": options["TRANSPARENT_HUGEPAGE"],
        "SPLIT_PTE_PTLOCKS": 1,  # for four CPUs and more
        "SPLIT_PMD_PTLOCKS": int(pgtable_levels > 2),
    }
    return {f"CONFIG_{name}": value for name, value in values.items()}


def _no_option(name: str) -> str:
    if name in _ARCH:
        return f"{name}: arm64 {'always' if _ARCH[name] else 'never'} has it in v6.9, and nobody is asked"
    near = difflib.get_close_matches(name, DEFCONFIG, n=1)
    hint = f"; {near[0]}? There are" if near else ": there are"
    return f"{name or repr(name)} is no option of the model's{hint} {', '.join(DEFCONFIG)}"
