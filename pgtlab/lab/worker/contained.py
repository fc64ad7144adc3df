"""A learner's functions in a process of their own while they are judged.

Where there are no processes, as in a browser, they run in this one, and a sentence says so.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pgtlab.lab import attempt
from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.worker import process as processes
from pgtlab.lab.worker.answers import Answers
from pgtlab.lab.worker.exposed import LEARNERS
from pgtlab.lab.worker.process import Limits
from pgtlab.progress_bar import in_a_notebook, tqdm

NO_PROCESSES: Final = sys.platform in ("emscripten", "wasi")
IN_THIS_PROCESS: Final = (
    "There are no processes in a browser: your code ran in the page's own Python, where only the Stop button ends it."
)
WAITING: Final = 20.0  # seconds more than those of computing, for an answer that sleeps, or a machine that is busy
PATIENCE: Final = 1.0  # seconds without an answer after which a bar shows that something happens


@contextmanager
def contained(
    functions: Mapping[str, Any], limits: Limits | None = None, used: frozenset[str] = frozenset(), alone: bool = False
) -> Iterator[dict[str, Any]]:
    """Let a learner's functions run in a process of their own while the judge calls what stands for them.

    What is not a function stays as it is. What is printed is printed here. A bar shows that something happens.

    Examples
    --------
    >>> with contained({"double": lambda n: 2 * n}) as functions:
    ...     functions["double"](21)
    42
    """
    outside = {name: each for name, each in functions.items() if callable(each) and not is_contained(each)}
    if not outside or NO_PROCESSES:
        if outside:
            _say_once(IN_THIS_PROCESS)
        yield dict(functions)
        return
    answers = Answers(
        outside,
        limits or Limits(attempt.SECONDS, attempt.SECONDS + WAITING),
        used,
        ("pgtlab", "pgtlab_widgets") if alone else (),
        show=functools.partial(print, end=""),
    )
    try:
        with sign_of_life(answers):
            try:
                loaded = answers.load()
            except AnswerError as error:
                loaded = {name: _failing(error) for name in outside}
            yield {**functions, **loaded}
    finally:
        answers.close()
        processes.prepare()


def lasting(functions: Mapping[str, Any], limits: Limits, used: frozenset[str] = frozenset()) -> dict[str, Any]:
    """As `contained`, until the functions are dropped; a process that has died is replaced at the next call.

    Raises
    ------
    AnswerError
        If they cannot be sent to a process.
    """
    outside = {name: each for name, each in functions.items() if is_of_a_learner(each)}
    if not outside or NO_PROCESSES:
        return dict(functions)
    return {**functions, **Answers(outside, limits, used, show=functools.partial(print, end="")).load()}


def answers_of(functions: Mapping[str, Any]) -> list[Answers]:
    """The processes of functions that stand for others."""
    found = {id(each.answers): each.answers for each in functions.values() if is_contained(each)}
    return list(found.values())


def is_of_a_learner(function: Any) -> bool:
    """Whether a function may run in a process of its own: it is not of this package, and does not yet."""
    module = attempt.asked(lambda: str(getattr(function, "__module__", "")), "")
    return callable(function) and not is_contained(function) and not module.startswith("pgtlab.")


def _failing(error: AnswerError) -> Callable[..., Any]:
    """A function in place of one that could not be loaded."""

    def function(*args: Any, **kwargs: Any) -> Any:
        raise error

    return function


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence)


def is_contained(function: object) -> bool:
    """Whether a function stands for one that runs in a process of its own."""
    return attempt.asked(lambda: LEARNERS in getattr(function, "__dict__", {}), False)


@contextmanager
def sign_of_life(answers: Answers) -> Iterator[None]:
    """Show a bar with the seconds that have passed, as soon as an answer takes longer than a moment."""
    if not (in_a_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        yield
        return
    stream = sys.stdout if in_a_notebook() else sys.stderr  # nbgrader takes what is on stderr for an error
    done = threading.Event()
    whole = int(answers.limits.seconds)

    def show() -> None:
        if done.wait(PATIENCE):
            return
        with tqdm(total=whole, leave=False, file=stream, desc=f"{answers._first}()", bar_format=_BAR) as bar:
            while not done.wait(PATIENCE / 4):
                process = answers._process
                bar.n = min(whole, round(process.used()[0])) if process is not None else bar.n
                bar.refresh()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


_BAR: Final = "checking {desc} for {elapsed}: it has computed {n_fmt} of {total_fmt} seconds |{bar:20}|"
