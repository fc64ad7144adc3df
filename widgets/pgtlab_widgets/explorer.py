"""The explorer: a kernel configuration, a CPU and an address, and the picture of what becomes of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import traitlets

from pgtlab.linux.address import address_name, address_names, parse_address
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import AddressError, Decomposition, decompose
from pgtlab.linux.kconfig import Config
from pgtlab.picture import Picture
from pgtlab_widgets.changes import Kernel, changes
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, Refused, refusals
from pgtlab_widgets.view import module


class Explorer(KernelView):
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

    address = traitlets.Union([traitlets.Unicode(), traitlets.Int()])

    def __init__(
        self,
        page_size: str = "4k",
        va_bits: int = 52,
        cpu: str = "max",
        address: str | int = "KIMAGE_VADDR + 0x1234567",
        pa_bits: int | None = None,
    ) -> None:
        self._before: Kernel | None = None
        self._wrong: tuple[str, str] | None = None  # what was typed, and why it is no address
        self._va = parse_address(_text(address), boot(Config(page_size, va_bits, pa_bits), CPU.named(cpu)))
        super().__init__(page_size, va_bits, cpu, pa_bits, address=address)

    @property
    def decomposition(self) -> Decomposition | None:
        """The address taken apart; None where the kernel does not boot."""
        return decompose(self._va, self._boot) if isinstance(self._boot, Boot) else None

    def picture(self) -> Picture | None:
        """The picture as it stands; None where the kernel does not boot."""
        return None if self.decomposition is None else address_picture(self.decomposition)

    def text(self) -> str:
        """The same as text, or the reason why the kernel does not boot."""
        return self.stuck or str(self.decomposition)

    def __repr__(self) -> str:
        shown = {**traits(self.config), "cpu": self.cpu, "address": self.address}
        return f"Explorer({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    # What is chosen: legal, or refused.

    @traitlets.validate("address")
    def _read(self, proposal: dict[str, Any]) -> str:
        text = _text(proposal["value"])
        with refusals():
            parse_address(text, self._boot)
        return text

    # From what is chosen to what is shown.

    def booted(self, before: Kernel) -> None:
        """Show what changed since the kernel before, if there was another."""
        self._before = before if before != self.boot else self._before
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
            "choices": self.toggles(),
            "address": {
                "text": text,
                "error": error,
                "meaning": f"{self._va:#018x}  {address_name(self._va, self._boot)}",
                "names": list(address_names(self._boot)),
            },
            "picture": picture and picture.spec(),
            "stuck": self.stuck,
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


def _named(kernel: Kernel) -> str:
    config = kernel.config
    return f"{config.page_size_name}, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {kernel.cpu.name}"
