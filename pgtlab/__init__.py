"""A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.

>>> from pgtlab import Config, boot, va
>>> boot(Config("16k", 52)).vabits_actual
52
>>> va("VMEMMAP_START").region.name
'vmemmap'
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's takes longer to load than the command takes to begin
if TYPE_CHECKING:
    from typing import Any

    from pgtlab.linux import oops
    from pgtlab.linux.boot import Boot, BootError, Fold, NoBoot, boot
    from pgtlab.linux.cpu import CPU
    from pgtlab.linux.decompose import decompose
    from pgtlab.linux.kconfig import Config, configurations
    from pgtlab.linux.words import esr, pte, va

    __version__: str

__all__ = [
    "CPU",
    "Boot",
    "BootError",
    "Config",
    "Fold",
    "NoBoot",
    "boot",
    "configurations",
    "decompose",
    "esr",
    "oops",
    "pte",
    "va",
]


#: Where each name comes from. It is loaded when it is first asked for, so that the command begins at once.
_FROM = {
    "boot": ("Boot", "BootError", "Fold", "NoBoot", "boot"),
    "cpu": ("CPU",),
    "decompose": ("decompose",),
    "kconfig": ("Config", "configurations"),
    "words": ("esr", "pte", "va"),
}


def __getattr__(name: str) -> Any:
    """Load what a name stands for."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("pgtlab")
    if name == "oops":
        return import_module("pgtlab.linux.oops")
    if name in ("arch", "linux"):
        return import_module(f"pgtlab.{name}")
    for module, names in _FROM.items():
        if name in names:
            value = getattr(import_module(f"pgtlab.linux.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__, "__version__"]
