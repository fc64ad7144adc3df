"""``pgtlab trees``: list the trees and their commits.

List the trees that can be booted, their commits, oldest first, and what each commit does. A tree is of v6.9; with a
version, list what that one does otherwise: any tree boots on it with `pgtlab debug-vm-pgtable --linux`.

examples: pgtlab trees; pgtlab trees --linux 7.3
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab trees`` takes."""
    parser.add_argument("--linux", metavar="VERSION", help="list how this version differs from v6.9: 6.1 to 7.3")


def run(args: argparse.Namespace) -> None:
    """Print every tree."""
    from pgtlab.lab.trees import COMMITS, TREES

    if args.linux is not None:
        _print_version(args)
        return
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
    print("\nThese are of v6.9. `pgtlab trees --linux VERSION` lists what another version does otherwise.")


def _print_version(args: argparse.Namespace) -> None:
    from pgtlab.lab.linux_versions import IN_WORDS, differences
    from pgtlab.lab.trees import Tree
    from pgtlab.linux.version import version_code, version_of

    linux = version_of(args.linux)
    commits = differences(linux)
    if args.json:
        print_json([Tree(f"v{linux}", commits).as_dict()])
        return
    print(f"Linux {linux}, compared with the model's v6.9:")
    for commit in commits:
        print(f"{commit.name}: {commit.subject}" + (f" ({commit.id})" if commit.id else ""))
        if commit.does:
            print(f"    {commit.does}")
    for version, words in IN_WORDS.items():
        if (version_code(version) <= version_code(linux)) == (version != "6.9"):
            print(f"not in the model, since {version}: {words}" if version != "6.9" else f"before 6.9: {words}")
