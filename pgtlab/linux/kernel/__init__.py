"""The running kernel, and the twins of the kernel's own files, which call each other by name through it.

A twin is a module named after a file of the kernel (`pgalloc.py` after `asm/pgalloc.h`). Its functions take the kernel
first, `pud_free(k, mm, pud)`, and are called as `k.pud_free(mm, pud)`. `running` has the kernel itself, `symbols` its
symbol table, `stack` its stack, and `report` what it found wrong.
"""

from typing import TYPE_CHECKING, Any

from pgtlab.extras import needed_by

if TYPE_CHECKING:
    from pgtlab.linux.kernel.running import Kernel, LivepatchError, Task

__all__ = ["Kernel", "LivepatchError", "Task"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needed_by("a running kernel"):  # a twin that only looks at entries does not need numpy
        from pgtlab.linux.kernel import running

    return getattr(running, name)
