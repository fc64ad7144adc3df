"""The walk stepper: one translation, table by table, as the MMU reads it and as Linux does."""

from __future__ import annotations

from functools import partial
from typing import Any

import traitlets

from pgtlab.arch import esr
from pgtlab.arch.fault import Access
from pgtlab.arch.mmu import MMU
from pgtlab.arch.named_picture import named_picture
from pgtlab.arch.walk import Walk
from pgtlab.arch.word_picture import word_picture
from pgtlab.lab.tables_to_walk import AddressSpace, Trial, small_process
from pgtlab.linux.address import AddressError, address_name, address_names, parse_address
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.image import Image
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.software_walk import Lookup
from pgtlab.linux.walk_picture import step_of, walk_picture
from pgtlab.picture import Picture
from pgtlab_widgets.address_field import AddressField, written
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, refusals
from pgtlab_widgets.view import module

ALWAYS_SHOWN = ("DFSC", "IFSC", "WnR")  # fields of a syndrome; others are shown only if they are not zero


class WalkStepper(KernelView):
    """A translation to step through.

    Parameters
    ----------
    source : MMU, Image or Kernel, optional
        The tables to walk; by default those of a kernel that is booted here, as the toggles say, and a small process.
    address : str or int, optional
        What to translate: an address, or what `parse_address` reads as one.
    access : str
        `READ`, `WRITE` or `FETCH`.
    el : int, optional
        The exception level, 0 or 1; by default 1 for an address of the kernel, 0 for one of user space.
    mm : MmStruct, optional
        An address space of a `Kernel`, for addresses of user space.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU to boot.

    Raises
    ------
    ValueError
        If a choice is not legal, now or when a trait is set.

    Examples
    --------
    >>> stepper = WalkStepper(page_size="16k", va_bits=52)
    >>> stepper.step = 1
    >>> stepper.walk.steps[0].level, stepper.lookups[0].level
    (0, 'pgd')
    >>> stepper.try_out("write to a read-only page")
    >>> print(stepper.walk.outcome)
    level 3 permission fault: the permissions forbid the access
    """

    _esm = module("walk_stepper")

    address = traitlets.Union([traitlets.Unicode(), traitlets.Int()])
    access = traitlets.Enum([access.name for access in Access])
    el = traitlets.Enum([0, 1])
    step = traitlets.Int()  # 0 is the TTBR, `last` the outcome

    def __init__(
        self,
        source: MMU | Image | Kernel | None = None,
        address: str | int | None = None,
        access: str = "READ",
        el: int | None = None,
        mm: MmStruct | None = None,
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self.walk: Walk | None = None
        self.lookups: tuple[Lookup, ...] = ()
        self.field = AddressField()
        self._trial: Trial | None = Trial("", 0)  # the current one, to repeat in another kernel
        self._space: AddressSpace | None = None
        self._shown: tuple[object, ...] = ()  # the kernel and the translation
        self._given = None if source is None else _space_of(source, mm)
        kernel: dict[str, Any] = {"page_size": page_size, "va_bits": va_bits, "pa_bits": pa_bits, "cpu": cpu}
        if self._given is not None and self._given.boot is not None:
            kernel = {**traits(self._given.boot.config), "cpu": self._given.boot.cpu.name}
        super().__init__(**kernel, address="0", access=access, el=0)
        if address is not None:
            self.address = address
            self.el = int(self._va() >> 63) if el is None else el
        elif el is not None:
            self.el = el

    @property
    def last(self) -> int:
        """The number of the last step, the outcome."""
        return 0 if self.walk is None else len(self.walk.steps) + 1

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Translations to try, each with another outcome."""
        return () if self._space is None else self._space.trials

    def try_out(self, name: str) -> None:
        """Do the translation called `name` of `trials`, and show its outcome.

        Raises
        ------
        ValueError
            If there is no such trial, or it is not possible here.
        """
        trial = next((trial for trial in self.trials if trial.name == name), None)
        if trial is None:
            raise ValueError(f"{name!r} is not a trial; choose from {', '.join(trial.name for trial in self.trials)}")
        if trial.rule:
            raise ValueError(f"{name}: {trial.rule}")
        self._choose(trial)
        self.step = self.last

    def _choose(self, trial: Trial) -> None:
        with self.hold_trait_notifications():
            self.address, self.access, self.el = written(trial.va), trial.access.name, trial.el

    # What is chosen: legal, or refused.

    @traitlets.validate("address")
    def _read(self, proposal: dict[str, Any]) -> str:
        text = written(proposal["value"])
        with refusals():
            parse_address(text, self.boot)
        return text

    @traitlets.validate("step")
    def _within(self, proposal: dict[str, Any]) -> int:
        return min(max(int(proposal["value"]), 0), self.last)

    # From what is chosen to what is shown.

    def booted(self, before: Boot | NoBoot) -> None:
        """Walk the tables of another kernel and its process; the last trial is repeated there."""
        self._space = self._given or (small_process(self.boot) if isinstance(self.boot, Boot) else None)
        if self._space is not None and (self._trial or not self._has_address()):
            name = self._trial.name if self._trial else ""
            self._choose(
                next((trial for trial in self.trials if trial.name == name and not trial.rule), self.trials[0])
            )
        self._translate()

    def _has_address(self) -> bool:
        """Whether the current kernel has the names in the address."""
        try:
            return self._va() >= 0
        except AddressError:
            return False

    @traitlets.observe("address", "access", "el")
    def _asked(self, change: object) -> None:
        if self.view:  # otherwise the kernel has not booted yet
            self._translate()

    def _translate(self) -> None:
        """Walk and draw, unless nothing changed; stay at the same step, or at the end."""
        va, access = 0 if self._space is None else self._va(), Access[self.access]
        asked = self.boot, self._space, va, access, self.el
        if asked == self._shown:
            return
        ended = self.walk is not None and self.step == self.last
        if self._space is None:
            self.walk, self.lookups = None, ()
        else:
            walk = self.walk = self._space.translate(va, access, self.el)
            self.lookups = self._space.lookups(walk)
            self._trial = next((trial for trial in self.trials if _is(trial, walk)), None)
        self._shown = asked
        self.field.clear()
        step = self.last if ended else min(self.step, self.last)
        if step == self.step or self.walk is None:
            self.draw()
        else:
            self.step = step  # which draws

    def _va(self) -> int:
        return parse_address(self.address, self.boot)

    @traitlets.observe("step")
    def _stepped(self, change: object) -> None:
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture, word = self.picture(), self.word()
        named = self._space is None or self._space.boot is not None
        return {
            "choices": [] if self._given else self.toggles(),
            "stuck": self.stuck,
            "address": self.field.drawn(
                self.address,
                address_name(self.walk.va, self.boot) if self.walk and named else "",
                address_names(self.boot) if named else (),
            ),
            "accesses": [
                {"label": a.name.lower(), "selected": a.name == self.access, "send": {"access": a.name}} for a in Access
            ],
            "els": [{"label": f"EL{el}", "selected": el == self.el, "send": {"el": el}} for el in (0, 1)],
            "trials": [
                {
                    "label": trial.name,
                    "selected": trial == self._trial,
                    "send": {"try": trial.name},
                    "rule": trial.rule,
                }
                for trial in self.trials
            ],
            "step": self.step,
            "last": self.last,
            "status": self.status(),
            "picture": picture and picture.spec(),
            "word": word and word.spec(),
        }

    def status(self) -> str:
        """What happens at this step, in a sentence."""
        return "" if self.walk is None else step_of(self.walk, self.step)

    def word(self) -> Picture | None:
        """The word of this step: the register with the first table, the descriptor, or the syndrome of the fault."""
        if self.walk is None or self._space is None:
            return None
        if self.step == 0:
            return word_picture(self._space.mmu.ttbr1 if self.walk.va_range.upper else self._space.mmu.ttbr0)
        if self.step < self.last:
            descriptor = self.walk.steps[self.step - 1].descriptor
            return None if descriptor is None else word_picture(descriptor)
        if self.walk.esr is None:
            return word_picture(self.walk.par)
        syndrome = esr.decode(int(self.walk.esr))
        leaves = (leaf for part in syndrome.fields for leaf in part.leaves())
        shown = [leaf for leaf in leaves if leaf.value or leaf.name in ALWAYS_SHOWN]
        title = f"ESR_EL1 = {syndrome.value:#018x}, fields that are not zero"
        return named_picture(title, syndrome.value, shown, str(syndrome))

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a step, a trial, an address, an access, an exception level, or a choice of kernel."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"step": step}:
                self.step = step
            case {"by": steps}:
                self.step += steps
            case {"try": name}:
                self.try_out(name)
            case {"access": access}:
                self.access = access
            case {"el": el}:
                self.el = el
            case {"address": text}:
                self.field.enter(text, partial(setattr, self, "address"))
                self.draw()  # even if the address is the same: the error may appear or go

    def picture(self) -> Picture | None:
        """The walk up to the current step; None if the kernel does not boot."""
        if self.walk is None or self._space is None:
            return None
        return walk_picture(self.walk, self._space.mmu.memory, self.lookups, self.step)

    def text(self) -> str:
        """All steps of the MMU, and those of Linux."""
        return self.stuck if self.walk is None else "\n".join([str(self.walk), *map(str, self.lookups)])


def _space_of(source: MMU | Image | Kernel, mm: MmStruct | None) -> AddressSpace:
    match source:
        case Image():
            return AddressSpace.of_image(source)
        case Kernel():
            return AddressSpace.of_kernel(source, mm)
        case MMU():
            return AddressSpace.of_mmu(source)
    raise ValueError(f"{source!r} has no tables to walk; give an MMU, an Image or a Kernel")


def _is(trial: Trial, walk: Walk) -> bool:
    return (trial.va, trial.access, trial.el) == (walk.va, walk.access, walk.el)
