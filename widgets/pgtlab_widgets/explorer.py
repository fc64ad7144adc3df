"""The explorer: a kernel configuration, a CPU and an address, and the picture of what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import traitlets

from pgtlab.linux.address import address_name, address_names, parse_address
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import AddressError, Decomposition, decompose
from pgtlab.linux.kconfig import Config
from pgtlab.picture import Picture
from pgtlab_widgets.changes import Kernel, changes
from pgtlab_widgets.choices import choices, traits
from pgtlab_widgets.view import View, module


class Refused(traitlets.TraitError, ValueError):
    """A choice that the model refuses, in its words. As a TraitError it takes traits back that were set together."""


@contextmanager
def refusals() -> Iterator[None]:
    """Let what the model refuses be refused by the traits."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error)) from error


class Explorer(View):
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

    Raises
    ------
    ValueError
        Where something is not to be had, now or when a trait is set: it names the rule and the nearest choice.

    Examples
    --------
    >>> explorer = Explorer(page_size="16k", va_bits=52, address="VMEMMAP_START")
    >>> explorer.boot.vabits_actual
    52
    >>> explorer.cpu = "max,lpa2=off"
    >>> explorer.boot.vabits_actual
    47
    """

    _esm = module("explorer")

    page_size = traitlets.Unicode()
    va_bits = traitlets.Int()
    pa_bits = traitlets.Int()
    cpu = traitlets.Unicode()
    address = traitlets.Union([traitlets.Unicode(), traitlets.Int()])

    def __init__(
        self,
        page_size: str = "4k",
        va_bits: int = 52,
        cpu: str = "max",
        address: str | int = "KIMAGE_VADDR + 0x1234567",
        pa_bits: int | None = None,
    ) -> None:
        config = Config(page_size, va_bits, pa_bits)
        self._boot: Kernel = boot(config, CPU.named(cpu))
        self._before: Kernel | None = None
        self._va = parse_address(_text(address), self._boot)
        self._wrong: tuple[str, str] | None = None  # what was typed, and why it is no address
        super().__init__(**traits(config), cpu=cpu, address=address)

    @property
    def config(self) -> Config:
        """The kernel configuration."""
        return self._boot.config

    @property
    def boot(self) -> Kernel:
        """What booting it on the CPU gives."""
        return self._boot

    @property
    def decomposition(self) -> Decomposition | None:
        """The address taken apart; None where the kernel does not boot."""
        return decompose(self._va, self._boot) if isinstance(self._boot, Boot) else None

    def choose(self, **chosen: str | int) -> None:
        """Set several traits that are legal only together.

        >>> explorer = Explorer("4k", 39)
        >>> explorer.choose(page_size="16k", va_bits=36)
        >>> explorer.config
        Config('16k', va_bits=36, pa_bits=48)
        """
        with self.hold_trait_notifications():
            for name, value in chosen.items():
                self.set_trait(name, value)

    def picture(self) -> Picture | None:
        """The picture as it stands; None where the kernel does not boot."""
        return None if self.decomposition is None else address_picture(self.decomposition)

    def text(self) -> str:
        """The same as text, or the reason why the kernel does not boot."""
        return _reason(self._boot) or str(self.decomposition)

    def __repr__(self) -> str:
        shown = {**traits(self.config), "cpu": self.cpu, "address": self.address}
        return f"Explorer({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    # What is chosen: legal, or refused.

    @traitlets.validate("page_size", "va_bits", "pa_bits")
    def _legal(self, proposal: dict[str, Any]) -> str | int:
        chosen = {name: getattr(self, name) for name in ("page_size", "va_bits", "pa_bits")}
        chosen[proposal["trait"].name] = proposal["value"]
        with refusals():
            return traits(Config(**chosen))[proposal["trait"].name]

    @traitlets.validate("cpu")
    def _known(self, proposal: dict[str, Any]) -> str:
        with refusals():
            return CPU.named(proposal["value"]).name

    @traitlets.validate("address")
    def _read(self, proposal: dict[str, Any]) -> str:
        text = _text(proposal["value"])
        with refusals():
            parse_address(text, self._boot)
        return text

    # From what is chosen to what is shown.

    @traitlets.observe("page_size", "va_bits", "pa_bits", "cpu")
    def _reboot(self, change: object) -> None:
        booted = boot(Config(self.page_size, self.va_bits, self.pa_bits), CPU.named(self.cpu))
        if booted != self._boot:
            self._before, self._boot = self._boot, booted
            self._read_again()

    @traitlets.observe("address")
    def _read_again(self, change: object = None) -> None:
        """The address in the kernel at hand. Where that has no such name, the last one stays."""
        with suppress(AddressError):  # of a name that only a kernel has which boots
            self._va = parse_address(self.address, self._boot)
        self._wrong = None
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser needs."""
        text, error = self._wrong or (self.address, "")
        picture = self.picture()
        return {
            "choices": [
                {"label": c.label, "options": list(map(vars, c.options))} for c in choices(self.config, self.cpu)
            ],
            "address": {
                "text": text,
                "error": error,
                "meaning": f"{self._va:#018x}  {address_name(self._va, self._boot)}",
                "names": list(address_names(self._boot)),
            },
            "picture": picture and picture.spec(),
            "stuck": _reason(self._boot),
            "changes": self._changes(),
        }

    def _changes(self) -> dict[str, Any]:
        if self._before is None:
            return {"title": "Choose something else: what it changes is listed here.", "groups": []}
        groups = changes(self._before, self._boot)
        title = f"From {_named(self._before)} to {_named(self._boot)}"
        return {
            "title": f"{title}, this changes:" if groups else f"{title}, nothing changes.",
            "groups": [{"name": group.name, "rows": list(map(vars, group.changes))} for group in groups],
        }

    # What comes from the browser.

    def receive(self, message: dict[str, Any]) -> None:
        """A choice, a bit to flip, or an address that was typed."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"flip": bit}:
                self.address = self._va ^ 1 << int(bit)
            case {"address": text}:
                try:
                    self.address, self._wrong = text, None
                except Refused as error:
                    self._wrong = text, str(error)
                self.draw()  # the address may be the one before, and only the error come or go


def _text(address: str | int) -> str:
    return address if isinstance(address, str) else f"{address:#018x}"


def _reason(kernel: Kernel) -> str:
    return kernel.reason if isinstance(kernel, NoBoot) else ""


def _named(kernel: Kernel) -> str:
    config = kernel.config
    return f"{config.page_size_name}, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {kernel.cpu.name}"
