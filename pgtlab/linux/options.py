"""The options of a kernel's configuration that change its page tables, its constants or its registers.

Rules as in Kconfig: an option whose dependency is missing is off, one that another selects is on, and what contradicts
that is refused. An option that a version does not have is off.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from pgtlab.linux.version import HEADERS_OF_THE_MODEL, version_code

# `minimal`, the configuration of the model: as the recorded kernels are configured, with everything on that page tables
# are used for (`mm/Kconfig`, `fs/Kconfig`, `arch/arm64/Kconfig`), and DEBUG_VM, as in any kernel that is built to find
# bugs. NR_CPUS is a number; the others are on or off.
MINIMAL: Final = {
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
    "INIT_ON_ALLOC_DEFAULT_ON": 0,
    "ZONE_DMA": 1,
    "ZONE_DMA32": 1,
    "ZONE_DEVICE": 0,
    "DEVICE_PRIVATE": 0,
    "USERFAULTFD": 0,
    "PAGE_EXTENSION": 0,
    "RANDOMIZE_BASE": 0,
    "RELOCATABLE": 0,
    "UNMAP_KERNEL_AT_EL0": 1,
    "ARM64_HW_AFDBM": 1,
    "ARM64_E0PD": 1,
    "ARM64_PAN": 1,
    "ARM64_EPAN": 1,
    "ARM64_PTR_AUTH": 0,
    "ARM64_MTE": 0,
    "ARM64_POE": 0,
    "ARM64_GCS": 0,
    "ARM64_HAFT": 0,
    "KASAN": 0,
    "KASAN_SW_TAGS": 0,
    "KASAN_HW_TAGS": 0,
    "FUJITSU_ERRATUM_010001": 0,
    "ACPI_APEI_GHES": 0,
    "ARM_SDE_INTERFACE": 0,
    "KVM": 0,
    "NR_CPUS": 4,
}
_DEPENDS: Final = {
    "ARM64_CONTPTE": "TRANSPARENT_HUGEPAGE",
    "NUMA_BALANCING": "MIGRATION",
    "DEVICE_PRIVATE": "ZONE_DEVICE",
    "ARM64_EPAN": "ARM64_PAN",
    "ARM64_HAFT": "ARM64_HW_AFDBM",
    "KASAN_SW_TAGS": "KASAN",
    "KASAN_HW_TAGS": "KASAN",
    "ARM_SDE_INTERFACE": "ACPI_APEI_GHES",  # as far as the fixmap goes
}
_SELECTS: Final = {
    "TRANSPARENT_HUGEPAGE": "MIGRATION",  # through COMPACTION
    "RANDOMIZE_BASE": "RELOCATABLE",
}
# The version that brought an option.
_SINCE: Final = {"ARM64_CONTPTE": "6.9", "ARM64_POE": "6.12", "ARM64_GCS": "6.13", "ARM64_HAFT": "6.13"}
_NUMBERS: Final = {"NR_CPUS": range(2, 4097)}

# Options that arm64 always has, or never has; they are not configurable.
_ARCH: Final = {
    "ARCH_HAS_PTE_DEVMAP": 1,
    "ARCH_HAS_PTE_SPECIAL": 1,
    "ARCH_WANT_GENERAL_HUGETLB": 0,
    "HAVE_ARCH_HUGE_VMAP": 1,
    "HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD": 0,
    "MEM_SOFT_DIRTY": 0,  # depends on HAVE_ARCH_SOFT_DIRTY
}


def resolve(asked: Mapping[str, int], linux: str = "") -> dict[str, int]:
    """Every option of `MINIMAL`, with the values in `asked` and what follows from them and from the version.

    Raises
    ------
    ValueError
        If there is no such option, or it cannot have that value.

    Examples
    --------
    >>> resolve({"TRANSPARENT_HUGEPAGE": 0})["ARM64_CONTPTE"]
    0
    >>> resolve({"RANDOMIZE_BASE": 1})["RELOCATABLE"]
    1
    """
    for name, value in asked.items():
        _check(name, value, linux)
    options = {name: int(asked.get(name, default)) for name, default in MINIMAL.items()}
    for name, selected in _SELECTS.items():
        if options[name] and not options[selected]:
            if selected in asked:
                raise ValueError(
                    f"{selected}=0: {name} selects it; the nearest legal choice is {name}=0 with {selected}=0"
                )
            options[selected] = 1
    for name, needs in _DEPENDS.items():
        if options[name] and not options[needs]:
            if asked.get(name):
                raise ValueError(f"{name}=1: it depends on {needs}; the nearest legal choice is {name}=0")
            options[name] = 0
    for name in _SINCE:
        if not exists(name, linux):
            options[name] = 0
    if options["KASAN_HW_TAGS"] and not options["ARM64_MTE"]:
        raise ValueError("KASAN_HW_TAGS=1: it depends on ARM64_MTE; the nearest legal choice is KASAN_HW_TAGS=0")
    if options["KASAN_HW_TAGS"] and options["KASAN_SW_TAGS"]:
        raise ValueError("KASAN_SW_TAGS=1 with KASAN_HW_TAGS=1: KASAN has one mode; leave one of them out")
    return options


def exists(name: str, linux: str) -> bool:
    """Whether a version of Linux has an option.

    >>> exists("ARM64_GCS", "6.12"), exists("ARM64_GCS", "6.13")
    (False, True)
    """
    return name not in _SINCE or version_code(linux or HEADERS_OF_THE_MODEL) >= version_code(_SINCE[name])


def option_symbols(options: Mapping[str, int], pgtable_levels: int, linux: str) -> dict[str, int]:
    """The options as the compiler sees them, with those that follow from them: `CONFIG_...` and a number."""
    version = version_code(linux or HEADERS_OF_THE_MODEL)
    values = {
        **options,
        **_ARCH,
        "ARCH_HAS_PTE_DEVMAP": int(version < version_code("6.17")),
        "HAVE_ARCH_USERFAULTFD_WP": int(options["USERFAULTFD"] and version >= version_code("6.10")),
        "HUGETLB_PAGE": options["HUGETLBFS"],
        "ARCH_ENABLE_THP_MIGRATION": options["TRANSPARENT_HUGEPAGE"],
        "SPLIT_PTE_PTLOCKS": 1,  # for four CPUs and more
        "SPLIT_PMD_PTLOCKS": int(pgtable_levels > 2),
    }
    return {f"CONFIG_{name}": value for name, value in values.items()}


def _check(name: str, value: object, linux: str) -> None:
    if name not in MINIMAL:
        raise ValueError(_no_option(name))
    if name in _NUMBERS:
        numbers = _NUMBERS[name]
        if not isinstance(value, int) or value not in numbers:
            raise ValueError(f"{name}={value!r}: a number from {numbers[0]} to {numbers[-1]}")
    elif value not in (0, 1):
        raise ValueError(f"{name}={value!r}: an option is on (1) or off (0)")
    elif value and not exists(name, linux):
        raise ValueError(
            f"{name}=1: Linux {linux or HEADERS_OF_THE_MODEL} does not have it, it came in {_SINCE[name]}; the nearest "
            f"legal choice is {name}=0"
        )


def _no_option(name: str) -> str:
    if name in _ARCH:
        return f"{name}: {'always' if _ARCH[name] else 'never'} set on arm64 in v6.9, and not configurable"
    near = difflib.get_close_matches(name, MINIMAL, n=1)
    hint = f"did you mean {near[0]}? Choose" if near else "choose"
    return f"unknown option {name or repr(name)}: {hint} from {', '.join(MINIMAL)}"
