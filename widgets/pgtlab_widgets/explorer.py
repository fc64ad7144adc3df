"""The explorer: a kernel configuration, a CPU and an address, and the picture of what becomes of them.

Traits are the model: what is chosen, and `view`, which is all that the browser needs to draw. The view sends choices
back and computes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from pgtlab.linux.address import parse_address
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU, CPUS
from pgtlab.linux.decompose import AddressError, Decomposition, decompose
from pgtlab.linux.kconfig import (
    PA_BITS_CHOICES,
    PAGE_SIZES,
    VA_BITS_CHOICES,
    Config,
    configurations,
    parse_page_size,
    refusal,
)
from pgtlab.picture import STYLE
from pgtlab_widgets.changes import changes

HERE = Path(__file__).parent
LPA2_OFF = ",lpa2=off"


@dataclass(frozen=True)
class Option:
    """One choice among several: its label, and the traits that choosing it sets.

    Where `rule` says why it cannot be had now, `remedy` names the traits that would change with it. Where Kconfig
    takes another choice along, `note` says which and why.
    """

    label: str
    selected: bool
    choose: dict[str, Any]
    rule: str = ""
    remedy: str = ""
    note: str = ""


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
    address : str
        An address in hex or decimal, or the name of one.
    pa_bits : int, optional
        CONFIG_ARM64_PA_BITS.

    Examples
    --------
    >>> explorer = Explorer(page_size="16k", va_bits=52, cpu="max,lpa2=off")
    >>> explorer.boot.vabits_actual
    47
    """

    _esm = HERE / "explorer.js"
    _css = STYLE + (HERE / "explorer.css").read_text(encoding="utf-8")

    page_size = traitlets.Unicode("4k").tag(sync=True)
    va_bits = traitlets.Int(48).tag(sync=True)
    pa_bits = traitlets.Int(48).tag(sync=True)
    cpu = traitlets.Unicode("max").tag(sync=True)
    address = traitlets.Unicode("PAGE_OFFSET").tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        address: str = "PAGE_OFFSET",
        pa_bits: int | None = None,
    ) -> None:
        config, machine = Config(page_size, va_bits, pa_bits), CPU.named(cpu)
        self._before = self._booted = boot(config, machine)
        self._va = 0
        super().__init__(
            page_size=config.page_size_name,
            va_bits=config.va_bits,
            pa_bits=config.pa_bits,
            cpu=machine.name,
            address=address,
        )
        self.on_msg(self._on_message)
        self._update()

    # What is chosen, as values of the model.

    @property
    def config(self) -> Config:
        """The kernel configuration."""
        return Config(self.page_size, self.va_bits, self.pa_bits)

    @property
    def boot(self) -> Boot | NoBoot:
        """What booting it on the CPU gives."""
        return boot(self.config, CPU.named(self.cpu))

    @property
    def decomposition(self) -> Decomposition | None:
        """The address taken apart; None where the kernel does not boot."""
        return decompose(self._va, self._booted) if isinstance(self._booted, Boot) else None

    def svg(self) -> str:
        """The picture as it stands, as an SVG string."""
        if self.decomposition is None:
            raise ValueError(f"there is no picture: {self._booted.reason}")
        return address_picture(self.decomposition).svg()

    # Traits to traits.

    @traitlets.validate("page_size", "va_bits", "pa_bits", "cpu")
    def _legal(self, proposal: dict[str, Any]) -> Any:
        chosen = {name: getattr(self, name) for name in ("page_size", "va_bits", "pa_bits", "cpu")}
        chosen[proposal["trait"].name] = proposal["value"]
        CPU.named(chosen.pop("cpu"))
        Config(**chosen)
        return proposal["value"]

    @traitlets.observe("page_size", "va_bits", "pa_bits", "cpu", "address")
    def _changed(self, change: object) -> None:
        if self.view:  # not while the first values are set
            self._update()

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if "flip" in content:
            self.address = f"{self._va ^ 1 << int(content['flip']):#018x}"

    def _update(self) -> None:
        booted = self.boot
        if booted != self._booted:
            self._before, self._booted = self._booted, booted
        error = self._read_address()
        decomposition = self.decomposition
        self.view = {
            "choices": [{"label": label, "options": list(map(asdict, options))} for label, options in self._choices()],
            "address_error": error,
            "picture": None if decomposition is None else address_picture(decomposition).spec(),
            "no_boot": booted.reason if isinstance(booted, NoBoot) else "",
            "changes": self._change_table(),
        }

    def _read_address(self) -> str:
        if isinstance(self._booted, NoBoot):
            return ""
        try:
            self._va = parse_address(self.address, self._booted)
        except AddressError as error:
            return str(error)
        return ""

    def _change_table(self) -> dict[str, Any]:
        before, now = self._before, self._booted
        if before == now or isinstance(before, NoBoot) or isinstance(now, NoBoot):
            return {"title": "", "rows": []}
        title = f"What changed from {_name(before)} to {_name(now)}"
        return {"title": title, "rows": [asdict(change) for change in changes(before, now)]}

    # The toggles.

    def _choices(self) -> list[tuple[str, list[Option]]]:
        return [
            ("Page size", [self._option("page_size", name, name) for name in PAGE_SIZES]),
            ("VA_BITS", [self._option("va_bits", n, str(n)) for n in VA_BITS_CHOICES]),
            ("PA_BITS", [self._option("pa_bits", n, str(n)) for n in PA_BITS_CHOICES]),
            ("LPA2", [self._lpa2(on=True), self._lpa2(on=False)]),
            ("CPU", [self._cpu(name) for name in CPUS if not name.endswith(LPA2_OFF)]),
        ]

    def _option(self, trait: str, value: Any, label: str) -> Option:
        now = {"page_size": self.page_size, "va_bits": self.va_bits, "pa_bits": self.pa_bits}
        wanted = now | {trait: value}
        rule = _refusal(wanted)
        if rule is None:
            return Option(label, now[trait] == value, {trait: value})
        if trait == "va_bits":
            # No ARM64_VA_BITS_n depends on PA_BITS; it is PA_BITS that depends on them, and follows.
            follows = wanted | {"pa_bits": 100 - self.pa_bits}
            if _refusal(follows) is None:
                return Option(label, False, follows, note=f"PA_BITS is {follows['pa_bits']} now. {rule}")
        nearest = self._nearest(trait, value)
        remedy = "Use " + ", ".join(_setting(name, of) for name, of in nearest.items() if of != now[name])
        return Option(label, False, nearest, rule, remedy)

    def _nearest(self, trait: str, value: Any) -> dict[str, Any]:
        """The legal configuration with `value` that is nearest to the present one."""

        def distance(c: Config) -> tuple[bool, int, int]:
            return c.page_size_name != self.page_size, abs(c.va_bits - self.va_bits), abs(c.pa_bits - self.pa_bits)

        traits = ("page_size_name", "va_bits", "pa_bits")
        having = (c for c in configurations() if getattr(c, trait.replace("page_size", "page_size_name")) == value)
        nearest = min(having, key=distance)
        return {name.removesuffix("_name"): getattr(nearest, name) for name in traits}

    def _cpu(self, name: str) -> Option:
        return Option(name, self.cpu.removesuffix(LPA2_OFF) == name, {"cpu": name})

    def _lpa2(self, *, on: bool) -> Option:
        base = self.cpu.removesuffix(LPA2_OFF)
        label = "on" if on else "off"
        if base + LPA2_OFF not in CPUS:
            rule = f"{base} has no LPA2: its ID_AA64MMFR0_EL1.TGRAN4 and TGRAN16 do not offer it"
            return Option(label, not on, {"cpu": "max"}, rule if on else "", "Use the CPU max" if on else "")
        return Option(label, self.cpu.endswith(LPA2_OFF) != on, {"cpu": base if on else base + LPA2_OFF})


def _refusal(chosen: dict[str, Any]) -> str | None:
    return refusal(parse_page_size(chosen["page_size"]), chosen["va_bits"], chosen["pa_bits"])


def _setting(name: str, value: Any) -> str:
    return f"{value} pages" if name == "page_size" else f"{name.upper()}={value}"


def _name(boot: Boot) -> str:
    config = boot.config
    return f"{config.granule}, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {boot.cpu.name}"
