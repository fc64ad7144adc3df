"""The differences between two kernels on their CPUs, the most important first."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from pgtlab.linux.address import address_names
from pgtlab.linux.boot import LINUX_LEVELS, Boot, NoBoot

BOOTED = ("boots", "vabits_actual", "start_level", *LINUX_LEVELS)  # the most important
SMALL = 1 << 17  # numbers below are counts, shifts and sizes; those above are addresses and masks


@dataclass(frozen=True)
class Change:
    """A name, and its value before and after; None if a kernel does not have it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Group:
    """Changes of one kind."""

    name: str
    changes: tuple[Change, ...]


@lru_cache(maxsize=256)
def changes(before: Boot | NoBoot, after: Boot | NoBoot) -> tuple[Group, ...]:
    """List everything that differs, in groups: how it boots, its levels, the memory map, TCR_EL1, other constants.

    >>> from pgtlab import CPU, Config, boot
    >>> config = Config("16k", 52)
    >>> groups = changes(boot(config, CPU.named("max")), boot(config, CPU.named("max,lpa2=off")))
    >>> groups[0].changes[:2]
    (Change(name='vabits_actual', before='52', after='47'), Change(name='start_level', before='0', after='1'))
    """
    both_boot = isinstance(before, Boot) and isinstance(after, Boot)
    was, now = (_facts(kernel, decided=both_boot) for kernel in (before, after))
    places = {**address_names(before), **address_names(after)}
    groups: dict[str, list[Change]] = {
        name: [] for name in ("Booted", "Levels", "TCR_EL1", "Memory map", "Other constants")
    }
    for name in [*now, *(name for name in was if name not in now)]:
        if was.get(name) != now.get(name):
            group, short = _group(name, places)
            groups[group].append(Change(short, _shown(was.get(name)), _shown(now.get(name))))
    return tuple(Group(name, tuple(changed)) for name, changed in groups.items() if changed)


def chosen(before: Boot | NoBoot, after: Boot | NoBoot) -> str:
    """Which choices differ between two kernels on their CPUs.

    >>> from pgtlab import CPU, Config, boot
    >>> on, off = (boot(Config("16k", 52), CPU.named(cpu)) for cpu in ("max", "max,lpa2=off"))
    >>> chosen(on, off), chosen(on, boot(Config("4k", 48), CPU.named("max")))
    ('LPA2 on → off', '16k → 4k pages, VA_BITS 52 → 48, PA_BITS 52 → 48')
    """
    (was, was_cpu, was_lpa2), (now, cpu, lpa2) = map(_choices, (before, after))
    parts = [f"{was[0]} → {now[0]} pages"] * (was[0] != now[0])
    parts += [
        f"{name} {a} → {b}" for name, a, b in zip(("VA_BITS", "PA_BITS"), was[1:], now[1:], strict=True) if a != b
    ]
    parts += [f"CPU {was_cpu} → {cpu}"] * (was_cpu != cpu)
    parts += [f"LPA2 {was_lpa2} → {lpa2}"] * (was_cpu == cpu and was_lpa2 != lpa2)
    return ", ".join(parts)


def _choices(kernel: Boot | NoBoot) -> tuple[tuple[str, int, int], str, str]:
    """The configuration, the CPU, and whether LPA2 is on."""
    config, cpu, off = kernel.config, *kernel.cpu.name.partition(",lpa2=off")[:2]
    return (config.page_size_name, config.va_bits, config.pa_bits), cpu, "off" if off else "on"


def _facts(kernel: Boot | NoBoot, *, decided: bool) -> dict[str, int | str]:
    """All facts about a kernel, the most important first; what its boot decided only if `decided`."""
    facts: dict[str, int | str] = {"boots": "yes" if isinstance(kernel, Boot) else "no"}
    if decided and isinstance(kernel, Boot):
        facts |= {"vabits_actual": kernel.vabits_actual, "start_level": kernel.start_level}
        facts |= {name: fold.value for name, fold in kernel.folded.items()}
        facts |= {f"TCR_EL1.{name}": value for name, value in kernel.tcr.items()}
        facts |= kernel.runtime_constants
    constants = kernel.config.constants
    return facts | {name: constants[name] for name in sorted(constants, key=lambda name: "PTRS_PER" not in name)}


def _group(name: str, places: Container[str]) -> tuple[str, str]:
    """The group that a name belongs to, and its name there."""
    if name in BOOTED:
        return "Booted", name
    if name.startswith("TCR_EL1."):
        return "TCR_EL1", name.removeprefix("TCR_EL1.")
    if name in places:
        return "Memory map", name
    if name.startswith("PTRS_PER_") or name.endswith(("_SHIFT", "_SIZE", "VA_BITS", "_LEVELS")):
        return "Levels", name
    return "Other constants", name


def _shown(value: int | str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, IntEnum):
        return value.name
    return str(int(value)) if value < SMALL else f"{value:#x}"
