"""The reference agrees with a real MMU by itself, so that to agree with it is more than to agree with ourselves."""

from pathlib import Path

import numpy as np
import pytest
from reference_walk import Registers, translate

DATA = Path(__file__).parents[1] / "data" / "mmu"
OPERATIONS = [("r", 1), ("w", 1), ("r", 0), ("w", 0), ("x", 1), ("x", 0)]
COMPARE, EXCEPTION, SKIP = range(3)
FETCHED = 0x56000007


def images(a):
    """Registers, a function that reads memory, and the numbers of the cases, for each image."""
    for i, size in enumerate(a["img_page_bytes"].tolist()):
        pages = a["page_base"][a["img_page_off"][i] : a["img_page_off"][i + 1]].tolist()
        words = a["words"][a["img_word_off"][i] : a["img_word_off"][i + 1]]
        first = {page: size // 8 * row for row, page in enumerate(pages)}

        def read(pa, size=size, words=words, first=first):
            start = first.get(pa & -size)
            return None if start is None else int(words[start + pa % size // 8])

        names = "tcr_el1", "ttbr0_el1", "ttbr1_el1", "mair_el1", "sctlr_el1"
        registers = Registers(*(int(a[f"img_{name}"][i]) for name in names))
        yield registers, read, range(a["img_case_off"][i], a["img_case_off"][i + 1])


def disagreements(path):
    """The cases in which the reference gives another answer than the recorded one, and how many were compared."""
    a = dict(np.load(path))
    fetches = "esr_el1" in a
    status = a["status" if fetches else "status_q10"].tolist()
    wrong, compared = [], 0
    for registers, read, cases in images(a):
        for case in cases:
            if status[case] == SKIP:
                continue
            compared += 1
            answer = translate(registers, read, int(a["va"][case]), *OPERATIONS[a["op"][case]])
            if fetches:
                expected, found = int(a["esr_el1"][case]), answer.par >> 1 & 0x3F
                right = answer.pa == int(a["pa"][case]) if expected == FETCHED else found == expected & 0x3F
                right &= (answer.pa is None) == (expected != FETCHED)
            elif status[case] == EXCEPTION:
                right = answer.pa is None and answer.par >> 1 & 0x3F == int(a["esr"][case]) & 0x3F
            else:
                right = (answer.par ^ int(a["par_el1_q10"][case])) & int(a["cmp_mask_q10"][case]) == 0
            if not right:
                wrong.append(case)
    return wrong, compared


@pytest.mark.parametrize(("name", "compared"), [("vectors_sample.npz", 7800), ("exec_sample.npz", 1950)])
def test_the_reference_agrees_with_the_record(name, compared):
    assert disagreements(DATA / name) == ([], compared)
