"""The walk stepper: one translation, table by table, as the MMU reads it and as Linux does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from pgtlab.arch.fault import Access
from pgtlab.arch.mmu import MMU
from pgtlab.arch.walk import Walk
from pgtlab.arch.word_picture import word_picture
from pgtlab.lab.bugs.address_space import map_page, some_address, switch_mm
from pgtlab.lab.trees import Tree
from pgtlab.linux.address import address_name, address_names, parse_address
from pgtlab.linux.boot import Boot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.software_walk import Lookup, software_walk
from pgtlab.linux.walk_picture import outcome_of, walk_picture
from pgtlab.picture import Picture
from pgtlab_widgets.changes import Kernel as Booted
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.view import module

if TYPE_CHECKING:
    from pgtlab.linux.image import Image


class WalkStepper(KernelView):
    """A translation to step through.

    Parameters
    ----------
    source : MMU or Image, optional
        Tables to walk; without it those of a kernel that is booted here, with a process that has two pages: one to read
        and write, and the one after it to read.
    address : str or int, optional
        What to translate: an address, or a name of the kernel's memory map.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU; of an image, its own.

    Examples
    --------
    >>> stepper = WalkStepper(page_size="16k", va_bits=52)
    >>> stepper.receive({"forward": True})
    >>> stepper.step, stepper.walk.steps[0].level, stepper.lookups[0].level
    (1, 0, 'pgd')
    """

    _esm = module("walk_stepper")

    address = traitlets.Unicode()
    access = traitlets.Enum([access.name for access in Access])
    el = traitlets.Enum([0, 1])
    step = traitlets.Int()

    def __init__(
        self,
        source: MMU | Image | None = None,
        address: str | int | None = None,
        access: str = "READ",
        el: int = 0,
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._source = None if source is None else source if isinstance(source, MMU) else source.mmu
        self._wrong: tuple[str, str] | None = None
        self._first = None if address is None else address if isinstance(address, str) else f"{address:#x}"
        self._kernel: Kernel | None = None
        self.walk: Walk | None = None
        self.lookups: tuple[Lookup, ...] = ()
        if source is not None and not isinstance(source, MMU) and source.config is not None:
            config = source.config
            page_size, va_bits, pa_bits, cpu = (
                config.page_size_name,
                config.va_bits,
                config.pa_bits,
                source.boot.cpu.name,
            )
        super().__init__(page_size, va_bits, cpu, pa_bits, access=access, el=el)

    def booted(self, before: Booted) -> None:
        """Another kernel, with its process."""
        self._kernel = self._mm = None
        if isinstance(self.boot, Boot):
            if self._source is None:
                self._kernel = k = Tree.named("fixed").start_kernel(self.boot)
                self._mm, self._mapped = k.mm_alloc(), some_address(k)
                map_page(k, self._mm, self._mapped, k.alloc_pages(0).pfn)
                ptep = map_page(k, self._mm, self._mapped + k.PAGE_SIZE, k.alloc_pages(0).pfn)
                k.ptep_set_wrprotect(self._mm, self._mapped + k.PAGE_SIZE, ptep)
                self._mmu = switch_mm(k, self._mm)
            else:
                self._mmu, self._mapped = self._source, self.boot.config.constants.VMALLOC_START
        self._translate(self._first or f"{getattr(self, '_mapped', 0):#x}")

    def _translate(self, address: str) -> None:
        """Walk anew, from the start."""
        if not isinstance(self.boot, Boot):
            self.walk, self.lookups = None, ()
        else:
            va = parse_address(address, self.boot)
            self.walk = self._mmu.translate(va, Access[self.access], self.el)
            self.lookups = ()
            if self._kernel is not None and self.boot.vabits_actual == self.walk.va_range.input_bits:
                mm = self._kernel.init_mm if self.walk.va_range.upper else self._mm
                if self.walk.steps:
                    self.lookups = software_walk(self._kernel, mm, va)
        self.address, self._wrong, self.step = address, None, 0
        self.draw()

    @traitlets.observe("access", "el")
    def _again(self, change: object) -> None:
        if self.address:
            self._translate(self.address)

    @traitlets.observe("step")
    def _stepped(self, change: object) -> None:
        self.draw()

    @property
    def last(self) -> int:
        """The number of the step that is the outcome."""
        return len(self.walk.steps) + 1 if self.walk else 0

    def presets(self) -> list[tuple[str, dict[str, Any]]]:
        """Translations that end in different ways."""
        if self._kernel is None:
            return []
        linear = f"{vars(self._kernel)['__va'](self._kernel.memory.base):#x}"
        page, read_only = f"{self._mapped:#x}", f"{self._mapped + self._kernel.PAGE_SIZE:#x}"
        return [
            ("a page of the process", {"address": page, "access": "READ", "el": 0}),
            ("a write to a page that is read-only", {"address": read_only, "access": "WRITE", "el": 0}),
            (
                "a page that is not mapped",
                {"address": f"{self._mapped + 2 * self._kernel.PAGE_SIZE:#x}", "access": "READ", "el": 0},
            ),
            ("NULL", {"address": "0x0", "access": "READ", "el": 0}),
            ("the linear map", {"address": linear, "access": "READ", "el": 1}),
            ("the linear map, from user space", {"address": linear, "access": "READ", "el": 0}),
            ("not canonical", {"address": "0xdead000000000000", "access": "READ", "el": 1}),
        ]

    def drawn(self) -> dict[str, Any]:
        """All that the browser needs."""
        text, error = self._wrong or (self.address, "")
        picture = self.picture()
        return {
            "choices": self.toggles() if self._source is None else [],
            "stuck": self.stuck,
            "address": {
                "text": text,
                "error": error,
                "meaning": f"{self.walk.va:#018x}  {address_name(self.walk.va, self.boot)}" if self.walk else "",
                "names": list(address_names(self.boot)),
            },
            "accesses": [
                {"label": a.name.lower(), "selected": a.name == self.access, "send": {"access": a.name}} for a in Access
            ],
            "els": [{"label": f"EL{el}", "selected": el == self.el, "send": {"el": el}} for el in (0, 1)],
            "presets": [name for name, _ in self.presets()],
            "step": self.step,
            "last": self.last,
            "told": self._told(),
            "picture": picture and picture.spec(),
            "word": self._word(),
        }

    def _told(self) -> str:
        """What is happening at this step, in a sentence."""
        if self.walk is None:
            return ""
        if self.step == 0:
            start = self.walk.steps[0].level if self.walk.steps else None
            return f"{self.walk.va_range.ttbr} says where the first table is" + (
                f", of level {start}." if start is not None else "."
            )
        if self.step == self.last:
            return ". ".join(outcome_of(self.walk))
        return str(self.walk.steps[self.step - 1]).strip()

    def _word(self) -> dict[str, object] | None:
        """The picture of the descriptor of this step."""
        if self.walk is None or not 1 <= self.step < self.last:
            return None
        descriptor = self.walk.steps[self.step - 1].descriptor
        return None if descriptor is None else word_picture(descriptor).spec()

    def receive(self, message: dict[str, Any]) -> None:
        """A step, an address, a way of access, or a choice of kernel."""
        match message:
            case {"choose": chosen}:
                self._first = None
                self.choose(**chosen)
            case {"forward": True}:
                self.step = min(self.step + 1, self.last)
            case {"back": True}:
                self.step = max(self.step - 1, 0)
            case {"end": True}:
                self.step = self.last
            case {"preset": name}:
                address, access, el = dict(self.presets())[name].values()
                self.address = ""  # so that nothing is walked between
                self.access, self.el = access, el
                self._translate(address)
                self.step = self.last
            case {"access": access}:
                self.access = access
            case {"el": el}:
                self.el = el
            case {"address": text}:
                try:
                    self._translate(text)
                except ValueError as error:
                    self._wrong = text, str(error)
                    self.draw()

    def picture(self) -> Picture | None:
        """The walk as far as it has come; None where the kernel does not boot."""
        return self.walk and walk_picture(self.walk, self._mmu.memory, self.lookups, self.step)

    def text(self) -> str:
        """All steps, and Linux's."""
        return self.stuck if self.walk is None else "\n".join([str(self.walk), *map(str, self.lookups)])
