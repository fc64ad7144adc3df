"""A level of the page tables by either of its names: Linux's (`pud`) or the number that the Arm ARM counts by (`1`)."""

from __future__ import annotations

from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold
from pgtlab.linux.decompose import decompose


class LevelError(ValueError):
    """A level that a configuration has not got."""


def levels(boot: Boot) -> dict[str, int]:
    """Linux's levels that have entries of their own, and the level at which the MMU reads them.

    The pgd's page is the table that the walk starts with, also where that is read as a level that is folded.

    >>> from pgtlab import CPU, Config, boot
    >>> levels(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
    {'pgd': 1, 'pud': 1, 'pmd': 2, 'pte': 3}
    """
    found = {level.name: level.level for level in decompose(0, boot).linux}
    found["pgd"] = boot.start_level
    return {name: level for name, level in found.items() if level is not None}


def parse_level(text: str | int, boot: Boot) -> tuple[str, int]:
    """The level that `text` names, by both names.

    Parameters
    ----------
    text : str or int
        `pgd`, `p4d`, `pud`, `pmd` or `pte`, or a number from -1 to 3.
    boot : Boot
        The booted kernel, which has some of them.

    Raises
    ------
    LevelError
        Where there is no such level, or this kernel has it not.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> parse_level("2", boot(Config("64k", 42), CPU.named("max")))
    ('pgd', 2)
    """
    there = levels(boot)
    name = str(text).strip().lower()
    listed = ", ".join(f"{name} (level {level})" for name, level in there.items())
    if name in there:
        return name, there[name]
    if name in LINUX_LEVELS:
        fold = boot.folded.get(name, Fold.COMPILE_TIME)
        above = next(it for it in reversed(LINUX_LEVELS[: LINUX_LEVELS.index(name)]) if it in there)
        raise LevelError(
            f"this kernel has no {name}, which is {fold.value}: what a log prints for it is the entry of the {above}; "
            f"it has {listed}"
        )
    try:
        number = int(name, 10)
    except ValueError:
        raise LevelError(f"{text!r} is no level: there are {listed}") from None
    if not -1 <= number <= 3:
        raise LevelError(f"there is no level {number}: levels run from -1 to 3, and this kernel has {listed}")
    names = [name for name, level in there.items() if level == number]
    if not names:
        raise LevelError(f"no walk of this kernel reads level {number}: it has {listed}")
    return names[0], number
