"""A kernel, a CPU and an address as one string, to paste into a message: `pgtlab://16k/52/lpa2/0xffff...`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pgtlab.limits import quoted
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.presets import PRESETS

SCHEME: Final = "pgtlab://"
#: Short names of the CPU `max`, with LPA2 and without.
_SHORT: Final = {"lpa2": "max", "no-lpa2": "max,lpa2=off"}


_COUNT: Final = re.compile(r"\d{1,3}")


class ShareError(ValueError):
    """The text is not a share string."""


@dataclass(frozen=True)
class Share:
    """The parts of a share string; the address may be a name, as for `parse_address`, or empty.

    >>> Share.parse("pgtlab://16k/52/no-lpa2/VMEMMAP_START")
    Share(config=Config('16k', va_bits=52, pa_bits=52), cpu='max,lpa2=off', address='VMEMMAP_START', kernel='minimal')
    >>> print(_)
    pgtlab://16k/52/no-lpa2/VMEMMAP_START
    """

    config: Config
    cpu: str
    address: str
    kernel: str = "minimal"

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read a share string.

        Raises
        ------
        ShareError
            If it does not have the form `pgtlab://[KERNEL/]PAGE_SIZE/VA_BITS[/paPA_BITS]/CPU[/ADDRESS]`.
        ValueError
            If there is no such kernel or CPU.
        """
        parts = text.strip().removeprefix(SCHEME).split("/")
        kernel = parts.pop(0) if parts[0] in PRESETS else "minimal"
        pa_bits = parts.pop(2) if len(parts) >= 4 and parts[2].startswith("pa") else None
        numbers = [*parts[1:2], *([pa_bits.removeprefix("pa")] if pa_bits else [])]
        if not text.strip().startswith(SCHEME) or len(parts) not in (3, 4) or not all(map(_COUNT.fullmatch, numbers)):
            raise ShareError(
                f"{quoted(text)} is not a share string, which has the form "
                f"{SCHEME}PAGE_SIZE/VA_BITS/CPU/ADDRESS, such as "
                f"{SCHEME}16k/52/lpa2/VMEMMAP_START"
            )
        config = Config.named(kernel, parts[0], *map(int, numbers))
        address = re.sub(r"\s*([+-])\s*", r" \1 ", parts[3]) if len(parts) == 4 else ""
        return cls(config, CPU.named(_SHORT.get(parts[2], parts[2])).name, address, kernel)

    @property
    def boot(self) -> Boot | NoBoot:
        """The kernel, booted on the CPU."""
        return boot(self.config, CPU.named(self.cpu))

    def __str__(self) -> str:
        config = self.config
        usual = Config(config.page_size, config.va_bits).pa_bits
        pa_bits = "" if config.pa_bits == usual else f"/pa{config.pa_bits}"
        cpu = next((short for short, name in _SHORT.items() if name == self.cpu), self.cpu)
        address = f"/{self.address.replace(' ', '')}" if self.address else ""
        kernel = "" if self.kernel == "minimal" else f"{self.kernel}/"
        return f"{SCHEME}{kernel}{config.page_size_name}/{config.va_bits}{pa_bits}/{cpu}{address}"
