"""``pgtlab bisect-repo``: write a git repository in which `git bisect` finds the failure.

Write a git repository with the history of linux-next up to 29 February 2024, in miniature. Each commit holds a
file, tree.txt, that `pgtlab debug-vm-pgtable --tree-file` boots.

example: pgtlab bisect-repo linux-next
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pgtlab.cli.answer import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab bisect-repo`` takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="an empty or a new folder")


def run(args: argparse.Namespace) -> None:
    """Write the repository, and print the commands of a bisection."""
    from pgtlab.lab.history import ARM64, BASE, MM, NEXT, STAGE1_LPA2, TREE_FILE, write_repo

    write_repo(args.folder)
    bisection = (
        f"cd {shlex.quote(f'./{args.folder}' if str(args.folder).startswith('-') else str(args.folder))}",
        f"git bisect start {NEXT} {BASE}",
        f"git bisect run pgtlab debug-vm-pgtable --tree-file {TREE_FILE} --bad panic",
    )
    if args.json:
        branches = [STAGE1_LPA2, ARM64, MM]
        print_json({"folder": str(args.folder), "tags": [BASE, NEXT], "branches": branches, "bisection": bisection})
        return
    print(f"""\
{args.folder}: from tag {BASE} to tag {NEXT}, with the branches
{STAGE1_LPA2}, {ARM64} and {MM}. Which commit introduced the panic?
""")
    print(*(f"  {line}" for line in bisection), sep="\n")
