"""The marks of a class: which submission counts, what is late, and the tables that schools import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal

from pgtlab.lab.grading.collect import Submission
from pgtlab.lab.grading.grade import Mark
from pgtlab.lab.grading.roster import Roster, Student, table_rows, table_text

Counts = Literal["newest", "best"]
HEADER: Final = (
    "student", "name", "exercise", "points", "of", "state", "feedback", "misconception", "late", "attempts",
    "submitted", "version", "seed", "note", "path",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


@dataclass(frozen=True)
class MarkRow:
    """A student's mark for an exercise, or for a part of the project.

    Attributes
    ----------
    student : Student
        Who.
    exercise : str
        The exercise, or the part of the project.
    mark : Mark
        What it got, before anything is taken off for being late.
    points : float
        What counts.
    late : bool
        Whether it was handed in after the time.
    attempts : int
        How many submissions there are of it.
    submitted : datetime or None
        When the one that counts was handed in.
    path : str
        Where it is.
    note : str
        What the instructor should know.
    """

    student: Student
    exercise: str
    mark: Mark
    points: float
    late: bool = False
    attempts: int = 0
    submitted: datetime | None = None
    path: str = ""
    note: str = ""

    def cells(self) -> tuple[Any, ...]:
        """The values in the order of `HEADER`."""
        mark = self.mark
        when = self.submitted.isoformat(timespec="minutes") if self.submitted else ""
        return (
            self.student.id, self.student.name, self.exercise, _number(self.points), mark.of, mark.state, mark.feedback,
            mark.misconception, "late" if self.late else "", self.attempts, when, mark.version, mark.seed, self.note,
            self.path,
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return dict(zip(HEADER, self.cells(), strict=True)) | {"late": self.late, "check": self.mark.check}


@dataclass(frozen=True)
class Policy:
    """Which submission counts, and what a late one is worth.

    Attributes
    ----------
    counts : str
        newest or best. The newest of several is that with the latest time; at the same time the last by path.
    due : datetime or None
        When they were due.
    late : float
        The share of the points that a late one keeps, from 0 to 1.
    """

    counts: Counts = "newest"
    due: datetime | None = None
    late: float = 1.0

    def is_late(self, submission: Submission) -> bool:
        """Whether it was handed in too late."""
        return submission.late or bool(self.due and submission.time and submission.time > self.due)

    def points(self, submission: Submission, mark: Mark) -> float:
        """What a mark counts."""
        return mark.points * (self.late if self.is_late(submission) else 1)

    def may_count(self, handed_in: Iterable[tuple[Submission, str]]) -> set[tuple[str, str]]:
        """The paths of the submissions that may count, with the exercise; the others need not be judged."""
        by: dict[tuple[str, str], list[Submission]] = {}
        for submission, exercise in handed_in:
            by.setdefault((submission.student.id, exercise), []).append(submission)
        counting = ([max(own, key=_age)] if self.counts == "newest" else own for own in by.values())
        return {(each.path, exercise) for (_, exercise), own in zip(by, counting, strict=True) for each in own}

    def choose(self, marked: Sequence[tuple[Submission, Mark]]) -> tuple[Submission, Mark]:
        """The submission that counts."""
        if self.counts == "newest":
            return max(marked, key=lambda pair: _age(pair[0]))
        return max(marked, key=lambda pair: (self.points(*pair), _age(pair[0])))


def _age(submission: Submission) -> tuple[datetime, str]:
    return submission.time or datetime.min.replace(tzinfo=UTC), submission.path


def rows_of(
    marked: Iterable[tuple[Submission, str, Mark]], roster: Roster, exercises: Mapping[str, Mark], rules: Policy
) -> list[MarkRow]:
    """A row for each student and exercise, those of the roster first and in its order.

    Parameters
    ----------
    marked : iterable
        Submission, exercise and mark.
    roster : Roster
        The class.
    exercises : mapping
        For each exercise, the mark of one that was not handed in.
    rules : Policy
        What counts.
    """
    by: dict[tuple[str, str], list[tuple[Submission, Mark]]] = {}
    unknown: dict[str, Student] = {}
    unclear: dict[tuple[str, str], str] = {}  # by student and exercise, a file that may be theirs
    for submission, exercise, mark in marked:
        student = submission.student
        if student not in roster.students:
            unknown.setdefault(student.id, student)
        by.setdefault((student.id, exercise), []).append((submission, mark))
        if len(namesakes := roster.named(student.name)) > 1 and student not in namesakes:
            unclear.update({(each.id, exercise): submission.path for each in namesakes})
    same = _identical(by)
    rows = []
    for student in (*roster.students, *(unknown[name] for name in sorted(unknown))):
        for exercise, nothing in exercises.items():
            attempts = by.get((student.id, exercise), [])
            if not attempts and (path := unclear.get((student.id, exercise))):
                text = f"{path} may be from this student or another of the same name."
                rows.append(MarkRow(student, exercise, Mark(0, nothing.of, "not graded", text), 0, note=text))
                continue
            if not attempts:
                rows.append(MarkRow(student, exercise, nothing, 0))
                continue
            submission, mark = rules.choose(attempts)
            notes = [mark.note] if mark.note else []
            if submission.state == "not graded":
                notes.append(submission.trouble)
            elif student.id in unknown and roster.students:
                notes.append("This student is not in the roster.")
            if others := sorted(same.get((exercise, submission.data), set()) - {student.id}):
                notes.append(f"The file is the same as that of {', '.join(others)}.")
            rows.append(
                MarkRow(
                    student,
                    exercise,
                    mark,
                    rules.points(submission, mark),
                    rules.is_late(submission),
                    len(attempts),
                    submission.time,
                    submission.path,
                    " ".join(notes),
                )
            )
    return rows


def _identical(by: Mapping[tuple[str, str], list[tuple[Submission, Mark]]]) -> dict[tuple[str, bytes], set[str]]:
    """The students of each file; one that says nothing is nobody's."""
    same: dict[tuple[str, bytes], set[str]] = {}
    for (student, exercise), attempts in by.items():
        for submission, mark in attempts:
            if mark.state not in ("not written", "unreadable", "missing", "no answer", "superseded"):
                same.setdefault((exercise, submission.data), set()).add(student)
    return same


