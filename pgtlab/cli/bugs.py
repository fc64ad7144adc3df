"""``pgtlab bugs``: list page-table bugs, or explain one and show it.

List bugs in page-table code, each one bad commit on top of the fixed tree. With a name: its symptom in a booted
kernel, its cause, the kernels and CPUs that show it, and the commit as a diff.

example: pgtlab bugs small-pgd
"""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from pgtlab.cli.answer import print_json

if TYPE_CHECKING:
    from pgtlab.lab.bugs import Bug


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab bugs`` takes."""
    parser.add_argument("bug", nargs="?", metavar="BUG", help="the name of a bug (default: list all)")


def run(args: argparse.Namespace) -> None:
    """Print the list, or one bug."""
    from pgtlab.lab.bugs import BUGS, Bug

    if args.bug is None:
        if args.json:
            print_json([bug.as_dict() for bug in BUGS.values()])
        else:
            width = max(map(len, BUGS))
            print("\n".join(f"{bug.name:{width}}  {bug.symptom}" for bug in BUGS.values()))
        return
    bug = Bug.named(args.bug)
    if args.json:
        shown = list(bug.boots())
        more = {"seen": bug.observe(bug.tree.start_kernel(shown[0])), "diff": bug.diff()}
        print_json(bug.as_dict() | {"shows": [boot.config.as_dict() | {"cpu": boot.cpu.name} for boot in shown]} | more)
    else:
        print(_text(bug))


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
