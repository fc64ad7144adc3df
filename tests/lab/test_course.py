"""A workbench folder is made from text, and a learner's file in it is never written over."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from pgtlab.lab import course, course_data, course_text
from pgtlab.linux.image import Image

TEXT = """\
# %% [markdown]
# # The tour

# %%
1 + 1
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A course of one notebook."""
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "notebooks" / "00_tour.py").write_text(TEXT)
    return tmp_path / "course"


def test_a_missing_notebook_is_written(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    made = nbformat.read(page.path, as_version=4)
    nbformat.validate(made)
    assert page == course.NotebookFile(tmp_path / "bench" / "notebooks" / "00_tour.ipynb", "new")
    assert [cell.source for cell in made.cells] == ["# The tour", "1 + 1"]
    assert made.metadata.kernelspec.name == "python3"


def test_the_same_text_gives_the_same_bytes(tiny, tmp_path):
    [one] = course.build(tmp_path / "one", tiny)
    [two] = course.build(tmp_path / "two", tiny)
    assert one.path.read_bytes() == two.path.read_bytes()


def test_what_a_learner_wrote_stays(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    own = nbformat.read(page.path, as_version=4)
    own.cells[1].source = "2 + 2"
    nbformat.write(own, page.path)
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "kept")]
    assert nbformat.read(page.path, as_version=4).cells[1].source == "2 + 2"


def test_changed_source_is_reported(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    before = page.path.read_bytes()
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 2"))
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "outdated")]
    assert page.path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"metadata": []}'])
def test_foreign_file_stays(tiny, tmp_path, text):
    theirs = tmp_path / "bench" / "notebooks" / "00_tour.ipynb"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(text)
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(theirs, "kept")]
    assert theirs.read_text() == text


def test_files_with_underscore_are_ignored(tiny, tmp_path):
    (tiny / "notebooks" / "_helper.py").write_text("x = 1\n")
    assert len(course.build(tmp_path / "bench", tiny)) == 1


def test_invalid_folders(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file is a file: the workbench needs a folder"):
        course.build(tmp_path / "file", tiny)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no course"):
        course.build(tmp_path / "bench", tmp_path / "empty")
    (tiny / "notebooks" / "01_prose.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match=r"01_prose\.py is not a notebook"):
        course.build(tmp_path / "bench", tiny)


def test_course_of_this_clone():
    assert (course_text.sources() / "notebooks").is_dir()


def test_the_kernel_says_of_its_language_what_the_notebooks_have():
    """JupyterLab takes a notebook for changed as soon as the kernel says something else."""
    # In a Python of its own: where the kernel is imported, every widget of the process talks to it.
    says = "import json, ipykernel.ipkernel as i; print(json.dumps(i.IPythonKernel.language_info))"
    printed = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == course.LANGUAGE


def test_data_of_the_course_is_placed_and_a_changed_file_stays(tiny, tmp_path):
    course.build(tmp_path / "bench", tiny)
    assert {path.name for path in (tmp_path / "bench" / "data").iterdir()} == {*course_data.FILES}
    own = tmp_path / "bench" / "data" / course_data.LOG
    own.write_text("my own log")
    course.build(tmp_path / "bench", tiny)
    assert own.read_text() == "my own log"


def test_a_workbench_counts_the_answers_of_one_reader(tiny, tmp_path):
    course.build(tmp_path / "one", tiny)
    course.build(tmp_path / "two", tiny)
    one, two = ((tmp_path / name / "progress.json").read_text() for name in ("one", "two"))
    assert one != two, "two readers see different numbers"
    course.build(tmp_path / "one", tiny)
    assert (tmp_path / "one" / "progress.json").read_text() == one


@pytest.mark.parametrize(
    ("name", "recording"),
    [("kernel-4k-va48.npz", "4k-va48-max+rodata-on"), ("kernel-16k-va52.npz", "16k-va52-max")],
)
def test_images_of_the_course_are_the_recordings(name, recording):
    image = Image.open(course_data.origin(name))
    recorded = Image.open(Path(__file__).parents[1] / "data" / "kernel" / "ptdump" / recording)
    assert image.registers == recorded.registers
    assert np.array_equal(image.mappings(), recorded.mappings())
    assert course_data.origin(name).stat().st_size < 15_000
