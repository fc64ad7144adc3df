"""What a reader has answered: a small local file, `progress.json`, in the workbench folder."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from pgtlab.files import write_file
from pgtlab.lab.answers import Said
from pgtlab.lab.question import Verdict

FILE = "progress.json"
#: On a shared machine, answers are read by their owner only.
OWNER_ONLY = 0o600
#: A cell may write a score down while a message from the page, in another thread, writes an answer down.
_TURN = RLock()


@dataclass(frozen=True)
class Answered:
    """One answer to one question.

    Attributes
    ----------
    question : str
        The chapter and the question's name, such as `02_a_tree/tables_for_one_byte`.
    asked_in : str
        The chapter that asked: a later one, if it came back from memory.
    seed : str
        What the numbers were drawn from.
    verdict : str
        As in `Feedback`.
    said : str or list of str
        The answer as it was given.
    reason : str
        The reason, if the question asks for one.
    steps : tuple of str
        What was typed for each step, if the answer was taken in steps.
    """

    question: str
    asked_in: str
    seed: str
    verdict: Verdict
    said: Said = ""
    reason: str = ""
    steps: tuple[str, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether it should come back: the answer, or its reason, was not right."""
        return self.verdict in ("wrong", "reason", "unknown")


@dataclass
class Progress:
    """The answers of one reader, in the order in which they were given.

    Attributes
    ----------
    path : Path or None
        The file; None keeps the answers in memory only.
    reader : str
        Drawn once for a workbench, so that readers see different numbers; empty where there is no file yet.
    answers : list of Answered
        All answers, also those to the same question.
    exercises : dict of str to float
        The best score of each exercise, from 0.0 to 1.0.
    note : str
        One sentence for the reader if the file is damaged, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Progress.of(Path(folder)).add(Answered("a/b", "a", "seed", "right", "4"))
    ...     Progress.of(Path(folder)).was_right("a/b")
    True
    """

    path: Path | None = None
    reader: str = ""
    answers: list[Answered] = field(default_factory=list)
    exercises: dict[str, float] = field(default_factory=dict)
    note: str = ""
    _only_here: bool = False  # the last answers are in no file

    @classmethod
    def of(cls, folder: Path | None = None) -> Progress:
        """Return the progress of the workbench that `folder`, or the current one, is in: one object for each file."""
        with _TURN:
            progress = _of(workbench(folder or Path.cwd()) / FILE)
            progress.read()
        return progress

    def read(self) -> None:
        """Take what the file says; another notebook may have written to it. A damaged file is kept aside."""
        if self.path is None or self._only_here:
            return
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.answers, self.exercises = [], {}
            return
        except OSError as error:
            self.note = f"{self.path} cannot be read ({error.strerror}): your earlier answers are not shown."
            return
        except UnicodeDecodeError:
            text = ""
        try:
            data = json.loads(text)
            answers = [_answered(answer) for answer in data["answers"]]
            self.reader, self.exercises, self.answers = str(data["reader"]), _scores(data["exercises"]), answers
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._keep_aside(self.path)

    def add(self, answer: Answered) -> None:
        """Write an answer down."""
        with _TURN:
            self.read()
            self.answers.append(answer)
            self.write()

    def amend(self, answer: Answered) -> None:
        """Write an answer over the last one to its question in its chapter."""
        with _TURN:
            self.read()
            last = self.last(answer.question, answer.asked_in)
            self.answers = [answer if each is last else each for each in self.answers]
            self.write()

    def add_exercise(self, name: str, score: float) -> None:
        """Write the score of an exercise down, if it is the best so far."""
        with _TURN:
            self.read()
            self.exercises[name] = max(score, self.exercises.get(name, 0.0))
            self.write()

    def write(self) -> None:
        """Write the file in one step, so that it is never half written. If that is impossible, go on without it."""
        if self.path is None:
            return
        self.reader = self.reader or secrets.token_hex(4)  # in a browser there is no file before the first answer
        data: dict[str, Any] = {"reader": self.reader, "exercises": self.exercises}
        data["answers"] = [asdict(answer) for answer in self.answers]
        try:
            write_file(self.path, f"{json.dumps(data, indent=1)}\n".encode(), mode=OWNER_ONLY)
            self._only_here = False
        except OSError as error:
            self._only_here = True
            self.note = (
                f"{self.path} cannot be written ({error.strerror}): your answers are kept until this kernel stops, and "
                "no longer."
            )

    def _keep_aside(self, path: Path) -> None:
        names = (f"progress-damaged{number or ''}.json" for number in range(1000))
        aside = next(free for name in names if not (free := path.with_name(name)).exists())
        try:
            path.rename(aside)
            self.note = f"{FILE} is damaged: it is kept as {aside.name}, and your answers are counted from here on."
        except OSError:
            self.note = f"{path} is damaged and cannot be moved: your answers are kept until this kernel stops."

    def last(self, question: str, asked_in: str) -> Answered | None:
        """Return the last answer to a question that a chapter asked."""
        wanted = (answer for answer in reversed(self.answers) if answer.question == question)
        return next((answer for answer in wanted if answer.asked_in == asked_in), None)

    def seed(self, question: str, asked_in: str) -> str:
        """Return what the next numbers of a question are drawn from."""
        times = sum(answer.question == question and answer.asked_in == asked_in for answer in self.answers)
        return f"{self.reader} {asked_in} {question} {times}"

    def answered(self, questions: Iterable[str]) -> list[str]:
        """Return those of the questions that have an answer, "I don't know" among them."""
        given = {answer.question for answer in self.answers}
        return [question for question in questions if question in given]

    def was_right(self, question: str) -> bool:
        """Whether a question was answered right at any time; a prediction in words counts."""
        return any(answer.question == question and not answer.missed for answer in self.answers)

    def missed(self) -> list[str]:
        """Return the questions whose last answer was not right, the oldest first."""
        last = {answer.question: answer for answer in self.answers}
        return [question for question, answer in last.items() if answer.missed]


def workbench(folder: Path) -> Path:
    """Return the workbench that a folder is in: the nearest one with `notebooks` and `exercises`, else the folder."""
    here = Path(os.path.realpath(folder))
    homes = (
        home for home in (here, *here.parents) if all((home / part).is_dir() for part in ("notebooks", "exercises"))
    )
    return next(homes, here)


@cache
def _of(path: Path) -> Progress:
    return Progress(path)


def record(exercise: str, score: float) -> None:
    """Write the score of an exercise down, if the current folder is in a workbench that keeps progress."""
    if (workbench(Path.cwd()) / FILE).exists():
        Progress.of().add_exercise(exercise, score)


def start(folder: Path) -> str:
    """Give a new workbench its file; of one that exists, only set who may read it. Return the reader's number."""
    path = folder / FILE
    if not path.exists():
        Progress(path).write()
    else:
        with suppress(OSError):  # it is another's
            path.chmod(OWNER_ONLY)
    return Progress.of(folder).reader


def _answered(data: dict[str, Any]) -> Answered:
    """Read an answer; what another version of pgtlab added is passed over."""
    known = {each.name: data[each.name] for each in fields(Answered) if each.name in data}
    return Answered(**known | {"steps": tuple(map(str, data.get("steps", ())))})


def _scores(data: dict[str, Any]) -> dict[str, float]:
    return {str(name): float(score) for name, score in data.items()}
