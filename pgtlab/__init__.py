"""A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.

>>> from pgtlab import Config, boot, va
>>> boot(Config("16k", 52)).vabits_actual
52
>>> va("VMEMMAP_START").region.name
'vmemmap'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pgtlab.linux.boot import Boot, BootError, Fold, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config, configurations

if TYPE_CHECKING:
    from pgtlab.linux import oops
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


def __getattr__(name: str) -> Any:
    """What takes long to load, loaded when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pgtlab")
    if name == "oops":
        return import_module("pgtlab.linux.oops")
    if name in ("esr", "pte", "va"):
        return getattr(import_module("pgtlab.linux.words"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__, "__version__"]
