"""The walk stepper: one translation, table by table, as the MMU reads it and as Linux does."""

from __future__ import annotations

from functools import partial
from typing import Any

import traitlets

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mmu import MMU
from pgtlab.arch.walk import Walk
from pgtlab.lab.blanks import entries_known, step_reached, walk_blanks
from pgtlab.lab.entry_edits import Edit, edits
from pgtlab.lab.fill_in import Blank
from pgtlab.lab.tables_to_walk import AddressSpace, Trial, drawn_process, small_process
from pgtlab.linux.address import AddressError, address_name, address_names, parse_address
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.image import Image
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.share import Share
from pgtlab.linux.software_walk import Lookup
from pgtlab.linux.walk_picture import walk_picture
from pgtlab.linux.walk_text import pseudocode_of, step_of
from pgtlab.picture import Picture
from pgtlab_widgets.address_field import AddressField, written
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, refusals
from pgtlab_widgets.quiz import Quiz
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.view import module
from pgtlab_widgets.walk_word import word_of


class WalkStepper(Quiz, KernelView):
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
    quiz : bool
        Hide the indices, the addresses in the entries and the outcome; the reader fills them in, and a right answer
        takes the next step. `quiz_answers` has what was said.

    Raises
    ------
    ValueError
        If a choice is not legal, now or when a trait is set.

    Examples
    --------
    >>> stepper = WalkStepper(page_size="16k", va_bits=52)
    >>> stepper.walk.steps[stepper.step - 1].level, stepper.lookups[0].level
    (0, 'pgd')
    >>> stepper.try_out("write to a read-only page")
    >>> print(stepper.walk.outcome)
    level 3 permission fault: the permissions forbid the access
    >>> stepper.step -= 1
    >>> stepper.edit("make it writable")
    >>> print(stepper.walk.outcome.pa == stepper.walk.steps[-1].descriptor.oa)
    True
    """

    _esm = module("walk_stepper")
    # None of these changes the tables; that all steps are known ahead makes a step immediate.
    foresees = ahead("choose", "access", "el", "edit", overtaking=("step", "try"))

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
        quiz: bool = False,
    ) -> None:
        self._drawn = 1  # which process and translation were drawn for the quiz
        self.walk: Walk | None = None
        self.lookups: tuple[Lookup, ...] = ()
        self.field = AddressField()
        self._trial: Trial | None = Trial("", 0)  # the current one, to repeat in another kernel
        self._space: AddressSpace | None = None
        self._tables: AddressSpace | None = None  # as they are without edits
        self._edits: tuple[Edit, ...] = ()
        self._groups: dict[Trial, str] = {}
        self._shown: tuple[object, ...] = ()  # the kernel and the translation
        self._given = None if source is None else AddressSpace.of(source, mm)
        kernel: dict[str, Any] = {"page_size": page_size, "va_bits": va_bits, "pa_bits": pa_bits, "cpu": cpu}
        if self._given is not None and self._given.boot is not None:
            kernel = {**traits(self._given.boot.config), "cpu": self._given.boot.cpu.name}
        if quiz and self._given is not None and self._given.boot is None:
            raise ValueError("a quiz needs tables of a known kernel: give an Image with its configuration, or a Kernel")
        super().__init__(**kernel, address="0", access=access, el=0, quiz=quiz)
        if address is not None:
            self.address = address
            self.el = int(self._va() >> 63) if el is None else el
        elif el is not None:
            self.el = el
        self.access, self.step = access, 0 if quiz else 1

    @property
    def last(self) -> int:
        """The number of the last step, the outcome."""
        return 0 if self.walk is None else len(self.walk.steps) + 1

    @property
    def reached(self) -> int:
        """The last step that can be shown: the end, or in a quiz the step whose index the reader knows."""
        return self.last if self.walk is None or not self.hidden else step_reached(self.walk, self.hidden)

    @property
    def known(self) -> int | None:
        """The number of entries that the reader understands; None without a quiz, and at its end."""
        return None if self.walk is None or not self.hidden else entries_known(self.walk, self.hidden)

    def another(self) -> None:
        """Ask about another process, and another translation in it."""
        self._drawn += 1
        self._trial = Trial("", 0)
        self.booted(self.boot)
        self.step = 0

    def blanks(self) -> tuple[Blank, ...]:
        """What the walk does, step by step."""
        return walk_blanks(self.walk, self.boot) if self.walk and isinstance(self.boot, Boot) else ()

    def answered(self) -> None:
        """Take the step that the answer opens."""
        self.step = self.reached if self.quiz else self.step
        self.draw()

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

    @property
    def edits(self) -> tuple[str, ...]:
        """The changes that can be made to the entry of the current step."""
        return () if self.walk is None else tuple(edit.name for edit in edits(self.walk, self.step))

    def edit(self, name: str) -> None:
        """Change the entry of the current step, in this view only, and walk again.

        Raises
        ------
        ValueError
            If the entry cannot be changed in this way.
        """
        possible = {} if self.walk is None else {edit.name: edit for edit in edits(self.walk, self.step)}
        if name not in possible:
            can = f"choose from {', '.join(possible)}" if possible else "no entry is read at this step"
            raise ValueError(f"{name!r} cannot be done at step {self.step}: {can}")
        self._change((*self._edits, possible[name]))

    def undo(self) -> None:
        """Take the last change of an entry back; nothing if there is none."""
        self._change(self._edits[:-1])

    def _change(self, made: tuple[Edit, ...]) -> None:
        assert self._tables is not None
        with self.hold_sync():
            self._edits, self._space = made, self._tables.with_words({edit.address: edit.word for edit in made})
            self._translate()

    @property
    def share(self) -> str:
        """The kernel and the address as a string; empty for tables of no kernel, which no string can say.

        >>> from pgtlab.lab.machine import Machine
        >>> WalkStepper(Machine(va_bits=39).process("a").mmu, 0x1234).share
        ''
        >>> WalkStepper(va_bits=39, address=0x1234).share
        'pgtlab://4k/39/lpa2/0x0000000000001234'
        """
        return "" if self._given is not None and self._given.boot is None else super().share

    def load(self, share: str) -> None:
        """Show the kernel and the address of a share string; of tables that were given, the address alone.

        Raises
        ------
        ValueError
            If it is not a share string, or a choice in it is not legal; then nothing changes.
        """
        shared = Share.parse(share)
        address = shared.address or self.address
        va = parse_address(address, shared.boot)
        kernel = {} if self._given else {**traits(shared.config), "cpu": shared.cpu}
        self._trial = None
        self.choose(**kernel, address=written(va) if self._given else address, el=va >> 63)

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
        return min(max(int(proposal["value"]), 0), self.reached)

    # From what is chosen to what is shown.

    def booted(self, before: Boot | NoBoot) -> None:
        """Walk the tables of another kernel and its process; the last trial is repeated there."""
        trial = None
        if self._given or isinstance(self.boot, NoBoot):
            self._space = self._given
        elif self.quiz:
            self._space, trial = drawn_process(self.boot, self._drawn)
        else:
            self._space = small_process(self.boot)
        self._tables, self._edits = self._space, ()
        self._groups = {trial: self._space.group(trial) for trial in self.trials} if self._space else {}
        if self._space is not None and (self._trial or not self._has_address()):
            name = self._trial.name if self._trial else ""
            same = (trial for trial in self.trials if trial.name == name and not trial.rule)
            self._choose(trial or next(same, self.trials[0]))
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
        if (asked := (self.boot, self._space, va, access, self.el)) == self._shown:
            return
        ended = self.walk is not None and self.step == self.last
        if self._space is None:
            self.walk, self.lookups = None, ()
        else:
            self.walk = self._space.translate(va, access, dict(self._els())[self.el])
            self.lookups = self._space.lookups(self.walk)
            self._trial = next((t for t in self.trials if (t.va, t.access, t.el) == (va, access, self.el)), None)
        self._shown = asked
        self.field.clear()
        self.ask()
        step = self.last if ended else min(self.step, self.last)
        if step == self.step or self.walk is None:
            self.draw()
        else:
            self.step = step  # which draws

    def _els(self) -> tuple[tuple[int, int], ...]:
        """What `el` can be, and the exception level that it stands for: 1 is the kernel, also of one in EL2."""
        return (0, 0), (1, 1 if self._space is None else self._space.mmu.privileged)

    def _va(self) -> int:
        return parse_address(self.address, self.boot)

    @traitlets.observe("step")
    def _stepped(self, change: object) -> None:
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture = self.picture()
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
            "els": [{"label": f"EL{own}", "selected": el == self.el, "send": {"el": el}} for el, own in self._els()],
            "trials": [] if self.quiz else self._grouped(),  # whose names say how they end
            "step": self.step,
            "last": self.last,
            "reached": self.reached,
            "faults": not self.hidden and self.walk is not None and isinstance(self.walk.outcome, Fault),
            "status": self.status(),
            "pseudocode": "" if self.hidden or self.walk is None else pseudocode_of(self.walk, self.step),
            "picture": picture and picture.spec(),
            "word": (self.walk and not self.hidden and word_of(self.walk, self._space, self.step)) or None,
            "edits": [] if self.hidden else list(self.edits),
            "undo": self._edits[-1].name if self._edits else "",
            "quiz": self.quiz_drawn(),
        }

    def _grouped(self) -> list[dict[str, Any]]:
        """The trials, sorted by what they show."""
        return [
            {
                "label": group,
                "options": [
                    {
                        "label": trial.name,
                        "selected": trial == self._trial,
                        "send": {"try": trial.name},
                        "rule": trial.rule,
                    }
                    for trial, its in self._groups.items()
                    if its == group
                ],
            }
            for group in dict.fromkeys(self._groups.values())
        ]

    def status(self) -> str:
        """What happens at this step, in a sentence; nothing while a quiz asks about it."""
        return "" if self.hidden or self.walk is None else step_of(self.walk, self.step)

    def receive(self, message: dict[str, Any]) -> None:
        """Handle an answer, a step, a trial, a changed entry, an address, an access, a level, or a choice of kernel."""
        match message:
            case {"blank": _}:
                self.hear(message)
            case {"another": True}:
                self.another()
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
            case {"edit": name}:
                self.edit(name)
            case {"undo": True}:
                self.undo()
            case {"address": text}:
                self.field.enter(text, lambda text: self.enter(text, partial(setattr, self, "address")))
                self.draw()  # even if the address is the same: the error may appear or go

    def picture(self) -> Picture | None:
        """The walk up to the current step; None if the kernel does not boot."""
        if self.walk is None or self._space is None:
            return None
        return walk_picture(self.walk, self._space.mmu.table_memory, self.lookups, self.step, self.known)

    def text(self) -> str:
        """All steps of the MMU, and those of Linux; of a quiz, what is asked about."""
        if self.hidden and (picture := self.picture()):
            return picture.title
        return self.stuck if self.walk is None else "\n".join([str(self.walk), *map(str, self.lookups)])