def project_rows(path: Path, roster: Roster) -> list[MarkRow]:
    """The marks of a project that somebody gave by the rubric: columns student, part, points, of, and feedback.

    Raises
    ------
    ValueError
        If a column is missing, or points are not a number.
    """
    rows = []
    for number, line in enumerate(table_rows(path, table_text(path)), 2):
        try:
            points, of = float(line["points"]), int(line["of"])
            student, part = roster.find(line["student"]), line["part"]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"{path}, line {number}: columns student, part, points and of are wanted") from None
        if not isfinite(points):
            raise ValueError(f"{path}, line {number}: points are {line['points']}, and should be a number")
        mark = Mark(int(points), of, "by hand", line.get("feedback") or "")
        rows.append(MarkRow(student, part, mark, points))
    return rows


def table(rows: Iterable[MarkRow]) -> str:
    """All marks, a line for each student and exercise, as CSV."""
    return _csv([HEADER, *(row.cells() for row in rows)])


def moodle(rows: Sequence[MarkRow]) -> str:
    """A line for each student and a column for each exercise, as *Import grades from CSV* of Moodle takes it."""
    exercises = list(dict.fromkeys(row.exercise for row in rows))
    lines: list[Sequence[Any]] = [
        ("ID number", "Full name", "Email address", *exercises, *(f"{name} feedback" for name in exercises), "Total")
    ]
    for student, own in _by_student(rows).items():
        points = [own[name].points if name in own else 0 for name in exercises]
        feedback = [own[name].mark.feedback if name in own else "" for name in exercises]
        head = (student.id, student.name, student.email)
        lines.append((*head, *map(_number, points), *feedback, _number(sum(points))))
    return _csv(lines)


def canvas(rows: Sequence[MarkRow]) -> str:
    """A gradebook as Canvas imports it: its own columns from the roster, an assignment for each exercise."""
    exercises = {row.exercise: row.mark.of for row in rows}
    own_columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    possible = ["    Points Possible", *[""] * (len(own_columns) - 1), *exercises.values()]
    lines: list[Sequence[Any]] = [(*own_columns, *exercises), possible]
    for student, own in _by_student(rows).items():
        of_roster = dict(student.row)
        head = [of_roster.get(column, "") for column in own_columns]
        head[0] = head[0] or student.name
        head[3] = head[3] or student.id
        lines.append((*head, *(_number(own[name].points) if name in own else "" for name in exercises)))
    return _csv(lines)


def _by_student(rows: Iterable[MarkRow]) -> dict[Student, dict[str, MarkRow]]:
    by: dict[Student, dict[str, MarkRow]] = {}
    for row in rows:
        by.setdefault(row.student, {})[row.exercise] = row
    return by


def _number(points: float) -> float | int:
    return int(points) if points == int(points) else round(points, 2)


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    """Lines as CSV; what a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for line in lines:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in line])
    return out.getvalue()
