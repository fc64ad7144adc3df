"""What README.md shows is what happens, and what it points to is there."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from pgtlab.cli import parser

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_python_does_what_it_says():
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried == README.count(">>> ") > 0
    assert failed == 0


@pytest.mark.parametrize("line", re.findall(r"^pgtlab .*", README, re.MULTILINE))
def test_its_commands_are_understood(line):
    parser().parse_args(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize(
    "target", re.findall(r"\]\((?!http)([^)#]+)\)", README) + re.findall(r"^\| `(\w+/)", README, re.M)
)
def test_what_it_points_to_is_there(target):
    assert (ROOT / target).exists()
