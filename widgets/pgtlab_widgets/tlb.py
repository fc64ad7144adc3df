"""The TLB view: a small TLB, entry by entry; and what translation costs with two sizes of address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import traitlets

from pgtlab.arch.cost.tlb import TLB, Hardware
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, TLBS, WORKLOADS, Regime, Row, regimes
from pgtlab.lab.cost_comparison_picture import compared
from pgtlab.lab.small_tlb import ACCESSES as LAST
from pgtlab.lab.small_tlb import POLICIES, SHORT_TRACES, SMALL_TLBS, WatchedAccess, small_tlb, watch
from pgtlab.lab.small_tlb_picture import small_tlb_picture
from pgtlab.linux.address import parse_address
from pgtlab.linux.kconfig import Config
from pgtlab.linux.share import Share
from pgtlab.picture import Picture
from pgtlab_widgets.address_field import written
from pgtlab_widgets.kernel_view import Refused, refusals
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.tlb_costs import CostChoice, CostCounts, pairs
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import View, module

ACCESSES: Final = (100_000, 300_000, 1_000_000, 10_000_000)
PAGE_SIZES: Final = ("4k", "16k", "64k")
#: The parts, and the choices of each.
PARTS: Final = {"entries": "What a TLB holds", "costs": "What a level costs"}
CHOICES: Final = {
    "entries": ("short_trace", "small_tlb", "policy", "page_size", "mapping"),
    "costs": ("trace", "page_size", "compared", "mapping", "tlb", "walk_cache", "accesses"),
}
LABELS: Final = {
    "short_trace": "Trace",
    "small_tlb": "TLB entries",
    "policy": "Replaced",
    "trace": "Trace",
    "page_size": "Page size",
    "compared": "Address bits",
    "mapping": "Mapped by",
    "tlb": "TLB entries, L1 + L2",
    "walk_cache": "Walk cache",
    "accesses": "Accesses",
}
#: Before the value of a choice, in the line that says what is chosen.
SHORT: Final = {"small_tlb": "TLB of", "mapping": "by", "tlb": "TLBs", "compared": "bits", "walk_cache": "walk cache:"}
NOTES: Final = {
    "no walk cache": "every walk starts at the first level",
    "last tables": "64 entries for the tables of level 3, as in a Cortex-A53",
    "shared": "64 entries, shared by the tables of all levels",
    "each level": "16 entries for the tables of each level",
    "10 + 512": "as in a Cortex-A53",
    "pages": "by pages",
    "contiguous": "by pages in runs with the Contiguous bit, which take one TLB entry",
    "blocks": "by blocks of level 2",
    "8": "8 entries, each for any page",
    "4": "4 entries, each for any page",
    "4 sets of 2": "8 entries; the low bits of the page number choose a set of 2",
    "8 sets of 1": "8 entries; the low bits of the page number choose the entry",
    **{name: policy.value for name, policy in POLICIES.items()},
}


class TLBView(View):
    """A small TLB, entry by entry; and a long trace through TLBs, walk caches and real tables, in two regimes.

    Parameters
    ----------
    trace : str
        The long trace: a name of `pgtlab.lab.cost_comparison.WORKLOADS`.
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
        The length of the long trace: one of `ACCESSES`.
    part : str
        What is shown: "entries" or "costs".
    short_trace : str
        The trace through the small TLB: a name of `pgtlab.lab.small_tlb.SHORT_TRACES`.
    small_tlb : str
        A name of `pgtlab.lab.small_tlb.SMALL_TLBS`.
    policy : str
        How an entry to replace is chosen: "LRU", "tree-PLRU" or "random".

    Examples
    --------
    >>> view = TLBView("scattered", walk_cache="last tables", accesses=100_000)
    >>> [row.regime for row in view.rows]
    [Regime(16K/47), Regime(16K/48)]
    >>> view.access, view.watched.kind
    (33, 'evict')
    """

    _esm = module("tlb")
    foresees = ahead("choose", overtaking=("access",))

    part = traitlets.Enum(tuple(PARTS))
    short_trace = traitlets.Unicode()
    small_tlb = traitlets.Unicode()
    policy = traitlets.Unicode()
    access = traitlets.Int(1)
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
        *,
        part: str = "entries",
        short_trace: str = "sequential",
        small_tlb: str = "8",
        policy: str = "LRU",
    ) -> None:
        self._counts = CostCounts()
        page_size = page_size.lower()
        with refusals():
            first = next(iter(pairs(page_size)))
        super().__init__(
            part=part,
            short_trace=short_trace,
            small_tlb=small_tlb,
            policy=policy,
            trace=trace,
            page_size=page_size,
            mapping=mapping,
            walk_cache=walk_cache,
            tlb=tlb,
            compared=first if compared is None else compared,
            accesses=accesses,
        )
        kinds = [each.kind for each in self._watched]
        first_kind = "evict" if "evict" in kinds else "hit"  # an empty TLB would be an empty picture
        self.access = 1 + kinds.index(first_kind)

    # The small TLB.

    @property
    def watched(self) -> WatchedAccess:
        """The access that is shown, and the small TLB after it."""
        return self._watched[self.access - 1]

    @property
    def _watched(self) -> tuple[WatchedAccess, ...]:
        return watch(self.short_trace, self._regime, self.mapping, self._small)

    @property
    def _regime(self) -> Regime:
        return regimes(self.page_size)[0]

    @property
    def _small(self) -> TLB:
        return small_tlb(self.small_tlb, self.policy)

    def _entries_picture(self) -> Picture:
        return small_tlb_picture(self._watched, self.access, self._small, self._regime)

    def _go(self, access: int) -> None:
        self.access = min(max(access, 1), LAST)

    @property
    def share(self) -> str:
        """A kernel with the first size of address, and the access of the small TLB, for the views of a kernel.

        >>> TLBView(page_size="4k").share
        'pgtlab://4k/48/lpa2/0x0000000020008000'
        """
        regime = self._regime if self.part == "entries" else self.regimes[0]
        address = written(self.watched.accessed.va) if self.part == "entries" else ""
        return str(Share(Config(self.page_size, regime.range.input_bits), "max", address))

    @in_turn
    def load(self, share: str) -> None:
        """Choose the page size of a share string, and the access to its address if the small TLB has one.

        Raises
        ------
        ValueError
            If it is not a share string; then nothing changes.
        """
        shared = Share.parse(share)
        va = parse_address(shared.address, shared.boot) if shared.address else None
        self.choose(page_size=shared.config.page_size_name)
        accesses = [number for number, each in enumerate(self._watched, 1) if each.accessed.va == va]
        if self.part == "entries" and accesses:
            self.access = accesses[0]

    # The long trace.

    @property
    def regimes(self) -> tuple[Regime, Regime]:
        """The two regimes to compare."""
        return pairs(self.page_size)[self.compared]

    @property
    def hardware(self) -> Hardware:
        """The TLBs and the walk caches."""
        return self._counts.choice.hardware

    @property
    def rows(self) -> tuple[Row, Row]:
        """The costs of the whole trace, one for each regime."""
        self.run()
        return self._counts.rows

    @in_turn
    def run(self) -> None:
        """Run the rest of the trace without drawing."""
        if self._counts.finish():
            self.draw()

    # What is chosen.

    @in_turn
    def choose(self, **chosen: str | int) -> None:
        """Set several traits; if the page size does not have the two sizes of address, take its first two."""
        if "page_size" in chosen and "compared" not in chosen:
            with refusals():
                legal = pairs(str(chosen["page_size"]).lower())
            chosen["compared"] = self.compared if self.compared in legal else next(iter(legal))
        with self.hold_trait_notifications():
            for name, value in chosen.items():
                self.set_trait(name, value)

    def _options(self, name: str) -> tuple[str | int, ...]:
        """What a trait may be."""
        options: dict[str, Iterable[str | int]] = {
            "short_trace": SHORT_TRACES,
            "small_tlb": SMALL_TLBS,
            "policy": POLICIES,
            "trace": WORKLOADS,
            "page_size": PAGE_SIZES,
            "compared": pairs(self.page_size),
            "mapping": MAPPINGS,
            "tlb": TLBS,
            "walk_cache": HARDWARE,
            "accesses": ACCESSES,
        }
        return tuple(options[name])

    @traitlets.validate(*LABELS)
    def _legal(self, proposal: dict[str, Any]) -> str | int:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "page_size" and value not in PAGE_SIZES:
            raise Refused(f"{value!r} is not a page size of arm64; choose from {', '.join(PAGE_SIZES)}")
        with refusals():
            legal = self._options(name)
        if value not in legal:
            raise Refused(f"unknown {name} {value!r}; choose from {', '.join(map(str, legal))}")
        return str(value) if isinstance(value, str) else int(value)

    @traitlets.validate("access")
    def _there(self, proposal: dict[str, Any]) -> int:
        if not 1 <= proposal["value"] <= LAST:
            raise Refused(f"there is no access {proposal['value']}; choose from 1 to {LAST}")
        return int(proposal["value"])

    @traitlets.observe("part", "access", *LABELS)
    def _look(self, change: object) -> None:
        """Draw what is chosen, which counts nothing."""
        if self.compared not in pairs(self.page_size):  # the page size was set alone
            self.compared = next(iter(pairs(self.page_size)))
            return
        self._counts.start(CostChoice(self.trace, self.mapping, self.walk_cache, self.tlb, self.regimes, self.accesses))
        self.draw()

    # What is shown.

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        parts = [
            {"label": label, "selected": part == self.part, "send": {"part": part}} for part, label in PARTS.items()
        ]
        choices = [
            # Another walk cache is counted over the same tables, which is soon done: also before it is chosen.
            {
                "label": LABELS[name],
                "short": SHORT.get(name, ""),
                "options": self._shown(name),
                "ahead": name == "walk_cache",
            }
            for name in CHOICES[self.part]
        ]
        part = self._entries() if self.part == "entries" else self._counts.drawn()
        return {"part": self.part, "parts": parts, "choices": choices, **part}

    def _shown(self, name: str) -> list[dict[str, Any]]:
        """The options of a trait."""
        notes = {**NOTES, **SHORT_TRACES} if self.part == "entries" else {**NOTES, **WORKLOADS}
        return [
            {
                "label": f"{option:,}" if isinstance(option, int) else option,
                "selected": option == getattr(self, name),
                "send": {"choose": {name: option}},
                "note": notes.get(str(option), ""),
            }
            for option in self._options(name)
        ]

    def _entries(self) -> dict[str, Any]:
        """What is drawn of the small TLB."""
        picture = self._entries_picture()
        return {
            "note": f"{self.short_trace}: {SHORT_TRACES[self.short_trace]}",
            "access": self.access,
            "last": LAST,
            "status": picture.title,
            "picture": picture.spec(),
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a choice, an access to show, or the next step, when the page has drawn the last one."""
        match message:
            case {"choose": chosen}:
                before = self._counts.choice
                self.choose(**chosen)
                if self.part == "costs" and self._counts.choice != before and self._counts.take():
                    self.draw()
            case {"part": part}:
                self.part = part
            case {"access": access}:
                self._go(int(access))
            case {"by": by}:
                self._go(self.access + by)
            case _:
                self._counts.receive(message)
                self.draw()

    def picture(self) -> Picture:
        """The small TLB as it is shown, or the costs of the whole long trace."""
        if self.part == "entries":
            return self._entries_picture()
        self.run()
        return self._counts.picture()

    def text(self) -> str:
        """What is in the picture, as text."""
        return self.picture().description + ("" if self.part == "entries" else f"\n{compared(self.rows)}")

    def fallback(self) -> tuple[Picture, str]:
        """The picture and the text for pages without widgets: costs as far as they are counted, if only the first."""
        if self.part == "entries":
            picture = self._entries_picture()
        else:
            self._counts.begin()
            self.draw()
            picture = self._counts.picture()
        return picture, picture.description
