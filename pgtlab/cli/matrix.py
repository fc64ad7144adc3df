"""``pgtlab matrix``: how each tree fares with every configuration on every CPU."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pgtlab.cli.colour import coloured
from pgtlab.cli.options import print_json

if TYPE_CHECKING:
    from pgtlab.lab.matrix import Matrix

TELLS = {"clean": "good", "report": "suspicious", "panic": "bad", "no boot": "aside"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab matrix`` to the command."""
    parser = subparsers.add_parser(
        "matrix",
        help="run trees with every configuration on every CPU",
        description="Boot trees with every configuration on every CPU, and print the outcome of each run.",
        epilog="example: pgtlab matrix next-20240229 fixed",
        allow_abbrev=False,
    )
    parser.add_argument("tree", nargs="*", metavar="TREE", help="a tree that `pgtlab trees` lists (default: all)")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Run and print each tree."""
    from pgtlab.lab.matrix import matrix
    from pgtlab.lab.trees import TREES, Tree

    trees = [Tree.named(name) for name in args.tree] or list(TREES.values())
    if args.json:
        print_json({tree.name: _rows(matrix(tree)) for tree in trees})
    else:
        print("\n\n".join(f"{tree.name}\n{_table(matrix(tree))}" for tree in trees))


def _rows(runs: Matrix) -> list[dict[str, object]]:
    return [
        {
            "page_size": config.page_size,
            "va_bits": config.va_bits,
            "pa_bits": config.pa_bits,
            "cpu": cpu.name,
            "outcome": run.outcome,
        }
        for (config, cpu), run in runs.items()
    ]


def _table(runs: Matrix) -> str:
    cpus = list(dict.fromkeys(cpu for _, cpu in runs))
    lines = [" " * 17 + "  ".join(f"{cpu.name:>{_width(cpu.name)}}" for cpu in cpus)]
    for config in dict.fromkeys(config for config, _ in runs):
        outcomes = (_cell(runs[config, cpu].outcome, _width(cpu.name)) for cpu in cpus)
        lines.append(f"{config.granule!s:>3} VA {config.va_bits} PA {config.pa_bits}  " + "  ".join(outcomes))
    return "\n".join(lines)


def _cell(outcome: str, width: int) -> str:
    return " " * (width - len(outcome)) + coloured(outcome, TELLS.get(outcome))


def _width(name: str) -> int:
    return max(len(name), len("no boot"))
