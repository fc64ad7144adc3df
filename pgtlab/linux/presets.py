"""Kernels by name: the choices of arm64's defconfig and of Debian, where they change page tables or registers.

Sources: `arch/arm64/configs/defconfig` of v6.12, and the `.config` of Debian's arm64 kernels 6.1.0-57, 6.12.117,
6.18.15 and 7.3.4. A preset is named after the distribution and its version; `-cloud` is the flavour for virtual
machines. Debian builds 4K kernels, and 16K ones since 6.12; another page size under the same name is what the same
choices would give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Preset:
    """The choices of one kernel: its version, VA_BITS and the options that differ from `minimal`."""

    linux: str
    va_bits: int | None
    options: Mapping[str, int]


_DEFCONFIG: Final = {
    "RANDOMIZE_BASE": 1,
    "RELOCATABLE": 1,
    "ARM64_MTE": 1,
    "ARM64_POE": 1,
    "ARM64_PTR_AUTH": 1,
    "FUJITSU_ERRATUM_010001": 1,
    "ACPI_APEI_GHES": 1,
    "ARM_SDE_INTERFACE": 1,
    "KVM": 1,
    "NR_CPUS": 512,
    "DEBUG_VM": 0,
}
_DEBIAN: Final = {
    "RANDOMIZE_BASE": 1,
    "RELOCATABLE": 1,
    "ARM64_MTE": 1,
    "ARM64_PTR_AUTH": 1,
    "FUJITSU_ERRATUM_010001": 1,
    "ACPI_APEI_GHES": 1,
    "ARM_SDE_INTERFACE": 1,
    "KVM": 1,
    "USERFAULTFD": 1,
    "DYNAMIC_DEBUG": 1,
    "DEBUG_VM": 0,
    "INIT_ON_ALLOC_DEFAULT_ON": 1,
    "PAGE_EXTENSION": 1,
}
_DEBIAN_6_1: Final = {**_DEBIAN, "NR_CPUS": 256}
_DEBIAN_6_12: Final = {**_DEBIAN, "ARM64_POE": 1, "ZONE_DEVICE": 1, "NR_CPUS": 512}
_DEBIAN_6_18: Final = {**_DEBIAN_6_12, "ARM64_GCS": 1, "ARM64_HAFT": 1, "DEVICE_PRIVATE": 1}
_CLOUD: Final = {"PAGE_EXTENSION": 0}

PRESETS: Final = {
    "minimal": Preset("", None, {}),
    "defconfig": Preset("6.12", 52, _DEFCONFIG),
    "debian-6.1": Preset("6.1", 48, _DEBIAN_6_1),
    "debian-6.1-cloud": Preset("6.1", 48, _DEBIAN_6_1 | _CLOUD),
    "debian-6.12": Preset("6.12", 52, _DEBIAN_6_12),
    "debian-6.12-cloud": Preset("6.12", 52, _DEBIAN_6_12 | _CLOUD),
    "debian-6.18": Preset("6.18", 52, _DEBIAN_6_18),
    "debian-6.18-cloud": Preset("6.18", 52, _DEBIAN_6_18 | _CLOUD),
    "debian-7.3": Preset("7.3", 52, _DEBIAN_6_18),
    "debian-7.3-cloud": Preset("7.3", 52, _DEBIAN_6_18 | _CLOUD),
}
