"""The faults that `make mutation` puts into the code."""

import ast
import re
from pathlib import Path

import pytest

from mutation.__main__ import FOLDERS, PARTS, asked_about, candidates
from mutation.faults import faults

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a and b", ["1: a and b -> a or b"]),
        ("x = not a", ["1: not a -> a"]),
        ("f(1)", ["1: f(1) -> pass", "1: 1 -> 2"]),
        ("def f():\n    return False", ["2: False -> True"]),
        ("x = True", ["1: True -> False"]),
        ("x = a if b else c", ["1: a if b else c -> c if b else a"]),
        ("'a docstring'", []),
        ("def f(a: int = 1) -> int:\n    return a", ["1: 1 -> 2", "2: return a -> return None"]),
        ("import a\nif TYPE_CHECKING:\n    from b import c", []),
        ("x = f'{a + 1}'", []),
        (
            "x = a.reshape(-1) + zip(a, b, strict=True)",
            ["1: a.reshape(-1) + zip(a, b, strict=True) -> a.reshape(-1) - zip(a, b, strict=True)"],
        ),
        ("def pte_soft_dirty_tests(k):\n    return 1", []),
        ("x: int = (1 +\n    2)", ["1: 1 -> 2", "2: 2 -> 3"]),
    ],
)
def test_which_faults_there_are(source, expected):
    assert [str(fault) for fault in faults(source)] == expected


def test_the_names_around_a_fault():
    source = "class A:\n    def __len__(self):\n        return 1\n    def f(self):\n        return 2"
    assert [fault.within for fault in faults(source)] == [("A",), ("A",), ("A", "f"), ("A", "f")]


def test_the_tests_that_are_asked_first_name_the_module_or_the_function():
    path = Path("pgtlab/linux/oops/reading/prefixes.py")
    first, then = asked_about("linux", path, faults("def read_symbols(a):\n    return a")[0])
    assert first[0] == str(path)
    assert all(re.search(r"\b(prefixes|read_symbols)\b", (ROOT / test).read_text()) for test in first[1:])
    assert "tests/linux" in then


@pytest.mark.parametrize("part", PARTS)
def test_the_folders_of_tests_exist(part):
    assert all((ROOT / folder).is_dir() for folder in FOLDERS[part])


def test_a_fault_changes_one_place():
    source = "ä = 1\nx = a < 3  # é\n"
    assert [fault.put_into(source) for fault in faults(source)] == [
        "ä = 2\nx = a < 3  # é\n",
        "ä = 1\nx = a <= 3  # é\n",
        "ä = 1\nx = a < 4  # é\n",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_fault_is_python(part):
    found = candidates(part)
    assert len(found) > 500
    for path, fault in found[:: len(found) // 40]:
        ast.parse(fault.put_into((ROOT / path).read_text()))
