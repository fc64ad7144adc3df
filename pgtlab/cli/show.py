"""``pgtlab show``: what a commit changes."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab show`` to the command."""
    parser = subparsers.add_parser(
        "show",
        help="show what a commit changes",
        description="Show a commit: its subject, and the difference that it makes to the functions of the kernel.",
        epilog="example: pgtlab show d67cd9f23139",
        allow_abbrev=False,
    )
    parser.add_argument("commit", metavar="COMMIT", help="its id, or its name in `pgtlab trees`")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print subject and diff."""
    from pgtlab.lab.trees import Commit

    commit = Commit.named(args.commit)
    print(f"commit {commit.id or commit.name}\n\n    {commit.subject}\n\n{commit.diff()}")
