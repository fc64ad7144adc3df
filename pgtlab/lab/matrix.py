"""One question over every configuration and every CPU: how does this tree fare there?"""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU, CPUS
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.report import Run
from pgtlab.linux.symbols import Symbol

Matrix = dict[tuple[Config, CPU], Run]


def boots() -> Iterator[Boot | NoBoot]:
    """Every legal configuration on every preset CPU.

    >>> len(list(boots()))
    104
    """
    return (boot(config, cpu) for config in configurations() for cpu in CPUS.values())


def matrix(tree: Tree | str, **livepatch: Symbol) -> Matrix:
    """Run `tree` everywhere, with `livepatch` applied.

    Examples
    --------
    >>> runs = matrix("fixed")
    >>> sorted({run.outcome for run in runs.values()})
    ['clean', 'no boot']
    """
    tree = Tree.named(tree) if isinstance(tree, str) else tree
    return {(b.config, b.cpu): _run(tree, b, livepatch) for b in boots()}


def _run(tree: Tree, booted: Boot | NoBoot, livepatch: dict[str, Symbol]) -> Run:
    if isinstance(booted, NoBoot):
        return Run("no boot")
    kernel = tree.start_kernel(booted)
    kernel.livepatch(**livepatch)
    return kernel.run()
