"""A class's marks: who, which submission counts, what is late, and the tables that schools import."""

import csv
import io
import json
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from grading.a_class import EXERCISE, HALF, RIGHT, STUB, WRONG, exercises, notebook, submit

from pgtlab.cli import main
from pgtlab.lab.grading import classes
from pgtlab.lab.grading.classes import Kept, grade_all
from pgtlab.lab.grading.collect import collect
from pgtlab.lab.grading.grade import GradingTask, Mark, grade
from pgtlab.lab.grading.marks import project_rows
from pgtlab.lab.grading.notebook import Notebook
from pgtlab.lab.grading.roster import Roster, Student
from pgtlab.lab.grading.sandbox import Sandbox
from pgtlab.lab.variants import COURSE, seed_of

NAMES = {"01_free": None, "02_pud_offset": None}
HERE = Sandbox("limits")


class InThisProcess:
    """An executor that does the work at once."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, function, task):
        from concurrent.futures import Future

        future = Future()
        try:
            future.set_result(function(task))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture
def here(monkeypatch):
    """Grading without other processes of the grader, and how many answers are judged."""
    judged = []

    def counted(task):
        judged.append(task)
        return grade(task)

    monkeypatch.setattr(classes, "_executor", lambda *_: InThisProcess())
    monkeypatch.setattr(classes, "grade", counted)
    return judged


def run(folder: Path, *words: str) -> list[dict[str, str]]:
    out = folder / "marks.csv"
    texts = folder / "texts"
    if not texts.exists():
        exercises(texts)
    command = ["grade", str(folder / "in"), "--out", str(out), "--exercises", str(texts), "--sandbox", "limits"]
    assert main([*command, *words]) == 0
    return list(csv.DictReader(out.open()))


def archive(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), content)
    return data.getvalue()


def found(folder: Path, roster: Roster = Roster()) -> list[tuple[str, str]]:  # noqa: B008
    return [(each.student.id, each.exercise) for each in collect(folder, roster, NAMES)]


# Who, and what.


def test_folders_of_students_workbenches_and_archives(tmp_path):
    submit(tmp_path, "ada", b"{}", "01_free.ipynb")
    submit(tmp_path, "ben", b"{}", "exercises/02_pud_offset.ipynb")
    submit(tmp_path, "ben", b"{}", ".course/01_free.ipynb")
    submit(tmp_path, "ben", b"{}", "notebooks/01_two_programs.ipynb")
    submit(tmp_path, "cleo", archive({"work/01_free (2).ipynb": b"{}", "__MACOSX/._01_free.ipynb": b"x"}), "mine.zip")
    submit(tmp_path, "dan", b"{}", "01_free/01_free.ipynb")
    assert found(tmp_path) == [
        ("ada", "01_free"),
        ("ben", "02_pud_offset"),
        ("cleo", "01_free"),
        ("dan", "01_free"),
    ]


def test_a_file_of_another_kind_is_reported(tmp_path, here):
    """It was handed in, so it is not missing; where a notebook was handed in too, that counts."""
    submit(tmp_path / "in", "ada", b"x", "work.tar.gz")
    submit(tmp_path / "in", "ben", b"x", "01_free.py")
    submit(tmp_path / "in", "cleo", archive({"work/01_free.html": b"x", "work/notes.html": b"x"}), "mine.zip")
    submit(tmp_path / "in", "dan", b"x", "01_free.pdf")
    submit(tmp_path / "in", "dan", b"x", "all.7z")
    submit(tmp_path / "in", "dan", notebook(RIGHT), "homework.ipynb")
    (tmp_path / "in" / "eve.tar.gz").write_bytes(b"x")
    submit(tmp_path / "in", "fay", b"x", "notes.txt")
    by = {row["student"]: row for row in run(tmp_path)}
    assert {who: row["state"] for who, row in by.items()} == {
        **dict.fromkeys(("ada", "ben", "cleo", "eve"), "unreadable"),
        "dan": "solved",
    }
    assert by["ada"]["feedback"].startswith("work.tar.gz is an archive of a kind that is not read")
    assert by["ben"]["feedback"].startswith("01_free.py is not a notebook")


def test_what_moodle_canvas_and_nbgrader_export(tmp_path):
    roster = Roster((Student("s1", "Ada Lind", "ada@example.edu"), Student("s2", "Ben von Ost")))
    moodle, canvas, nbgrader = (tmp_path / name for name in ("moodle.zip", "canvas.zip", "nbgrader"))
    moodle.write_bytes(archive({"Ada Lind_42_assignsubmission_file_/01_free.ipynb": b"{}"}))
    assert found(moodle, roster) == [("s1", "01_free")]
    canvas.write_bytes(archive({"lindada_LATE_12_345_01_free-1.ipynb": b"{}", "vonostben_13_346_01_free.ipynb": b"{}"}))
    assert found(canvas, roster) == [("s1", "01_free"), ("s2", "01_free")]
    assert [each.late for each in collect(canvas, roster, NAMES)] == [True, False]
    submit(nbgrader / "submitted", "s2", b"{}", "01_free/01_free.ipynb")
    assert found(nbgrader, roster) == [("s2", "01_free")]


def test_only_the_class_says_who_it_is_from_and_when(tmp_path):
    """In an archive of a student's own, names and times are what the student likes."""
    inside = archive(
        {
            "Ben Ost_42_assignsubmission_file_/01_free.ipynb": b"{}",
            "ben/01_free.ipynb": b"{}",
            "ostben_12_345_01_free.ipynb": b"{}",
            "../ben/01_free.ipynb": b"{}",
        }
    )
    roster = Roster((Student("ada", "Ada Lind"), Student("ben", "Ben Ost")))
    day = datetime(2026, 4, 2, tzinfo=UTC)
    for number, name in enumerate(("ada.zip", "ada/my.zip", "Ada Lind_7_assignsubmission_file_/my.zip")):
        path = submit(tmp_path / str(number), ".", inside, name)
        os.utime(path, (day.timestamp(), day.timestamp()))
        submit(tmp_path / str(number), "ben", b"{}")
        found = collect(tmp_path / str(number), roster, NAMES)
        assert [each.student.id for each in found].count("ada") == 4
        assert {each.time for each in found if each.student.id == "ada"} == {day}
    canvas = tmp_path / "canvas.zip"
    canvas.write_bytes(archive({"lindada_LATE_1_2_my.zip": inside, "zoe_3_4_my.zip": inside}))
    found = collect(canvas, roster, NAMES)
    assert [(each.student.id, each.late) for each in found] == [("ada", True)] * 4 + [("zoe", False)] * 4


