"""Trees and their commits. A commit is the kernel functions that it replaces.

The functions of the model are those of v6.9 with the first bug of the story fixed; `dump_page()` is that of v6.8, which
does not have the second bug. A tree replaces some of them. Kconfig and everything else stay the same, so that each tree
boots in every configuration; in February 2024 `mm-unstable` could not be built for 52 bits with 4K or 16K pages.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from pgtlab.limits import quoted
from pgtlab.linux.boot import Boot, NoBoot, running
from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import debug, pgalloc
from pgtlab.linux.kernel.debug import FOLIO_SIZE
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.symbols import Symbol, functions_of, source_of
from pgtlab.linux.placement import ANYWHERE, Placement

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

_OF_THE_MODEL: Final = {**functions_of(debug), **functions_of(pgalloc)}  # the functions that commits replace


class TreeError(ValueError):
    """There is no tree or commit of that name."""


@dataclass(frozen=True)
class Commit:
    """A commit: its subject, its upstream id if it has one, and the functions as they are after it.

    `does` says in a sentence what changes; `name` is its short name in pgtlab. `before` has the functions that it
    changed upstream, where they differ from the model's.
    """

    subject: str
    functions: Mapping[str, Symbol] = field(repr=False)
    id: str = ""
    name: str = ""
    does: str = ""
    before: Mapping[str, Symbol] = field(default_factory=dict, repr=False)

    @classmethod
    def named(cls, name: str) -> Commit:
        """The commit of that name, or with that id, shortened or in full.

        Raises
        ------
        TreeError
            If there is none.
        """
        for commit in chain(COMMITS, _of_versions()):
            by_id = commit.id and len(name) >= 4 and name[: len(commit.id)] == commit.id[: len(name)]
            if by_id or name == commit.name:
                return commit
        known = [commit.id or commit.name for commit in COMMITS]
        raise TreeError(f"unknown commit {quoted(name)}: choose from {', '.join(known[:-1])} and {known[-1]}")

    def as_dict(self) -> dict[str, object]:
        """The commit as plain data; `pgtlab show --json` adds its diff."""
        return {
            "id": self.id,
            "name": self.name,
            "subject": self.subject,
            "does": self.does,
            "functions": [*self.functions],
        }

    def source(self, name: str) -> str:
        """The source of one of its functions, to read or to diff."""
        return source_of(self.functions[name])

    def diff(self) -> str:
        """What it changes: each of its functions compared with the commit before it, or with the model.

        >>> print("\\n".join(CALL_THE_DESTRUCTOR.diff().splitlines()[-3:]))
        -    k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")
        -    k.free_page(pud)
        +    k.__pud_free(mm, pud)
        """
        return "\n".join(self._diff_of(name) for name in self.functions)

    def _of_the_model(self, name: str) -> str:
        """The source of a function before the commit; empty for one that it adds."""
        from pgtlab.linux.kernel.vmlinux import link  # which needs numpy, and a list of trees does not

        function = self.before.get(name) or _OF_THE_MODEL.get(name) or link(5, {}).get(name)
        return source_of(function) if function else ""

    def _diff_of(self, name: str) -> str:
        older = COMMITS[: COMMITS.index(self)] if self in COMMITS else ()
        earlier = [commit for commit in older if name in commit.functions]
        if earlier:
            before, where = earlier[-1].source(name), earlier[-1].id or earlier[-1].name
        else:
            before, where = self._of_the_model(name), "v6.8" if self in COMMITS else "v6.9"
        lines = difflib.unified_diff(
            before.splitlines(),
            self.source(name).splitlines(),
            f"{name}() of {where}",
            f"{name}() of {self.id or self.name}",
            lineterm="",
        )
        return "\n".join(lines)


def _of_versions() -> Iterator[Commit]:
    """The commits by which other versions differ."""
    from pgtlab.lab.linux_versions import VERSION_COMMITS  # which needs numpy, and a list of trees does not

    yield from VERSION_COMMITS


def commit(subject: str, *, name: str, does: str, also: Sequence[Symbol] = ()) -> Callable[[Symbol], Commit]:
    """A decorator that makes a commit of a kernel function, after the functions in `also`."""

    def of(function: Symbol) -> Commit:
        return Commit(subject, {each.__name__: each for each in (*also, function)}, name=name, does=does)

    return of


@dataclass(frozen=True)
class Tree:
    """A named list of commits, oldest first.

    >>> from pgtlab import Config
    >>> Tree.named("arm64-for-next").start_kernel(Config("4k", 48)).run().outcome
    'report'
    """

    name: str
    commits: tuple[Commit, ...] = field(repr=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the trees of the story."""
        return tuple(TREES)

    @classmethod
    def named(cls, name: str) -> Tree:
        """The tree called `name`.

        Raises
        ------
        TreeError
            If there is none.
        """
        if name not in TREES:
            *others, last = TREES
            raise TreeError(f"unknown tree {quoted(name)}: choose from {', '.join(others)} and {last}")
        return TREES[name]

    @property
    def functions(self) -> dict[str, Symbol]:
        """The functions that its commits replace, by name; the last commit counts."""
        return {name: function for commit in self.commits for name, function in commit.functions.items()}

    def as_dict(self) -> dict[str, object]:
        """The tree as plain data, as `pgtlab trees --json` prints it."""
        return {"tree": self.name, "commits": [commit.as_dict() for commit in self.commits]}

    def start_kernel(
        self, boot: Boot | NoBoot | Config | None = None, seed: int | str = 0, placement: Placement = ANYWHERE
    ) -> Kernel:
        """Boot this tree: a kernel with its commits' functions in place, on top of what its version does otherwise.

        Parameters
        ----------
        boot : Boot or Config
            The kernel and its CPU. A configuration is booted on the CPU `max`; the default is `Config()`.
        seed : int or str
            Of the kernel's random numbers.
        placement : Placement
            Addresses that differ from boot to boot.

        Raises
        ------
        BootError
            If the kernel does not run on the CPU.
        """
        from pgtlab.lab.linux_versions import differences  # which needs numpy, and a list of trees does not
        from pgtlab.linux.kernel import Kernel

        booted = running(boot)
        version = Tree(booted.config.linux, differences(booted.config.linux))
        kernel = Kernel(booted, {**version.functions, **self.functions}, seed, placement)
        kernel.tree = self
        return kernel


