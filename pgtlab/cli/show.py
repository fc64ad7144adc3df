"""``pgtlab show``: what a commit changes."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import print_json


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
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print subject and diff."""
    from pgtlab.lab.trees import Commit

    commit = Commit.named(args.commit)
    if args.json:
        print_json(
            {
                "id": commit.id,
                "name": commit.name,
                "subject": commit.subject,
                "does": commit.does,
                "functions": [*commit.functions],
                "diff": commit.diff(),
            }
        )
        return
    print(f"commit {commit.id or commit.name}\n\n    {commit.subject}\n\n{commit.diff()}")
