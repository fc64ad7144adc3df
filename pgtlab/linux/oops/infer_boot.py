"""What the messages of the boot say of the configuration, where the log goes back that far."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgtlab.linux.oops.inference import DERIVED, LIKELY, Clue, Evidence
from pgtlab.linux.oops.layout import Layout
from pgtlab.linux.oops.report import Log

# alloc_large_system_hash(): `order` is that of the whole table (mm/mm_init.c).
_TABLE = re.compile(r"[\w\- ]{1,60} hash table entries: \d{1,12} \(order: (\d{1,2}), (\d{1,15}) bytes")
_HUGE = re.compile(r"HugeTLB: registered (\d{1,5}(?:\.\d{1,3})?) (KiB|MiB|GiB) page size")
_VA52 = re.compile(r"CPU features: detected: (52-bit Virtual Addressing(?! for)[^\n]{0,40})")
_LPA2 = re.compile(r"CPU features: detected: (52-bit Virtual Addressing for KVM \(LPA2\))")
_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}
_WORDS = ("hash table entries", "HugeTLB: registered", "52-bit Virtual")


def boot_clues(log: Log) -> Iterator[Clue]:
    """One clue for each kind of message, from the first of its kind."""
    tables: dict[int, int] = {}
    sizes: dict[int, int] = {}
    extended: dict[re.Pattern[str], tuple[str, int]] = {}
    for line in log.lines:
        if not any(word in line.text for word in _WORDS):
            continue
        if found := _TABLE.match(line.text):
            order, size = int(found[1]), int(found[2])
            if 0 < order < 20 and not size & size - 1 and size:
                tables.setdefault(size >> order, line.number)
        elif found := _HUGE.match(line.text):
            sizes.setdefault(int(float(found[1]) * (1 << _UNITS[found[2]])), line.number)
        for pattern in (_VA52, _LPA2):
            if found := pattern.match(line.text):
                extended.setdefault(pattern, (found[1], line.number))
    if len(tables) == 1:  # several would be several kernels in one log
        ((size, number),) = tables.items()
        evidence = Evidence(f"a hash table of 2^order pages: its bytes >> order are {size}, one page", (number,))
        yield Clue(evidence, lambda one: one.page_size == size, DERIVED)
    if sizes:
        names = ", ".join(_in_words(size) for size in sorted(sizes))
        evidence = Evidence(f"huge pages of {names}", tuple(sorted(sizes.values())))
        yield Clue(evidence, lambda one: sizes.keys() <= huge_sizes(one), LIKELY)
    if _VA52 in extended:
        text, number = extended[_VA52]
        evidence = Evidence(f"the kernel found and uses: {text}", (number,))
        yield Clue(evidence, lambda one: one.vabits_actual == 52, DERIVED)
    if _LPA2 in extended:
        text, number = extended[_LPA2]
        evidence = Evidence(
            f"the CPU has LPA2 for these pages, so that a kernel for 52 bits would run with them: {text}", (number,)
        )
        yield Clue(evidence, lambda one: one.va_bits < 52 or one.vabits_actual == 52, DERIVED)


def huge_sizes(layout: Layout) -> set[int]:
    """Sizes that hugetlb may register: blocks of the PUD and the PMD, and contiguous entries (`mm/hugetlbpage.c`).

    >>> from pgtlab.linux.oops.layout import ERAS
    >>> sorted(size >> 10 for size in huge_sizes(Layout(16384, 47, 47, 48, ERAS[0], 16)))
    [2048, 32768, 1048576]
    """
    k = layout._constants
    sizes = {int(k.CONT_PTE_SIZE), int(k.PMD_SIZE), int(k.CONT_PMD_SIZE)}
    return sizes | ({1 << 30} if layout.page_shift == 12 else set())


def _in_words(size: int) -> str:
    unit = next(unit for unit in ("GiB", "MiB", "KiB") if size >> _UNITS[unit] or unit == "KiB")
    return f"{size >> _UNITS[unit]} {unit}"
