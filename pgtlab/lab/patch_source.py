"""A patch as a learner types it: from the text of kernel functions to a livepatch."""

from __future__ import annotations
import __future__

import ast
import itertools
import linecache
import textwrap
from typing import Any, Final, NamedTuple

from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.worker.answers import Answers, Text
from pgtlab.lab.worker.contained import NO_PROCESSES
from pgtlab.lab.worker.exposed import touched
from pgtlab.lab.worker.process import Limits
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.symbols import Symbol

_LIKE: Final = "a patch is a kernel function, such as `def pud_free(k, mm, pud):` and its lines"
_FLAGS: Final = __future__.annotations.compiler_flag
_numbers = itertools.count(1)


class PatchError(ValueError):
    """A patch that is not Python, or has no function in it."""


def read_patch(source: str, kernel: Kernel) -> dict[str, Symbol]:
    r"""Compile a patch for `kernel.livepatch()`, among the names of the modules that its functions come from.

    Parameters
    ----------
    source : str
        One function or several, each with the name of a kernel function and taking the kernel first; imports, too.
    kernel : Kernel
        The kernel that it is for.

    Raises
    ------
    PatchError
        Where the text is not Python, or has no function in it, or has anything but functions and imports.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.lab.trees import Tree
    >>> kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> kernel.livepatch(**read_patch("def pud_free(k, mm, pud):\n    k.__pud_free(mm, pud)", kernel))
    >>> kernel.run().outcome
    'clean'
    >>> read_patch("def pud_free(k, mm, pud)", kernel)
    Traceback (most recent call last):
        ...
    pgtlab.lab.patch_source.PatchError: line 1, `def pud_free(k, mm, pud)`: expected ':'
    """
    patch = _parsed(source)
    names: dict[str, Any] = {}
    for name in patch.names:
        names |= getattr(kernel.symbols.get(name), "__globals__", {})
    names["__name__"] = patch.file
    try:
        exec(compile(patch.text, patch.file, "exec", _FLAGS, dont_inherit=True), names)
    except (Exception, SystemExit) as error:  # an import, or a default value
        raise PatchError(f"{type(error).__name__}: {error}; {_LIKE}") from error
    return {name: names[name] for name in patch.names}


def read_patch_outside(source: str, kernel: Kernel, limits: Limits) -> dict[str, Symbol]:
    """As `read_patch`, but the patch runs in a process of its own: its functions, and what stands at its top level.

    Raises
    ------
    PatchError
        As there, and where what stands at the top level does not end, or ends the process.
    """
    if NO_PROCESSES:
        return read_patch(source, kernel)
    patch = _parsed(source)
    modules = (getattr(kernel.symbols.get(name), "__module__", "") for name in patch.names)
    among = tuple(dict.fromkeys(filter(None, modules)))
    text = Text(((patch.file, patch.text, _FLAGS),), patch.names, among)
    try:
        return Answers(text, limits, touched(kernel, {*patch.names})).load()
    except AnswerError as error:
        raise PatchError(f"{error}; {_LIKE}") from error


class _Patch(NamedTuple):
    """A patch that is Python: its text, its functions, and the name of the file that its lines are found under."""

    text: str
    names: tuple[str, ...]
    file: str


def _parsed(source: str) -> _Patch:
    text = textwrap.dedent(source.replace("\r\n", "\n")).rstrip() + "\n"  # as from an editor or a mail
    lines = text.splitlines(keepends=True)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise PatchError(_message(line, lines, what)) from error
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom):
            raise PatchError(_message(node.lineno, lines, f"neither a function nor an import; {_LIKE}"))
    named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not named:
        raise PatchError(f"the patch has no function; {_LIKE}")
    file = f"<your {named[0]}(), {next(_numbers)}>"  # unique, for its lines are looked up by it later
    linecache.cache[file] = (len(text), None, lines, file)
    return _Patch(text, tuple(dict.fromkeys(named)), file)


def _message(line: int | None, lines: list[str], what: str) -> str:
    shown = lines[line - 1].strip() if line and line <= len(lines) else ""
    return f"line {line}, `{shown}`: {what}" if shown else f"{what}; {_LIKE}"