def test_a_folder_around_the_students_does_not_matter(tmp_path):
    submit(tmp_path / "export", "Ada Lind_7_assignsubmission_file_", b"{}")
    submit(tmp_path / "export", "Ben Ost_8_assignsubmission_file_", b"{}")
    assert found(tmp_path) == [("Ada Lind", "01_free"), ("Ben Ost", "01_free")]


def test_a_bad_file_does_not_end_the_grading_of_the_others(tmp_path):
    good = archive({"01_free.ipynb": b"{}"})
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("01_free.ipynb", os.urandom(3000))
    corrupt = bytearray(broken.getvalue())
    corrupt[60:90] = b"\xff" * 30  # in the packed data
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("01_free.ipynb", b"{}")
    for name, data in (("corrupt", bytes(corrupt)), ("lzma", packed.getvalue()), ("whole", good)):
        submit(tmp_path, name, data, "mine.zip")
    with submit(tmp_path, "sparse", b"", "mine.zip").open("r+b") as file:
        file.truncate(600 << 20)
    submit(tmp_path, os.fsdecode(b"m\xfcller"), b"{}")
    submit(tmp_path, "a\u0308", b"{}")
    troubles = {each.student.id: each.trouble for each in collect(tmp_path, Roster(), NAMES)}
    assert {name for name, trouble in troubles.items() if not trouble} == {"whole", "m\ufffdller", "\xe4"}
    assert "cannot be read" in troubles["corrupt"]
    assert "packed in another way" in troubles["lzma"]
    assert all(seed_of(COURSE, name) for name in troubles)


