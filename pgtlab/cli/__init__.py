"""The ``pgtlab`` command: each subcommand is one small module in this folder.

A subcommand's module has ``add_parser(subparsers)``, which sets ``func`` on its parser, and is
named in `SUBCOMMANDS`. ``func(args)`` prints its answer and returns the exit status (``None`` is
0). It imports what it needs when it runs, so that ``pgtlab --help`` does not wait for JupyterLab.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

#: In the order in which ``pgtlab --help`` lists them.
SUBCOMMANDS = (
    "lab",
    "config",
    "va",
    "pte",
    "esr",
    "debug_vm_pgtable",
    "oops",
    "translate",
    "ptdump",
    "tree",
    "trees",
    "show",
    "bugs",
    "bisect_repo",
    "matrix",
    "verify_mmu",
    "walk_cost",
    "completion",
)

MISUSE = 2
MISUSE_IN_A_BISECTION = 128  # `git bisect run` takes 1 to 124 for a bad commit; from 128 on it stops
KILLED = 128  # and the number of the signal: what a shell makes of a program that a signal ended
SIGINT, SIGPIPE = 2, 13  # the module `signal` has no SIGPIPE on Windows

EXIT_STATUS = (
    "exit status: 0 where all is well, 1 where the answer is no (a kernel reported something, an address is not "
    "mapped, a record disagrees), 2 on misuse, told in one sentence"
)


class _Parser(argparse.ArgumentParser):
    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is no choice, and name the nearest that is."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            from difflib import get_close_matches

            if nearest := get_close_matches(str(value), map(str, action.choices or ()), 1):
                error.message += f"; {nearest[0]}?"
            raise

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSE, f"{self.prog}: {message} (see {self.prog} --help).\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version  # which takes longer to load than most answers to make

        print(f"pgtlab {version('pgtlab')}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Build the command's parser with every subcommand in it."""
    top = _Parser(
        prog="pgtlab",
        description="A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.",
        epilog=f"{EXIT_STATUS}. example: pgtlab esr 0x96000004",
        allow_abbrev=False,
    )
    top.add_argument("--version", nargs=0, action=_Version, help="print the version, and exit")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for name in SUBCOMMANDS:
        importlib.import_module(f"{__name__}.{name}").add_parser(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status: 2 for misuse, told in one sentence.

    Where the status may decide a bisection, that and any failure of our own is 128, so that neither passes for a bad
    commit.
    """
    argv = sys.argv[1:] if argv is None else argv
    if not any(arg.startswith(("--tree-file", "--bad")) for arg in argv):
        return _run(argv)
    try:
        status = _run(argv)
    except Exception:
        traceback.print_exc()
        return MISUSE_IN_A_BISECTION
    return MISUSE_IN_A_BISECTION if status == MISUSE else status


def _run(argv: Sequence[str]) -> int:
    """Parse, run, and tell misuse."""
    if sys.stderr is None:  # closed by the shell's `2>&-`; print() would go to standard output instead
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        print("pgtlab: standard output is closed, so there is nowhere to print the answer", file=sys.stderr)
        return MISUSE
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode still gets the answer
    try:
        try:
            args = parser().parse_args(argv)
        except SystemExit as exit:  # argparse has printed the help, the version or what is wrong
            status = exit.code
        else:
            status = args.func(args)
        sys.stdout.flush()
    except ValueError as error:
        print(f"pgtlab: {error}", file=sys.stderr)
        return MISUSE
    except BrokenPipeError:  # the reader (`| head`) has had enough
        _drop_stdout()
        return KILLED + SIGPIPE
    except OSError as error:
        if error.filename is None:  # no file of ours: the answer did not get out, as on a full disk
            _drop_stdout()
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"pgtlab: {where}{error.strerror or error}", file=sys.stderr)
        return MISUSE
    except KeyboardInterrupt:
        return KILLED + SIGINT
    return int(status or 0)


def _drop_stdout() -> None:
    """Give Python, which flushes stdout at exit and would complain once more, somewhere to flush to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
