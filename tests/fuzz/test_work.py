"""The work of every reader is proportional to its input, over the inputs that are most work.

Counted are steps, not seconds (`work.steps`), at n, 2n and 4n: with n large enough that what is quadratic stands out.
"""

from contextlib import suppress
from functools import cache

import pytest
from work import growth, steps

from fuzz.readers import READERS
from fuzz.worst_cases import WORST_CASES

pytestmark = pytest.mark.long  # it counts every step of each reader

#: Of readers with many cases the suite asks about some, which differ most, and `make sweep` about the others.
SOME = {
    "log": {"BUG", "page dumps", "quotes", "prefixes"},
    "image_text": {"comments", "runs of zeros", "blanks", "stars"},
    "image_elf": {"notes"},
    "image_npz": {"arrays"},
    "command_line": set(),
}
CASES = [
    pytest.param(
        *(reader, case),
        id=f"{reader}: {case}",
        marks=[] if case in SOME.get(reader, cases) else [pytest.mark.sweep],
    )
    for reader, cases in WORST_CASES.items()
    for case in cases
]


LEAST = 4  # parts of an input
STEPS = 800  # more than those for an input of nearly nothing: fewer may be chance
MOST = 1 << 10


@pytest.mark.parametrize(("reader", "case"), CASES)
def test_work_is_proportional_to_the_input(reader, case, tmp_path):
    make, read = WORST_CASES[reader][case], READERS[reader].read
    READERS[reader].samples(tmp_path)

    @cache
    def work(n: int) -> int:
        content = make(n)

        def once() -> None:
            with suppress(ValueError):
                read(content, tmp_path)

        if n == LEAST:
            once()  # what is loaded and kept the first time
        return steps(once)

    # What is the same for every input must not hide how the rest grows: half as much again as for nearly nothing.
    n, enough = LEAST, work(LEAST) + max(STEPS, work(LEAST) // 2)
    while work(n) < enough and n < MOST:
        n *= 2
    if work(n) >= work(LEAST) + STEPS:
        assert growth(work, n // 2) < 2.7


def test_every_reader_has_worst_cases():
    assert WORST_CASES.keys() == READERS.keys()


def quadratic_in_lines(n):
    return [a for a in range(n) for b in range(n)]


def quadratic_in_calls(n):
    return [sum([1]) for a in range(n) for b in range(n)]


def quadratic_in_bytes(n):
    notes = b""
    for _ in range(n):
        notes += bytes(100)
    return notes


def linear(n):
    return [sum([1]) for a in range(n)] + [bytes(100 * n)]


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (quadratic_in_lines, 3.5, 4.5),
        (quadratic_in_calls, 3.5, 4.5),
        (quadratic_in_bytes, 3.0, 4.5),
        (linear, 1.6, 2.5),
    ],
)
def test_what_is_quadratic_is_seen(function, least, most):
    assert least < growth(lambda n: steps(lambda: function(n)), 50) < most
