"""The ``pgtlab`` command: each subcommand is one small module in this folder, named in `GROUPS`.

The docstring of a module is its help; `command.add_command` says what else a module has. It imports what it needs when
it runs, so that ``pgtlab --help`` does not wait for JupyterLab.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, TextIO, cast

import pgtlab
from pgtlab.cli.command import MISUSE, Parser, add_command
from pgtlab.cli.terminal import Terminal, complain
from pgtlab.extras import MissingExtra, needed_by
from pgtlab.limits import quoted

#: The modules, in the groups and in the order in which ``pgtlab --help`` lists them.
GROUPS = {
    "course": ("lab", "exam", "instructor", "grade"),
    "kernels and words": ("config", "va", "pte", "esr"),
    "logs and memory images": ("oops", "translate", "ptdump", "tables", "zoo"),
    "trees to boot": ("trees", "show", "debug_vm_pgtable", "matrix", "bugs", "bisect_repo"),
    "the simulated MMU": ("verify_mmu", "walk_cost"),
    "shell": ("completion",),
}
SUBCOMMANDS = tuple(name for names in GROUPS.values() for name in names)

KILLED = 128  # plus the number of the signal: the exit status that a shell reports for a program ended by a signal
SIGINT, SIGPIPE = 2, 13  # the module `signal` has no SIGPIPE on Windows

EXIT_STATUS = (
    "exit status: 0: all is well; 1: the answer is no (a kernel reported something, an address is not mapped, a record "
    "disagrees); 2: usage error, explained in one sentence"
)


class _Grouped(argparse.HelpFormatter):
    """Lists the subcommands under the names of their groups."""

    def _format_action(self, action: argparse.Action) -> str:
        first_of = {names[0].replace("_", "-"): group for group, names in GROUPS.items()}
        text = super()._format_action(action)
        if isinstance(action, argparse._SubParsersAction._ChoicesPseudoAction):
            group = first_of.get(action.dest.split()[0])
            return f"\n  {group}:\n{text}" if group else text
        return text


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"pgtlab {pgtlab.__version__}")
        parser.exit()


def parser() -> Parser:
    """Build the command's parser with every subcommand in it."""
    top = Parser(
        prog="pgtlab",
        description="A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.",
        epilog=f"{EXIT_STATUS}. example: pgtlab esr 0x96000004",
        formatter_class=_Grouped,
        allow_abbrev=False,
    )
    top.add_argument("--version", nargs=0, action=_Version, help="print the version, and exit")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for name in SUBCOMMANDS:
        add_command(subparsers, importlib.import_module(f"{__name__}.{name}"))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status: 2 for a usage error, with one sentence on standard error.

    Where the status decides a bisection, that and any exception is 128, so that neither counts as a bad commit.
    """
    args = argparse.Namespace(misuse=MISUSE)
    if sys.stderr is None:  # closed by the shell's `2>&-`; print() would go to standard output instead
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    stdout = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="replace")  # a terminal without Unicode still gets the answer
    try:
        sys.stdout = stdout and cast(TextIO, Terminal(stdout))
        return _run(argv, args)
    except UnicodeEncodeError as error:  # an argument with bytes that are not UTF-8 does for the name of a file only
        complain(
            f"{quoted(error.object)} cannot be written as text: it has bytes that are not {error.encoding.upper()}"
        )
        return int(args.misuse)
    except (ValueError, MissingExtra) as error:
        complain(error)
        return int(args.misuse)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        _drop(stdout)
        return KILLED + SIGPIPE
    except OSError as error:
        if error.filename is None:  # not about a file: the answer could not be written, as on a full disk
            _drop(stdout)
        where = "" if error.filename is None else f"{error.filename}: "
        complain(f"{where}{error.strerror or error}")
        return int(args.misuse)
    except KeyboardInterrupt:
        return KILLED + SIGINT
    except Exception:
        if args.misuse == MISUSE:
            raise
        complain(traceback.format_exc())
        return int(args.misuse)
    finally:
        sys.stdout = stdout


def _run(argv: Sequence[str] | None, args: argparse.Namespace) -> int:
    """Run the subcommand that the arguments name, and return its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        parser().parse_args(argv, args)
    except SystemExit as exit:  # argparse has printed the help, the version or what is wrong
        status = exit.code
    else:
        if any("\0" in word for word in argv):  # which a shell cannot give, and a program can
            raise ValueError("an argument has a NUL character in it, and no name has one")
        if sys.stdout is None:
            raise ValueError("standard output is closed, so there is nowhere to print the answer")
        with needed_by("this"):
            status = args.func(args)
    if sys.stdout is not None:
        sys.stdout.flush()
    return int(status or 0)


def _drop(stdout: TextIO) -> None:
    """Redirect standard output to nowhere, since Python flushes it at exit and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
