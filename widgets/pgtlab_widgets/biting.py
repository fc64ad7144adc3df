"""Where a tree or a bug shows itself, and the way to a kernel in which it does."""

from __future__ import annotations

from functools import cache
from typing import Any

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.matrix import boots
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.cpu import CPU
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_run import PatchRuns


def where_it_bites(name: str, booted: Boot | NoBoot) -> dict[str, Any]:
    """For a bug of the catalogue: how many kernels show it, and if this one does not, the nearest that does.

    For a tree nothing is known before it has run.

    >>> from pgtlab import CPU, Config, boot
    >>> here = where_it_bites("small-pgd", boot(Config("4k", 48), CPU.named("max")))
    >>> here["says"], here["label"]
    ('It shows itself in 10 of 88 kernels.', 'Show it where it bites: 4k pages, VA_BITS=52 on max without LPA2')
    """
    if name not in BUGS:
        return {"says": "", "label": "", "send": None}
    says = f"It shows itself in {_biting(name)} of {_booting()} kernels."
    if isinstance(booted, Boot) and BUGS[name].shows(booted):
        return {"says": says, "label": "", "send": None}
    there = BUGS[name].nearest(booted)
    kernel = f"{there.config.page_size_name} pages, VA_BITS={there.config.va_bits} on {named(there.cpu)}"
    send = {"choose": {**traits(there.config), "cpu": there.cpu.name}}
    return {"says": says, "label": f"Show it where it bites: {kernel}", "send": send}


def first_that_bites(runs: PatchRuns) -> Boot | None:
    """The first of the kernels that differ in which something goes wrong; None if all are clean."""
    return next((booted for booted in distinct_boots() if runs.run(booted).run.outcome != "clean"), None)


def named(cpu: CPU) -> str:
    """The name of a CPU, in words.

    >>> named(CPU.named("max,lpa2=off"))
    'max without LPA2'
    """
    return cpu.name.replace(",lpa2=off", " without LPA2")


@cache
def _biting(name: str) -> int:
    return sum(1 for _ in BUGS[name].boots())


@cache
def _booting() -> int:
    return sum(isinstance(booted, Boot) for booted in boots())
