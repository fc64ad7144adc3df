"""The calls that were running when a kernel reported something, and which of them its call trace names.

A call trace is read from the frames on the stack: `pc` says where the kernel was, and each frame holds the address
that its function returns to. A function that the compiler inlined has no frame, and nothing returns into a leaf
function's caller from the stack: that address is in `lr` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.stack import Stack
from pgtlab.picture import Picture, Shape, rect, text

STACK_END = 0xFFFF_8000_8007_C000  # of a stack of 16 KiB; no name in a trace depends on it
NAME, FRAME, TRACE, WIDTH = 8, 250, 500, 800
HEAD, ROW = 50, 21


@dataclass(frozen=True)
class Calls:
    """Calls in progress, outermost first, and what became of each in machine code.

    Attributes
    ----------
    functions : tuple of str
        Every call, as the source has it.
    compiled : tuple of str
        Those that are still calls in machine code, innermost first; the others are inlined.
    trace : tuple of str
        What a call trace names, innermost first.

    Examples
    --------
    >>> calls = Calls.of(("destroy_args", "pud_free", "free_pages", "put_page"), inlined=("pud_free",), leaf=True)
    >>> calls.trace, calls.lr, calls.unnamed
    (('put_page', 'destroy_args'), 'free_pages', ('pud_free', 'free_pages'))
    """

    functions: tuple[str, ...]
    compiled: tuple[str, ...]
    trace: tuple[str, ...]

    @classmethod
    def of(cls, functions: Iterable[str], inlined: Iterable[str] = (), leaf: bool = False) -> Calls:
        """Calls that were made up: which functions are inlined, and whether the innermost one is a leaf."""
        names = tuple(functions)
        return cls.on(Stack(names, set(inlined), {names[-1]} if leaf else set(), STACK_END))

    @classmethod
    def on(cls, stack: Stack) -> Calls:
        """The calls on a kernel's stack, down to the function that `pc` is in."""
        compiled = stack.functions()
        names = [frame.name for frame in stack.frames]
        return cls(tuple(names[: names.index(compiled[0]) + 1]), compiled, stack.unwind())

    @property
    def leaf(self) -> bool:
        """Whether the innermost function has no frame."""
        return len(self.trace) < len(self.compiled)

    @property
    def lr(self) -> str:
        """The function that `lr` points into, if the innermost function is a leaf: its caller."""
        return self.compiled[1] if self.leaf else ""

    @property
    def unnamed(self) -> tuple[str, ...]:
        """The functions that were running and that the trace does not name, outermost first."""
        return tuple(name for name in self.functions if name not in self.trace)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """For each function, innermost first: its name, what it has on the stack, and what names it in the trace."""
        callers = dict(zip(self.compiled[1:], self.compiled, strict=False))
        for at in reversed(range(len(self.functions))):
            name = self.functions[at]
            if name not in self.compiled:
                into = next(each for each in reversed(self.functions[:at]) if each in self.compiled)
                yield name, f"inlined into {into}", "not named: there was no call"
            elif name == self.compiled[0]:
                yield name, "no frame: a leaf" if self.leaf else "a frame", "named by pc"
            elif name in self.trace:
                yield name, "a frame", f"named by the frame of {callers[name]}"
            else:
                yield name, "a frame", "not named: only lr points into it"

    def picture(self) -> Picture:
        """The calls, innermost on top, with their frames and with what names them."""
        title = f"{len(self.functions)} calls, {len(self.trace)} names in the call trace"
        shapes = [text("title", NAME, 16, title, "start strong")]
        for x, words in ((NAME, "was running"), (FRAME, "on the stack"), (TRACE, "in the call trace")):
            shapes.append(text(f"head {words}", x, HEAD - 12, words, "start small faint"))
        rows = list(self.rows())
        for at, (name, frame, named) in enumerate(rows):
            shapes += _row(HEAD + at * ROW, name, frame, named)
        described = "\n".join(f"{name}: {frame}; {named}" for name, frame, named in rows)
        return Picture(WIDTH, HEAD + len(rows) * ROW + 4, title, described, tuple(shapes))

    def __str__(self) -> str:
        return "\n".join(f"{name:26}{frame:38}{named}" for name, frame, named in self.rows())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.picture().mimebundle(str(self))


def _row(y: float, name: str, frame: str, named: str) -> Iterator[Shape]:
    has_frame, has_name = frame == "a frame", not named.startswith("not")
    if has_frame:
        yield rect(f"frame {name}", FRAME - 6, y, TRACE - FRAME - 16, ROW - 2, "cell")
    if has_name:
        yield rect(f"named {name}", NAME - 6, y, FRAME - NAME - 10, ROW - 2, "lit")
    yield text(f"name {name}", NAME, y + 14, name, f"start mono{' on-fill' if has_name else ''}")
    yield text(f"stack {name}", FRAME, y + 14, frame, "start small" if has_frame else "start small faint")
    yield text(f"trace {name}", TRACE, y + 14, named, "start small" if has_name else "start small faint")


def calls_at_the_last_report(kernel: Kernel) -> tuple[Run, Calls]:
    """Run a kernel's initcalls; return the run, and the calls in progress when it reported something for the last time.

    Raises
    ------
    ValueError
        If it reports nothing.
    """
    seen: list[Calls] = []
    report = kernel.report

    def remember(*args: object, **kwargs: object) -> None:
        seen.append(Calls.on(kernel.stack))
        report(*args, **kwargs)  # type: ignore[arg-type]

    vars(kernel)["report"] = remember
    run = kernel.run()
    del vars(kernel)["report"]
    if not seen:
        raise ValueError(f"{kernel!r} reports nothing: there is no moment to look at")
    return run, seen[-1]
