"""Trees: which commits are in. A commit is the kernel functions that it replaces.

The model's own functions are those of a kernel that folds no PUD at run time; each tree says what it has on top.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.mm import MmStruct
from pgtlab.linux.placement import ANYWHERE, Placement
from pgtlab.linux.symbols import Symbol


class TreeError(ValueError):
    """A tree that is not known by that name."""


@dataclass(frozen=True)
class Commit:
    """A commit: its subject, its id upstream where it has one, and the functions as it leaves them."""

    subject: str
    functions: Mapping[str, Symbol] = field(repr=False)
    id: str = ""

    def source(self, name: str) -> str:
        """The source of one of its functions, to read or to diff."""
        return textwrap.dedent(inspect.getsource(self.functions[name]))


@dataclass(frozen=True)
class Tree:
    """A named list of commits, oldest first.

    >>> from pgtlab import CPU, Config, boot
    >>> booted = boot(Config("4k", 48), CPU.named("max"))
    >>> Tree.named("arm64-for-next").start_kernel(booted).run().outcome
    'report'
    """

    name: str
    commits: tuple[Commit, ...]

    @classmethod
    def named(cls, name: str) -> Tree:
        """The tree called `name`.

        Raises
        ------
        TreeError
            Where there is none.
        """
        if name not in TREES:
            raise TreeError(f"tree {name!r} is not known; there are {' and '.join(TREES)}")
        return TREES[name]

    def start_kernel(self, boot: Boot | NoBoot, seed: int = 0, placement: Placement = ANYWHERE) -> Kernel:
        """Boot this tree: a kernel with its commits' functions in place."""
        functions: dict[str, Symbol] = {}
        for commit in self.commits:
            functions |= commit.functions
        return Kernel(boot, functions, seed, placement)


def _fold_puds_at_runtime() -> Commit:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, if there are such tables."""
        if not k.pgtable_l4_enabled():
            return
        k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")
        k.free_page(pud)

    subject = "arm64: mm: Add support for folding PUDs at runtime"
    return Commit(subject, {"pud_free": pud_free}, id="0dd4f60a2c76")


def _call_the_destructor() -> Commit:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, if there are such tables."""
        if not k.pgtable_l4_enabled():
            return
        k.__pud_free(mm, pud)

    return Commit("the first fix of the thread: pud_free() calls __pud_free()", {"pud_free": pud_free})


FOLD_PUDS_AT_RUNTIME: Final = _fold_puds_at_runtime()
CALL_THE_DESTRUCTOR: Final = _call_the_destructor()

TREES: Final = {
    tree.name: tree
    for tree in (
        Tree("arm64-for-next", (FOLD_PUDS_AT_RUNTIME,)),
        Tree("fixed", (FOLD_PUDS_AT_RUNTIME, CALL_THE_DESTRUCTOR)),
    )
}
