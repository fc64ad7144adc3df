"""Linking a kernel: the symbol table with the functions of every twin, those of folded levels last.

The twins are all modules of this package that define kernel functions; there is no other list of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from pgtlab.linux import kernel
from pgtlab.linux.kernel.symbols import Symbol, functions_of, is_inline, is_leaf, is_of_folded_level, through_kernel

#: Modules that stand in for a level folded at compile time, with the largest number of levels at which it is folded.
_FOLDED: Final = {"pgtable_nop4d": 4, "pgtable_nopud": 3, "pgtable_nopmd": 2}
_OTHERS: Final = {"running", "vmlinux"}  # the running kernel, which imports this module

#: The twins by name: every module of the package, without those that make a kernel of them.
TWINS: Final[Mapping[str, ModuleType]] = {
    name: import_module(f"{kernel.__name__}.{name}")
    for name in (module.name for module in iter_modules(kernel.__path__))
    if name not in _OTHERS
}


def link(levels: int, replaced: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """The symbol table of a kernel with `levels` page-table levels, in which a tree's commits `replaced` functions.

    Of a level folded at compile time, only those functions of a commit are compiled that are marked for it.

    >>> link(4, {})["p4d_offset"].__module__, link(5, {})["p4d_offset"].__module__
    ('pgtlab.linux.kernel.pgtable_nop4d', 'pgtlab.linux.kernel.pgtable')
    """
    folded = _of_folded_levels(levels)
    compiled = {name: f for name, f in replaced.items() if is_of_folded_level(f) == (name in folded)}
    return {**_always(), **folded, **compiled}


@cache
def without_frames(levels: int) -> tuple[frozenset[str], frozenset[str]]:
    """The functions that are inlined and those that are leaves, in a kernel with `levels` page-table levels.

    A commit's function is inlined, or a leaf, if the model's function of that name is.
    """
    symbols = link(levels, {})
    inline = frozenset(name for name, function in symbols.items() if is_inline(function))
    return inline, frozenset(name for name, function in symbols.items() if is_leaf(function))


def callable_through(symbols: Mapping[str, Symbol]) -> Iterator[tuple[str, Symbol]]:
    """Each function by name, as it is called through a kernel; all kernels share the wrappers of the model's own."""
    for name, function in symbols.items():
        yield name, _OF_THE_MODEL.get(function) or through_kernel(name, function)


#: Each function of the twins as it is called through a kernel.
_OF_THE_MODEL: Final[Mapping[Symbol, Symbol]] = {
    function: through_kernel(name, function) for twin in TWINS.values() for name, function in functions_of(twin).items()
}


@cache
def _always() -> Mapping[str, Symbol]:
    linked: dict[str, Symbol] = {}
    for name, module in TWINS.items():
        if name not in _FOLDED:
            linked |= functions_of(module)
    return linked


@cache
def _of_folded_levels(levels: int) -> Mapping[str, Symbol]:
    linked: dict[str, Symbol] = {}
    for name, most in _FOLDED.items():
        if levels <= most:
            linked |= functions_of(TWINS[name])
    return linked
