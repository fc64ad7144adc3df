"""A folder captured from a running kernel: `tables.npz` has every page that a walk reads, `regs.json` the registers.

`regs.json` names the kernel (`variant`, as in `16k-va52`) and the CPU (`cpu`, an emulator's name for it, in some with
the kernel's command line after a `+`), and has the registers of two moments: `el0_stop`, in a process, and `el1_stop`,
in the kernel. The kernel's are those of the image, with the process's TTBR0_EL1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from pgtlab import limits
from pgtlab.arch.registers import ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, ID_AA64MMFR2_EL1, TCR_EL1, TTBR1_EL1, PARange
from pgtlab.linux.cpu import CPU, CPUS
from pgtlab.linux.images import npz
from pgtlab.linux.images.contents import REGISTERS, Contents, ImageError
from pgtlab.linux.images.regime import in_force
from pgtlab.linux.kconfig import Config, ConfigError

TABLES: Final = "tables.npz"
REGS: Final = "regs.json"
KALLSYMS: Final = "kallsyms.txt"
_SHORT: Final = {"SCTLR": "SCTLR_EL1"}  # as the emulator's debug interface calls it


def read(folder: Path) -> Contents:
    """The image in `folder`.

    Raises
    ------
    ImageError
        Where a file is missing or damaged, or does not name the kernel.
    """
    for name in TABLES, REGS:
        if not (folder / name).is_file():
            raise ImageError(f"{folder} has no {name}: an image that is a folder has {TABLES} and {REGS}")
    try:
        regs = _object("it", limits.json_value(limits.read_bytes(folder / REGS, limits.SMALL_TEXT, "it")))
        user, kernel = (_registers(_object(stop, regs.get(stop, {}))) for stop in ("el0_stop", "el1_stop"))
        registers = user | kernel
        registers |= {name: user[name] for name in ("TTBR0_EL1", "TTBR0_EL2") if name in user}
        cpu = _cpu(str(regs.get("cpu", "")), registers)
        config = _config(str(regs.get("variant", "")), registers)
        physical = _object("symbols_phys", regs.get("symbols_phys", {}))
        symbols = {name: _hexadecimal(name, pa) for name, pa in physical.items()}
    except ValueError as error:
        raise ImageError(f"{folder / REGS}: {error}") from None
    roots = [in_force(stop).get("TTBR1_EL1") for stop in (user, kernel)]
    bases = [TTBR1_EL1(root).BADDR for root in roots if root is not None]
    return Contents(
        npz.memory(folder / TABLES, npz.load(folder / TABLES)),
        registers,
        config,
        cpu,
        kpti=len(set(bases)) == 2,  # a process runs with the trampoline's page tables instead of the kernel's
        physical=symbols,
        symbols=_symbols(folder / KALLSYMS),
    )


def _symbols(path: Path) -> dict[str, int]:
    """Addresses by name from what `/proc/kallsyms` printed, where that was captured too."""
    if not path.is_file():
        return {}
    try:
        text = limits.read_bytes(path, limits.SYMBOLS, str(path)).decode("ascii", "replace")
    except limits.TooLargeError as error:
        raise ImageError(str(error)) from None
    lines = (line.split() for line in text.splitlines())
    symbols = (words for words in lines if len(words) >= 3 and re.fullmatch("[0-9a-f]{16}", words[0]))
    return {name: int(address, 16) for address, _, name, *_ in symbols}


def _registers(stop: dict[str, Any]) -> dict[str, int]:
    """The registers of one moment that an image has, under the architecture's names."""
    named = {_SHORT.get(name, name): value for name, value in stop.items()}
    return {name: _hexadecimal(name, named[name]) for name in REGISTERS if name in named}


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ImageError(f"{name} is {_shown(value)}, and should be an object of names and values")
    return value


def _hexadecimal(name: str, value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch("(?:0x)?[0-9a-f]{1,16}", value, re.IGNORECASE):
        raise ImageError(f"{name} is {_shown(value)}, and should be a text of up to 16 hexadecimal digits")
    return int(value, 16)


def _shown(value: Any) -> str:
    """A value of JSON for a message."""
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value)) or limits.quoted(value)


def _cpu(name: str, registers: dict[str, int]) -> CPU | None:
    """The CPU, by its ID registers where they were captured, else by its name."""
    name = name.partition("+")[0].replace("_lpa2-off", ",lpa2=off")
    mmfr = [registers.get(f"ID_AA64MMFR{i}_EL1") for i in range(3)]
    if mmfr[0] is None or mmfr[1] is None or mmfr[2] is None:
        return CPUS.get(name)
    return CPU(name, ID_AA64MMFR0_EL1(mmfr[0]), ID_AA64MMFR1_EL1(mmfr[1]), ID_AA64MMFR2_EL1(mmfr[2]))


def _config(variant: str, registers: dict[str, int]) -> Config:
    """The kernel's configuration; PA_BITS of a 64K kernel follows from the size of physical address that it uses."""
    named = re.fullmatch(r"(\d{1,3}k)-va(\d{1,3})(?:-pa(\d{1,3}))?(?:-.*)?", variant)
    if not named:
        raise ConfigError(f"variant {limits.quoted(variant)} does not name a kernel, as 16k-va52 does")
    page_size, va_bits, pa_bits = named.groups()
    wide = page_size == "64k" and TCR_EL1(in_force(registers).get("TCR_EL1", 0)).IPS == PARange.PA52
    return Config(page_size, int(va_bits), int(pa_bits) if pa_bits else 52 if wide else None)
