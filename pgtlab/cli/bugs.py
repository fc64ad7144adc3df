"""``pgtlab bugs``: the catalogue of page-table bugs, what each looks like, why, and where."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from pgtlab.cli.options import print_json

if TYPE_CHECKING:
    from pgtlab.lab.bugs import Bug


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab bugs`` to the command."""
    parser = subparsers.add_parser(
        "bugs",
        help="list page-table bugs, or explain one and show it",
        description="List bugs in page-table code, each one bad commit on top of the fixed tree. With a name: what one "
        "sees of it in a kernel that is booted for it, why, on which kernels and CPUs, and the commit as a diff.",
        epilog="example: pgtlab bugs small-pgd",
        allow_abbrev=False,
    )
    parser.add_argument("bug", nargs="?", metavar="BUG", help="the name of one (default: list them all)")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print the list, or one bug."""
    from pgtlab.lab.bugs import BUGS, named

    if args.bug is None:
        if args.json:
            print_json([_summary(bug) for bug in BUGS.values()])
        else:
            width = max(map(len, BUGS))
            print("\n".join(f"{bug.name:{width}}  {bug.symptom}" for bug in BUGS.values()))
        return
    bug = named(args.bug)
    if args.json:
        print_json(_whole(bug))
    else:
        print(_text(bug))


def _summary(bug: Bug) -> dict[str, object]:
    return {
        "bug": bug.name,
        "symptom": bug.symptom,
        "cause": bug.cause,
        "where": bug.where,
        "upstream": bug.upstream,
        "subject": bug.commit.subject,
        "functions": [*bug.commit.functions],
    }


def _whole(bug: Bug) -> dict[str, object]:
    shown = list(bug.boots())
    return {
        **_summary(bug),
        "shows": [
            {
                "page_size": boot.config.page_size,
                "va_bits": boot.config.va_bits,
                "pa_bits": boot.config.pa_bits,
                "cpu": boot.cpu.name,
            }
            for boot in shown
        ],
        "seen": bug.observe(bug.tree.start_kernel(shown[0])),
        "diff": bug.diff(),
    }


def _text(bug: Bug) -> str:
    shown = list(bug.boots())
    rows: dict[str, list[str]] = {}
    for boot in shown:
        config = boot.config
        kernel = f"{config.granule!s:>3} VA {config.va_bits} PA {config.pa_bits}"
        rows.setdefault(kernel, []).append(boot.cpu.name)
    first = ", ".join([f"{next(iter(rows)).strip()} on {shown[0].cpu.name}", *bug.options])
    return "\n".join(
        [
            f"{bug.name}: {bug.commit.subject}",
            f"upstream: {bug.upstream}",
            "",
            bug.symptom,
            f"Seen with {first}:",
            f"    {bug.observe(bug.tree.start_kernel(shown[0]))}",
            "",
            *textwrap.wrap(bug.cause, 100, break_on_hyphens=False),
            "",
            f"It shows {bug.where}:",
            *(f"    {kernel}  {' '.join(cpus)}" for kernel, cpus in rows.items()),
            "",
            bug.diff(),
        ]
    )
