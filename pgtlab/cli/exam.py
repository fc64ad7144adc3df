"""``pgtlab exam``: write an exam about a log that the course has not shown, or its key.

For instructors. The exam has four parts: values to derive, what-if questions, claims that are true, false or not
decidable, and a case to fix. The log and every answer come from the model; the same seed gives the same exam. Or one of
the two forms of the draft test, twelve questions for before and after the course.

example: pgtlab exam --seed 7 --key
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pgtlab.cli.answer import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab exam`` takes."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", metavar="SEED", help="a number or a word that chooses the exam")
    which.add_argument("--draft-test", choices=("A", "B"), help="a form of the draft test instead of an exam")
    parser.add_argument("--key", action="store_true", help="print the key instead of the exam")


def run(args: argparse.Namespace) -> None:
    """Print the exam, or its key."""
    if args.draft_test:
        from pgtlab.lab import draft_test

        if args.json:
            print_json(
                {"form": args.draft_test, "items": [asdict(item) for item in draft_test.draft_test(args.draft_test)]}
            )
        else:
            print((draft_test.key if args.key else draft_test.paper)(args.draft_test))
        return
    from pgtlab.lab.exam import exam

    made = exam(args.seed)
    if args.json:
        print_json(
            {
                "seed": made.seed,
                "log": made.lines,
                "derive": [asdict(item) for item in made.derive],
                "counterfactual": [asdict(item) for item in made.counterfactual],
                "decide": [asdict(claim) for claim in made.decide],
                "transfer": {"case": made.transfer.seed, "symptom": made.transfer.symptom},
            }
        )
    else:
        print(made.key() if args.key else made.paper())
