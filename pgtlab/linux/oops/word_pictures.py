"""The words of a report as pictures: ESR_EL1 bit by bit, a page's type, its `struct page`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pgtlab.arch import esr
from pgtlab.arch.named_bits import NamedBits
from pgtlab.arch.named_picture import named_picture
from pgtlab.linux.oops.report import Log, PageDump, PageType
from pgtlab.linux.oops.text import page_type_text
from pgtlab.linux.page_picture import page_picture
from pgtlab.picture import Picture

_TYPE_BITS = 32
_BEYOND = {f"{what}-{bit}" for what in ("bit", "digit", "number") for bit in range(_TYPE_BITS, 64)}
_TYPE_BYTE = 24  # the lowest bit of the byte that says the type since v6.12
_PAGE_WORDS = 8  # of a `struct page` of 64 bytes


def word_pictures(log: Log, lines: Collection[int]) -> Iterator[Picture]:
    """The pictures of the words that are in some lines of a log.

    >>> from pgtlab.linux.oops.read import read
    >>> log = read("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    >>> [picture.title for picture in word_pictures(log, (1,))]
    ['ESR_EL1 = 0x96000004: Data Abort taken without a change in Exception level: Translation fault, level 0, reading']
    """
    for report in log.reports:
        if report.esr is not None and report.where["esr"] in lines:
            syndrome = esr.decode(report.esr)
            title = f"ESR_EL1 = {report.esr:#x}: {syndrome.summary}"
            yield named_picture(title, report.esr, syndrome.fields, str(syndrome))
        if report.page is not None and not set(report.page.lines).isdisjoint(lines):
            yield from _page(report.page)


def _page(page: PageDump) -> Iterator[Picture]:
    kind = page.page_type
    if kind is not None and kind.value is not None:
        words = page_type_text(kind, page.mapcount)
        picture = named_picture(f"page_type = {kind.value:#x}", kind.value, type_bits(kind), words)
        yield replace(picture, shapes=tuple(shape for shape in picture.shapes if shape.key not in _BEYOND))
    if len(page.raw) == _PAGE_WORDS:
        title = "struct page" if page.pfn is None else f"struct page of pfn {page.pfn:#x}"
        yield page_picture(page.raw, title=title)


def type_bits(kind: PageType) -> tuple[NamedBits, ...]:
    """What the bits of a type say, as far as the log tells which version wrote it; `kind.value` is known.

    >>> [(bits.name, bits.meaning) for bits in type_bits(PageType(0xfffffdff, "bits", ("table",)))][:2]
    [('0xfffffc00', 'set: no type'), ('0x200', 'cleared: table')]
    """
    value = kind.value or 0
    if kind.encoding == "byte":
        low = value & (1 << _TYPE_BYTE) - 1
        return (
            NamedBits("page_type", _TYPE_BITS - 1, _TYPE_BYTE, value >> _TYPE_BYTE, " or ".join(kind.names)),
            NamedBits("page_type", _TYPE_BYTE - 1, 0, low, "the owner's"),
        )
    if kind.encoding != "bits":
        meaning = "no type, and mapped nowhere" if kind.encoding == "none" else "one less than the number of mappings"
        return (NamedBits("_mapcount", _TYPE_BITS - 1, 0, value, meaning),)
    return tuple(_runs(value, " or ".join(kind.names)))


def _runs(value: int, names: str) -> Iterator[NamedBits]:
    """The bits in runs of equal ones, highest first, each by its mask, as the kernel names types."""
    hi = _TYPE_BITS - 1
    for lo in range(_TYPE_BITS - 1, -1, -1):
        bit = value >> lo & 1
        if lo and value >> lo - 1 & 1 == bit:
            continue
        meaning = "set: no type" if bit else f"cleared: {names}"
        mask = (1 << hi + 1) - (1 << lo)
        yield NamedBits(f"{mask:#x}", hi, lo, (value & mask) >> lo, meaning)
        hi = lo - 1
