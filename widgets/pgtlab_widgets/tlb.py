"""The TLB view: what translation costs with two sizes of address, counted step by step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import combinations
from typing import Any, Final

import traitlets

from pgtlab.arch.cost.tlb import Hardware
from pgtlab.arch.cost.walk_cost import Cost, costs_so_far
from pgtlab.arch.mmu import MMU
from pgtlab.lab.cost_comparison import (
    HARDWARE,
    MAPPINGS,
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
from pgtlab_widgets.kernel_view import Refused, refusals
from pgtlab_widgets.steps import Steps
from pgtlab_widgets.view import View, module

STEP: Final = 1 << 16  # accesses in a step, which takes some 30 ms
ACCESSES: Final = (100_000, 300_000, 1_000_000, 10_000_000)
PAGE_SIZES: Final = ("4k", "16k", "64k")
NOTES: Final = {
    "no walk cache": "every walk starts at the first level",
    "last tables": "64 entries for the tables of level 3, as in a Cortex-A53",
    "shared": "64 entries, shared by the tables of all levels",
    "each level": "16 entries for the tables of each level",
    "10 + 512": "as in a Cortex-A53",
    "pages": "by pages",
    "contiguous": "by pages in runs with the Contiguous bit, which take one TLB entry",
    "blocks": "by blocks of level 2",
    **WORKLOADS,
}


class TLBView(View):
    """A trace through TLBs, walk caches and real tables, in two regimes side by side.

    Parameters
    ----------
    trace : str
        A name of `pgtlab.lab.cost_comparison.WORKLOADS`.
    page_size : str
        "4k", "16k" or "64k".
    mapping : str
        "pages", "contiguous" or "blocks".
    walk_cache : str
        A name of `pgtlab.lab.cost_comparison.HARDWARE`.
    tlb : str
        A name of `pgtlab.lab.cost_comparison.TLBS`: the entries of L1 and L2.
    compared : str
        The two sizes of address, such as "47 and 48"; by default the first two of the page size.
    accesses : int
        The length of the trace: one of `ACCESSES`.

    Examples
    --------
    >>> view = TLBView("scattered", walk_cache="last tables", accesses=100_000)
    >>> [row.regime for row in view.rows]
    [Regime(16K/47), Regime(16K/48)]
    """

    _esm = module("tlb")

    trace = traitlets.Unicode()
    page_size = traitlets.Unicode()
    compared = traitlets.Unicode()
    mapping = traitlets.Unicode()
    walk_cache = traitlets.Unicode()
    tlb = traitlets.Unicode()
    accesses = traitlets.Int()

    def __init__(
        self,
        trace: str = "uniform",
        page_size: str = "16k",
        mapping: str = "pages",
        walk_cache: str = "last tables",
        tlb: str = "48 + 1024",
        compared: str | None = None,
        accesses: int = 300_000,
    ) -> None:
        self._done: dict[tuple[str | int, ...], tuple[Cost, ...]] = {}  # finished runs, by the choices
        self._so_far: tuple[Cost, ...] = ()
        self._steps = Steps(0)
        self._at: tuple[str | int, ...] = ()
        page_size = page_size.lower()
        with refusals():
            first = next(iter(pairs(page_size)))
        super().__init__(
            trace=trace,
            page_size=page_size,
            mapping=mapping,
            walk_cache=walk_cache,
            tlb=tlb,
            compared=first if compared is None else compared,
            accesses=accesses,
        )

    @property
    def regimes(self) -> tuple[Regime, Regime]:
        """The two regimes to compare."""
        return pairs(self.page_size)[self.compared]

    @property
    def hardware(self) -> Hardware:
        """The TLBs and the walk caches."""
        return Hardware(*TLBS[self.tlb], HARDWARE[self.walk_cache].walk_caches)

    @property
    def rows(self) -> tuple[Row, Row]:
        """The costs of the whole trace, one for each regime."""
        self.run()
        return self._rows()

    def run(self) -> None:
        """Run the rest of the trace without drawing."""
        if self._steps.finish():
            self.draw()

    def choose(self, **chosen: str | int) -> None:
        """Set several traits; if the page size does not have the two sizes of address, take its first two."""
        if "page_size" in chosen and "compared" not in chosen:
            with refusals():
                legal = pairs(str(chosen["page_size"]).lower())
            chosen["compared"] = self.compared if self.compared in legal else next(iter(legal))
        with self.hold_trait_notifications():
            for name, value in chosen.items():
                self.set_trait(name, value)

    @property
    def _key(self) -> tuple[str | int, ...]:
        return tuple(getattr(self, name) for name, _, _ in self._choices())

    def _choices(self) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
        """Each trait with its label and its options."""
        yield "trace", "Trace", tuple(WORKLOADS)
        yield "page_size", "Page size", PAGE_SIZES
        yield "compared", "Address bits", tuple(pairs(self.page_size))
        yield "mapping", "Mapped by", tuple(MAPPINGS)
        yield "tlb", "TLB entries, L1 + L2", tuple(TLBS)
        yield "walk_cache", "Walk cache", tuple(HARDWARE)
        yield "accesses", "Accesses", ACCESSES

    @traitlets.validate("trace", "page_size", "compared", "mapping", "tlb", "walk_cache", "accesses")
    def _legal(self, proposal: dict[str, Any]) -> str | int:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "page_size" and value not in PAGE_SIZES:
            raise Refused(f"{value!r} is not a page size of arm64; choose from {', '.join(PAGE_SIZES)}")
        with refusals():
            legal = next(options for trait, _, options in self._choices() if trait == name)
        if value not in legal:
            raise Refused(f"unknown {name} {value!r}; choose from {', '.join(map(str, legal))}")
        return str(value) if isinstance(value, str) else int(value)

    @traitlets.observe("trace", "page_size", "compared", "mapping", "tlb", "walk_cache", "accesses")
    def _restart(self, change: object) -> None:
        """Run the new choice: an unfinished run is dropped, a finished one is kept."""
        if self.compared not in pairs(self.page_size):  # the page size was set alone
            self.compared = next(iter(pairs(self.page_size)))
            return
        if self._key != self._at:
            self._at, self._so_far = self._key, ()
            self._steps.stop()
            if self._key not in self._done:
                self._steps.start("trace", self._running())
            self.draw()

    def _running(self) -> Iterator[None]:
        """Run the trace in both regimes side by side, in steps."""
        key, hardware = self._key, self.hardware
        region = self.regimes[0].region
        trace = _trace(self.trace, region, self.accesses)
        yield
        mmus = []
        for regime in self.regimes:
            mmus.append(_tables(regime, self.trace, region, self.accesses, self.mapping))
            yield
        for costs in zip(
            *(costs_so_far(mmu, trace.vas, hardware, asids=trace.asids, chunk=STEP) for mmu in mmus), strict=True
        ):
            self._so_far = costs
            if costs[0].accesses == len(trace.vas):
                self._done[key] = costs
            yield

    def _rows(self) -> tuple[Row, Row]:
        nothing = Cost(0, (), (), (0,) * 5, (0,) * 5, 0, 0)
        costs = self._done.get(self._key) or self._so_far or (nothing, nothing)
        first, second = (
            Row(self.trace, self.mapping, self.walk_cache, regime, cost)
            for regime, cost in zip(self.regimes, costs, strict=True)
        )
        return first, second

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        rows, step = self._rows(), self._steps.drawn()["next"]
        done = rows[0].cost.accesses
        return {
            "choices": [
                {
                    "label": label,
                    "options": [
                        {
                            "label": f"{option:,}" if isinstance(option, int) else option,
                            "selected": option == getattr(self, name),
                            "send": {"choose": {name: option}},
                            "note": NOTES.get(str(option), ""),
                        }
                        for option in options
                    ],
                }
                for name, label, options in self._choices()
            ],
            "note": WORKLOADS[self.trace],
            "status": f"{done:,} of {self.accesses:,} accesses" if step else compared(rows),
            "done": done,
            "accesses": self.accesses,
            "next": step,
            "picture": cost_comparison_picture(rows, self.hardware).spec(),
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a choice, or the next step, when the page has drawn the last one."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case _:
                self._steps.receive(message)
                self.draw()

    def picture(self) -> Picture:
        """The costs of the whole trace."""
        return cost_comparison_picture(self.rows, self.hardware)

    def text(self) -> str:
        """The numbers, and the comparison in a sentence."""
        return f"{self.picture().description}\n{compared(self.rows)}"


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
