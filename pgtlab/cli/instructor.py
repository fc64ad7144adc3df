"""``pgtlab instructor``: write an nbgrader course, or the exercises for each student of a roster.

For instructors, from the repository or the bundle that `make bundle` writes. `release` writes a course folder for
nbgrader: an assignment for each chapter, in which assign, collect, autograde and feedback work. `notebooks` writes a
folder for each student, with the numbers that `pgtlab grade` expects of that student.

example: pgtlab instructor release course --only 03_pud_free
"""

from __future__ import annotations

import argparse
from pathlib import Path

JSON = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab instructor`` takes."""
    parser.add_argument("what", choices=("release", "notebooks"), help="an nbgrader course, or notebooks for students")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where it is written")
    parser.add_argument("--roster", metavar="CSV", type=Path, help="the students, for notebooks")
    parser.add_argument("--exercises", metavar="FOLDER", type=Path, help="the instructor's texts; default: the clone's")
    parser.add_argument("--only", metavar="NAMES", default="", help="some exercises, separated by commas")
    parser.add_argument("--seed", metavar="WORD", help="chooses the numbers of an nbgrader course")
    parser.add_argument("--course", metavar="NAME", help="the name of the course (pgtlab)")


def run(args: argparse.Namespace) -> None:
    """Write the folder, and say what is in it."""
    from pgtlab.lab.grading.course_run import exercises_in
    from pgtlab.lab.grading.release import write_course, write_notebooks
    from pgtlab.lab.grading.roster import Roster
    from pgtlab.lab.variants import COURSE, PRACTICE

    sources = exercises_in(args.exercises, args.only)
    course = args.course or COURSE
    if args.what == "release":
        written = write_course(args.folder, sources, args.seed or PRACTICE, course)
        print(
            f"{args.folder}: {len(written) - 1} notebooks. Next: cd {args.folder}; nbgrader generate_assignment CHAPTER"
        )
        return
    if args.roster is None:
        raise ValueError("notebooks for students need a roster: give one with --roster")
    roster = Roster.read(args.roster)
    written = write_notebooks(args.folder, sources, roster, course)
    print(f"{args.folder}: {len(written)} notebooks for {len(roster.students)} students.")
