"""The base of the views in which a kernel and a CPU are chosen, by toggles or by traits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import traitlets

from pgtlab.linux.address import parse_address
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config, ConfigError
from pgtlab.linux.share import SCHEME, Share
from pgtlab_widgets.choices import choices, traits
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import View, opened


class Refused(traitlets.TraitError, ValueError):
    """A choice that the model refuses. As a TraitError it also undoes the traits that were set together with it."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a `ValueError` of the model into one that traits understand."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error)) from error


def on_the_page() -> list[KernelView]:
    """The views with toggles that cells show."""
    views = [view for view in opened() if isinstance(view, KernelView)]
    return [view for view in views if view.displayed and view.view.get("choices")]


class KernelView(View):
    """A view with the traits that say which kernel boots on which CPU.

    `preset` says whose choices it has, such as `debian-6.12`; page size, VA_BITS and PA_BITS override them.

    `booted()` of a subclass says what follows when that changes.
    """

    page_size = traitlets.Unicode()
    va_bits = traitlets.Int()
    pa_bits = traitlets.Int()
    cpu = traitlets.Unicode()
    preset = traitlets.Unicode("minimal")
    foresees = ahead("choose")

    def __init__(self, page_size: str, va_bits: int, cpu: str, pa_bits: int | None, **others: Any) -> None:
        config = Config(page_size, va_bits, pa_bits)
        self._boot: Boot | NoBoot = boot(config, CPU.named(cpu))
        self._named = "minimal"  # the kernel of `_boot`
        self._following: dict[str, str | int] = {}  # what a change of another trait leaves one value
        super().__init__(**traits(config), cpu=cpu, **others)

    @property
    def config(self) -> Config:
        """The kernel configuration."""
        return self._boot.config

    @property
    def boot(self) -> Boot | NoBoot:
        """What booting it on the CPU gives."""
        return self._boot

    @property
    def stuck(self) -> str:
        """Why the kernel does not boot; empty if it does."""
        return self._boot.reason if isinstance(self._boot, NoBoot) else ""

    @in_turn
    def choose(self, **chosen: str | int) -> None:
        """Set several traits that are legal only together.

        >>> from pgtlab_widgets import Explorer
        >>> explorer = Explorer("4k", 39)
        >>> explorer.choose(page_size="16k", va_bits=36)
        >>> explorer.config
        Config('16k', va_bits=36, pa_bits=48)
        """
        with self.hold_trait_notifications():
            for name, value in chosen.items():
                self.set_trait(name, value)

    @property
    def share(self) -> str:
        """The kernel, the CPU, and the address if the view has one, as a string that every such view takes.

        >>> from pgtlab_widgets import Explorer
        >>> Explorer("16k", 52, "max,lpa2=off", "VMEMMAP_START").share
        'pgtlab://16k/52/no-lpa2/VMEMMAP_START'
        """
        return str(Share(self.config, self.cpu, str(getattr(self, "address", "")), self.preset))

    @in_turn
    def load(self, share: str) -> None:
        """Choose what a share string says; where the tables were given to the view, only its address.

        Raises
        ------
        ValueError
            If it is not a share string, or a choice in it is not legal; then nothing changes.
        """
        shared = Share.parse(share)
        chosen: dict[str, str | int] = {}
        if self.view.get("choices", True):
            chosen = {"preset": shared.kernel, **traits(shared.config), "cpu": shared.cpu}
        if shared.address and self.has_trait("address"):
            parse_address(shared.address, shared.boot)
            chosen["address"] = shared.address
        self.choose(**chosen)

    def enter(self, text: str, go: Callable[[str], None]) -> None:
        """Take what was typed as an address: a share string too, of any view."""
        self.load(text) if text.strip().startswith(SCHEME) else go(text)

    def booted(self, before: Boot | NoBoot) -> None:
        """Draw another kernel than `before`."""
        self.draw()

    def toggles(self) -> list[dict[str, Any]]:
        """The toggles and their options, for `kernel.js`."""
        return [
            {**vars(choice), "options": list(map(vars, choice.options))}
            for choice in choices(self.config, self.cpu, self.preset)
        ]

    def _base(self) -> Config:
        """The configuration that a choice changes: the current one, or that of another kernel."""
        same = self.preset == self._named
        return self.config if same else Config.named(self.preset, self.config.page_size)

    @traitlets.validate("preset")
    def _of_that_name(self, proposal: dict[str, Any]) -> str:
        """A kernel by name; its VA_BITS and PA_BITS follow where it cannot have the current ones."""
        name, now = str(proposal["value"]), {trait: getattr(self, trait) for trait in traits(self.config)}
        with refusals():
            try:
                chosen = traits(Config.named(name, *now.values()))
            except ConfigError:
                chosen = traits(Config.named(name, now["page_size"]))
        self._following = {trait: value for trait, value in chosen.items() if value != now[trait]}
        return name

    @traitlets.validate("page_size", "va_bits", "pa_bits")
    def _legal(self, proposal: dict[str, Any]) -> str | int:
        now, name = traits(self._base()), proposal["trait"].name
        values = {trait: getattr(self, trait) for trait in now} | {name: proposal["value"]}
        with refusals():
            chosen = traits(self._base().replace(**{trait: v for trait, v in values.items() if v != now[trait]}))
        self._following = {trait: v for trait, v in chosen.items() if trait != name and v != values[trait]}
        return chosen[name]

    @traitlets.validate("cpu")
    def _known(self, proposal: dict[str, Any]) -> str:
        with refusals():
            return CPU.named(proposal["value"]).name

    @traitlets.observe("preset", "page_size", "va_bits", "pa_bits", "cpu")
    def _reboot(self, change: object) -> None:
        following, self._following = self._following, {}
        self.choose(**following)  # together, because each may be legal only with the others
        config = Config.named(self.preset, self.page_size, self.va_bits, self.pa_bits)
        booted, self._named = boot(config, CPU.named(self.cpu)), self.preset
        if booted != self._boot or not self.view:
            before, self._boot = self._boot, booted
            self.booted(before)
