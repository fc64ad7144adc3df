"""What an exercise gives of a kernel to a learner's function: some of its functions and constants, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: What kernel functions ask of a page.
OF_A_PAGE = frozenset({"page_type", "_mapcount", "_refcount", "pfn", "address", "flags", "compound_head"})


class Misuse(TypeError):
    """A learner's function used what it was given in a way that cannot work; the message is one sentence."""


class GivenFunction:
    """A function of a kernel, which says so when somebody forgets to call it."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name, self._function = name, function

    def __call__(self, *args: Any) -> Any:
        try:
            return self._function(*args)
        except AttributeError as error:
            if isinstance(error.obj, int) and error.name in OF_A_PAGE:
                raise Misuse(
                    f"`k.{self._name}()` got a number, an address, where a `struct page` is wanted. "
                    "`k.virt_to_page(address)` is the page of an address."
                ) from None
            raise

    def __bool__(self) -> bool:
        raise Misuse(f"`k.{self._name}` is a function: without the parentheses, `k.{self._name}()`, it is not called.")


class GivenKernel:
    """A kernel as a learner's function sees it.

    Parameters
    ----------
    kernel : object
        The kernel, or whatever has the attributes.
    names : str
        The attributes that it gives, under their own names.
    others : object
        What it gives under another name: the name of an attribute, or anything else as it is.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> kernel = SimpleNamespace(PAGE_SIZE=4096, pgtable_l4_enabled=lambda: True)
    >>> k = GivenKernel(kernel, "PAGE_SIZE", l4="pgtable_l4_enabled")
    >>> k.PAGE_SIZE, k.l4()
    (4096, True)
    >>> k.pud_free
    Traceback (most recent call last):
        ...
    pgtlab.lab.given_kernel.Misuse: `k.pud_free` is not given here: `k` has PAGE_SIZE, l4.
    """

    def __init__(self, kernel: Any, *names: str, **others: Any) -> None:
        self._kernel = kernel
        self._names = {name: name for name in names} | others

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name not in self._names:
            raise Misuse(f"`k.{name}` is not given here: `k` has {', '.join(self._names)}.")
        here = self._names[name]
        value = getattr(self._kernel, here) if isinstance(here, str) else here
        return GivenFunction(name, value) if callable(value) else value
