"""Grading a folder from end to end: from submissions to the files with the marks."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pgtlab
from pgtlab.files import write_file
from pgtlab.lab import course_text
from pgtlab.lab.exercise import Exercise, ExerciseError, read
from pgtlab.lab.grading.classes import Kept, grade_all
from pgtlab.lab.grading.collect import Submission, collect, is_read
from pgtlab.lab.grading.grade import GradingTask, Mark, missing
from pgtlab.lab.grading.marks import MarkRow, Policy, canvas, moodle, project_rows, rows_of, table
from pgtlab.lab.grading.notebook import Notebook, UnreadableError
from pgtlab.lab.grading.roster import Roster
from pgtlab.lab.grading.sandbox import Sandbox
from pgtlab.lab.grading.summary import summary
from pgtlab.lab.variants import COURSE, seed_of

T = TypeVar("T")


@dataclass(frozen=True)
class Graded:
    """The marks of a class, and where they are.

    Attributes
    ----------
    rows : tuple of MarkRow
        The marks.
    files : tuple of Path
        What was written.
    facts : tuple of str
        How it was graded.
    """

    rows: tuple[MarkRow, ...]
    files: tuple[Path, ...]
    facts: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {"facts": list(self.facts), "marks": [row.as_dict() for row in self.rows]}

    def __str__(self) -> str:
        states = Counter(row.mark.state for row in self.rows)
        said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"{said}\n" + "\n".join(map(str, self.files))


def grade_folder(args: argparse.Namespace, say: Callable[[str], None]) -> Graded:
    """Grade as the options of ``pgtlab grade`` say."""
    roster = Roster.read(args.roster) if args.roster else Roster()
    sources = exercises_in(args.exercises, args.only)
    exercises = {name: read(path) for name, path in sources.items()}
    course = args.course or COURSE
    from_roster = (args.seed or ("roster" if roster.students else "notebook")) == "roster"
    submissions = collect(args.folder, roster, sources)
    hidden = tuple(
        {args.folder if args.folder.is_dir() else args.folder.resolve().parent, *(p.parent for p in sources.values())}
    )
    sandbox = Sandbox.best(args.sandbox, (*hidden, args.out.resolve().parent), args.seconds)
    say(f"Sandbox: {sandbox.says}.")
    tasks: list[tuple[Submission, str, GradingTask | None]] = []
    for each in submissions:
        name = _exercise_of(each, sources)
        seed = seed_of(course, each.student.id) if from_roster else None
        task = None if each.trouble or not name else GradingTask(str(sources[name].resolve()), each.data, seed, sandbox)
        tasks += [(each, at, task) for at in ([name] if name else [*sources] if each.trouble else [])]
    rules = Policy(args.keep, args.due, args.late)
    tasks = _one_a_trouble(tasks)
    counting = rules.may_count((each, name) for each, name, _ in tasks)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    kept = Kept(args.out.with_suffix(".results.jsonl"))
    if args.again:
        kept.marks.clear()
    judged = [task for each, name, task in tasks if task and (each.path, name) in counting]
    marks = grade_all(judged, kept, args.jobs, args.dask)
    nothing = {name: missing(exercise) for name, exercise in exercises.items()}
    marked = [(each, name, _mark(each, exercises[name], task, marks)) for each, name, task in tasks]
    rows = rows_of(marked, roster, nothing, rules)
    if args.project:
        rows += project_rows(args.project, roster)
    facts = _facts(submissions, rules, sandbox, from_roster, course)
    return Graded(tuple(rows), _write(args.out, rows, facts), facts)


def exercises_in(folder: Path | None, only: str) -> dict[str, Path]:
    """The instructor's texts in a folder, or in the clone; some of them by name.

    Raises
    ------
    ExerciseError
        If there are none, or one of that name does not exist.
    """
    folder = folder or course_text.sources() / "exercises"
    found = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
    if not found:
        raise ExerciseError(f"{folder} has no exercises: give the folder of the instructor's bundle with --exercises")
    if not only:
        return found
    wanted = [name.strip() for name in only.split(",")]
    if unknown := [name for name in wanted if name not in found]:
        raise ExerciseError(f"exercise {unknown[0]!r} does not exist: choose from {', '.join(found)}")
    return {name: found[name] for name in wanted}


def _exercise_of(submission: Submission, sources: dict[str, Path]) -> str:
    """The exercise that a file is about: as its name says, or the notebook itself."""
    if submission.exercise or submission.trouble:
        return submission.exercise
    try:
        named = Notebook.read(submission.data).exercise
    except UnreadableError:
        return ""
    return named if named in sources else ""


def _mark(submission: Submission, exercise: Exercise, task: GradingTask | None, marks: dict[str, Mark]) -> Mark:
    of = sum(exercise.about.points.values())
    if task is None:
        return Mark(0, of, submission.state, submission.trouble)
    mark = marks.get(task.key, Mark(0, of, "superseded"))
    return mark if mark.of else Mark(0, of, mark.state, mark.feedback, note=mark.note)


def _one_a_trouble(tasks: list[tuple[Submission, str, T]]) -> list[tuple[Submission, str, T]]:
    """Without what an unreadable archive could have had in it, where something else was handed in."""

    def says_which(each: Submission) -> bool:
        return not each.trouble or bool(each.exercise and is_read(each.path))

    good = {(each.student.id, name) for each, name, _ in tasks if says_which(each)}
    return [(each, name, task) for each, name, task in tasks if says_which(each) or (each.student.id, name) not in good]


def _facts(
    submissions: list[Submission], rules: Policy, sandbox: Sandbox, from_roster: bool, course: str
) -> tuple[str, ...]:
    due = f" Due {rules.due.isoformat(timespec='minutes')}; late ones keep {rules.late:.0%}." if rules.due else ""
    whose = f"the course {course!r} and the roster" if from_roster else "the notebooks"
    return (
        f"{len(submissions)} files. Of several submissions the {rules.counts} counts.{due} Seeds are those of {whose}.",
        f"Sandbox: {sandbox.says}.",
        f"pgtlab {pgtlab.__version__}.",
    )


def _write(out: Path, rows: list[MarkRow], facts: tuple[str, ...]) -> tuple[Path, ...]:
    data = {"facts": list(facts), "marks": [row.as_dict() for row in rows]}
    contents = {
        out: table(rows),
        out.with_suffix(".json"): json.dumps(data, indent=1, ensure_ascii=False) + "\n",
        out.with_suffix(".html"): summary(rows, sentences(), facts),
        out.with_name(f"{out.stem}.moodle.csv"): moodle(rows),
        out.with_name(f"{out.stem}.canvas.csv"): canvas(rows),
    }
    for path, text in contents.items():
        write_file(path, text.encode(errors="replace"))
    return tuple(contents)


def sentences() -> dict[str, str]:
    """The sentence of each misconception."""
    import tomllib

    path = course_text.sources() / "notebooks" / "misconceptions.toml"
    found: dict[str, str] = {}
    for chapter in tomllib.loads(path.read_text(encoding="utf-8")).values() if path.exists() else ():
        found |= {key: str(value) for key, value in chapter.items()}
    return found
