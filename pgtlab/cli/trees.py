"""``pgtlab trees``: the trees that can be booted, and the commits that each has."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import print_json


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab trees`` to the command."""
    parser = subparsers.add_parser(
        "trees",
        help="list the trees and the commits that are in them",
        description="List the trees that can be booted, their commits, oldest first, and what each commit does.",
        epilog="example: pgtlab trees",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print every tree."""
    from pgtlab.lab.trees import COMMITS, TREES

    if args.json:
        print_json(
            [
                {
                    "tree": tree.name,
                    "commits": [
                        {"id": c.id, "name": c.name, "subject": c.subject, "does": c.does, "functions": [*c.functions]}
                        for c in tree.commits
                    ],
                }
                for tree in TREES.values()
            ]
        )
        return
    for tree in TREES.values():
        print(tree.name)
        for commit in tree.commits:
            print(f"  {commit.id or '':12}  {commit.name}")
    print()
    for commit in COMMITS:
        print(f"{commit.name}: {commit.subject}" + (f" ({commit.id})" if commit.id else ""))
        print(f"    {commit.does}")
