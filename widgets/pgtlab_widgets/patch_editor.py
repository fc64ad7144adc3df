"""The bug lab's patch editor: a function that is typed, the thread's fixes, and which of them are applied."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.patch_source import PatchError, read_patch_outside
from pgtlab.lab.worker.contained import lasting
from pgtlab.lab.worker.exposed import touched
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel.symbols import Symbol, source_of
from pgtlab_widgets.kernel_run import FIXES, fix_of, limits, patch_runs, tree_of


class PatchEditor:
    """The text, its error, and the patch.

    Messages: a text, a function to edit, to apply the text, a fix to apply, a function to take off.

    Attributes
    ----------
    patched : PatchRuns
        The tree with the patch.
    """

    def __init__(self, tree: str) -> None:
        self._texts: dict[str, str] = {}  # what the learner has typed, for each tree
        self._error = ""
        self.patched = patch_runs(tree, {})

    @property
    def text(self) -> str:
        """The text for the chosen tree: what was typed there, or the function that the tree is about."""
        name = self.patched.name
        return self._texts[name] if name in self._texts else _first_source(name)

    @text.setter
    def text(self, text: str) -> None:
        self._texts[self.patched.name] = text

    def choose_tree(self, name: str) -> None:
        """Choose another tree, with the text that belongs to it."""
        functions = self.patched.functions
        if name in BUGS:  # the fixes are not about it
            functions = {other: symbol for other, symbol in functions.items() if not fix_of(symbol)}
        self.patched, self._error = patch_runs(name, functions), ""

    def livepatch(self, functions: Mapping[str, Symbol], booted: Boot | NoBoot) -> None:
        """Add functions to the patch. `LivepatchError` if they do not fit into the kernel; then nothing changes."""
        kernel = self.patched.start_kernel(booted, patched=False)
        used = touched(kernel, {*functions})
        kernel.livepatch(**functions)
        try:
            outside = lasting(functions, limits(), used)
        except AnswerError as error:
            raise PatchError(str(error)) from error
        self.patched.stop()
        self.patched, self._error = self.patched.with_functions(outside), ""

    def apply(self, source: str, booted: Boot | NoBoot) -> None:
        """Add the functions in a source text to the patch. `PatchError` if it is not Python."""
        self.text = source
        kernel = self.patched.start_kernel(booted, patched=False)
        self.livepatch(read_patch_outside(source, kernel, limits()), booted)

    def unpatch(self, name: str) -> None:
        """Put the tree's own function back."""
        self.patched.stop()
        self.patched, self._error = self.patched.without(name), ""

    def receive(self, message: dict[str, Any], booted: Boot | NoBoot) -> None:
        """Handle a text, a function to edit, or a change of the patch."""
        match message:
            case {"own": text}:
                self.text = text
            case {"edit": name}:
                functions = {function.name: function.now for function in self.patched.run(booted).involved}
                self.text, self._error = source_of(functions[name]), ""
            case {"apply": True}:
                try:
                    self.apply(self.text, booted)
                except ValueError as error:
                    self._error = str(error)
            case {"fix": name}:
                self.livepatch(FIXES[name].functions, booted)
            case {"unpatch": name}:
                self.unpatch(name)

    def drawn(self, booted: Boot | NoBoot) -> dict[str, Any]:
        """The text, its error or what stopped it, and what is applied."""
        functions = self.patched.functions
        stopped = "" if self.patched.is_running(booted) else self.patched.run(booted).stopped
        return {
            "on": [name for name, fix in FIXES.items() if fix.functions.items() <= functions.items()],
            "patched": [{"name": name, "as": _title(name, symbol)} for name, symbol in sorted(functions.items())],
            "own": {"text": self.text, "error": self._error or stopped},
        }


@cache
def _first_source(tree: str) -> str:
    """The source of the function that a tree is about."""
    commits = tree_of(tree).commits
    name = next(iter(commits[-1 if tree in BUGS else 0].functions))
    return source_of(next(commit.functions[name] for commit in reversed(commits) if name in commit.functions))


def _title(name: str, symbol: Symbol) -> str:
    """The title of a function in a patch: the fix that it is from, or its name."""
    return fix_of(symbol) or f"{name}()"
