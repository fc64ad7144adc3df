"""``pgtlab matrix``: run trees with every configuration on every CPU.

Boot trees with every configuration on every CPU, and print the outcome of each run.

example: pgtlab matrix next-20240229 fixed
"""

from __future__ import annotations

import argparse
import re

from pgtlab.cli.answer import print_json
from pgtlab.cli.terminal import coloured

TELLS = {"clean": "good", "report": "suspicious", "panic": "bad", "no boot": "aside"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab matrix`` takes."""
    parser.add_argument("tree", nargs="*", metavar="TREE", help="a tree that `pgtlab trees` lists (default: all)")


def run(args: argparse.Namespace) -> None:
    """Run and print each tree."""
    from pgtlab.lab.matrix import matrix
    from pgtlab.lab.trees import TREES, Tree

    trees = [Tree.named(name) for name in args.tree] or list(TREES.values())
    if args.json:
        print_json({tree.name: matrix(tree).as_dict()["runs"] for tree in trees})
        return
    print("\n\n".join(f"{tree.name}\n{_coloured(str(matrix(tree)))}" for tree in trees))


def _coloured(table: str) -> str:
    return re.sub("|".join(TELLS), lambda outcome: coloured(outcome[0], TELLS[outcome[0]]), table)
