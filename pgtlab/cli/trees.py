"""``pgtlab trees``: list the trees and their commits.

List the trees that can be booted, their commits, oldest first, and what each commit does.

example: pgtlab trees
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import print_json


def run(args: argparse.Namespace) -> None:
    """Print every tree."""
    from pgtlab.lab.trees import COMMITS, TREES

    if args.json:
        print_json([tree.as_dict() for tree in TREES.values()])
        return
    for tree in TREES.values():
        print(tree.name)
        for commit in tree.commits:
            print(f"  {commit.id or '':12}  {commit.name}")
    print()
    for commit in COMMITS:
        print(f"{commit.name}: {commit.subject}" + (f" ({commit.id})" if commit.id else ""))
        print(f"    {commit.does}")
