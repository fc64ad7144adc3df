"""An installed package has all of the course in it, and `pgtlab lab` finds it there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pgtlab.lab.course_data import FILES, LOG
from pgtlab.lab.exercise_text import INSTRUCTORS, cells_of, students_text

ROOT = Path(__file__).resolve().parents[2]
BUILD_A_WORKBENCH = """
from pathlib import Path
from pgtlab.lab import course, course_text
print(course_text.sources())
for page in course.build(Path("workbench")):
    assert page.state == "new"
from pgtlab.lab import check
judged = check("32_first_bad_commit", {"first suspect": 1})
assert judged.points == 0 and judged.later > 0, judged
"""


def answers_in(installed: Path) -> list[str]:
    """The files in which a solution, a wrong answer or a hidden check can be found, in whole or in longer parts."""
    everything = {path: path.read_text(errors="replace") for path in installed.rglob("*") if path.is_file()}
    found = []
    for source in sorted((ROOT / "exercises").glob("[!_]*.py")):
        secret = [cell for cell in cells_of(source.read_text()) if cell.tag in INSTRUCTORS and cell.is_code]
        assert {cell.tag for cell in secret} == INSTRUCTORS
        for cell in secret:
            body = "\n".join(line for line in cell.source.splitlines() if line.strip() and not line.startswith("def "))
            lines = body if body.count("\n") > 1 else cell.source  # a line or two may be anywhere
            found += [
                f"{source.name}, {cell.tag} {cell.title}: {path}" for path, text in everything.items() if lines in text
            ]
        packed = (installed / "pgtlab" / "_course" / "exercises" / source.name).read_text()
        assert packed == students_text(source.read_text())
        assert {cell.tag for cell in cells_of(packed)} & INSTRUCTORS == set()
    return found


@pytest.mark.long
def test_the_wheel_carries_the_course_and_both_packages(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("pgtlab-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    def files(folder: Path) -> set[str]:
        found = folder.rglob("*")
        return {
            str(path.relative_to(folder))
            for path in found
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".ipynb"
        }

    assert files(installed / "pgtlab_widgets") == files(ROOT / "widgets" / "pgtlab_widgets")
    assert files(installed / "pgtlab" / "_course" / "notebooks") == {*files(ROOT / "notebooks"), f"data/{LOG}"}
    assert files(installed / "pgtlab" / "_course" / "exercises") == files(ROOT / "exercises")
    assert answers_in(installed) == []

    done = subprocess.run(
        [sys.executable, "-c", BUILD_A_WORKBENCH],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(installed / "pgtlab" / "_course")
    sources = (*(ROOT / "notebooks").glob("*.py"), *(ROOT / "exercises").glob("*.py"))
    pages = [source for source in sources if not source.name.startswith("_")]
    assert len([*(tmp_path / "workbench").glob("[!.]*/*.ipynb")]) == len(pages) + 1, "and the glossary"
    assert {path.name for path in (tmp_path / "workbench" / "data").iterdir()} == {*FILES}