def test_archives_in_an_archive_share_its_room(tmp_path, monkeypatch):
    monkeypatch.setattr("pgtlab.lab.grading.collect.UNPACKED", 8000)
    inner = archive({f"{n}/01_free.ipynb": bytes(1000) for n in range(3)})
    submit(tmp_path, "ada", archive({"1.zip": inner, "2.zip": inner}), "mine.zip")
    submit(tmp_path, "ben", archive({"1.zip": inner}), "mine.zip")
    found = collect(tmp_path, Roster(), NAMES)
    assert sum(len(each.data) for each in found if each.student.id == "ada") == 3000
    assert [len(each.data) for each in found if each.student.id == "ben"] == [1000] * 3


def test_students_of_the_same_name_are_not_taken_for_each_other(tmp_path, here):
    rows = "id,name\n1,Ada Lind\n2,Ada Lind\n3,Jos\xe9\n4,Ben\n"
    (tmp_path / "roster.csv").write_text(rows, encoding="utf-8")
    submit(tmp_path / "in", "Ada Lind_77_assignsubmission_file_", notebook(RIGHT))
    submit(tmp_path / "in", "Jose\u0301_4_assignsubmission_file_", notebook(RIGHT))
    submit(tmp_path / "in", "Zoe_4_assignsubmission_file_", notebook(RIGHT))
    marks = {row["student"]: row for row in run(tmp_path, "--roster", str(tmp_path / "roster.csv"))}
    assert {student: row["state"] for student, row in marks.items()} == {
        "1": "not graded",
        "2": "not graded",
        "3": "solved",
        "4": "missing",
        "Ada Lind (77)": "not graded",
        "Zoe": "solved",
    }
    assert "may be from this student or another of the same name" in marks["1"]["note"]
    assert "several students called Ada Lind (1, 2)" in marks["Ada Lind (77)"]["note"]
    submit(tmp_path / "canvas", "", b"{}", "lindada_2_9_01_free.ipynb")
    assert found(tmp_path / "canvas", Roster.read(tmp_path / "roster.csv")) == [("2", "01_free")]


@pytest.mark.parametrize("data", [b"PK", b"", archive({"a.zip": archive({"b.zip": b"PK\3\4junk"})})[:-30]])
def test_a_damaged_archive_is_reported(tmp_path, data):
    submit(tmp_path, "ada", data, "mine.zip")
    [each] = collect(tmp_path, Roster(), NAMES)
    assert (each.student.id, each.trouble[:28]) == ("ada", "This archive cannot be read:")


def test_an_archive_that_unpacks_to_much_is_not_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("ada/01_free.ipynb", bytes(9 << 20))
        bomb.writestr("../../out/01_free.ipynb", b"{}")
    troubles = {each.student.id: each.trouble for each in collect(tmp_path / "bomb.zip", Roster(), NAMES)}
    assert "8 MiB are the most" in troubles["ada"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="without links")
def test_a_link_is_not_followed(tmp_path):
    secret = submit(tmp_path / "elsewhere", "x", b"{}")
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "01_free.ipynb").symlink_to(secret)
    assert found(tmp_path / "in") == []


@pytest.mark.parametrize(
    ("text", "students"),
    [
        ("id,name,email\ns1,Ada Lind,a@x\n", [("s1", "Ada Lind", "a@x")]),
        ("First name;Surname;ID number;Email address\nAda;Lind;s1;a@x\n", [("s1", "Ada Lind", "a@x")]),
        (
            'Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"Lind, Ada",7,,ada,A\n',
            [("7", "Lind, Ada", "")],
        ),
        ("\ufeffname\nAda\n\n", [("Ada", "Ada", "")]),
        ("Vorname,Nachname,ID-Nummer,E-Mail-Adresse\nAda,Lind,s1,a@x\n", [("s1", "Ada Lind", "a@x")]),
        ("Prénom,Nom de famille,Adresse de courriel\nAda,Lind,a@x\n", [("a@x", "Ada Lind", "a@x")]),
        ("sep=;\nid;name\ns1;Ada\n", [("s1", "Ada", "")]),
    ],
)
def test_a_roster_as_platforms_write_it(tmp_path, text, students):
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    assert [(each.id, each.name, each.email) for each in Roster.read(tmp_path / "roster.csv").students] == students


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n", "no column of students"),
        (b"id\ns1\nS1\n", "s1 is there twice"),
        (b"id\n\xff\n", "UTF-8"),
        (b"id\n" + b"x" * 200_000, "is not a table as CSV: field larger"),
    ],
)
def test_a_roster_that_is_none(tmp_path, data, message):
    (tmp_path / "roster.csv").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        Roster.read(tmp_path / "roster.csv")


