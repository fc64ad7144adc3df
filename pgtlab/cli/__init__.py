"""The ``pgtlab`` command: each subcommand is one small module in this folder.

A subcommand's module has ``add_parser(subparsers)``, which sets ``func`` on its parser, and is
named in `SUBCOMMANDS`. ``func(args)`` prints its answer and returns the exit status (``None`` is
0). It imports what it needs when it runs, so that ``pgtlab --help`` does not wait for JupyterLab.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

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
    "tree",
    "trees",
    "show",
    "bugs",
    "bisect_repo",
    "matrix",
    "verify_mmu",
    "walk_cost",
)

MISUSE = 2
MISUSE_IN_A_BISECTION = 128  # `git bisect run` takes 1 to 124 for a bad commit; from 128 on it stops


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(MISUSE, f"{self.prog}: {message} (see {self.prog} --help).\n")


def parser() -> argparse.ArgumentParser:
    """Build the command's parser with every subcommand in it."""
    top = _Parser(
        prog="pgtlab",
        description="A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.",
        allow_abbrev=False,
    )
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
    except SystemExit as exit:
        status = int(exit.code or 0)
    except Exception:
        traceback.print_exc()
        return MISUSE_IN_A_BISECTION
    return MISUSE_IN_A_BISECTION if status == MISUSE else status


def _run(argv: Sequence[str]) -> int:
    """Parse, run, and tell misuse."""
    args = parser().parse_args(argv)
    try:
        status = args.func(args)
        sys.stdout.flush()
    except ValueError as error:
        print(f"pgtlab: {error}", file=sys.stderr)
        return MISUSE
    except BrokenPipeError:
        # The reader (`| head`) has had enough. Python would complain once more when it flushes
        # stdout at exit, so give it somewhere to flush to; 141 is what the shell calls SIGPIPE.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"pgtlab: {error.filename or 'error'}: {error.strerror}", file=sys.stderr)
        return MISUSE
    except KeyboardInterrupt:
        return 130
    return int(status or 0)
