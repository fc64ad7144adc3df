"""Progress survives a restart, a damaged file and a folder that cannot be written."""

import json
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from pgtlab.lab.progress import FILE, Answered, Progress, record, start, workbench
from pgtlab.lab.question import Verdict


def read(path: Path) -> Progress:
    """What another kernel sees."""
    progress = Progress(path)
    progress.read()
    return progress


def answered(question: str, verdict: str, asked_in: str = "a") -> Answered:
    return Answered(question, asked_in, "seed", verdict, "4", "because")


def test_an_answer_is_there_after_a_restart(tmp_path):
    path = tmp_path / FILE
    Progress(path).add(answered("a/one", "right"))
    assert read(path).last("a/one", "a") == answered("a/one", "right")
    assert [path.name for path in tmp_path.iterdir()] == [FILE], "written aside, and then renamed"


def test_two_notebooks_write_one_file(tmp_path):
    one, two = Progress(tmp_path / FILE), Progress(tmp_path / FILE)
    one.add(answered("a/one", "right"))
    two.add(answered("a/two", "wrong"))
    one.add(answered("a/three", "right"))
    assert [answer.question for answer in read(tmp_path / FILE).answers] == ["a/one", "a/two", "a/three"]


def test_order_of_lines_is_kept_as_a_list(tmp_path):
    Progress(tmp_path / FILE).add(Answered("a/order", "a", "seed", "right", ["one", "two"]))
    assert read(tmp_path / FILE).last("a/order", "a").said == ["one", "two"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"reader": "x", "exercises": {}, "answers": [{"question": 1}]}', "\0", '"\ud800'],
)
def test_a_damaged_file_is_kept_aside_and_said(tmp_path, text):
    path = tmp_path / FILE
    path.write_bytes(text.encode(errors="surrogatepass"))
    progress = read(path)
    assert progress.answers == []
    assert progress.note.startswith("progress.json is damaged: it is kept as progress-damaged.json")
    progress.add(answered("a/one", "right"))
    assert read(path).was_right("a/one")
    assert (tmp_path / "progress-damaged.json").read_bytes() == text.encode(errors="surrogatepass")


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    for text in ("first", "second"):
        (tmp_path / FILE).write_text(text)
        read(tmp_path / FILE)
    assert (tmp_path / "progress-damaged.json").read_text() == "first"
    assert (tmp_path / "progress-damaged1.json").read_text() == "second"


def test_a_folder_that_cannot_be_written(tmp_path):
    progress = Progress(tmp_path / "missing" / FILE)
    progress.add(answered("a/one", "wrong"))
    progress.add(answered("a/two", "right"))
    assert [answer.question for answer in progress.answers] == ["a/one", "a/two"]
    assert (
        "cannot be written (No such file or directory): your answers are kept until this kernel stops" in progress.note
    )
    (tmp_path / "missing").mkdir()
    progress.add(answered("a/three", "right"))
    assert len(read(tmp_path / "missing" / FILE).answers) == 3, "all are written as soon as that is possible"


def test_a_file_that_was_removed_is_a_new_beginning(tmp_path):
    progress = Progress(tmp_path / FILE)
    progress.add(answered("a/one", "right"))
    (tmp_path / FILE).unlink()
    progress.read()
    assert progress.answers == []


def test_right_once_is_right_and_missed_is_what_was_last(tmp_path):
    progress = Progress()
    for question, verdict in [
        ("a/x", "right"),
        ("a/y", "unknown"),
        ("a/x", "wrong"),
        ("a/z", "kept"),
        ("a/w", "reason"),
    ]:
        progress.add(answered(question, verdict))
    assert [question for question in ("a/x", "a/y", "a/z", "a/w") if progress.was_right(question)] == ["a/x", "a/z"]
    assert progress.missed() == ["a/x", "a/y", "a/w"]
    assert progress.answered(["a/x", "b/x"]) == ["a/x"]


def test_every_attempt_has_other_numbers():
    progress = Progress(reader="me")
    first = progress.seed("a/x", "a")
    progress.add(answered("a/x", "wrong"))
    seeds = {first, progress.seed("a/x", "a"), progress.seed("a/x", "b"), Progress(reader="you").seed("a/x", "a")}
    assert len(seeds) == 4


def test_progress_is_the_workbenchs(tmp_path):
    for folder in ("notebooks/deep", "exercises"):
        (tmp_path / folder).mkdir(parents=True)
    assert workbench(tmp_path / "notebooks" / "deep") == tmp_path
    assert workbench(tmp_path) == tmp_path
    (tmp_path / "elsewhere").mkdir()
    assert Progress.of(tmp_path / "notebooks") is Progress.of(tmp_path / "exercises")


def test_a_new_workbench_has_a_reader_and_keeps_it(tmp_path):
    start(tmp_path)
    reader = json.loads((tmp_path / FILE).read_text())["reader"]
    assert len(reader) == 8
    start(tmp_path)
    assert read(tmp_path / FILE).reader == reader


def test_only_the_owner_may_read_it(tmp_path):
    start(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    start(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    Progress(tmp_path / FILE).add(answered("a/one", "right"))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_file_is_what_its_schema_says(tmp_path):
    progress = Progress(tmp_path / FILE)
    progress.add_exercise("01_indices", 0.5)
    for verdict in get_args(Verdict):
        progress.add(answered("a/one", verdict))
    progress.add(Answered("a/order", "a", "seed", "right", ["one", "two"]))
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "progress.json").read_text())
    jsonschema.validate(json.loads((tmp_path / FILE).read_text()), schema)


def test_what_another_version_wrote_is_read(tmp_path):
    written = {"question": "a/one", "asked_in": "a", "seed": "s", "verdict": "right", "seconds": 12}
    (tmp_path / FILE).write_text(json.dumps({"reader": "x", "exercises": {}, "answers": [written], "more": 1}))
    assert read(tmp_path / FILE).was_right("a/one")


def test_best_score_of_an_exercise_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record("01_indices", 1.0)
    assert [*tmp_path.iterdir()] == [], "no workbench, no file"
    start(tmp_path)
    for score in (0.5, 1.0, 0.25):
        record("01_indices", score)
    assert read(tmp_path / FILE).exercises == {"01_indices": 1.0}
