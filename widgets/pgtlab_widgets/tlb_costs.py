"""The TLB view's counts: a long trace in two regimes, counted step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib.util import find_spec
from itertools import combinations, islice
from threading import Thread
from typing import Any, Final

from pgtlab.arch.cost.tlb import Hardware
from pgtlab.arch.cost.walk_cost import Cost, costs_so_far, is_compiled
from pgtlab.arch.mmu import MMU
from pgtlab.lab.cost_comparison import (
    HARDWARE,
    TLBS,
    WORKLOADS,
    Regime,
    Row,
    Workload,
    mapped,
    regimes,
    visited,
    workload,
)
from pgtlab.lab.cost_comparison_picture import compared, cost_comparison_picture
from pgtlab.picture import Picture
from pgtlab_widgets.steps import Steps

MOMENT: Final = 0.03  # seconds of a step, which ends with the next part of the work
PART: Final = 1 << 16  # accesses that the compiled loop counts at a time: some 15 ms with both regimes
FIRST: Final = 500  # the same without it: some 80 ms
BEGINNING: Final = 10_000  # accesses that are counted while the loop is compiled, which may take seconds
SOON: Final = 1_000_000  # accesses of the longest trace that is made in a moment


@dataclass(frozen=True)
class CostChoice:
    """What is counted: a trace, its mapping, and the hardware, by their names in `cost_comparison`; and two regimes."""

    trace: str
    mapping: str
    walk_cache: str
    tlb: str
    regimes: tuple[Regime, Regime]
    accesses: int

    @property
    def hardware(self) -> Hardware:
        """The TLBs and the walk caches."""
        return Hardware(*TLBS[self.tlb], HARDWARE[self.walk_cache].walk_caches)


class CostCounts:
    """The costs of a choice, as far as they are counted. Messages: those of `Steps`."""

    def __init__(self) -> None:
        self._done: dict[CostChoice, tuple[Cost, ...]] = {}
        self._so_far: tuple[Cost, ...] = ()
        self._steps = Steps(MOMENT)
        self._choice: CostChoice | None = None

    def start(self, choice: CostChoice) -> None:
        """Count another choice: an unfinished run is dropped, a finished one is kept."""
        if choice != self._choice:
            self._choice, self._so_far = choice, ()
            self._steps = copy(self._steps)  # what is foreseen stops nothing
            self._steps.stop()
            if choice not in self._done:
                self._steps.start("trace", self._running(choice))

    def take(self) -> bool:
        """Take a step where that takes a moment only; whether one was taken."""
        step = self._steps.drawn()["next"]
        if not step or not is_compiled() or self.choice.accesses > SOON:
            return False
        self.receive(step)
        return True

    def finish(self) -> bool:
        """Count the rest in one go; False if there is none."""
        return self._steps.finish()

    def begin(self) -> None:
        """Count the first accesses, if none are counted."""
        while not self.rows[0].cost.accesses and (step := self._steps.drawn()["next"]):
            self.receive(step)

    def receive(self, message: dict[str, Any]) -> None:
        """Count on, when the page has drawn the last step."""
        self._steps.receive(message)

    @property
    def choice(self) -> CostChoice:
        """What is counted."""
        assert self._choice is not None
        return self._choice

    @property
    def rows(self) -> tuple[Row, Row]:
        """The costs so far, one for each regime."""
        choice, nothing = self.choice, Cost(0, (), (), (0,) * 5, (0,) * 5, 0, 0)
        costs = self._done.get(choice) or self._so_far or (nothing, nothing)
        first, second = (
            Row(choice.trace, choice.mapping, choice.walk_cache, regime, cost)
            for regime, cost in zip(choice.regimes, costs, strict=True)
        )
        return first, second

    def picture(self) -> Picture:
        """The costs so far."""
        return cost_comparison_picture(self.rows, self.choice.hardware, self.choice.accesses)

    def drawn(self) -> dict[str, Any]:
        """The costs so far, and the step to ask for."""
        rows, step, accesses = self.rows, self._steps.drawn()["next"], self.choice.accesses
        done = rows[0].cost.accesses
        compiling = step is not None and done >= BEGINNING and not is_compiled()
        note = f"{self.choice.trace}: {WORKLOADS[self.choice.trace]}"
        return {
            "note": "The loop that counts the rest is compiled, which takes some seconds once." if compiling else note,
            "status": f"So far, {done:,} of {accesses:,} accesses" if step else compared(rows),
            "done": done,
            "accesses": accesses,
            "next": step,
            "picture": self.picture().spec(),
        }

    def _running(self, choice: CostChoice) -> Iterator[None]:
        """Run the trace in both regimes side by side, in steps."""
        region = choice.regimes[0].region
        trace = _trace(choice.trace, region, choice.accesses)
        yield
        mmus = []
        for regime in choice.regimes:
            mmus.append(_tables(regime, choice.trace, region, choice.accesses, choice.mapping))
            yield
        for costs in _counted(mmus, trace, choice.hardware):
            self._so_far = costs
            if costs[0].accesses == len(trace.vas):
                self._done[choice] = costs
                return
            yield


def _counted(mmus: Sequence[MMU], trace: Workload, hardware: Hardware) -> Iterator[tuple[Cost, ...]]:
    """The costs so far: the beginning by Python alone, while the loop is compiled, and all where it cannot be."""

    def side_by_side(chunk: int, *, compiled: bool = True) -> Iterator[tuple[Cost, ...]]:
        run = partial(
            costs_so_far, trace=trace.vas, hardware=hardware, asids=trace.asids, chunk=chunk, compiled=compiled
        )
        return zip(*map(run, mmus), strict=True)

    if not is_compiled():
        begun = side_by_side(FIRST, compiled=False)
        if find_spec("numba") is None:
            yield from begun
            return
        compiling = Thread(target=_compile, args=(mmus[0], trace, hardware))
        compiling.start()
        for costs in islice(begun, BEGINNING // FIRST):
            yield costs
            if not compiling.is_alive():
                break
        while compiling.is_alive():
            compiling.join(MOMENT)
            yield costs
    yield from side_by_side(PART)


def _compile(mmu: MMU, trace: Workload, hardware: Hardware) -> None:
    """Compile the loop, or load it, as its first use does. What fails here fails again where it is shown."""
    asids = None if trace.asids is None else trace.asids[:1]
    with suppress(Exception):
        next(costs_so_far(mmu, trace.vas[:1], hardware, asids=asids))


@cache
def pairs(page_size: str) -> dict[str, tuple[Regime, Regime]]:
    """The pairs of regimes to compare, by their two sizes of address.

    >>> list(pairs("16k")), list(pairs("64k"))
    (['47 and 48', '47 and 52', '48 and 52'], ['48 and 52'])
    """
    return {
        f"{_bits(first)} and {_bits(second)}": (first, second) for first, second in combinations(regimes(page_size), 2)
    }


def _bits(regime: Regime) -> int:
    return regime.range.input_bits


@lru_cache(maxsize=1)  # 10,000,000 accesses take 80 MB
def _trace(name: str, region: int, accesses: int) -> Workload:
    return workload(name, region, accesses)


@lru_cache(maxsize=4)  # tables of 8 GiB in pages of 4K take 16 MB
def _tables(regime: Regime, name: str, region: int, accesses: int, mapping: str) -> MMU:
    return mapped(regime, visited(_trace(name, region, accesses), region), region, mapping)
