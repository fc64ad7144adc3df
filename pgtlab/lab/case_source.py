"""What a learner sees of a function of a case: nothing in its form tells which one has the bug."""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import linecache
import re
from types import FunctionType

from pgtlab.linux.kernel.symbols import Symbol, source_of


def to_copy(function: Symbol) -> str:
    """The source as it can be copied into a notebook: no docstring and no types, and the constants that it names.

    Examples
    --------
    >>> from pgtlab.linux.kernel import pgtable
    >>> print(to_copy(pgtable.p4d_bad))
    TABLE_BIT = 0x2
    <BLANKLINE>
    def p4d_bad(k, p4d):
        return k.pgtable_l4_enabled() and not p4d & TABLE_BIT
    """
    assert isinstance(function, FunctionType)
    names = dict.fromkeys(i.argval for i in dis.get_instructions(function) if i.opname == "LOAD_GLOBAL")
    named = {name: function.__globals__[name] for name in names if name in function.__globals__}  # others are Python's
    above = [
        f"{name} = {value:#x}" if isinstance(value, int) else f"from {value.__module__} import {name}"
        for name, value in named.items()
    ]
    return "\n".join([*above, *[""][: len(above)], _bare(source_of(function))])


def _bare(source: str) -> str:
    """The source without docstring, and without the types of parameters and results, which a notebook does not know."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    lines = source.split("\n")
    if ast.get_docstring(function):
        text, rest = function.body[0], function.body[1:]
        lines[text.lineno - 1 : text.end_lineno] = [] if rest else [" " * text.col_offset + "pass"]
    for argument in reversed([each for each in ast.walk(function.args) if isinstance(each, ast.arg)]):
        if argument.annotation:
            line, start = lines[argument.lineno - 1], argument.col_offset + len(argument.arg)
            lines[argument.lineno - 1] = line[:start] + line[argument.annotation.end_col_offset :]
    return re.sub(r"\) -> .*?:\n", "):\n", "\n".join(lines), count=1)


def disguised(bad: Symbol, good: Symbol) -> Symbol:
    """The bad function, in the place of the good one: `help()` and `inspect` show no commit and no other file.

    Examples
    --------
    >>> from pgtlab.lab.bugs import BUGS
    >>> from pgtlab.linux.kernel import pgtable
    >>> bad = disguised(BUGS["folded-is-bad"].commit.functions["p4d_bad"], pgtable.p4d_bad)
    >>> bad.__module__, inspect.getsource(bad).splitlines()[:2]
    ('pgtlab.linux.kernel.pgtable', ['@static_inline', 'def p4d_bad(k: Kernel, p4d: int) -> bool:'])
    """
    assert isinstance(bad, FunctionType)
    assert isinstance(good, FunctionType)
    text = inspect.getsource(good).partition("def ")[0] + source_of(bad) + "\n"
    file = f"{good.__module__.replace('.', '/')}.py, {bad.__name__}() of your case"  # another case has other text
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    known = {**bad.__globals__, **good.__globals__, "__name__": good.__module__}
    known |= {name: bad.__globals__[name] for name in bad.__code__.co_names if name in bad.__globals__}
    exec(compile(text, file, "exec", __future__.annotations.compiler_flag), known)
    made: FunctionType = known[bad.__name__]
    vars(made).update(vars(bad))
    return made
