"""Judging one answer: it runs in a sandbox, and the verdict is computed here, from what it returned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.exercise import Exercise, read
from pgtlab.lab.grading.notebook import Notebook, UnreadableError
from pgtlab.lab.grading.sandbox import Sandbox, paths
from pgtlab.lab.judge import forget, judge
from pgtlab.lab.worker.answers import Answers


@dataclass(frozen=True)
class GradingTask:
    """An answer to judge: all that a process of the grader, here or on another machine, needs.

    Attributes
    ----------
    exercise : str
        The path of the exercise's text, with its hidden checks.
    data : bytes
        The notebook.
    seed : str or None
        What the answer is to be tried on; None for the seed in the notebook.
    sandbox : Sandbox
        Where it runs.
    """

    exercise: str
    data: bytes
    seed: str | None
    sandbox: Sandbox

    @property
    def key(self) -> str:
        """The same for what must have the same result: the exercise's text, the notebook, and the seed."""
        digest = hashlib.sha256()
        for part in (
            Path(self.exercise).read_bytes(),
            self.data,
            repr((self.exercise, self.seed)).encode(),
            _version(),
        ):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class Mark:
    """What an answer got, and why.

    Attributes
    ----------
    points, of : int
        Points, and how many there are.
    state : str
        solved, partly, wrong, not written, stopped, missing, no answer, unreadable, or not graded.
    feedback : str
        One or two sentences for the student; empty if it is solved.
    misconception : str
        The wrong idea that explains the answer, if one does.
    check : str
        The check that found it.
    seed : str
        What it was tried on.
    written_seed : str
        What the notebook says.
    version : str
        The course's version that the notebook was made from.
    note : str
        What the instructor should know.
    """

    points: int
    of: int
    state: str
    feedback: str = ""
    misconception: str = ""
    check: str = ""
    seed: str = ""
    written_seed: str = ""
    version: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The mark as plain data."""
        return asdict(self)


def grade(task: GradingTask) -> Mark:
    """Judge an answer. Whatever it does, the result is a mark."""
    exercise = read(Path(task.exercise))
    of = sum(exercise.about.points.values())
    try:
        notebook = Notebook.read(task.data)
    except UnreadableError as error:
        return Mark(0, of, "unreadable", str(error))
    seed = task.seed if task.seed is not None else notebook.seed or "0"
    known = {"seed": seed, "written_seed": notebook.seed or "", "version": notebook.version}
    text, note = notebook.answer(exercise)
    notes = [note] if note else []
    if task.seed is not None and notebook.seed != task.seed:
        notes.append(f"The seed in the notebook is {notebook.seed or 'missing'}, and this student's is {task.seed}.")
    what = f"`{exercise.answer}()`" if exercise.is_function else f"`{exercise.answer}`"
    nothing = Mark(0, of, "no answer", f"No cell defines {what}.", note=" ".join(notes), **known)
    if text is None:
        return nothing
    forbidden = ("pgtlab", "pgtlab_widgets") if exercise.about.alone else ()
    sandbox, start = task.sandbox, partial(task.sandbox.start, exercise.about.alone)
    with (
        sandbox.folder() as folder,
        Answers(text, sandbox.limits, forbidden=forbidden, start=start, folder=folder, path=paths()[1]) as answers,
    ):
        try:
            loaded = answers.load()
            if exercise.answer not in loaded:
                return nothing
            answer = loaded[exercise.answer]
        except AnswerError as error:
            if not exercise.is_function:
                return Mark(0, of, "stopped", str(error), note=" ".join(notes), **known)
            answer = _failing(str(error))
        forget()
        result = judge(exercise, answer, seed)
    wrong = next((finding.check for finding in result.findings if finding.hint), "")
    mark = Mark(result.points, of, result.state, result.feedback, result.misconception, wrong, **known)
    return replace(mark, note=" ".join(notes))


@cache
def _version() -> bytes:
    import pgtlab
    from pgtlab.lab.grading import notebook  # what it takes for the answer decides, too

    return pgtlab.__version__.encode() + Path(notebook.__file__).read_bytes()


def _failing(sentence: str) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        raise AnswerError(sentence)

    return function


def missing(exercise: Exercise) -> Mark:
    """The mark of a student who handed nothing in."""
    return Mark(0, sum(exercise.about.points.values()), "missing", "Nothing was handed in.")


def from_dict(data: Mapping[str, Any]) -> Mark:
    """The mark that `as_dict()` described."""
    return Mark(**data)
