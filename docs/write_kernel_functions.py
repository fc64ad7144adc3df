"""Write pgtlab/linux/kernel/functions.pyi: what editors and mypy know of the functions and constants of a `Kernel`.

    .venv/bin/python docs/write_kernel_functions.py

A kernel function is `def pud_free(k, mm, pud)` in the module named after its file, and is called `k.pud_free(mm, pud)`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from pgtlab.lab.linux_versions import VERSION_COMMITS
from pgtlab.linux import kernel
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import RECORDED
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.kernel.symbols import Symbol, functions_of
from pgtlab.linux.kernel.vmlinux import TWINS
from pgtlab.linux.presets import PRESETS

STUB = Path(kernel.__path__[0], "functions.pyi")
HEAD = '''"""The functions of every twin, and the constants of every configuration, as attributes of a `Kernel`.

Written by docs/write_kernel_functions.py from the twins: `make stubs` writes it again.
"""

{imports}

class KernelFunctions:
{constants}

{functions}
'''


def stub() -> str:
    """The whole file."""
    functions: dict[str, Symbol] = {}
    for module in TWINS.values():
        functions = {**functions_of(module), **functions}  # that of a folded level has the same parameters
    for commit in VERSION_COMMITS:
        functions = {**commit.functions, **functions}
    return HEAD.format(
        imports="\n".join(imports(functions.values())),
        constants="\n".join(f"    {name}: int" for name in sorted(constants())),
        functions="\n".join(method(name, functions[name]) for name in sorted(functions)),
    )


def constants() -> set[str]:
    """The names of the constants that some kernel has, as far as Python can spell them."""
    boots = [boot(config, cpu) for config in configurations() for cpu in RECORDED]
    boots += [boot(Config.named(preset)) for preset in PRESETS]
    return {
        name
        for booted in boots
        if isinstance(booted, Boot)
        for name in {**booted.config.constants, **booted.constants}
        if name.isidentifier()
    }


def method(name: str, function: Symbol) -> str:
    """The function as a method: `k` is what it is called on."""
    first, *others = inspect.signature(function).parameters.values()
    parameters = [first.replace(name="self", annotation=first.empty), *others]
    shown = [p if p.default is p.empty else p.replace(default=Ellipsis) for p in parameters]
    signature = inspect.signature(function).replace(parameters=shown)
    text = f"{signature}:".replace("'", "").replace("Ellipsis", "...")
    return f'    def {name}{text}\n        """{inspect.getdoc(function).splitlines()[0]}"""'


def imports(functions: Iterable[Symbol]) -> Iterator[str]:
    """The imports that the annotations of the functions need, a line for each module."""
    names: dict[str, set[str]] = defaultdict(set)
    for function in functions:
        hints = [hint for parameter, hint in function.__annotations__.items() if parameter != "k"]
        used = {node.id for hint in hints for node in ast.walk(ast.parse(hint)) if isinstance(node, ast.Name)}
        imported = imported_by(inspect.getmodule(function))
        for name in used - vars(builtins).keys():
            names[imported.get(name, function.__module__)].add(name)
    for module in sorted(names):
        yield f"from {module} import {', '.join(sorted(names[module]))}"


@cache
def imported_by(module: ModuleType) -> dict[str, str]:
    """The names that a module imports `from` another, with that other."""
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return {
        alias.name: node.module
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }


if __name__ == "__main__":
    STUB.write_text(stub())
