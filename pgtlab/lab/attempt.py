"""Running a learner's functions and the checks on them, whatever they do.

Nothing that they do ends in a traceback: an exception becomes one sentence with its line, and a function that does not
end is stopped.
"""

from __future__ import annotations

import ctypes
import inspect
import linecache
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

from pgtlab.lab.given_kernel import OF_A_PAGE, Misuse
from pgtlab.lab.result import NOT_WRITTEN, Finding

Answer = Callable[..., Any]
T = TypeVar("T")

SECONDS = 10.0  # of CPU time for one check; a right answer takes well under one
OF_THE_JUDGE = 20.0  # of CPU time more for the judge itself, where an answer runs elsewhere and has a limit there
LOOK = 0.05  # seconds between two looks at the CPU time


class _OutOfTime(BaseException):
    """Not an Exception, so that `except Exception` in an answer does not catch it."""


class AnswerError(ValueError):
    """A learner's function raised an exception or did not end; the message is one sentence."""


def attempt(work: Callable[[], T], answers: Mapping[str, Answer], seconds: float | None = None) -> T:
    """Return what `work()` returns, which calls the learner's functions in `answers`.

    Raises
    ------
    AnswerError
        If one of them raises an exception, or is still busy after `seconds` of CPU time (default: SECONDS).

    Examples
    --------
    >>> attempt(lambda: int("x"), {"answer": print})
    Traceback (most recent call last):
        ...
    pgtlab.lab.attempt.AnswerError: What `answer()` returned could not be used: ValueError: invalid literal ...
    """
    seconds = SECONDS if seconds is None else seconds
    try:
        with _time_limit(_with_the_judges(seconds, answers)):
            return work()
    except AnswerError:
        raise
    except (Exception, SystemExit, _OutOfTime) as error:
        if not answers:
            raise
        files = _files(answers)
        lines = [line for line in traceback.extract_tb(error.__traceback__) if line.filename in files]
        function, line = _named(lines[-1], answers) if lines else (next(iter(answers)), None)
        raise AnswerError(_sentence(function, error, line, seconds)) from error


def asked(question: Callable[[], T], otherwise: T) -> T:
    """What a learner's object says of itself; `otherwise` where that fails, with whatever it raises but Ctrl-C.

    >>> asked(lambda: f"{1 / 0}", "no answer")
    'no answer'
    """
    try:
        return question()
    except KeyboardInterrupt:
        raise
    except BaseException:
        return otherwise


def findings_of(
    checks: Mapping[str, Answer], answers: Mapping[str, Any], args: tuple[Any, ...], unfit: str = ""
) -> tuple[Finding, ...]:
    """What each check finds. After an answer that raised an exception, or cannot be called, nothing more is judged."""
    findings: list[Finding] = []
    stopped = False
    for name, check in checks.items():
        says = inspect.getdoc(check) or name
        if stopped:
            findings.append(Finding(name, says, "not judged"))
        else:
            trouble = Trouble(unfit, stopped=True) if unfit else trouble_with(check, answers, args)
            stopped = trouble.stopped
            findings.append(Finding(name, says, "wrong" if trouble.hint else "right", trouble.hint))
    return tuple(findings)


def steps_of(
    checks: Mapping[str, Answer],
    points: Mapping[str, int],
    answers: Mapping[str, Any],
    args: tuple[Any, ...],
    unfit: str = "",
) -> tuple[Finding, ...]:
    """What checks find that build on each other: after the first that finds something wrong, nothing more is judged."""
    findings: list[Finding] = []
    ended = False
    for name, check in checks.items():
        says = inspect.getdoc(check) or name
        if ended:
            findings.append(Finding(name, says, "not judged", points=points[name]))
            continue
        trouble = Trouble(unfit, stopped=True) if unfit else trouble_with(check, answers, args)
        ended = bool(trouble.hint)
        findings.append(
            Finding(name, says, "wrong" if ended else "right", trouble.hint, points[name], trouble.key, trouble.stopped)
        )
    return tuple(findings)


def define(source: str, file: str) -> dict[str, Any]:
    """Run the source of a cell and return what it defines; tracebacks name it `file`.

    >>> define("def one(): return 1", "<cell>")["one"]()
    1
    """
    names: dict[str, Any] = {"__name__": file}
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(
        compile(source, file, "exec", dont_inherit=True, optimize=0), names
    )  # 0 keeps assertions, which checks consist of
    return names


class Trouble(NamedTuple):
    """What a check says of an answer: nothing if it is right; the misconception, if one explains what is wrong."""

    hint: str = ""
    stopped: bool = False
    key: str = ""


