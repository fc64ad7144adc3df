"""A level of the page tables by name: Linux's (`pud`), or the Arm ARM's number (`1`)."""

from __future__ import annotations

from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold
from pgtlab.linux.decompose import decompose


class LevelError(ValueError):
    """The kernel does not have that level."""


def levels(boot: Boot) -> dict[str, int]:
    """Linux's levels that are not folded, and the level at which the MMU reads their entries.

    The walk starts in the pgd's page, even if the MMU reads it as a level that is folded for Linux.

    >>> from pgtlab import CPU, Config, boot
    >>> levels(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
    {'pgd': 1, 'pud': 1, 'pmd': 2, 'pte': 3}
    """
    by_name = {level.name: level.level for level in decompose(0, boot).linux}
    by_name["pgd"] = boot.start_level
    return {name: level for name, level in by_name.items() if level is not None}


def parse_level(text: str | int, boot: Boot) -> tuple[str, int]:
    """Read a level, and return both of its names.

    Parameters
    ----------
    text : str or int
        `pgd`, `p4d`, `pud`, `pmd` or `pte`, or a number from -1 to 3.
    boot : Boot
        The booted kernel.

    Raises
    ------
    LevelError
        If there is no such level, or it is folded in this kernel.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> parse_level("2", boot(Config("64k", 42), CPU.named("max")))
    ('pgd', 2)
    """
    existing = levels(boot)
    name = str(text).strip().lower()
    listed = ", ".join(f"{name} (level {level})" for name, level in existing.items())
    if name in existing:
        return name, existing[name]
    if name in LINUX_LEVELS:
        fold = boot.folded.get(name, Fold.COMPILE_TIME)
        above = next(level for level in reversed(LINUX_LEVELS[: LINUX_LEVELS.index(name)]) if level in existing)
        raise LevelError(
            f"this kernel has no {name}, which is {fold.value}: a log prints the entry of the {above} for it; "
            f"choose from {listed}"
        )
    try:
        number = int(name, 10)
    except ValueError:
        raise LevelError(f"{text!r} is not a level: choose from {listed}") from None
    if not -1 <= number <= 3:
        raise LevelError(f"there is no level {number}: levels run from -1 to 3, and this kernel has {listed}")
    names = [name for name, level in existing.items() if level == number]
    if not names:
        raise LevelError(f"this kernel has no level {number}: it has {listed}")
    return names[0], number
