"""A subcommand's parser, from its module: a docstring that is its help, `add_arguments()` and `run()`."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType
from typing import Any, NoReturn

from pgtlab.cli.terminal import printable, sentence

MISUSE = 2
OF_A_BISECTION = {"--tree-file", "--bad"}  # options of debug-vm-pgtable for a bisection
MISUSE_IN_A_BISECTION = 128  # for `git bisect run` 1 to 124 is a bad commit, and 128 stops it
RENAMED = {"tree": "`pgtlab tree` is now `pgtlab tables`; `pgtlab trees` lists the kernels that can be booted"}


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence, with the exit status `misuse`."""

    misuse = MISUSE

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse `args`; the parser of a subcommand refuses unknown arguments itself."""
        if OF_A_BISECTION.intersection(arg.partition("=")[0] for arg in args):
            self.misuse = MISUSE_IN_A_BISECTION
            self.set_defaults(misuse=self.misuse)
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown and getattr(namespace, "addresses", None) and not any(arg.startswith("-") for arg in unknown):
            namespace.addresses += unknown  # argparse ends a list of arguments at the first option
            unknown = []
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is not a choice, and suggest the nearest."""
        if isinstance(action, argparse._SubParsersAction) and value in RENAMED:
            self.exit(self.misuse, f"{self.prog}: {RENAMED[value]}\n")
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            from difflib import get_close_matches

            if nearest := get_close_matches(str(value), map(str, action.choices or ()), 1):
                error.message += f"; did you mean {nearest[0]}?"
            raise

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Refuse an empty value: what a variable of the shell that is not set leaves would be the current folder."""
        if not arg_string and action.default != "" and not isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(action, "is empty")
        return super()._get_value(action, arg_string)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print a message; that the help cannot be written is an error like any other."""
        if message and file is sys.stdout and file is not None:
            file.write(printable(message))
        elif message:
            super()._print_message(sentence(message), file)

    def error(self, message: str) -> NoReturn:
        """Exit with the message as one sentence."""
        self.exit(self.misuse, f"{self.prog}: {message} (see {self.prog} --help).\n")


def add_command(subparsers: argparse._SubParsersAction[Parser], module: ModuleType) -> None:
    """Add the subcommand of a module.

    The docstring of the module has three paragraphs: the command with a line for the list of commands, its description,
    and its examples, separated by semicolons. `add_arguments(parser)` adds its arguments, if it has any, and
    `run(args)` prints the answer and returns the exit status; None is 0. The command has `--json` unless the module has
    `JSON = False`, and other names if it has `ALIASES`.
    """
    summary, description, examples = (" ".join(part.split()) for part in str(module.__doc__).split("\n\n"))
    name, _, help = summary.removeprefix("``pgtlab ").removesuffix(".").partition("``: ")
    parser = subparsers.add_parser(
        name,
        aliases=getattr(module, "ALIASES", ()),
        help=help,
        description=description,
        epilog=examples,
        allow_abbrev=False,
    )
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    if getattr(module, "JSON", True):
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=module.run)
