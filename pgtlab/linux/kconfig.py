"""Legal arm64 configurations: page size, VA_BITS and PA_BITS by the rules of `arch/arm64/Kconfig` (v6.9).

The rules are data, one per Kconfig symbol; `Config` refuses what they refuse, names the rule and the nearest choice.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, Final

from pgtlab.arch.granule import GRANULES, Granule
from pgtlab.linux.constants import Constants
from pgtlab.linux.headers import compile_time

PAGE_SIZES: Final = {"4k": 4096, "16k": 16384, "64k": 65536}
VA_BITS_CHOICES: Final = (36, 39, 42, 47, 48, 52)
PA_BITS_CHOICES: Final = (48, 52)

# The page size that each ARM64_VA_BITS_n depends on; 48 and 52 are offered with every page size.
_VA_BITS_DEPENDS: Final = {36: "16k", 39: "4k", 42: "64k", 47: "16k"}
# The option that each ARM64_PA_BITS_n depends on, unless the page size is 64k.
_PA_BITS_DEPENDS: Final = {48: "!ARM64_VA_BITS_52", 52: "ARM64_VA_BITS_52"}

# `minimal`, the configuration of the model: the options that say what page tables are used for (`mm/Kconfig`,
# `fs/Kconfig`, `arch/arm64/Kconfig`, v6.9), with DEBUG_VM, as in any kernel that is built to find bugs. As in Kconfig
# an option whose dependency is missing is off, one that another selects is on, and what contradicts that is refused.
MINIMAL: Final = {
    "TRANSPARENT_HUGEPAGE": 1,
    "HUGETLBFS": 1,
    "SWAP": 1,
    "MIGRATION": 1,
    "NUMA_BALANCING": 1,
    "MEMORY_FAILURE": 1,
    "ARM64_CONTPTE": 1,
    "PTDUMP_DEBUGFS": 0,
    "DYNAMIC_DEBUG": 0,
    "DEBUG_VM": 1,
    "PAGE_POISONING": 0,
    "ZONE_DMA": 1,
    "ZONE_DMA32": 1,
}
_DEPENDS: Final = {"ARM64_CONTPTE": "TRANSPARENT_HUGEPAGE", "NUMA_BALANCING": "MIGRATION"}
_SELECTS: Final = {"TRANSPARENT_HUGEPAGE": "MIGRATION"}  # through COMPACTION

# Options that arm64 always has, or never has; they are not configurable.
_ARCH: Final = {
    "ARCH_HAS_PTE_DEVMAP": 1,
    "ARCH_HAS_PTE_SPECIAL": 1,
    "ARCH_WANT_GENERAL_HUGETLB": 0,
    "HAVE_ARCH_HUGE_VMAP": 1,
    "HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD": 0,
    "MEM_SOFT_DIRTY": 0,  # depends on HAVE_ARCH_SOFT_DIRTY
}


class ConfigError(ValueError):
    """A configuration that Kconfig does not offer."""


@dataclass(frozen=True, order=True)
class Config:
    """One way to build an arm64 kernel, as far as its page tables go.

    Parameters
    ----------
    page_size : int or str
        Bytes, or `4k`, `16k`, `64k`.
    va_bits : int, optional
        CONFIG_ARM64_VA_BITS; by default 48, or the only value that is legal with `pa_bits`.
    pa_bits : int, optional
        CONFIG_ARM64_PA_BITS; by default 52 with 52-bit virtual addresses, else 48.
    **options : bool
        Options of `MINIMAL` to turn on or off, such as `TRANSPARENT_HUGEPAGE=False`.

    Raises
    ------
    ConfigError
        If Kconfig does not offer the combination.

    Examples
    --------
    >>> Config()
    Config('4k', va_bits=48, pa_bits=48)
    >>> Config("16k", 52)
    Config('16k', va_bits=52, pa_bits=52)
    >>> Config("16k", 52).PGTABLE_LEVELS
    4
    >>> Config("16k", 52, NUMA_BALANCING=False)
    Config('16k', va_bits=52, pa_bits=52, NUMA_BALANCING=0)
    >>> Config("16k", 39)
    Traceback (most recent call last):
    pgtlab.linux.kconfig.ConfigError: VA_BITS=39 with 16k pages: ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB; the nearest
    legal choice is VA_BITS=36

    Notes
    -----
    Source: `arch/arm64/Kconfig`, v6.9.
    """

    page_size: int
    va_bits: int
    pa_bits: int
    options: tuple[tuple[str, int], ...]  # those that differ from `MINIMAL`

    def __init__(
        self,
        page_size: int | str = "4k",
        va_bits: int | None = None,
        pa_bits: int | None = None,
        **options: bool,
    ) -> None:
        size = parse_page_size(page_size)
        va = _va_bits_beside(size, pa_bits) if va_bits is None else index(va_bits)
        pa = (52 if va == 52 else 48) if pa_bits is None else index(pa_bits)
        problem = refusal(size, va, pa)
        if problem:
            raise ConfigError(problem)
        try:
            resolved = resolve(options)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        differing = tuple(sorted(resolved.items() - MINIMAL.items()))
        for name, value in (("page_size", size), ("va_bits", va), ("pa_bits", pa), ("options", differing)):
            object.__setattr__(self, name, value)

    @property
    def granule(self) -> Granule:
        """The translation granule that this page size uses."""
        return next(g for g in GRANULES if g.size == self.page_size)

    @property
    def page_size_name(self) -> str:
        """`4k`, `16k` or `64k`."""
        return _name(self.page_size)

    @property
    def PGTABLE_LEVELS(self) -> int:
        """CONFIG_PGTABLE_LEVELS: the number of levels that resolve VA_BITS (`ARM64_HW_PGTABLE_LEVELS()`)."""
        return 4 - self.granule.start_level(self.va_bits)

    @property
    def ARM64_LPA2(self) -> bool:
        """CONFIG_ARM64_LPA2: 52-bit addresses with a granule that needs TCR_EL1.DS for them."""
        return self.pa_bits == 52 and self.page_size != PAGE_SIZES["64k"]

    @property
    def symbols(self) -> dict[str, int]:
        """What the configuration defines for the headers: `CONFIG_...` as a number, an option as 1 or 0."""
        shift = self.granule.shift
        return {
            "CONFIG_PGTABLE_LEVELS": self.PGTABLE_LEVELS,
            "CONFIG_ARM64_PA_BITS": self.pa_bits,
            "CONFIG_PAGE_EXTENSION": 0,
            "CONFIG_ARM64_LPA2": int(self.ARM64_LPA2),
            "CONFIG_ARM64_CONT_PTE_SHIFT": {12: 4, 14: 7, 16: 5}[shift],
            "CONFIG_ARM64_CONT_PMD_SHIFT": {12: 4, 14: 5, 16: 5}[shift],
            **_option_symbols({**MINIMAL, **dict(self.options)}, self.PGTABLE_LEVELS),
            "PAGE_SHIFT": shift,
            "VA_BITS": self.va_bits,
        }

    @cached_property
    def constants(self) -> Constants:
        """Every constant that this configuration fixes at compile time, under its kernel name."""
        return compile_time(self.symbols)

    def replace(self, **changes: Any) -> Config:
        """The configuration with other values; the names are those of the constructor.

        The other values stay the same if that is legal. If it is not, PA_BITS follows, or VA_BITS where PA_BITS is
        given, if Kconfig leaves one value for it.

        Raises
        ------
        ConfigError
            If Kconfig does not offer the combination, or leaves a choice.

        Examples
        --------
        >>> Config("4k", 48).replace(va_bits=52)
        Config('4k', va_bits=52, pa_bits=52)
        >>> Config("4k", 48).replace(pa_bits=52)
        Config('4k', va_bits=52, pa_bits=52)
        >>> Config("64k", 48).replace(va_bits=52)
        Config('64k', va_bits=52, pa_bits=48)
        """
        values = {"page_size": self.page_size, "va_bits": self.va_bits, "pa_bits": self.pa_bits, **changes}
        size = parse_page_size(values.pop("page_size"))
        va, pa = index(values.pop("va_bits")), index(values.pop("pa_bits"))
        if refusal(size, va, pa):
            if "pa_bits" not in changes:
                alternatives = [(va, other) for other in PA_BITS_CHOICES]
            elif "va_bits" not in changes:
                alternatives = [(other, pa) for other in VA_BITS_CHOICES]
            else:
                alternatives = []
            legal = [bits for bits in alternatives if refusal(size, *bits) is None]
            if len(legal) == 1:
                [(va, pa)] = legal
        return Config(size, va, pa, **{name: bool(value) for name, value in (dict(self.options) | values).items()})

    def as_dict(self) -> dict[str, int]:
        """Page size, VA_BITS and PA_BITS as plain data."""
        return {"page_size": self.page_size, "va_bits": self.va_bits, "pa_bits": self.pa_bits}

    def __repr__(self) -> str:
        options = "".join(f", {name}={value}" for name, value in self.options)
        return f"Config('{self.page_size_name}', va_bits={self.va_bits}, pa_bits={self.pa_bits}{options})"


def _va_bits_beside(page_size: int, pa_bits: int | None) -> int:
    """The default of VA_BITS: 48, or the only value that is legal with PA_BITS."""
    legal = [va for va in VA_BITS_CHOICES if pa_bits is None or refusal(page_size, va, index(pa_bits)) is None]
    return legal[0] if len(legal) == 1 else 48


def parse_page_size(page_size: int | str) -> int:
    """A page size in bytes, from bytes or from `4k`, `16K`, `64KB`.

    >>> parse_page_size("16K")
    16384
    """
    size = page_size
    if isinstance(page_size, str):
        name = page_size.lower().removesuffix("b")
        size = PAGE_SIZES.get(name, int(name) if name.isdecimal() else page_size)
    if size not in PAGE_SIZES.values():
        raise ConfigError(f"page size {page_size}: arm64 has 4k, 16k and 64k pages")
    return int(size)


def refusal(page_size: int, va_bits: int, pa_bits: int) -> str | None:
    """Why Kconfig does not offer a combination, in one sentence with the nearest legal choice; None if it does.

    >>> refusal(65536, 48, 52)
    >>> refusal(4096, 48, 52)
    'PA_BITS=52 with 4k pages and VA_BITS=48: ARM64_PA_BITS_52 depends on ARM64_64K_PAGES || ARM64_VA_BITS_52; the
    nearest legal choice is PA_BITS=48'
    """
    broken = _broken_rule(page_size, va_bits, pa_bits)
    if broken is None:
        return None
    choice, rule = broken
    return f"{choice}: {rule}; the nearest legal choice is {_nearest(page_size, va_bits, pa_bits)}"


def configurations() -> tuple[Config, ...]:
    """Every legal configuration, smallest page and address space first.

    >>> len(configurations())
    13
    """
    return tuple(
        Config(size, va, pa)
        for size in PAGE_SIZES.values()
        for va in VA_BITS_CHOICES
        for pa in PA_BITS_CHOICES
        if refusal(size, va, pa) is None
    )


def resolve(asked: Mapping[str, object]) -> dict[str, int]:
    """Every option of `MINIMAL`, with the values in `asked` and what follows from them.

    Raises
    ------
    ValueError
        If there is no such option, or it cannot have that value.

    Examples
    --------
    >>> resolve({"TRANSPARENT_HUGEPAGE": 0})["ARM64_CONTPTE"]
    0
    """
    for name, value in asked.items():
        if name not in MINIMAL:
            raise ValueError(_no_option(name))
        if value not in (0, 1):
            raise ValueError(f"{name}={value!r}: an option is on (1) or off (0)")
    options = {name: int(bool(asked.get(name, default))) for name, default in MINIMAL.items()}
    for name, selected in _SELECTS.items():
        if options[name] and not options[selected]:
            raise ValueError(f"{selected}=0: {name} selects it; the nearest legal choice is {name}=0 with {selected}=0")
    for name, needs in _DEPENDS.items():
        if options[name] and not options[needs]:
            if asked.get(name):
                raise ValueError(f"{name}=1: it depends on {needs}; the nearest legal choice is {name}=0")
            options[name] = 0
    return options


def _option_symbols(options: Mapping[str, int], pgtable_levels: int) -> dict[str, int]:
    """The options as the compiler sees them, with those that follow from them: `CONFIG_...`, 1 or 0."""
    values = {
        **options,
        **_ARCH,
        "HUGETLB_PAGE": options["HUGETLBFS"],
        "ARCH_ENABLE_THP_MIGRATION": options["TRANSPARENT_HUGEPAGE"],
        "SPLIT_PTE_PTLOCKS": 1,  # for four CPUs and more
        "SPLIT_PMD_PTLOCKS": int(pgtable_levels > 2),
    }
    return {f"CONFIG_{name}": value for name, value in values.items()}


def _broken_rule(page_size: int, va_bits: int, pa_bits: int) -> tuple[str, str] | None:
    """The choice that Kconfig does not offer, and the rule against it."""
    page = _name(page_size)
    depends = _VA_BITS_DEPENDS.get(va_bits, page)
    if va_bits not in VA_BITS_CHOICES:
        return f"VA_BITS={va_bits} with {page} pages", f"Kconfig offers {_listed(VA_BITS_CHOICES)}"
    if depends != page:
        rule = f"ARM64_VA_BITS_{va_bits} depends on PAGE_SIZE_{depends.upper()}B"
        return f"VA_BITS={va_bits} with {page} pages", rule
    if pa_bits not in PA_BITS_CHOICES:
        return f"PA_BITS={pa_bits}", f"Kconfig offers {_listed(PA_BITS_CHOICES)}"
    if page != "64k" and (pa_bits == 52) != (va_bits == 52):
        rule = f"ARM64_PA_BITS_{pa_bits} depends on ARM64_64K_PAGES || {_PA_BITS_DEPENDS[pa_bits]}"
        return f"PA_BITS={pa_bits} with {page} pages and VA_BITS={va_bits}", rule
    return None


def _nearest(page_size: int, va_bits: int, pa_bits: int) -> str:
    """The nearest legal choice with this page size, by VA_BITS, then PA_BITS: the values to change."""
    va, pa = min(
        ((va, pa) for va in VA_BITS_CHOICES for pa in PA_BITS_CHOICES if _broken_rule(page_size, va, pa) is None),
        key=lambda choice: (abs(choice[0] - va_bits), abs(choice[1] - pa_bits)),
    )
    changed = [f"VA_BITS={va}"] if va != va_bits else []
    changed += [f"PA_BITS={pa}"] if pa != pa_bits else []
    return " with ".join(changed)


def _listed(choices: tuple[int, ...]) -> str:
    return ", ".join(map(str, choices))


def _name(page_size: int) -> str:
    return f"{page_size >> 10}k"


def _no_option(name: str) -> str:
    if name in _ARCH:
        return f"{name}: {'always' if _ARCH[name] else 'never'} set on arm64 in v6.9, and not configurable"
    near = difflib.get_close_matches(name, MINIMAL, n=1)
    hint = f"did you mean {near[0]}? Choose" if near else "choose"
    return f"unknown option {name or repr(name)}: {hint} from {', '.join(MINIMAL)}"