def _generic_pud_free() -> Mapping[str, Symbol]:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table."""
        k.__pud_free(mm, pud)

    return {"pud_free": pud_free}


def _fold_puds_at_runtime() -> Commit:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, if PUDs are not folded."""
        if not k.pgtable_l4_enabled():
            return
        k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")
        k.free_page(pud)

    return Commit(
        "arm64: mm: Add support for folding PUDs at runtime",
        {"pud_free": pud_free},
        id="0dd4f60a2c76",
        name="fold-puds",
        does="arm64 gets its own pud_free(), which ignores a folded PUD and does not call the destructor",
        before=_generic_pud_free(),
    )


def _add_dump_folio() -> Commit:
    def __dump_page(k: Kernel, page: Page) -> None:
        """Print a snapshot of a page: copies of it and its folio, on the stack, that are consistent with each other."""
        pfn = k.page_to_pfn(page)
        precise, folio = k.page_and_folio_on_stack()
        nr_pages, loops = 1, 5
        while True:
            k.memcpy(precise.address, page.address, PAGE.size)
            foliop = k.page_folio(precise)
            idx = k.folio_page_idx(foliop, page)
            if idx == 0:
                break
            if idx < 1 << k.PUD_SHIFT - k.PAGE_SHIFT:  # MAX_FOLIO_NR_PAGES
                k.memcpy(folio.address, foliop.address, FOLIO_SIZE)
                nr_pages = k.folio_nr_pages(folio)
                foliop = folio
            if idx <= nr_pages:
                break
            if loops == 0:
                k.printk("page does not match folio")
                precise.compound_head &= ~1
                foliop, idx = precise, 0
                break
            loops -= 1
        k.__dump_folio(foliop, precise, pfn, idx)

    def __dump_folio(k: Kernel, folio: Page, page: Page, pfn: int, idx: int) -> None:
        """Print a page of a folio. `page` may be a copy of the page; `pfn` is the page frame number of the original."""
        k.hold(x20=page.address, x22=pfn, x24=page.page_type)
        k.printk(
            f"page: refcount:{folio._refcount} mapcount:{k.page_mapcount(page)} mapping:{folio.mapping:016x} "
            f"index:{folio.index + idx:#x} pfn:{pfn:#x}"
        )
        k.print_flags(folio, k.is_migrate_cma_page(page))
        k.print_raw(page)

    return Commit(
        "mm: add __dump_folio()",
        {"__dump_page": __dump_page, "__dump_folio": __dump_folio},
        id="d67cd9f23139",
        name="dump-folio",
        does="dump_page() prints a copy of the page on the stack, and a macro computes a pfn from its address",
    )


def _use_the_real_pfn() -> Commit:
    def __dump_folio(k: Kernel, folio: Page, page: Page, pfn: int, idx: int) -> None:
        """Print a page of a folio. `page` may be a copy of the page; `pfn` is the page frame number of the original."""
        k.hold(x20=page.address, x22=pfn, x24=page.page_type)
        k.printk(
            f"page: refcount:{folio._refcount} mapcount:{k.page_mapcount(page)} mapping:{folio.mapping:016x} "
            f"index:{folio.index + idx:#x} pfn:{pfn:#x}"
        )
        k.print_flags(folio, k.is_migrate_cma_folio(folio, pfn))
        k.print_raw(page)

    return Commit(
        "the second fix of the thread: __dump_folio() uses the pfn that it is given",
        {"__dump_folio": __dump_folio},
        name="fix-dump-page",
        does="dump_page() looks up the pageblock of the real page; a bad page is a report again",
    )


def _call_the_destructor() -> Commit:
    def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, if PUDs are not folded."""
        if not k.pgtable_l4_enabled():
            return
        k.__pud_free(mm, pud)

    return Commit(
        "the first fix of the thread: pud_free() calls __pud_free()",
        {"pud_free": pud_free},
        name="fix-pud-free",
        does="the destructor clears the page type before the page is freed; there is no bad page",
    )


FOLD_PUDS_AT_RUNTIME: Final = _fold_puds_at_runtime()
ADD_DUMP_FOLIO: Final = _add_dump_folio()
USE_THE_REAL_PFN: Final = _use_the_real_pfn()
CALL_THE_DESTRUCTOR: Final = _call_the_destructor()

COMMITS: Final = (FOLD_PUDS_AT_RUNTIME, ADD_DUMP_FOLIO, USE_THE_REAL_PFN, CALL_THE_DESTRUCTOR)
_NEXT: Final = (FOLD_PUDS_AT_RUNTIME, ADD_DUMP_FOLIO)

TREES: Final = {
    tree.name: tree
    for tree in (
        Tree("next-20240229", _NEXT),
        Tree("arm64-for-next", (FOLD_PUDS_AT_RUNTIME,)),
        Tree("mm-unstable", (ADD_DUMP_FOLIO,)),
        Tree("next+fix-pud-free", (*_NEXT, CALL_THE_DESTRUCTOR)),
        Tree("next+fix-dump-page", (*_NEXT, USE_THE_REAL_PFN)),
        Tree("fixed", COMMITS),
    )
}
