"""The faults that `make mutation` puts into the code."""

import ast
from pathlib import Path

import pytest

from mutation.__main__ import PARTS, candidates
from mutation.faults import faults

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a and b", ["1: a and b -> a or b"]),
        ("x = not a", ["1: not a -> a"]),
        ("f(1)", ["1: f(1) -> pass", "1: 1 -> 2"]),
        ("x = True", ["1: True -> False"]),
        ("x = a if b else c", ["1: a if b else c -> c if b else a"]),
        ("'a docstring'", []),
        ("def f(a: int = 1) -> int:\n    return a", ["1: 1 -> 2", "2: return a -> return None"]),
        ("import a\nif TYPE_CHECKING:\n    from b import c", []),
        ("x = f'{a + 1}'", []),
        ("x: int = (1 +\n    2)", ["1: 1 -> 2", "2: 2 -> 3"]),
    ],
)
def test_which_faults_there_are(source, expected):
    assert [str(fault) for fault in faults(source)] == expected


def test_a_fault_changes_one_place():
    source = "ä = 1\nx = a < 3  # é\n"
    assert [fault.put_into(source) for fault in faults(source)] == [
        "ä = 2\nx = a < 3  # é\n",
        "ä = 1\nx = a <= 3  # é\n",
        "ä = 1\nx = a < 4  # é\n",
    ]


@pytest.mark.parametrize("part", PARTS)
def test_every_fault_is_python(part):
    found = candidates(part)
    assert len(found) > 500
    for path, fault in found[:: len(found) // 40]:
        ast.parse(fault.put_into((ROOT / path).read_text()))
