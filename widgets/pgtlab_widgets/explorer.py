"""The explorer: how an address comes apart in a kernel configuration on a CPU."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Final

import traitlets

from pgtlab.arch.word_picture import bit_mark, word_picture
from pgtlab.lab.blanks import address_blanks
from pgtlab.lab.fill_in import Blank
from pgtlab.lab.hidden_address import hidden_address
from pgtlab.lab.variants import addresses
from pgtlab.linux.address import AddressError, address_name, address_names, parse_address
from pgtlab.linux.address_picture import Columns, address_picture, field_mark, flip_mark
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import Decomposition, decompose
from pgtlab.linux.explain import Explanation, explain
from pgtlab.linux.kconfig import Config
from pgtlab.picture import Picture
from pgtlab_widgets.address_field import AddressField, written
from pgtlab_widgets.changes import BOOTED, changes, chosen
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, refusals
from pgtlab_widgets.quiz import Quiz
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module

FIRST: Final = 3  # changes that are always shown


class Explorer(Quiz, KernelView):
    """A configuration, a CPU and an address to play with.

    Parameters
    ----------
    page_size : str
        `4k`, `16k` or `64k`.
    va_bits : int
        CONFIG_ARM64_VA_BITS.
    cpu : str
        A preset's name.
    address : str or int
        An address, or what `parse_address` reads as one.
    pa_bits : int, optional
        CONFIG_ARM64_PA_BITS; 52 with 52-bit virtual addresses, else 48.
    quiz : bool
        Hide the parts of the address; the reader fills them in. `quiz_answers` has what was said.

    Raises
    ------
    ValueError
        If a choice is not legal, now or when a trait is set: the message names the rule and the closest legal choice.

    Examples
    --------
    >>> explorer = Explorer(page_size="16k", va_bits=52, address="VMEMMAP_START")
    >>> explorer.boot.vabits_actual
    52
    >>> explorer.cpu = "max,lpa2=off"
    >>> explorer.boot.vabits_actual
    47

    As a quiz:

    >>> explorer = Explorer("4k", 48, quiz=True)
    >>> for text in ("TTBR0_EL1", "0"):
    ...     explorer.say(text)
    >>> explorer.quiz_answers["start"].verdict
    'right'
    """

    _esm = module("explorer")
    foresees = ahead("choose", "flip", "explain")
    reflows = True

    address = traitlets.Union([traitlets.Unicode(), traitlets.Int()])
    explained = traitlets.Unicode()  # the field of the address that is explained

    def __init__(
        self,
        page_size: str = "4k",
        va_bits: int = 52,
        cpu: str = "max",
        address: str | int | None = None,
        pa_bits: int | None = None,
        quiz: bool = False,
    ) -> None:
        booted = boot(Config(page_size, va_bits, pa_bits), CPU.named(cpu))
        self._drawn = 0  # how many addresses were drawn for the quiz
        if address is None:
            address = self._draw_address(booted) if quiz and isinstance(booted, Boot) else "KIMAGE_VADDR + 0x1234567"
        self._before: Boot | NoBoot | None = None
        self._pinned: Boot | None = None
        self._flips: int | None = None  # the bit that is being flipped
        self._flipped: int | None = None  # the bit that was flipped last, until another address is shown
        self.field = AddressField()
        self._va = parse_address(written(address), booted)
        super().__init__(page_size, va_bits, cpu, pa_bits, address=address, quiz=quiz)

    @property
    def decomposition(self) -> Decomposition | None:
        """The address taken apart; None where the kernel does not boot."""
        return decompose(self._va, self._boot) if isinstance(self._boot, Boot) else None

    def _draw_address(self, booted: Boot) -> int:
        """Another address, of the user and of the kernel in turn."""
        self._drawn += 1
        return addresses(booted, self._drawn)[(self._drawn - 1) % 2]

    @in_turn
    def another(self) -> None:
        """Ask about another address."""
        if isinstance(self.boot, Boot):
            self.address = self._draw_address(self.boot)

    def blanks(self) -> tuple[Blank, ...]:
        """The fields of the address."""
        return address_blanks(self._va, self.boot) if isinstance(self.boot, Boot) else ()

    def answered(self) -> None:
        """Show the field that was filled in."""
        self.draw()

    @in_turn
    def pin(self) -> None:
        """Keep the current kernel on the page, to compare others with it at the same address."""
        self._pinned = self.boot if isinstance(self.boot, Boot) else None
        self.draw()

    @in_turn
    def unpin(self) -> None:
        """Remove the pinned kernel."""
        self._pinned = None
        self.draw()

    def explain(self) -> tuple[Explanation, ...]:
        """Why each field of the address is where it is; empty if the kernel does not boot."""
        return () if self.decomposition is None else explain(self.decomposition)

    def picture(self) -> Picture | None:
        """The current picture; None if the kernel does not boot."""
        if self.decomposition is None:
            return None
        columns = self._columns
        if self.hidden:
            return hidden_address(self.decomposition, self.hidden, columns)
        picture = address_picture(self.decomposition, columns)
        if self._pinned is not None:
            picture = picture.differing(self._pinned_picture())
        fields = self.decomposition.fields
        marks = [field_mark(hi, lo, columns) for field, hi, lo, _ in fields if field == self.explained]
        if self._flipped is not None:
            marks += flip_mark(self._flipped, ~self._va >> self._flipped & 1, columns)
        return picture.with_shapes(*marks)

    @property
    def _columns(self) -> Columns:
        return Columns.within(self.room)

    def _pinned_picture(self) -> Picture:
        assert self._pinned is not None
        return address_picture(decompose(self._va, self._pinned), self._columns)

    def text(self) -> str:
        """The fields and their reasons as text, or why the kernel does not boot; of a quiz, what is asked about."""
        picture = self.picture()
        if self.hidden and picture is not None:
            return picture.title
        return self.stuck or "\n".join([str(self.decomposition), "", *map(str, self.explain())])

    def __repr__(self) -> str:
        shown = {**traits(self.config), "cpu": self.cpu, "address": self.address}
        return f"Explorer({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    # What is chosen: legal, or refused.

    @traitlets.validate("address")
    def _read(self, proposal: dict[str, Any]) -> str:
        text = written(proposal["value"])
        with refusals():
            parse_address(text, self._boot)
        return text

    # From what is chosen to what is shown.

    def booted(self, before: Boot | NoBoot) -> None:
        """Show what changed since the previous kernel."""
        self._before = before if before != self.boot else self._before
        self._read_again()

    @traitlets.observe("address")
    def _read_again(self, change: object = None) -> None:
        """Read the address in the current kernel. If that does not have the name, keep the previous address."""
        with suppress(AddressError):  # a name that only a kernel that boots has
            self._va = parse_address(self.address, self._boot)
        self._flipped, self._flips = self._flips, None
        self.field.clear()
        self.ask()
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture = self.picture()
        return {
            "choices": self.toggles(),
            "address": self.field.drawn(
                self.address, f"{self._va:#018x}  {address_name(self._va, self._boot)}", address_names(self._boot)
            ),
            "picture": picture and picture.spec(),
            "pinned": None if self.hidden else self._comparison(picture),
            "why": [] if self.hidden else [self._why(explanation) for explanation in self.explain()],
            "stuck": self.stuck,
            "changes": self._changes(),
            "quiz": self.quiz_drawn(),
        }

    def _comparison(self, picture: Picture | None) -> dict[str, Any] | None:
        """The pinned kernel's picture of the same address."""
        if self._pinned is None:
            return None
        pinned = self._pinned_picture()
        return (pinned if picture is None else pinned.differing(picture)).spec()

    def _why(self, explanation: Explanation) -> dict[str, Any]:
        """A row of the table of reasons; with pictures of the registers if it is the chosen one."""
        chosen = explanation.field == self.explained
        by = explanation.decided_by
        pictures = [word_picture(d.register).with_shapes(bit_mark(*d.bits)).spec() for d in by if chosen]
        return {
            "field": explanation.field,
            "bits": f"{explanation.hi}:{explanation.lo}",
            "why": explanation.why,
            "by": "; ".join(map(str, by)),
            "pictures": pictures,
        }

    def _changes(self) -> dict[str, Any]:
        """What the last choice changed: what was chosen, the most important values, and all in groups."""
        if self._before is None or self.hidden:
            return {
                "title": "Flip a bit, or choose another kernel: what the choice changes is listed here.",
                "first": [],
                "count": 0,
                "groups": [],
            }
        groups = changes(self._before, self._boot)
        rows = [change for group in groups for change in group.changes]
        booted = [change for change in rows if change.name in BOOTED]
        done = chosen(self._before, self._boot)
        return {
            "title": f"{done} changes {len(rows)} values" if rows else f"{done}: nothing changes.",
            "first": [
                f"{change.name} {change.before or '–'} → {change.after or '–'}" for change in (booted or rows)[:FIRST]
            ],
            "count": len(rows),
            "groups": [{"name": group.name, "rows": list(map(vars, group.changes))} for group in groups],
        }

    # What comes from the browser.

    def receive(self, message: dict[str, Any]) -> None:
        """Handle an answer, a choice, a bit to flip, a field to explain, a kernel to pin, or a typed address."""
        match message:
            case {"blank": _}:
                self.hear(message)
            case {"another": True}:
                self.another()
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"flip": bit}:
                self._flips = int(bit)
                self.address = self._va ^ 1 << int(bit)
            case {"explain": field}:
                self.explained = "" if field == self.explained else field
                self.draw()
            case {"pin": pin}:
                self.pin() if pin else self.unpin()
            case {"address": text}:
                self.field.enter(text, lambda text: self.enter(text, partial(setattr, self, "address")))
                self.draw()  # even if the address is the same: the error may appear or go
