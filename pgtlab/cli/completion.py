"""``pgtlab completion``: print a script that completes the command's words in a shell.

Print a script for a shell. With it the Tab key completes subcommands, options, file names and the words that an option
takes, such as the names of trees and CPUs.

examples: eval "$(pgtlab completion bash)";
pgtlab completion fish | source
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

JSON = False
SHELLS = ("bash", "zsh", "fish")
FILES = ("file", "files", "image", "tree_file", "trace")
FOLDERS = ("folder",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab completion`` takes."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to print it for")


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    from pgtlab.cli import parser

    command = parser()
    words = known_words()
    for action in actions(command):
        if isinstance(action, argparse._SubParsersAction):
            for short in action._choices_actions:  # a menu has room for a line
                action.choices[short.dest].description = short.help
        elif action.choices is None and action.dest in words:
            action.choices = list(words[action.dest])
        if action.dest in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads this attribute
        elif action.dest in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(command, args.shell))


def known_words() -> dict[str, Iterable[Any]]:
    """The values of arguments, by name. They are not `choices` of argparse, whose error would list them all."""
    from pgtlab.lab.bugs import BUGS
    from pgtlab.lab.cost_comparison import MAPPINGS
    from pgtlab.lab.trees import COMMITS, TREES
    from pgtlab.linux.cpu import CPUS
    from pgtlab.linux.kconfig import PA_BITS_CHOICES, PAGE_SIZES, VA_BITS_CHOICES
    from pgtlab.linux.options import MINIMAL
    from pgtlab.linux.presets import PRESETS
    from pgtlab.linux.version import VERSIONS

    return {
        "kernel": PRESETS,
        "linux": VERSIONS,
        "page_size": PAGE_SIZES,
        "va_bits": VA_BITS_CHOICES,
        "pa_bits": PA_BITS_CHOICES,
        "kconfig": [f"{name}={value}" for name in MINIMAL for value in "yn"],
        "cpu": CPUS,
        "tree": TREES,
        "commit": [word for commit in COMMITS for word in (commit.name, commit.id) if word],
        "bug": BUGS,
        "mapping": MAPPINGS,
        "level": ("pgd", "p4d", "pud", "pmd", "pte"),
    }


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser, and of its subcommands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from actions(subparser)
