"""Legal arm64 configurations: page size, VA_BITS and PA_BITS by the rules of `arch/arm64/Kconfig`, 6.1 to 7.3.

The rules are data, one per Kconfig symbol; `Config` refuses what they refuse, names the rule and the nearest choice.
The other options are in `options.py`, and kernels by name in `presets.py`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import index
from typing import Any, Final

from pgtlab.arch.granule import GRANULES, Granule
from pgtlab.limits import shortened
from pgtlab.linux.constants import Constants
from pgtlab.linux.headers import compile_time
from pgtlab.linux.options import MINIMAL, exists, option_symbols, resolve
from pgtlab.linux.presets import PRESETS
from pgtlab.linux.version import HEADERS_OF_THE_MODEL, VersionError, version_code, version_of

PAGE_SIZES: Final = {"4k": 4096, "16k": 16384, "64k": 65536}
VA_BITS_CHOICES: Final = (36, 39, 42, 47, 48, 52)
PA_BITS_CHOICES: Final = (48, 52)

# The page size that each ARM64_VA_BITS_n depends on; 48 and 52 are offered with every page size.
_VA_BITS_DEPENDS: Final = {36: "16k", 39: "4k", 42: "64k", 47: "16k"}
# The option that each ARM64_PA_BITS_n depends on, unless the page size is 64k.
_PA_BITS_DEPENDS: Final = {48: "!ARM64_VA_BITS_52", 52: "ARM64_VA_BITS_52"}
_LPA2_SINCE: Final = "6.9"  # before, 52 bits of either kind needed 64K pages


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
    linux : str, optional
        The version, `6.1` to `7.3`, or a release such as `6.12.117`. By default the model's: the functions of v6.9 with
        the headers of v6.12.
    **options : bool or int
        Options of `MINIMAL`, such as `TRANSPARENT_HUGEPAGE=False` or `NR_CPUS=512`.

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
    >>> hex(Config(linux="6.1").constants.VMEMMAP_START)
    '0xfffffc0000000000'
    >>> Config("16k", 39)
    Traceback (most recent call last):
    pgtlab.linux.kconfig.ConfigError: VA_BITS=39 with 16k pages: ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB; the nearest
    legal choice is VA_BITS=36

    Notes
    -----
    Source: `arch/arm64/Kconfig`, v6.9; before v6.9 52 bits need 64K pages.
    """

    page_size: int
    va_bits: int
    pa_bits: int
    options: tuple[tuple[str, int], ...]  # those that differ from `MINIMAL`
    linux: str

    def __init__(
        self,
        page_size: int | str = "4k",
        va_bits: int | None = None,
        pa_bits: int | None = None,
        *,
        linux: str = "",
        **options: int,
    ) -> None:
        size = parse_page_size(page_size)
        try:
            linux = version_of(linux) if linux else ""
            differing = _differing(tuple(options.items()), linux)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        va = _va_bits_beside(size, pa_bits, linux) if va_bits is None else index(va_bits)
        pa = (52 if va == 52 else 48) if pa_bits is None else index(pa_bits)
        for name, bits in (("VA_BITS", va), ("PA_BITS", pa)):
            if abs(bits) > 999:  # which `refusal` would print
                raise ConfigError(f"{name}={shortened(bits)}: an address has 64 bits")
        problem = refusal(size, va, pa, linux)
        if problem:
            raise ConfigError(problem)
        values = {"page_size": size, "va_bits": va, "pa_bits": pa, "options": differing, "linux": linux}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def named(
        cls,
        name: str,
        page_size: int | str | None = None,
        va_bits: int | None = None,
        pa_bits: int | None = None,
        *,
        linux: str | None = None,
        **options: int,
    ) -> Config:
        """The kernel of that name, such as `debian-6.12`; what else is given overrides its choices.

        Raises
        ------
        ConfigError
            If there is none of that name, or Kconfig does not offer the combination.

        Examples
        --------
        >>> Config.named("debian-6.12", "16k").va_bits, Config.named("debian-6.1").linux
        (52, '6.1')
        """
        if name not in PRESETS:
            near = difflib.get_close_matches(name, PRESETS, n=1)
            hint = f"did you mean {near[0]}? Choose" if near else "choose"
            raise ConfigError(f"unknown kernel {name!r}: {hint} from {', '.join(PRESETS)}")
        preset = PRESETS[name]
        linux = preset.linux if linux is None else linux
        kept = {option: value for option, value in preset.options.items() if exists(option, _version(linux))}
        va_bits = preset.va_bits if va_bits is None and pa_bits is None else va_bits
        return cls("4k" if page_size is None else page_size, va_bits, pa_bits, linux=linux, **{**kept, **options})

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

    def option(self, name: str) -> int:
        """The value of an option: 1 or 0, or the number that it is.

        >>> Config().option("ARM64_MTE"), Config.named("debian-6.12").option("NR_CPUS")
        (0, 512)
        """
        return next((value for option, value in self.options if option == name), MINIMAL[name])

    @property
    def symbols(self) -> dict[str, int]:
        """What the configuration defines for the headers: `CONFIG_...` as a number, an option as 1 or 0."""
        shift = self.granule.shift
        return {
            "LINUX_VERSION_CODE": version_code(self.linux or HEADERS_OF_THE_MODEL),
            "CONFIG_PGTABLE_LEVELS": self.PGTABLE_LEVELS,
            "CONFIG_ARM64_PA_BITS": self.pa_bits,
            "CONFIG_ARM64_LPA2": int(self.ARM64_LPA2),
            "CONFIG_ARM64_CONT_PTE_SHIFT": {12: 4, 14: 7, 16: 5}[shift],
            "CONFIG_ARM64_CONT_PMD_SHIFT": {12: 4, 14: 5, 16: 5}[shift],
            **option_symbols({**MINIMAL, **dict(self.options)}, self.PGTABLE_LEVELS, self.linux),
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
        values = {**self.as_dict(), "linux": self.linux, **changes}
        size, linux = parse_page_size(values.pop("page_size")), _version(values.pop("linux"))
        va, pa = index(values.pop("va_bits")), index(values.pop("pa_bits"))
        if refusal(size, va, pa, linux):
            if "pa_bits" not in changes:
                alternatives = [(va, other) for other in PA_BITS_CHOICES]
            elif "va_bits" not in changes:
                alternatives = [(other, pa) for other in VA_BITS_CHOICES]
            else:
                alternatives = []
            legal = [bits for bits in alternatives if refusal(size, *bits, linux) is None]
            if len(legal) == 1:
                [(va, pa)] = legal
        kept = {name: value for name, value in self.options if exists(name, linux)}
        return Config(size, va, pa, linux=linux, **{**kept, **values})

    def as_dict(self) -> dict[str, Any]:
        """Page size, VA_BITS and PA_BITS as plain data."""
        return {"page_size": self.page_size, "va_bits": self.va_bits, "pa_bits": self.pa_bits}

    def __repr__(self) -> str:
        options = f", linux='{self.linux}'" if self.linux else ""
        options += "".join(f", {name}={value}" for name, value in self.options)
        return f"Config('{self.page_size_name}', va_bits={self.va_bits}, pa_bits={self.pa_bits}{options})"


@lru_cache(maxsize=256)
def _differing(options: tuple[tuple[str, int], ...], linux: str) -> tuple[tuple[str, int], ...]:
    """The options that differ from `MINIMAL`, with what follows from those that were asked for."""
    return tuple(sorted(resolve(dict(options), linux).items() - MINIMAL.items()))


def _version(linux: str) -> str:
    try:
        return version_of(linux) if linux else ""
    except VersionError as error:
        raise ConfigError(str(error)) from None


def _va_bits_beside(page_size: int, pa_bits: int | None, linux: str) -> int:
    """The default of VA_BITS: 48, or the only value that is legal with PA_BITS."""
    legal = [va for va in VA_BITS_CHOICES if pa_bits is None or not _broken_rule(page_size, va, index(pa_bits), linux)]
    return legal[0] if len(legal) == 1 else 48


def parse_page_size(page_size: int | str) -> int:
    """A page size in bytes, from bytes or from `4k`, `16K`, `64KB`.

    >>> parse_page_size("16K")
    16384
    """
    size = page_size
    if isinstance(page_size, str):
        name = page_size.lower().removesuffix("b")
        size = PAGE_SIZES.get(name, int(name) if name.isdecimal() and len(name) < 9 else page_size)
    if size not in PAGE_SIZES.values():
        raise ConfigError(f"page size {shortened(page_size)}: arm64 has 4k, 16k and 64k pages")
    return int(size)


def refusal(page_size: int, va_bits: int, pa_bits: int, linux: str = "") -> str | None:
    """Why Kconfig does not offer a combination, in one sentence with the nearest legal choice; None if it does.

    >>> refusal(65536, 48, 52)
    >>> refusal(4096, 48, 52)
    'PA_BITS=52 with 4k pages and VA_BITS=48: ARM64_PA_BITS_52 depends on ARM64_64K_PAGES || ARM64_VA_BITS_52; the
    nearest legal choice is PA_BITS=48'
    """
    broken = _broken_rule(page_size, va_bits, pa_bits, linux)
    if broken is None:
        return None
    choice, rule = broken
    return f"{choice}: {rule}; the nearest legal choice is {_nearest(page_size, va_bits, pa_bits, linux)}"


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
        if _broken_rule(size, va, pa, "") is None
    )


