"""Judging an answer: the exercise's checks, run on the learner's function, whatever that does.

Its behaviour is judged, never its text. And nothing that it does ends in a traceback: an exception becomes one sentence
with its line, and an answer that computes without end is stopped.
"""

from __future__ import annotations

import inspect
import linecache
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from pgtlab.lab.exercise import Exercise, find, read
from pgtlab.lab.result import Finding, Result

Answer = Callable[..., Any]

SECONDS = 10.0  # of computing for one check; that of a right answer takes well under one


class _OutOfTime(BaseException):
    """Not an Exception, so that no `except Exception` in an answer holds it up."""


def check(name: str, answer: Answer, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise.

    Parameters
    ----------
    name : str
        The exercise, such as `03_pud_free`.
    answer : callable
        The learner's function itself.
    seed : int or str
        Chooses the addresses that it is tried on; an instructor may give each student one.

    Returns
    -------
    Result
        It shows itself in a notebook; `passed`, `score` and `as_dict()` are for graders.

    Raises
    ------
    ExerciseError
        Where there is no such exercise.

    Examples
    --------
    >>> def pud_free(k, mm, pud):
    ...     k.__pud_fre(mm, pud)
    >>> print(check("03_pud_free", pud_free).findings[0].hint)
    `pud_free()` stopped in line 2, `k.__pud_fre(mm, pud)`: AttributeError: this kernel has no symbol or constant
    __pud_fre; __pud_free?
    """
    return judge(read(find(name)), answer, seed)


def judge(exercise: Exercise, answer: Answer, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise that is read already."""
    names = define(exercise.code("check"), f"<{exercise.name}: check>")
    findings: list[Finding] = []
    stopped = False
    for name, function in names.items():
        if not name.startswith("check_"):
            continue
        says = inspect.getdoc(function) or name
        if stopped:
            findings.append(Finding(name.removeprefix("check_"), says, "not judged"))
        else:
            hint, stopped = _hint(exercise, function, answer, seed)
            findings.append(Finding(name.removeprefix("check_"), says, "wrong" if hint else "right", hint))
    return Result(exercise.name, seed, tuple(findings))


def define(source: str, file: str) -> dict[str, Any]:
    """Run the source of a cell, and return what it defines; `file` is what a traceback calls it.

    >>> define("def one(): return 1", "<cell>")["one"]()
    1
    """
    names: dict[str, Any] = {"__name__": file}
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec", dont_inherit=True, optimize=0), names)  # 0: a check is made of assertions
    return names


def _hint(exercise: Exercise, check: Answer, answer: Answer, seed: int | str) -> tuple[str, bool]:
    """The hint that a check gives, empty if the answer is right; and whether nothing more can be judged."""
    unfit = _unfit(exercise, answer)
    if unfit:
        return unfit, True
    try:
        with _time_limit(SECONDS):
            check(answer, seed)
    except (Exception, SystemExit, _OutOfTime) as error:
        line = _line_of_answer(error, check, answer)
        if isinstance(error, AssertionError) and line is None:
            return str(error) or "This is not so yet.", False
        return _sentence(exercise.function, error, line), True
    return "", False


def _unfit(exercise: Exercise, answer: Answer) -> str:
    """What keeps an answer from being called at all."""
    if not callable(answer):
        return f"`check()` needs your function itself, `{exercise.function}`, and got `{answer!r:.60}`."
    expected = ", ".join(exercise.parameters)
    try:
        takes = inspect.signature(answer)
        takes.bind(*exercise.parameters)
    except ValueError:  # some built-in functions have none
        return ""
    except TypeError:
        return f"`{exercise.function}` takes `{takes}`, and is called with `({expected})`."
    return ""


def _line_of_answer(error: BaseException, check: Answer, answer: Answer) -> traceback.FrameSummary | None:
    """The line of the answer that an error came out of; None if the answer had returned, and the check raised it."""
    files = [function.__code__.co_filename for function in (check, answer) if hasattr(function, "__code__")]
    lines = [line for line in traceback.extract_tb(error.__traceback__) if line.filename in files]
    return None if lines[-1].filename == files[0] else lines[-1]


def _sentence(function: str, error: BaseException, line: traceback.FrameSummary | None) -> str:
    """What an answer did instead of answering."""
    if isinstance(error, NotImplementedError):
        return f"`{function}()` is not written yet."
    where = f" in line {line.lineno}, `{line.line}`" if line else ""
    if isinstance(error, _OutOfTime):
        return f"`{function}()` was still busy{where} after {SECONDS:.0f} seconds of computing: does it ever end?"
    what = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
    if line is None:
        return f"What `{function}()` returned could not be used: {what}"
    return f"`{function}()` stopped{where}: {what}"


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Stop an endless loop, where the system can: on Unix, in the main thread, which is where notebooks run code.

    Elsewhere the notebook's stop button or the grader's own limit must do. It is the time of computing that counts, so
    neither a busy machine nor a learner at a breakpoint uses it up.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise _OutOfTime

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1.0)  # and again each second, should an answer catch the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
