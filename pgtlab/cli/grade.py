"""``pgtlab grade``: marks for a folder of submissions, with a page about the class.

For instructors. Each answer runs in a sandbox and is judged outside of it. Submissions are notebooks in a folder for
each student, or archives as Moodle and Canvas export them. Beside MARKS.csv are MARKS.html, a page about the class,
MARKS.json, and tables that Moodle and Canvas import. A run that was interrupted goes on where it ended; after a change
of an exercise only its answers are judged again.

example: pgtlab grade submissions --roster students.csv --out marks.csv; pgtlab grade moodle.zip --out m.csv --keep best
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pgtlab.cli.answer import print_json
from pgtlab.cli.terminal import complain

DAY = 86400  # seconds: more than an answer may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab grade`` takes."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the submissions: a folder, or an archive")
    parser.add_argument("--out", metavar="MARKS.csv", type=Path, required=True, help="where the marks are written")
    parser.add_argument(
        "--roster", metavar="CSV", type=Path, help="the students: columns id, name, email, or a platform's"
    )
    parser.add_argument("--exercises", metavar="FOLDER", type=Path, help="the instructor's texts; default: the clone's")
    parser.add_argument("--only", metavar="NAMES", default="", help="some exercises, separated by commas")
    parser.add_argument(
        "--keep", choices=("newest", "best"), default="newest", help="which of several submissions counts (newest)"
    )
    parser.add_argument(
        "--due", metavar="TIME", type=_time, help="when they were due, as 2026-03-01T23:59 (UTC) or +01:00"
    )
    parser.add_argument(
        "--late", metavar="SHARE", type=_share, default=1.0, help="share of points that a late one keeps (1)"
    )
    parser.add_argument(
        "--seed",
        choices=("roster", "notebook"),
        help="whose numbers an answer is tried on: the roster's, if there is one, or those of the notebook",
    )
    parser.add_argument("--course", metavar="NAME", help="the name that seeds are made from (pgtlab)")
    parser.add_argument("--project", metavar="CSV", type=Path, help="marks given by hand: student, part, points, of")
    parser.add_argument(
        "--sandbox", choices=("auto", "bwrap", "user", "limits"), default="auto", help="where answers run"
    )
    parser.add_argument("--seconds", metavar="N", type=_seconds, default=10.0, help="computing time of an answer (10)")
    parser.add_argument("--jobs", metavar="N", type=_jobs, default=0, help="processes; default: one for each core")
    parser.add_argument("--dask", metavar="ADDRESS", default="", help="a Dask scheduler to send the answers to")
    parser.add_argument("--again", action="store_true", help="judge everything again")


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write it as 2026-03-01T23:59") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write a number of seconds, from 0.1 to {DAY}")
    return seconds


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes: write 0, for all cores, to 999")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: write a number from 0 to 1")
    return share


def run(args: argparse.Namespace) -> None:
    """Grade, and write the tables and the page."""
    from pgtlab.lab.grading.course_run import grade_folder

    with suppress(FileNotFoundError):  # any other error is one, and is said before an hour of grading
        args.out.stat()
    if not args.out.name or args.out.is_dir():
        raise ValueError(f"--out {args.out} is a folder: name the file of marks, such as {args.out / 'marks.csv'}")
    graded = grade_folder(args, say=complain)
    if args.json:
        print_json(graded.as_dict())
    else:
        print(graded)
