"""``pgtlab show``: show what a commit changes.

Show a commit: its subject, and the difference that it makes to the functions of the kernel.

example: pgtlab show d67cd9f23139
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab show`` takes."""
    parser.add_argument("commit", metavar="COMMIT", help="its id, or its name in `pgtlab trees`")


def run(args: argparse.Namespace) -> None:
    """Print subject and diff."""
    from pgtlab.lab.trees import Commit

    commit = Commit.named(args.commit)
    if args.json:
        print_json(commit.as_dict() | {"diff": commit.diff()})
        return
    print(f"commit {commit.id or commit.name}\n\n    {commit.subject}\n\n{commit.diff()}")
