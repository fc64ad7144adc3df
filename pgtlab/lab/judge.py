"""Judge an answer to an exercise by the exercise's checks; `check()` also judges a patched kernel."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from pgtlab.lab.attempt import Answer, AnswerError, asked, define, steps_of
from pgtlab.lab.by_itself import by_itself
from pgtlab.lab.exercise import Exercise, ExerciseError, find, read
from pgtlab.lab.expectations import plain, type_of
from pgtlab.lab.progress import record
from pgtlab.lab.result import NOT_WRITTEN, Result
from pgtlab.lab.worker.contained import contained, is_contained

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


def check(what: str | Kernel, answer: Any = None, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise, or a kernel by what its tree and its livepatches do in every configuration.

    In a workbench the best score of an exercise is kept in `progress.json`. An installed package has no hidden checks,
    and says how many points they are; in a clone of the repository all checks judge.

    Parameters
    ----------
    what : str or Kernel
        The exercise, such as `03_pud_free`, or a patched kernel, booted in any configuration.
    answer : object
        The learner's function itself, for an exercise, or the value where that is asked for.
    seed : int or str
        Chooses the addresses to try it on; an instructor may give each student another one.

    Returns
    -------
    Result
        It shows itself in a notebook; `passed`, `score` and `as_dict()` are for graders.

    Raises
    ------
    ExerciseError
        If there is no such exercise, or `what` is neither an exercise nor a kernel.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.lab.trees import Tree
    >>> kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> kernel.livepatch(pud_free=lambda k, mm, pud: k.__pud_free(mm, pud))
    >>> [finding.check for finding in check(kernel).findings if finding.hint]
    ['survives', 'no_report', 'nothing_lost', 'counters', 'folded']
    >>> def pud_free(k, mm, pud):
    ...     k.pagetable_free(pud)
    >>> print(check("03_pud_free", pud_free).feedback)
    `pud_free()` stopped in line 2, `k.pagetable_free(pud)`: `k.pagetable_free()` got a number, an address, where a
    `struct page` is wanted. `k.virt_to_page(address)` is the page of an address.
    """
    if issubclass(type(what), str):  # what a class says of itself does not count
        exercise = read(find(str.__str__(what)))
        with contained({exercise.answer: answer}, alone=exercise.about.alone) as answers:
            result = judge(exercise, answers[exercise.answer], seed)
        record(result.exercise, result.score)
        return result
    from pgtlab.lab.kernel_checks import judge_kernel  # which needs numpy, and an exercise may not
    from pgtlab.linux.kernel import Kernel

    if not issubclass(type(what), Kernel):
        raise ExerciseError(
            f"`check()` takes the name of an exercise, such as '03_pud_free', or a kernel, and got {_shown(what)}"
        )
    return judge_kernel(cast(Kernel, what), seed)


def judge(exercise: Exercise, answer: Any, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise that has been read, with its hidden checks if it has any.

    Parameters
    ----------
    exercise : Exercise
        As a grader has it, or `for_students()`.
    answer : object
        The function, or the value. For a grader it is a function of its own, which calls the learner's somewhere else
        and raises `AnswerError` if that fails.
    seed : int or str
        What the answer is tried on.
    """
    names = _namespace(exercise)
    checks = {name.removeprefix("check_"): check for name, check in names.items() if name.startswith("check_")}
    points = exercise.about.points
    unfit = _unfit(exercise, answer)
    tried = answer if unfit or not exercise.is_function else _called(exercise, answer)
    if not exercise.is_function and not unfit:
        tried = plain(answer)
    answers = {exercise.answer: answer} if exercise.is_function else {}
    findings = steps_of(checks, points, answers, (tried, seed), unfit)
    later = sum(points.values()) - sum(finding.points for finding in findings)
    return Result(exercise.name, seed, findings, unit="points", later=later)


def given(name: str, seed: int | str) -> Any:
    """Return what an exercise gives to the learner with this seed.

    Examples
    --------
    >>> given("01_indices", "a word").boot.config.page_size in (4096, 16384, 65536)
    True
    """
    return _namespace(read(find(name)).for_students())["given"](seed)


def task(name: str, seed: int | str) -> str:
    """Return what an exercise gives to the learner with this seed, to be printed.

    Examples
    --------
    >>> print(task("01_indices", "a word").splitlines()[0][:6])
    va
    """
    return str(given(name, seed))


def prelude(exercise: Exercise, seed: int | str) -> str:
    """Return what stands before the solution or a wrong answer: `SEED`, and what is given with it as `GIVEN`.

    Examples
    --------
    >>> print(prelude(read(find("03_pud_free")), "1f9a33c0"))
    SEED = '1f9a33c0'
    GIVEN = {}
    """
    facts = getattr(_namespace(exercise).get("given", lambda _: None)(seed), "__dict__", {})
    plainly = {}
    for name, value in facts.items():
        with suppress(TypeError):
            plainly[name] = plain(value)
    return f"SEED = {seed!r}\nGIVEN = {plainly!r}\n"


@lru_cache(maxsize=64)
def _namespace(exercise: Exercise) -> dict[str, Any]:
    """What the cells with the checks define; kernels and tables that they keep serve the next answer, too."""
    code = "\n\n\n".join(filter(None, (exercise.code("check"), exercise.code("hidden"))))
    return define(code, f"<{exercise.name}: check>")


def forget() -> None:
    """Drop the kernels and tables that checks keep for the next answer: a stranger's may have changed them."""
    _namespace.cache_clear()


def _called(exercise: Exercise, answer: Answer) -> Answer:
    """The answer, so that it returns plain data."""
    here = exercise.about.alone and not is_contained(answer)
    function = by_itself(answer, exercise.answer) if here else answer

    def call(*args: Any) -> Any:
        returned = function(*args)
        try:
            return plain(returned)
        except TypeError as error:
            raise AnswerError(f"What `{exercise.answer}()` returned could not be used: {error}.") from error

    return call


def _unfit(exercise: Exercise, answer: Any) -> str:
    """Why an answer cannot be judged, in one sentence; empty if it can."""
    if not exercise.is_function:
        try:
            filled = plain(answer)
        except TypeError as error:
            return f"`{exercise.answer}` cannot be used: {error}."
        empty = filled in (None, []) or (isinstance(filled, dict) and all(entry is None for entry in filled.values()))
        return f"`{exercise.answer}` {NOT_WRITTEN}" if empty else ""
    if not callable(answer):
        return f"`check()` needs your function itself, `{exercise.answer}`, and got `{_shown(answer)}`."
    expected = ", ".join(exercise.parameters)
    try:
        takes = inspect.signature(answer)
    except ValueError:  # some built-in functions have none
        return ""
    except Exception as error:
        return f"`{exercise.answer}` does not say what parameters it takes: {type(error).__name__}: {error!s:.80}."
    try:
        takes.bind(*exercise.parameters)
    except TypeError:
        return f"`{exercise.answer}` takes `{takes}`, and is called with `({expected})`."
    return ""


def _shown(value: object) -> str:
    """A value as Python shows it, or its type if its own `__repr__` fails."""
    return asked(lambda: f"{value!r:.60}", f"<an object of the type {type_of(value)}>")
