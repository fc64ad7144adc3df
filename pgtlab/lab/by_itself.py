"""Running an answer that has to be found without this package's own functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from pgtlab.lab.attempt import AnswerError

_PACKAGE = str(Path(__file__).resolve().parents[1])


def by_itself(answer: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return the function so that it ends with a sentence as soon as it calls a function of this package.

    What it was given, such as a function that reads memory, may call the package.

    Raises
    ------
    AnswerError
        When the function is called and calls one of the package; also if it catches the exception.

    Examples
    --------
    >>> from pgtlab import Config, boot, decompose
    >>> kernel = boot(Config("4k", 48))
    >>> by_itself(lambda va: decompose(va, kernel), "indices")(0)
    Traceback (most recent call last):
        ...
    pgtlab.lab.attempt.AnswerError: `indices()` calls `decompose()`, a function of this package: compute it yourself.
    """

    def watched(*args: Any) -> Any:
        called: list[str] = []

        def watch(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and _is_ours(frame) and frame.f_back and _is_the_answers(frame.f_back):
                called.append(frame.f_code.co_qualname.removesuffix(".__init__"))
                raise AnswerError(called[0])

        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            returned = answer(*args)
        except BaseException:
            sys.setprofile(before)
            if not called:
                raise
        finally:
            sys.setprofile(before)
        if called:
            what = "imports a part" if called[0] == "<module>" else f"calls `{called[0]}()`, a function"
            raise AnswerError(f"`{name}()` {what} of this package: compute it yourself.") from None
        return returned

    return watched


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_PACKAGE)


def _is_the_answers(frame: FrameType) -> bool:
    """Whether code runs there that is neither ours nor a check's."""
    file = frame.f_code.co_filename
    return not _is_ours(frame) and not file.endswith(": check>")
