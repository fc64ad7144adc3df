"""Judge an answer to an exercise by the exercise's checks; `check()` also judges a patched kernel."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pgtlab.lab.attempt import Answer, define, findings_of
from pgtlab.lab.exercise import Exercise, ExerciseError, find, read
from pgtlab.lab.progress import record
from pgtlab.lab.result import Result

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


def check(what: str | Kernel, answer: Answer | None = None, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise, or a kernel by what its tree and its livepatches do in every configuration.

    In a workbench the best score of an exercise is kept in `progress.json`.

    Parameters
    ----------
    what : str or Kernel
        The exercise, such as `03_pud_free`, or a patched kernel, booted in any configuration.
    answer : callable
        The learner's function itself, for an exercise.
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
    ...     k.__pud_fre(mm, pud)
    >>> print(check("03_pud_free", pud_free).findings[0].hint)
    `pud_free()` stopped in line 2, `k.__pud_fre(mm, pud)`: AttributeError: this kernel has no symbol or constant
    __pud_fre; did you mean __pud_free?
    """
    if isinstance(what, str):
        result = judge(read(find(what)), answer, seed)
        record(result.exercise, result.score)
        return result
    from pgtlab.lab.kernel_checks import judge_kernel  # which needs numpy, and an exercise may not
    from pgtlab.linux.kernel import Kernel

    if not isinstance(what, Kernel):
        raise ExerciseError(
            f"`check()` takes the name of an exercise, such as '03_pud_free', or a kernel, and got {what!r:.60}"
        )
    return judge_kernel(what, seed)


def judge(exercise: Exercise, answer: Answer | None, seed: int | str = 0) -> Result:
    """Judge an answer to an exercise that has been read."""
    names = define(exercise.code("check"), f"<{exercise.name}: check>")
    checks = {name.removeprefix("check_"): check for name, check in names.items() if name.startswith("check_")}
    unfit = _unfit(exercise, answer)
    return Result(exercise.name, seed, findings_of(checks, {exercise.function: answer}, (answer, seed), unfit))


def _unfit(exercise: Exercise, answer: Any) -> str:
    """Why an answer cannot be called, in one sentence; empty if it can."""
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
