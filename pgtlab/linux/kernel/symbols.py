"""The kernel's symbol table: plain functions over a booted kernel, looked up by name at each call.

A kernel function is written `def pud_free(k, mm, pud)` and called `k.pud_free(mm, pud)`. Because each call goes by
name, a symbol can be replaced, as a livepatch does, and the chain of calls is known, as an unwinder knows it.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, wraps
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from pgtlab.linux.kernel.stack import Frame

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

Symbol = Callable[..., Any]
F = TypeVar("F", bound=Symbol)


def static_inline(function: F) -> F:
    """Mark a function that the compiler inlines: it has no frame, so no call trace shows it."""
    function.__dict__["static_inline"] = True
    return function


def leaf(function: F) -> F:
    """Mark a leaf function, one whose only calls are inlined: the compiler gives it no frame.

    Its return address stays in x30, so an unwinder, which reads return addresses from frames, misses its caller.
    """
    function.__dict__["leaf"] = True
    return function


def of_folded_level(function: F) -> F:
    """Mark a commit's function as one for a level folded at compile time; it is compiled only where that level is."""
    function.__dict__["of_folded_level"] = True
    return function


def is_of_folded_level(function: Symbol) -> bool:
    """Whether `function` is compiled only where its level is folded at compile time."""
    return "of_folded_level" in vars(function)


def is_leaf(function: Symbol) -> bool:
    """Whether `function` is a leaf function, which makes no frame."""
    return "leaf" in vars(function)


def is_inline(function: Symbol) -> bool:
    """Whether the compiler inlines `function`, so that no call trace shows it."""
    return "static_inline" in vars(function)


@cache
def functions_of(module: ModuleType) -> Mapping[str, Symbol]:
    """The kernel functions of `module`, by name: their first parameter is `k`, and a name like `_name` is private.

    >>> from pgtlab.linux.kernel import pgtable_nop4d
    >>> "p4d_offset" in functions_of(pgtable_nop4d)
    True
    """
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not re.match("_[^_]", name) and _takes_kernel(function)
    }


def _takes_kernel(function: FunctionType) -> bool:
    return bool(function.__code__.co_argcount) and function.__code__.co_varnames[0] == "k"


@lru_cache(maxsize=1024)
def source_of(function: Symbol) -> str:
    """The source of a kernel function to read, to edit or to compare, without the decorators of the model.

    >>> from pgtlab.linux.kernel import pgalloc
    >>> source_of(pgalloc.pgd_free).splitlines()[0]
    'def pgd_free(k: Kernel, mm: MmStruct, pgdp: int) -> None:'
    """
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (OSError, TypeError):  # typed at a prompt, or built in
        return repr(function)
    first = next((number for number, line in enumerate(lines) if line.startswith("def ")), 0)  # a lambda has none
    return "\n".join(lines[first:])


def through_kernel(name: str, function: Symbol) -> Symbol:
    """`function` as a kernel calls it: by name, so that a livepatch takes effect, with a frame on the kernel's stack.

    It keeps the docstring, the signature and the source of `function`, so that `help(k.pud_free)` shows them.
    """

    @wraps(function)
    def call(k: Kernel, *args: Any, **kwargs: Any) -> Any:
        frames = k.stack.frames
        frames.append(Frame(name))
        try:
            return k.symbols[name](k, *args, **kwargs)
        finally:
            frames.pop()

    return call
