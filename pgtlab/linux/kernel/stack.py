"""The kernel stack of the running task: whose frame is where on it, and what is in registers (AAPCS64).

A function that is not inlined makes a frame: it saves x29, x30 and x19 to x28 at the bottom, where x29 and the stack
pointer then point, and has its local variables above them. A leaf makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

SAVED = 12 * 8  # x29, x30 and ten registers that a function must leave as they were
PT_REGS = 336  # at the top of every kernel stack: the registers with which user space entered the kernel
CALLEE_SAVED = frozenset(f"x{i}" for i in range(19, 29))


class Frame:
    """A call that is under way: the function, the size of its local variables, and registers that it told of."""

    locals = 0
    registers: dict[str, int] | None = None

    def __init__(self, name: str) -> None:
        self.name = name


class Stack:
    """The calls that are under way, outermost first.

    Parameters
    ----------
    calls : iterable of str
        The functions that led here.
    inline, leaf : set of str
        Functions that leave no frame: the compiler inlined them, or they call nothing.
    end : int
        Address of the end of the task's stack.
    """

    def __init__(self, calls: tuple[str, ...], inline: set[str], leaf: set[str], end: int) -> None:
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
        """What an unwinder finds: where the CPU is, and then frame by frame where each function will return to.

        A leaf has no frame, and so the first one that is found is its caller's, with the return address in the
        caller's caller. The leaf's own return address is in x30 alone: its caller is missing.
        """
        functions = self.functions()
        return (*functions[:1], *functions[2:]) if functions[0] in self._leaf else functions

    def alloca(self, size: int, at: int | None = None) -> int:
        """Room for local variables in the innermost frame; `at` says where they shall be, and moves the whole stack."""
        frame = next(self._real())
        frame.locals += -(-size // 16) * 16
        if at is not None:
            self._top += at - (self.sp + SAVED)
        return self.sp + SAVED

    def hold(self, registers: dict[str, int]) -> None:
        """Note what the innermost function keeps in registers.

        Raises
        ------
        ValueError
            Where it calls others, which need not leave x0 to x18 as they were.
        """
        frame = next(self._real())
        lost = sorted(registers.keys() - CALLEE_SAVED)
        if lost and frame.name not in self._leaf:
            raise ValueError(f"{frame.name} is no leaf: what it has in {lost[0]} is lost with a call; use x19 to x28")
        frame.registers = {**(frame.registers or {}), **registers}

    def registers(self) -> dict[str, int]:
        """The registers as far as they are known: x0 to x18 from the innermost function, x19 to x28 from any."""
        known: dict[str, int] = {}
        for frame in self._real():
            known = {**(frame.registers or {}), **known}
        known["x29"] = self.sp
        return dict(sorted(known.items(), key=lambda register: int(register[0][1:])))


def numbered(registers: dict[str, int], show: Callable[[str], None]) -> None:
    """Show registers as an Oops does: from x29 down, three on a line (`arch/arm64/kernel/process.c`)."""
    for last in range(29, -1, -3):
        line = [f"x{i:<2}: {registers[f'x{i}']:016x}" for i in range(last, last - 3, -1) if f"x{i}" in registers]
        if line:
            show(" ".join(line))
