"""The explorer: a kernel configuration, a CPU and an address, and the picture of what becomes of them.

Data flows one way. The traits say what is chosen; from them follows one more, `view`, which is all that the browser
needs to draw; what is chosen there comes back as a message and sets traits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from pgtlab.linux.address import address_name, address_names, parse_address
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import AddressError, Decomposition, decompose
from pgtlab.linux.kconfig import Config
from pgtlab.picture import STYLE
from pgtlab_widgets.changes import Kernel, changes
from pgtlab_widgets.choices import choices, traits

HERE = Path(__file__).parent


class Refused(traitlets.TraitError, ValueError):
    """A choice that the model refuses, in its words. As a TraitError it takes traits back that were set together."""


@contextmanager
def refusals() -> Iterator[None]:
    """Let what the model refuses be refused by the traits."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error)) from error


class Explorer(anywidget.AnyWidget):
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

    _esm = HERE / "explorer.js"
    _css = STYLE + (HERE / "explorer.css").read_text(encoding="utf-8")

    page_size = traitlets.Unicode()
    va_bits = traitlets.Int()
    pa_bits = traitlets.Int()
    cpu = traitlets.Unicode()
    address = traitlets.Union([traitlets.Unicode(), traitlets.Int()])
    # As one string, because ipywidgets looks for binary buffers in every node of what it sends, and there are hundreds.
    view = traitlets.Dict().tag(sync=True, to_json=lambda view, widget: json.dumps(view))

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
        super().__init__(**traits(config), cpu=cpu, address=address)
        self.on_msg(self._on_message)

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

    def svg(self) -> str:
        """The picture as it stands, as an SVG string.

        Raises
        ------
        ValueError
            Where the kernel does not boot, so that there is none.
        """
        if self.decomposition is None:
            raise ValueError(f"there is no picture: {_reason(self._boot)}")
        return address_picture(self.decomposition).svg()

    def __repr__(self) -> str:
        shown = {**traits(self.config), "cpu": self.cpu, "address": self.address}
        return f"Explorer({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, with the picture as it stands for pages that have no widgets."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if self.decomposition is None:
            return data | {"text/plain": _reason(self._boot)}, metadata
        return data | address_picture(self.decomposition).mimebundle(str(self.decomposition)), metadata

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
            self._draw()

    @traitlets.observe("address")
    def _draw(self, change: object = None, *, typed: str | None = None, error: str = "") -> None:
        """Make `view` anew. Where what was typed is no address, the last one stays."""
        with suppress(AddressError):  # of a name that only a kernel has which boots
            self._va = parse_address(self.address, self._boot)
        decomposition = self.decomposition
        self.view = {
            "choices": [
                {"label": c.label, "options": list(map(vars, c.options))} for c in choices(self.config, self.cpu)
            ],
            "address": {
                "text": self.address if typed is None else typed,
                "error": error,
                "meaning": f"{self._va:#018x}  {address_name(self._va, self._boot)}",
                "names": list(address_names(self._boot)),
            },
            "picture": None if decomposition is None else address_picture(decomposition).spec(),
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

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        """A message and not a trait, because a trait's changes may be merged: two flips are two flips."""
        match content:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"flip": bit}:
                self.address = self._va ^ 1 << int(bit)
            case {"address": text}:
                try:
                    self.address = text
                except Refused as error:
                    self._draw(typed=text, error=str(error))
                else:
                    self._draw()  # the address may be the one before, and only the error go


def _text(address: str | int) -> str:
    return address if isinstance(address, str) else f"{address:#018x}"


def _reason(kernel: Kernel) -> str:
    return kernel.reason if isinstance(kernel, NoBoot) else ""


def _named(kernel: Kernel) -> str:
    config = kernel.config
    return f"{config.page_size_name}, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {kernel.cpu.name}"
