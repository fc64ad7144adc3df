"""What the messages of the boot show about the configuration, if the log has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgtlab.arch.sizes import size_name
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, Evidence
from pgtlab.linux.oops.inferring.layout import Layout
from pgtlab.linux.oops.inferring.narrowing import Clue
from pgtlab.linux.oops.reading.read import PrintedLog

# alloc_large_system_hash(): `order` is that of the whole table (mm/mm_init.c).
_TABLE = r"hash table entries: \d{1,12} \(order: (?P<order>\d{1,2}), (?P<bytes>\d{1,15}) bytes"
_HUGE = r"HugeTLB: registered (?P<size>\d{1,5})(?:\.\d{1,3})? (?P<unit>KiB|MiB|GiB) page size"
_VA52 = r"CPU features: detected: (?P<va52>52-bit Virtual Addressing(?! for KVM)[^\n\r]{0,40})"
_LPA2 = r"CPU features: detected: (?P<lpa2>52-bit Virtual Addressing for KVM \(LPA2\))"
_MESSAGE = re.compile("|".join((_TABLE, _HUGE, _VA52, _LPA2)))
_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}


@dataclass(frozen=True)
class Messages:
    """Values in the messages, each with the line of its first message; page sizes with the division too."""

    page_sizes: dict[int, tuple[int, str]]
    huge_sizes: dict[int, int]
    va52: dict[str, int]
    lpa2: dict[str, int]


def messages(text: str) -> Messages:
    """The messages of the boot in a log.

    >>> messages("PID hash table entries: 512 (order: 2, 16384 bytes, linear)").page_sizes
    {4096: (1, '16384 bytes >> 2 = 4096')}
    """
    values = Messages({}, {}, {}, {})
    for match in _MESSAGE.finditer(text):
        if match["bytes"]:
            order, size = int(match["order"]), int(match["bytes"])
            if 0 < order < 20 and not size & size - 1 and size >> order not in values.page_sizes:
                values.page_sizes[size >> order] = _line(text, match), f"{size} bytes >> {order} = {size >> order}"
        elif match["size"]:
            size = int(match["size"]) << _UNITS[match["unit"]]
            if size not in values.huge_sizes:
                values.huge_sizes[size] = _line(text, match)
        elif match["va52"] and not values.va52:
            values.va52[match["va52"].strip()] = _line(text, match)
        elif match["lpa2"] and not values.lpa2:
            values.lpa2[match["lpa2"]] = _line(text, match)
    return values


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def boot_clues(log: PrintedLog) -> Iterator[Clue]:
    """One clue for each kind of message."""
    boot = messages(log.text)
    if len(boot.page_sizes) == 1:  # with several the log is from several kernels
        ((size, (number, division)),) = boot.page_sizes.items()
        evidence = Evidence(f"a hash table has 2^order pages: {division}, one page", (number,))
        yield Clue(evidence, lambda layout: layout.page_size == size, DERIVED)
    if boot.huge_sizes:
        names = ", ".join(size_name(size) for size in sorted(boot.huge_sizes))
        evidence = Evidence(f"huge pages of {names}", tuple(sorted(boot.huge_sizes.values())))
        yield Clue(evidence, lambda layout: boot.huge_sizes.keys() <= huge_sizes(layout), LIKELY)
    for text, number in boot.va52.items():
        evidence = Evidence(f"the kernel found and uses: {text}", (number,))
        yield Clue(evidence, lambda layout: layout.vabits_actual == 52, DERIVED)
    for text, number in boot.lpa2.items():
        evidence = Evidence(
            f"the CPU has LPA2 for these pages, so that a kernel for 52 bits would run with 52: {text}", (number,)
        )
        yield Clue(evidence, lambda layout: layout.va_bits < 52 or layout.vabits_actual == 52, DERIVED)


def huge_sizes(layout: Layout) -> set[int]:
    """Sizes that hugetlb may register: blocks of PUD and PMD, and contiguous entries (`mm/hugetlbpage.c`).

    >>> from pgtlab.linux.oops.inferring.layout import ERAS
    >>> sorted(size >> 10 for size in huge_sizes(Layout(16384, 47, 47, 48, ERAS[0], 16)))
    [2048, 32768, 1048576]
    """
    k = layout._constants
    sizes = {int(k.CONT_PTE_SIZE), int(k.PMD_SIZE), int(k.CONT_PMD_SIZE)}
    return sizes | ({1 << 30} if layout.page_shift == 12 else set())
