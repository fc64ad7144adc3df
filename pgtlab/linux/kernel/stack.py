"""The kernel stack of the running task: the frames on it, and the values in registers (AAPCS64).

A function that is not inlined makes a frame: it saves x29, x30 and x19 to x28 at the bottom, where x29 and the stack
pointer then point, and has its local variables above them. A leaf function makes no frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

SAVED = 12 * 8  # bytes: x29, x30 and the ten registers that a function must preserve
PT_REGS = 336  # bytes at the top of every kernel stack, for the registers of user space
CALLEE_SAVED = frozenset(f"x{i}" for i in range(19, 29))


class Frame:
    """A call in progress: the function, the size of its local variables in bytes, and the registers that it noted."""

    locals = 0
    registers: dict[str, int] | None = None

    def __init__(self, name: str) -> None:
        self.name = name


class Stack:
    """The calls in progress, outermost first.

    Parameters
    ----------
    calls : iterable of str
        The functions that are running at the start, outermost first.
    inline, leaf : set of str
        Functions that leave no frame: the compiler inlined them, or they call nothing.
    end : int
        Address of the end of the task's stack.
    """

    def __init__(self, calls: tuple[str, ...], inline: Set[str], leaf: Set[str], end: int) -> None:
        self.frames = [Frame(name) for name in calls]
        self._inline, self._leaf = inline, leaf
        self._top = end - PT_REGS

    def _real(self) -> Iterator[Frame]:
        """Calls that were not inlined, innermost first."""
        return (frame for frame in reversed(self.frames) if frame.name not in self._inline)

    @property
    def sp(self) -> int:
        """The stack pointer, and x29: both point to the innermost frame."""
        return self._top - sum(SAVED + frame.locals for frame in self._real() if frame.name not in self._leaf)

    def functions(self) -> tuple[str, ...]:
        """The functions that were not inlined, innermost first."""
        return tuple(frame.name for frame in self._real())

    def unwind(self) -> tuple[str, ...]:
        """The call trace of an unwinder: the function that runs, and from each frame the function that it returns to.

        A leaf has no frame. The first frame is its caller's, which holds the return address into the caller's caller.
        The return address into the caller is only in x30, so the caller is missing from the trace.
        """
        functions = self.functions()
        return (*functions[:1], *functions[2:]) if functions[0] in self._leaf else functions

    def alloca(self, size: int, at: int | None = None) -> int:
        """Make room for `size` bytes of local variables in the innermost frame, and return their address.

        With `at`, the whole stack is moved so that they are at that address.
        """
        frame = next(self._real())
        frame.locals += -(-size // 16) * 16
        if at is not None:
            self._top += at - (self.sp + SAVED)
        return self.sp + SAVED

    def hold(self, registers: dict[str, int]) -> None:
        """Note which values the innermost function keeps in which registers.

        Raises
        ------
        ValueError
            If a function that calls others names x0 to x18, which a call need not preserve.
        """
        frame = next(self._real())
        lost = sorted(registers.keys() - CALLEE_SAVED)
        if lost and frame.name not in self._leaf:
            raise ValueError(f"{frame.name} is not a leaf: a call may change {lost[0]}; use x19 to x28")
        frame.registers = {**(frame.registers or {}), **registers}

    def registers(self) -> dict[str, int]:
        """The known registers, in order: x0 to x18 as noted by the innermost function, x19 to x28 as noted by any."""
        known: dict[str, int] = {}
        for frame in self._real():
            known = {**(frame.registers or {}), **known}
        known["x29"] = self.sp
        return dict(sorted(known.items(), key=lambda register: int(register[0][1:])))


def numbered(registers: dict[str, int], show: Callable[[str], None]) -> None:
    """Print registers as an Oops does: from x29 down, three on a line (`arch/arm64/kernel/process.c`)."""
    for last in range(29, -1, -3):
        line = [f"x{i:<2}: {registers[f'x{i}']:016x}" for i in range(last, last - 3, -1) if f"x{i}" in registers]
        if line:
            show(" ".join(line))
