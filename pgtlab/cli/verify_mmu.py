"""``pgtlab verify-mmu``: compare the simulated MMU with recorded translations of a real one or of Arm's specification.

Translate every case with both walkers, one address at a time and many at once, and compare. A file whose registers ask
for what the model leaves out is refused by the name of the field, and nothing in it is compared. The exit status is 0
if all others agree, 1 if any does not, a file is damaged, or nothing was compared, 2 for a usage error.

example: pgtlab verify-mmu tests/data/mmu/vectors_sample.npz
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pgtlab.cli.answer import print_json
from pgtlab.cli.terminal import coloured, complain

if TYPE_CHECKING:
    from pgtlab.cli.vectors import Mask, Verification

SHOWN = 3  # disagreements printed in full for each file: a wrong rule makes thousands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab verify-mmu`` takes."""
    parser.add_argument("files", nargs="+", metavar="FILE.npz", help="AT cases or instruction fetches")


def run(args: argparse.Namespace) -> int:
    """Verify each file; 1 if any disagrees or cannot be used."""
    from pgtlab.cli.specified import RefusedFile
    from pgtlab.cli.vectors import VectorFileError, Vectors, verify

    agree, compared = True, 0
    answers: list[dict[str, object]] = []
    for path in args.files:
        try:
            verification = verify(Vectors.load(path), progress=True)
        except RefusedFile as error:
            complain(f"refused, and nothing compared: {error}")
            answers.append({"file": path, "agrees": False, "refused": str(error)})
            continue
        except VectorFileError as error:
            complain(error)
            answers.append({"file": path, "agrees": False, "damage": str(error)})
            agree = False
            continue
        if args.json:
            answers.append(as_dict(verification))
        else:
            report(verification)
        agree &= verification.agrees
        compared += int(verification.compared.sum())
    if args.json:
        print_json(answers)
    elif len(args.files) > 1:
        print(f"{len(args.files)} files: {compared} cases compared with both walkers")
    return 0 if agree and compared else 1


def as_dict(v: Verification) -> dict[str, object]:
    """A verification as plain data, with the numbers of cases compared and of those that disagree."""
    return {
        "file": str(v.vectors.path),
        "agrees": v.agrees,
        "images": len(v.vectors["img_page_bytes"]),
        "cases": len(v.vectors),
        **_counts(v, v.compared),
        "at_dbm": int(v.ignored_dbm.sum()),
        "features": {name: _counts(v, cases) for name, cases in v.features().items()},
        "disagreements": [_disagreement(v, int(case)) for case in _wrong(v).nonzero()[0][:SHOWN]],
    }


def _counts(v: Verification, cases: Mask) -> dict[str, int]:
    counted = {
        "compared": v.compared,
        "translate_wrong": v.walk_wrong,
        "translate_many_wrong": v.many_wrong,
        "differ": v.differ,
    }
    return {name: int((cases & which).sum()) for name, which in counted.items()}


def _wrong(v: Verification) -> Mask:
    return v.walk_wrong | v.many_wrong | v.differ


def report(v: Verification) -> None:
    """Print the number of cases compared, and of those that disagree for each feature."""
    compared = int(v.compared.sum())
    print(f"{v.vectors.path}: {len(v.vectors['img_page_bytes'])} images, {len(v.vectors)} cases")
    print(f"{'':32}{'compared':>9}{'translate':>11}{'translate_many':>16}")
    for name, cases in {"all": v.compared, **v.features()}.items():
        counts = [int((cases & which).sum()) for which in (v.compared, v.walk_wrong, v.many_wrong)]
        print(f"{name:32}{counts[0]:9}{counts[1]:11}{counts[2]:16}")
    for case in _wrong(v).nonzero()[0][:SHOWN]:
        print(f"\n{_disagreement(v, int(case))}")
    ignored = int(v.ignored_dbm.sum())
    if ignored:
        print(
            f"{ignored} cases are left out besides, AT_DBM: AT of QEMU 11.1 does not apply DBM with HA = HD = 1, where "
            "Arm's specification, QEMU 7.2 and the model do"
        )
    verdict = coloured("agree with the record", "good") if v.agrees else coloured("do NOT agree", "bad")
    print(
        f"{compared} cases compared, {len(v.vectors) - compared - ignored} left out for the reasons noted in the "
        f"file: {int(v.walk_wrong.sum())} mismatches of translate, {int(v.many_wrong.sum())} of translate_many, "
        f"{int(v.differ.sum())} between them: the walkers {verdict}"
        + ("" if compared else ", since nothing was compared")
    )


def _disagreement(v: Verification, case: int) -> str:
    """A case in full: what was recorded, and the walk of the model."""
    from pgtlab.arch.walk import walk
    from pgtlab.cli.vectors import OPERATIONS, asked

    vectors = v.vectors
    image, mmu = next((i, mmu) for i, (mmu, cases) in enumerate(vectors.images()) if case < cases.stop)
    operation = OPERATIONS[int(vectors["op"][case])]
    found = walk(mmu, int(vectors["va"][case]), asked(mmu, operation))
    result = (
        f"ESR_EL{mmu.privileged} {int(found.esr):#x}"
        if vectors.fetches and found.esr
        else f"PAR_EL1 {int(found.par):#x}"
    )
    return f"case {case}, image {image}, {operation}: recorded {vectors.recorded(case)}; here {result}\n{found}"
