"""A workbench folder is made from text, and a learner's file in it is never written over."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.sign import NotebookNotary

import pgtlab
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


def own_text(page: course.NotebookFile, text: str) -> bytes:
    """Write `text` into the last cell of a learner's notebook."""
    own = nbformat.read(page.path, as_version=4)
    own.cells[-1].source = text
    nbformat.write(own, page.path)
    return page.path.read_bytes()


def sources_of(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_a_notebook_says_which_version_of_the_course_it_was_made_from(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    made_from = nbformat.read(page.path, as_version=4).metadata.pgtlab
    assert (made_from.source, made_from.version) == ("notebooks/00_tour", pgtlab.__version__)
    assert (tmp_path / "bench" / course.GIVEN / f"{made_from.sha256}.ipynb").read_bytes() == page.path.read_bytes()


def test_what_a_learner_wrote_stays(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    before = own_text(page, "2 + 2")
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "kept")]
    assert page.path.read_bytes() == before


def test_a_changed_chapter_is_merged_and_said(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    before = own_text(page, "2 + 2")
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("The tour", "A short tour"))
    [updated] = course.build(tmp_path / "bench", tiny)
    kept = next((tmp_path / "bench" / course.GIVEN / "before").iterdir())
    assert updated.state == "updated"
    assert updated.said == (
        f"{page.path} has the course's changes to 1 cell, and what you wrote. Your file as it was: {kept}."
    )
    assert sources_of(page.path) == ["# A short tour", "2 + 2"]
    assert kept.read_bytes() == before
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "kept")]


def test_a_chapter_that_the_learner_only_ran_is_updated_without_a_word(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    own = nbformat.read(page.path, as_version=4)
    own.cells[1].execution_count = 1
    nbformat.write(own, page.path)
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("The tour", "A short tour"))
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "updated")]
    assert sources_of(page.path) == ["# A short tour", "1 + 1"]
    assert not (tmp_path / "bench" / course.GIVEN / "before").exists(), "there was nothing to keep"


@pytest.mark.parametrize("trusted", [True, False])
def test_output_that_jupyter_trusted_is_trusted_after_the_merge(tiny, tmp_path, trusted, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    [page] = course.build(tmp_path / "bench", tiny)
    own = nbformat.read(page.path, as_version=4)
    own.cells[1].outputs = [nbformat.v4.new_output("display_data", {"text/html": "<svg></svg>"})]
    nbformat.write(own, page.path)
    if trusted:
        NotebookNotary().sign(own)
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("The tour", "A short tour"))
    course.build(tmp_path / "bench", tiny)
    merged = nbformat.read(page.path, as_version=4)
    assert merged.cells[1].outputs
    assert NotebookNotary().check_signature(merged) == trusted


def test_a_cell_that_both_changed_has_both_and_the_next_update_keeps_them(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    own_text(page, "2 + 2")
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 2"))
    [updated] = course.build(tmp_path / "bench", tiny)
    assert "You had changed 1 cell of these too: the course's text is above yours." in updated.said
    title, shown, own = sources_of(page.path)
    assert "1 + 2" in shown
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 2").replace("The", "A"))
    [again] = course.build(tmp_path / "bench", tiny)
    assert sources_of(page.path) == [title.replace("The", "A"), shown, own]
    assert "You had" not in again.said


def test_without_what_was_given_the_courses_version_is_put_beside(tiny, tmp_path):
    """A workbench that an early version of pgtlab made has no copies."""
    bench = tmp_path / "bench"
    [page] = course.build(bench, tiny)
    before = own_text(page, "2 + 2")
    shutil.rmtree(bench / course.GIVEN)
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 2"))
    for _ in range(2):
        [file] = course.build(bench, tiny)
        assert file.state == "beside"
        assert file.said.endswith(
            f"Nothing says which version of the course it was made from: the course's version is "
            f"{bench / 'notebooks' / '00_tour-new.ipynb'}."
        )
        assert page.path.read_bytes() == before
        assert sources_of(bench / "notebooks" / "00_tour-new.ipynb") == ["# The tour", "1 + 2"]
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 3"))
    course.build(bench, tiny)
    assert sources_of(bench / "notebooks" / "00_tour-new.ipynb") == ["# The tour", "1 + 3"], "it is updated too"
    (bench / "notebooks" / "00_tour-new.ipynb").replace(page.path)
    assert [file.state for file in course.build(bench, tiny)] == ["kept"], "the learner has chosen the newer one"


def test_a_notebook_without_its_metadata_is_kept_if_nothing_differs(tiny, tmp_path):
    [page] = course.build(tmp_path / "bench", tiny)
    own = nbformat.read(page.path, as_version=4)
    own.metadata = {}
    nbformat.write(own, page.path)
    assert course.build(tmp_path / "bench", tiny) == [course.NotebookFile(page.path, "kept")]


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"metadata": []}', '{"cells": [{}], "nbformat": 4}'])
def test_foreign_file_stays_and_the_chapter_is_beside_it(tiny, tmp_path, text):
    theirs = tmp_path / "bench" / "notebooks" / "00_tour.ipynb"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(text)
    [file] = course.build(tmp_path / "bench", tiny)
    assert (file.path, file.state) == (theirs, "beside")
    assert "It cannot be read as a notebook" in file.said
    assert theirs.read_text() == text
    assert sources_of(theirs.with_name("00_tour-new.ipynb")) == ["# The tour", "1 + 1"]


def test_a_damaged_copy_of_what_was_given_is_not_used(tiny, tmp_path):
    bench = tmp_path / "bench"
    [page] = course.build(bench, tiny)
    own_text(page, "2 + 2")
    for copy in (bench / course.GIVEN).glob("*.ipynb"):
        copy.write_text("{")
    (tiny / "notebooks" / "00_tour.py").write_text(TEXT.replace("1 + 1", "1 + 2"))
    assert [file.state for file in course.build(bench, tiny)] == ["beside"]


def test_others_cannot_look_into_a_new_workbench(tiny, tmp_path):
    course.build(tmp_path / "bench", tiny)
    assert (tmp_path / "bench").stat().st_mode & 0o777 == 0o700


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
    data = tmp_path / "bench" / "data"
    assert {path.name for path in data.iterdir()} == {*course_data.FILES}
    (data / course_data.LOG).write_text("my own log")
    course.build(tmp_path / "bench", tiny)
    assert (data / course_data.LOG).read_text() == "my own log"


def test_data_of_an_earlier_course_is_updated(tiny, tmp_path):
    course.build(tmp_path / "bench", tiny)
    for folder in ("data", course.GIVEN):
        (tmp_path / "bench" / folder / course_data.LOG).write_text("as it was in an earlier course")
    course.build(tmp_path / "bench", tiny)
    own = tmp_path / "bench" / "data" / course_data.LOG
    assert own.read_bytes() == course_data.origin(course_data.LOG).read_bytes()


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


def test_jupyter_trusts_the_notebooks_that_the_course_made(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    [page] = course.build(tmp_path / "bench", tiny)
    assert not NotebookNotary().check_signature(nbformat.read(page.path, as_version=4))
    course.trust([page])
    assert NotebookNotary().check_signature(nbformat.read(page.path, as_version=4))