def test_a_student_is_who_the_id_says():
    """What else the rows of two tables say does not make two students of one."""
    one, again = (Student("s1", "Ada", "a@x", row) for row in ((), (("Section", "B"),)))
    assert one == again
    assert len({one, again}) == 1
    assert one != Student("s2", "Ada", "a@x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"student,part,points,of\ns1,report,inf,10\n", "line 2: points are inf, and should be a number"),
        (b"student,part,points,of\ns1,report,nan,10\n", "line 2: points are nan, and should be a number"),
        (b"student,part,points,of\ns1,report,5,10\ns1\n", "line 3: columns student, part, points and of are wanted"),
        (b"student,part,points,of\ns1,report,5," + b"9" * 5000, "line 2: columns student"),
        (b"student,part,points,of\ns1,\xff,5,10\n", "UTF-8"),
    ],
)
def test_marks_by_hand_that_are_none(tmp_path, data, message):
    (tmp_path / "project.csv").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        project_rows(tmp_path / "project.csv", Roster())


def test_a_notebook_says_its_seed_exercise_and_version():
    read = Notebook.read(notebook(RIGHT, seed="1f9a33c0"))
    assert (read.exercise, read.seed, read.version) == ("01_free", "1f9a33c0", "0.1.0")


# Which counts.


def at(path: Path, hour: int) -> None:
    when = datetime(2026, 3, 1, hour, tzinfo=UTC).timestamp()
    os.utime(path, (when, when))


@pytest.fixture
def three(tmp_path):
    """A right answer at 10, a half-right one at 12, and a right one, late, at 14."""
    for hour, answer in ((10, RIGHT), (12, HALF), (14, RIGHT + "\n")):
        at(submit(tmp_path / "in", "ada", notebook(answer), f"{hour}/01_free.ipynb"), hour)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "points", "hour", "late"),
    [
        ((), "5", 14, ""),
        (("--due", "2026-03-01T13:00"), "5", 14, "late"),
        (("--due", "2026-03-01T13:00", "--late", "0.3"), "1.5", 14, "late"),
        (("--due", "2026-03-01T13:00", "--late", "0.5", "--keep", "best"), "5", 10, ""),
        (("--due", "2026-03-01T14:00+01:00", "--late", "0"), "0", 14, "late"),
    ],
)
def test_newest_or_best_and_late(three, here, words, points, hour, late):
    [row] = run(three, *words)
    assert (row["points"], row["submitted"][11:13], row["late"], row["attempts"]) == (points, str(hour), late, "3")
    assert len(here) == (3 if "best" in words else 1), "what does not count need not be judged"


def test_a_class_with_a_roster(tmp_path, here):
    (tmp_path / "roster.csv").write_text("Student,ID,SIS Login ID,Section\nAda,1,ada,A\nBen,2,ben,A\nCleo,3,cleo,B\n")
    submit(tmp_path / "in", "ada", notebook(RIGHT, seed=seed_of(COURSE, "1")))
    submit(tmp_path / "in", "ben", notebook(WRONG, seed="another"))
    submit(tmp_path / "in", "zoe", notebook(STUB, seed=seed_of(COURSE, "zoe")))
    (tmp_path / "project.csv").write_text("student,part,points,of,feedback\nada,report,7.5,10,Good\n")
    rows = run(tmp_path, "--roster", str(tmp_path / "roster.csv"), "--project", str(tmp_path / "project.csv"))
    assert [(row["name"], row["points"], row["state"], row["note"]) for row in rows] == [
        ("Ada", "5", "solved", ""),
        ("Ben", "0", "wrong", f"The seed in the notebook is another, and this student's is {seed_of(COURSE, '2')}."),
        ("Cleo", "0", "missing", ""),
        ("zoe", "0", "not written", "This student is not in the roster."),
        ("Ada", "7.5", "by hand", ""),
    ]
    moodle = list(csv.DictReader((tmp_path / "marks.moodle.csv").open()))
    assert [moodle[0][column] for column in ("ID number", "01_free", "report", "Total")] == ["1", "5", "7.5", "12.5"]
    canvas = list(csv.reader((tmp_path / "marks.canvas.csv").open()))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01_free", "report"]
    assert canvas[1][0].strip() == "Points Possible"
    assert canvas[1][5:] == ["5", "10"]
    assert canvas[2] == ["Ada", "1", "", "ada", "A", "5", "7.5"]
    page = (tmp_path / "marks.html").read_text()
    assert "freed" in page
    assert re.search(r'<td>01_free</td>\s*<td class="number">', page), "numbers are to the right, names are not"
    assert "Cleo" not in page, "who handed nothing in is in the table, not on the page"