def trouble_with(check: Answer, answers: Mapping[str, Any], args: tuple[Any, ...]) -> Trouble:
    """What a check says of the answers; `stopped` if one of them raised an exception or did not end."""
    try:
        with _time_limit(_with_the_judges(SECONDS, answers)):
            check(*args)
    except AnswerError as error:
        return Trouble(str(error), stopped=True)
    except (Exception, SystemExit, _OutOfTime) as error:
        function, line = _line_of_answer(error, check, answers)
        if isinstance(error, AssertionError) and line is None:
            return Trouble(str(error) or "This is not the case yet.", key=getattr(error, "misconception", ""))
        if not answers:
            raise
        return Trouble(_sentence(function, error, line, SECONDS), stopped=True)
    return Trouble()


def _line_of_answer(
    error: BaseException, check: Answer, answers: Mapping[str, Any]
) -> tuple[str, traceback.FrameSummary | None]:
    """The answer that raised an error and its line; no line if the check raised it after the answer returned."""
    here = check.__code__.co_filename
    lines = [line for line in traceback.extract_tb(error.__traceback__) if line.filename in (here, *_files(answers))]
    if lines[-1].filename == here:
        return next(iter(answers), ""), None
    return _named(lines[-1], answers)


def _with_the_judges(seconds: float, answers: Mapping[str, Any]) -> float:
    """The limit for this process: where the answers run elsewhere, it is that of the judge."""
    return seconds + OF_THE_JUDGE if any(hasattr(answer, "answers") for answer in answers.values()) else seconds


def _files(answers: Mapping[str, Answer]) -> dict[str, str]:
    """The file of each answer, with the name of an answer in it."""
    here = {name: answer for name, answer in answers.items() if not hasattr(answer, "answers")}  # not elsewhere
    return {answer.__code__.co_filename: name for name, answer in here.items() if hasattr(answer, "__code__")}


def _named(line: traceback.FrameSummary, answers: Mapping[str, Answer]) -> tuple[str, traceback.FrameSummary]:
    return line.name if line.name in answers else _files(answers)[line.filename], line


def _sentence(function: str, error: BaseException, line: traceback.FrameSummary | None, seconds: float) -> str:
    """How an answer failed, in one sentence."""
    if isinstance(error, NotImplementedError):
        return f"`{function}()` {NOT_WRITTEN}"
    where = f" in line {line.lineno}" if line else ""
    if line and line.line:  # there is no source for what was typed at a prompt
        where += f", `{line.line}`"
    if isinstance(error, _OutOfTime):
        return f"`{function}()` was still busy{where} after {seconds:.0f} seconds of computing: does it ever end?"
    if isinstance(error, Misuse):
        return f"`{function}()` stopped{where}: {error}"
    what = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
    if isinstance(error, AttributeError) and isinstance(error.obj, int) and error.name in OF_A_PAGE:
        return (
            f"`{function}()` stopped{where}: it passed on a number, an address, where a `struct page` is wanted. "
            "`k.virt_to_page(address)` is the page of an address."
        )
    if line is None:
        return f"What `{function}()` returned could not be used: {what}"
    return f"`{function}()` stopped{where}: {what}"


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_OutOfTime` in this thread after `seconds` of computing, on any system: a second thread watches the clock.

    The limit is CPU time, so that a busy machine or a learner at a breakpoint does not use it up. There is no limit
    where threads cannot be started, as in a browser.
    """
    done, overdue, thread = threading.Event(), threading.Event(), threading.get_ident()
    end = time.process_time() + seconds

    def watch() -> None:
        while not done.wait(LOOK):
            if time.process_time() > end:
                overdue.set()
                _raise(thread, _OutOfTime)  # and again at the next look, in case the answer catches the first

    watchdog = threading.Thread(target=watch, daemon=True)
    try:
        watchdog.start()
    except RuntimeError:
        yield
        return
    try:
        yield
    finally:
        ended = False
        while not ended:
            with suppress(_OutOfTime):
                done.set()
                watchdog.join()
                ended = not overdue.is_set()
                if not ended:  # the last exception may still be on its way: wait for it here, and for no other
                    overdue.clear()
                    _raise(thread, _OutOfTime)
                    while True:
                        pass


def _raise(thread: int, exception: type[BaseException]) -> None:
    """Make a thread raise an exception at its next bytecode.

    One that is pending is never cancelled: after that CPython 3.11 hangs as soon as a generator runs under a profiler.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))