def _broken_rule(page_size: int, va_bits: int, pa_bits: int, linux: str) -> tuple[str, str] | None:
    """The choice that Kconfig does not offer, and the rule against it."""
    page = _name(page_size)
    lpa2 = version_code(linux or HEADERS_OF_THE_MODEL) >= version_code(_LPA2_SINCE)
    depends = _VA_BITS_DEPENDS.get(va_bits, page)
    if va_bits not in VA_BITS_CHOICES:
        return f"VA_BITS={va_bits} with {page} pages", f"Kconfig offers {_listed(VA_BITS_CHOICES)}"
    if depends != page:
        rule = f"ARM64_VA_BITS_{va_bits} depends on PAGE_SIZE_{depends.upper()}B"
        return f"VA_BITS={va_bits} with {page} pages", rule
    if pa_bits not in PA_BITS_CHOICES:
        return f"PA_BITS={pa_bits}", f"Kconfig offers {_listed(PA_BITS_CHOICES)}"
    if page != "64k" and not lpa2 and 52 in (va_bits, pa_bits):
        name = "VA" if va_bits == 52 else "PA"
        rule = f"ARM64_{name}_BITS_52 depends on ARM64_64K_PAGES before Linux {_LPA2_SINCE}"
        return f"{name}_BITS=52 with {page} pages and Linux {linux}", rule
    if page != "64k" and (pa_bits == 52) != (va_bits == 52):
        rule = f"ARM64_PA_BITS_{pa_bits} depends on ARM64_64K_PAGES || {_PA_BITS_DEPENDS[pa_bits]}"
        return f"PA_BITS={pa_bits} with {page} pages and VA_BITS={va_bits}", rule
    return None


def _nearest(page_size: int, va_bits: int, pa_bits: int, linux: str) -> str:
    """The nearest legal choice with this page size, by VA_BITS, then PA_BITS: the values to change."""
    pairs = ((va, pa) for va in VA_BITS_CHOICES for pa in PA_BITS_CHOICES)
    va, pa = min(
        (pair for pair in pairs if _broken_rule(page_size, *pair, linux) is None),
        key=lambda choice: (abs(choice[0] - va_bits), abs(choice[1] - pa_bits)),
    )
    changed = [f"VA_BITS={va}"] if va != va_bits else []
    changed += [f"PA_BITS={pa}"] if pa != pa_bits else []
    return " with ".join(changed)


def _listed(choices: tuple[int, ...]) -> str:
    return ", ".join(map(str, choices))


def _name(page_size: int) -> str:
    return f"{page_size >> 10}k"
