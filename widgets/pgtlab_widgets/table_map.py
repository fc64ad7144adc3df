"""The table map: an address space at all scales, and its tables, from the root to any entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import traitlets

from pgtlab.arch.mmu import MMU
from pgtlab.arch.tables.columns import Column, first_mapped, table_columns
from pgtlab.arch.tables.map_picture import table_map_picture
from pgtlab.arch.tables.scales import Scale, ranges
from pgtlab.lab.tables_to_walk import small_process
from pgtlab.linux.address import address_name, address_names, parse_address
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.memory_map import GUARD, memory_map
from pgtlab.linux.share import Share
from pgtlab.picture import Picture
from pgtlab_widgets.address_field import AddressField
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module

if TYPE_CHECKING:
    from pgtlab.linux.image import Image


class TableMap(KernelView):
    """The tables of an address space, of which those on the way to one address are shown.

    Parameters
    ----------
    source : MMU or Image, optional
        The tables to show; by default those of a kernel that is booted here, and of a small process.
    address : str or int, optional
        Where to begin: an address, or a name of the kernel's memory map. By default the first `struct page`; if the
        kernel of the tables is not known, the first address that is mapped.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU; an image has its own.
    colours : {"level", "permission"}
        What the colours of leaves mean: their level, or what their memory may be used for.

    Examples
    --------
    >>> tables = TableMap()
    >>> [column.level for column in tables.columns]
    [0, 1, 2]
    """

    _esm = module("table_map")
    foresees = ahead("choose", "va", "region", "scroll", "colours")

    reflows = True

    address = traitlets.Unicode()
    colours = traitlets.Enum(["level", "permission"])  # what the colours of leaves mean

    def __init__(
        self,
        source: MMU | Image | None = None,
        address: str | int | None = None,
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
        colours: str = "level",
    ) -> None:
        self._source = None if source is None else source if isinstance(source, MMU) else source.mmu
        self._known = source is None  # the kernel of the tables is known
        if source is not None and not isinstance(source, MMU) and source.config is not None:
            self._known, config, cpu = True, source.config, source.boot.cpu.name
            page_size, va_bits, pa_bits = config.page_size_name, config.va_bits, config.pa_bits
        if address is None and not self._known and self._source is not None:
            address = next((va for scale in ranges(self._source) if (va := self._first_in(scale)) is not None), 0)
        self.field = AddressField()
        self._first: dict[int, int] = {}
        self._wanted = "VMEMMAP_START" if address is None else address if isinstance(address, str) else f"{address:#x}"
        self._ranges: tuple[Scale, ...] = ()
        self.columns: tuple[Column, ...] = ()
        self.outcome = ""
        self._va = 0
        super().__init__(page_size, va_bits, cpu, pa_bits, colours=colours)

    def booted(self, before: Boot | NoBoot) -> None:
        """Show the tables of another kernel and of a process."""
        if isinstance(self.boot, Boot):
            self._mmu = self._source or small_process(self.boot).mmu
            self._ranges = ranges(self._mmu, self._regions())
        self.go(self._wanted)

    @in_turn
    def go(self, address: str) -> None:
        """Show the tables on the way to an address.

        Raises
        ------
        ValueError
            If it is not an address.
        """
        if isinstance(self.boot, Boot):
            if not self._known and re.search("[g-zG-Z]", address.lower().replace("0x", "")):
                raise ValueError(f"{address!r} is a name, and the kernel of these tables is not known: write a number")
            self._va = parse_address(address, self.boot)
            self.columns = table_columns(self._mmu, self._va)
            self.outcome = str(self._mmu.translate(self._va).outcome)
        else:
            self.columns, self.outcome = (), ""
        self._wanted = address
        self.field.clear()
        self._first = {}
        self.address = address
        self.draw()

    def load(self, share: str) -> None:
        """Show the tables of the kernel in a share string, on the way to its address."""
        super().load(share)
        self.go(Share.parse(share).address or self._wanted)

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture = self.picture()
        name = address_name(self._va, self.boot) if self._known else ""
        return {
            "choices": self.toggles() if self._source is None else [],
            "stuck": self.stuck,
            "address": self.field.drawn(
                self.address,
                f"{self._va:#018x}  {name}" if not self.stuck else "",
                address_names(self.boot) if self._known else (),
            ),
            "regions": [] if self._known else [{"name": name, "send": {"region": name}} for name in self._places()],
            "colours": [
                {"label": name, "selected": name == self.colours, "send": {"colours": name}}
                for name in ("level", "permission")
            ],
            "status": self._status(),
            "picture": picture and picture.spec(),
        }

    def _status(self) -> str:
        """The last entry on the way in a sentence, and the outcome of the translation."""
        for column in self.columns[-1:]:
            if not column.cells:
                return f"The level {column.level} table is not in memory. {self.outcome}"
            index = (self._va - column.va & column.size - 1) >> column.cells.shift
            kind = type(column.cells[column.opened].descriptor).__name__
            what = {"Invalid": "is invalid", "Block": "is a block", "Page": "is a page"}.get(
                kind, f"is a {kind.lower()}"
            )
            return f"Entry {index:#x} ({index}) of the level {column.level} table {what}: {self.outcome}"
        return self.outcome

    @traitlets.observe("colours")
    def _coloured(self, change: object) -> None:
        if self.view:
            self.draw()

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a place to go, a table to scroll, an address, or a choice of kernel."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"va": va}:
                self.go(va)
            case {"region": name}:
                begin, end = self._places()[name]
                mapped = first_mapped(self._mmu, begin, end)
                self.go(f"{begin if mapped is None else mapped:#x}")
            case {"colours": colours}:
                self.colours = colours
            case {"scroll": where}:
                level, first = map(int, where.split())
                self._first = {**self._first, level: first}
                self.draw()
            case {"address": text}:
                if not self.field.enter(text, lambda text: self.enter(text, self.go)):
                    self.draw()

    def _regions(self) -> list[tuple[str, int, int]]:
        """The named parts of the address space, if its kernel is known."""
        if not isinstance(self.boot, Boot) or not self._known:
            return []
        return [(region.name, region.start, region.end) for region in memory_map(self.boot)]

    def _places(self) -> dict[str, tuple[int, int]]:
        """The places to go to: the named parts, or else the ranges."""
        if self._known:
            return {name: (start, end) for name, start, end in self._regions() if name != GUARD}
        return {scale.name.split(",")[0]: (scale.va, scale.va + scale.size) for scale in self._ranges if scale.size}

    def _first_in(self, scale: Scale) -> int | None:
        assert self._source is not None
        return first_mapped(self._source, scale.va, scale.va + scale.size) if scale.size else None

    def picture(self) -> Picture | None:
        """The tables on the way; None if the kernel does not boot."""
        if self.stuck:
            return None
        return table_map_picture(
            self.columns, self._va, self._first, self._ranges, self.outcome, self.room, self.colours
        )

    def text(self) -> str:
        """The tables on the way, and the entries of the last one."""
        picture = self.picture()
        return self.stuck if picture is None else f"{picture.title}\n{picture.description}"