def test_only_what_changed_is_judged_again(tmp_path, here):
    submit(tmp_path / "in", "ada", notebook(HALF))
    submit(tmp_path / "in", "ben", notebook(WRONG))
    run(tmp_path)
    assert len(here) == 2
    run(tmp_path)
    assert len(here) == 2
    submit(tmp_path / "in", "ben", notebook(RIGHT))
    run(tmp_path)
    assert len(here) == 3
    exercises(tmp_path / "texts", EXERCISE.replace('"folded": 2', '"folded": 3'))
    assert [row["of"] for row in run(tmp_path)] == ["6", "6"]
    assert len(here) == 5
    with (tmp_path / "marks.results.jsonl").open("a") as file:
        file.write('{"key": "cut o')
    run(tmp_path)
    assert len(here) == 5
    run(tmp_path, "--again")
    assert len(here) == 7


def test_a_mistake_of_the_grader_is_one_rows(tmp_path, here, monkeypatch):
    def broken(task):
        if b"mine" in task.data:
            raise KeyError("x")
        return grade(task)

    monkeypatch.setattr(classes, "grade", broken)
    submit(tmp_path / "in", "ada", notebook(RIGHT, "# mine"))
    submit(tmp_path / "in", "ben", notebook(RIGHT))
    rows = run(tmp_path)
    assert [(row["state"], row["points"]) for row in rows] == [("not graded", "0"), ("solved", "5")]
    assert "look at it by hand" in rows[0]["note"]


def test_what_a_spreadsheet_would_compute_is_text(tmp_path, here):
    submit(tmp_path / "in", "=HYPERLINK(1)", notebook(STUB))
    [row] = run(tmp_path)
    assert row["student"] == "'=HYPERLINK(1)"


def test_json(tmp_path, here, capsys):
    submit(tmp_path / "in", "ada", notebook(WRONG))
    run(tmp_path, "--json")
    [mark] = json.loads(capsys.readouterr().out)["marks"]
    assert (mark["student"], mark["state"], mark["check"], mark["misconception"]) == (
        "ada",
        "wrong",
        "real",
        "freed-as-a-plain-page",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["grade", "nowhere", "--out", "m.csv"], "nowhere does not exist"),
        (["grade", ".", "--out", "m.csv", "--only", "77_x"], "exercise '77_x' does not exist"),
        (["grade", ".", "--out", "m.csv", "--late", "2"], "write a number from 0 to 1"),
        (["grade", ".", "--out", "m.csv", "--due", "soon"], "is not a time"),
        (["grade", ".", "--out", "m.csv", "--exercises", "."], "has no exercises"),
    ],
)
def test_misuse_is_one_sentence(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.long
def test_a_process_of_the_grader_that_dies_takes_nothing_with_it(tmp_path, monkeypatch):
    """The pool breaks; the others are judged in another one, the guilty answer is named, and no folder is left."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    texts = exercises(
        tmp_path,
        EXERCISE.replace("    found = run(", "    import os; seed == 'deadly' and os._exit(1)\n    found = run("),
    )
    path = str(texts / "01_free.py")
    tasks = [GradingTask(path, notebook(RIGHT, seed=str(n)), str(n), HERE) for n in range(3)]
    tasks.append(GradingTask(path, notebook(RIGHT), "deadly", HERE))
    marks = grade_all(tasks, Kept(tmp_path / "kept"), jobs=2, bar=False)
    assert [marks[task.key].state for task in tasks] == ["solved"] * 3 + ["not graded"]
    assert list((tmp_path / "tmp").glob("pgtlab-*")) == []
    again = Kept(tmp_path / "kept")
    assert again.marks == marks
    assert isinstance(marks[tasks[0].key], Mark)
