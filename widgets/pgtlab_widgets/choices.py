"""The options of each toggle: the traits that it sets, or the rule against it and what would make it legal.

An option that Kconfig does not offer with the current page size and VA_BITS is greyed out and names the rule; its
remedy says what else has to change. Only PA_BITS changes by itself, where just one value is legal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pgtlab.linux.boot import NoBoot, boot
from pgtlab.linux.cpu import CPU, CPUS, RECORDED
from pgtlab.linux.kconfig import (
    PA_BITS_CHOICES,
    PAGE_SIZES,
    VA_BITS_CHOICES,
    Config,
    configurations,
    refusal,
)
from pgtlab.linux.presets import PRESETS

LPA2_OFF = ",lpa2=off"
LEGAL = configurations()
#: Whose choices a kernel may have; the flavours for the cloud differ in nothing that a view shows.
KERNELS = tuple(name for name in PRESETS if not name.endswith("-cloud"))
Traits = dict[str, str | int]


@dataclass(frozen=True)
class Option:
    """One option of a choice.

    Attributes
    ----------
    label : str
        Its name on the page.
    selected : bool
        Whether it is the current choice.
    choose : dict
        The traits that choosing it sets: always a whole configuration, so that a click on an outdated page does what
        the page showed.
    rule : str
        Why it is not legal in the current configuration; empty if it is.
    brief : str
        The rule without what would be legal, which the remedy says.
    remedy : str
        What to choose instead, to make it legal.
    note : str
        A remark about it, for before and after it is chosen.
    hint : str
        A remark about it, for before it is chosen: the page says it by itself afterwards.
    """

    label: str
    selected: bool
    choose: Traits
    rule: str = ""
    remedy: str = ""
    note: str = ""
    hint: str = ""
    brief: str = ""


@dataclass(frozen=True)
class Toggle:
    """A few options, of which one is selected.

    `short` comes before the selected one where all choices are named in a line, and the first of a `quiet` one goes
    without saying there; one that `stays` is always unfolded.
    """

    label: str
    options: tuple[Option, ...]
    short: str = ""
    stays: bool = False
    quiet: bool = False


@lru_cache(maxsize=256)  # toggling returns to the same configurations
def choices(config: Config, cpu: str, kernel: str = "minimal") -> tuple[Toggle, ...]:
    """All toggles, as seen from a configuration on a CPU.

    >>> page_size, *others = choices(Config("4k", 39), "max")
    >>> [option.label for option in page_size.options if option.rule]
    ['16k', '64k']
    >>> page_size.options[1].remedy
    'Use 16k pages with VA_BITS=36'
    """
    page_sizes = (_kernel_option(config, "page_size", name, name) for name in PAGE_SIZES)
    va_bits = (_kernel_option(config, "va_bits", bits, str(bits)) for bits in VA_BITS_CHOICES)
    pa_bits = (_kernel_option(config, "pa_bits", bits, str(bits)) for bits in PA_BITS_CHOICES)
    offered = dict.fromkeys([*(known.name for known in RECORDED), cpu.removesuffix(LPA2_OFF)])
    cpus = (_cpu_option(config, cpu, name) for name in offered if not name.endswith(LPA2_OFF))
    return (
        Toggle("Page size", tuple(page_sizes)),
        Toggle("VA_BITS", tuple(va_bits), "VA"),
        Toggle("PA_BITS", tuple(pa_bits), "PA"),
        Toggle("CPU", tuple(cpus)),
        Toggle("Kernel", tuple(_preset_option(config, kernel, name) for name in KERNELS), quiet=True),
        Toggle("LPA2", (_lpa2_option(config, cpu, on=True), _lpa2_option(config, cpu, on=False)), stays=True),
    )


def traits(config: Config) -> Traits:
    """A configuration as the traits of a view.

    >>> traits(Config("16k", 52))
    {'page_size': '16k', 'va_bits': 52, 'pa_bits': 52}
    """
    return {"page_size": config.page_size_name, "va_bits": config.va_bits, "pa_bits": config.pa_bits}


def _kernel_option(config: Config, trait: str, value: str | int, label: str) -> Option:
    now = traits(config)
    wanted = now | {trait: value}
    rule = refusal(PAGE_SIZES[str(wanted["page_size"])], int(wanted["va_bits"]), int(wanted["pa_bits"]), config.linux)
    if rule is None:
        return Option(label, now == wanted, wanted)
    nearest = _nearest(config, trait, value)
    if trait != "pa_bits" and nearest == wanted | {"pa_bits": nearest["pa_bits"]}:
        return Option(label, False, nearest, note=f"PA_BITS becomes {nearest['pa_bits']} as well. {rule}")
    others = [_named(name, of) for name, of in nearest.items() if name != trait and of != now[name]]
    brief = rule.partition("; the nearest")[0]
    return Option(label, False, nearest, rule, f"Use {_named(trait, value)} with {' and '.join(others)}", brief=brief)


def _nearest(config: Config, trait: str, value: str | int) -> Traits:
    """The legal configuration with `value` that is closest to the current one."""

    def distance(other: Config) -> tuple[bool, int, int]:
        return (
            other.page_size != config.page_size,
            abs(other.va_bits - config.va_bits),
            abs(other.pa_bits - config.pa_bits),
        )

    legal = (c for c in LEGAL if refusal(c.page_size, c.va_bits, c.pa_bits, config.linux) is None)
    return traits(min((c for c in legal if traits(c)[trait] == value), key=distance))


def _preset_option(config: Config, kernel: str, name: str) -> Option:
    """A kernel by name, with the page size that is chosen and the VA_BITS of its distribution."""
    chosen = Config.named(name, config.page_size) if name != kernel else config
    version = PRESETS[name].linux
    hint = f"Linux {version} as its distribution configures it" if version else "v6.9, as the kernels of the story"
    return Option(name, name == kernel, {"preset": name, **traits(chosen)}, hint=hint)


def _cpu_option(config: Config, cpu: str, name: str) -> Option:
    booted = boot(config, CPU.named(name))
    hint = booted.reason if isinstance(booted, NoBoot) else ""
    selected = cpu.removesuffix(LPA2_OFF) == name
    return Option(name, selected, {"cpu": cpu if selected else name}, hint=hint)


def _lpa2_option(config: Config, cpu: str, *, on: bool) -> Option:
    """LPA2 on or off: a property of the CPU. Only a CPU that has LPA2 comes in a variant without it."""
    base, label = cpu.removesuffix(LPA2_OFF), "on" if on else "off"
    if base + LPA2_OFF not in CPUS:
        if not on:
            return Option(label, True, {"cpu": base})
        rule = f"{base} has no LPA2: its ID_AA64MMFR0_EL1.TGRAN4 and TGRAN16 do not offer it"
        return Option(label, False, {"cpu": "max"}, rule, "Use the CPU max", brief=rule)
    rule = "ARM64_LPA2 depends on ARM64_PA_BITS_52 && !ARM64_64K_PAGES"
    note = "" if config.ARM64_LPA2 else f"Makes no difference to this kernel: {rule}"
    return Option(label, on != cpu.endswith(LPA2_OFF), {"cpu": base if on else base + LPA2_OFF}, note=note)


def _named(trait: str, value: str | int) -> str:
    return f"{value} pages" if trait == "page_size" else f"{trait.upper()}={value}"
