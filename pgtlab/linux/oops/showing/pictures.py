"""The pictures of a log: its lines with what they mean, and its words (ESR_EL1, page types, `struct page`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from textwrap import wrap

from pgtlab.arch import esr
from pgtlab.arch.named_bits import NamedBits
from pgtlab.arch.named_picture import named_picture
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.page_dump import PageDump, PageType
from pgtlab.linux.oops.showing.annotate import AnnotatedLog
from pgtlab.linux.oops.showing.text import page_type_text
from pgtlab.linux.page_picture import page_picture
from pgtlab.picture import Picture, Shape, rect, text

WIDTH, LINE, SMALL, NUMBER = 980, 18, 15, 44
COLUMNS = 120  # characters of a line of the log; the rest is cut off
PROSE = 120  # characters of a line of the diagnosis


def log_picture(annotated: AnnotatedLog, lit: Collection[int] | None = None) -> Picture:
    """Draw a log. The lines `lit` are marked; by default those that the diagnosis rests on.

    >>> from pgtlab.linux.oops.showing.annotate import annotate
    >>> from pgtlab.linux import oops
    >>> picture = log_picture(annotate(oops.read("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")))
    >>> [shape.text for shape in picture.shapes][1:3]
    ['1', 'Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP']
    """
    title = "; ".join(claim.text for claim in annotated.diagnoses)
    marked = {line for claim in annotated.diagnoses for line in claim.lines} if lit is None else lit
    y, shapes = 18, list[Shape]()
    for claim in annotated.diagnoses:
        confidence = f" ({claim.confidence})" if claim.confidence else ""
        for part in wrap(claim.text + confidence, PROSE):
            shapes.append(text(f"diagnosis {len(shapes)}", 4, y, part, "start strong"))
            y += LINE
    before = 0
    for number in annotated.shown:
        if number > before + 1:
            shapes.append(text(f"gap {number}", NUMBER, y, f"… {number - before - 1} lines", "start small faint"))
            y += LINE
        before = number
        shapes += _line(annotated, number, y, number in marked)
        y += LINE
        for n, remark in enumerate(annotated.remarks.get(number, ())):
            shapes.append(text(f"remark {number} {n}", NUMBER + 24, y - 3, remark, "start small faint"))
            y += SMALL
    return Picture(WIDTH, y, title, _described(annotated), tuple(shapes))


def _line(annotated: AnnotatedLog, number: int, y: float, marked: bool) -> Iterator[Shape]:
    if marked:
        yield rect(f"lit {number}", 0, y - 13, WIDTH, LINE, "lit")
        yield text(f"mark {number}", 2, y, "▸", "start on-fill", quiet=True)
    ink = " on-fill" if marked else ""
    yield text(f"number {number}", NUMBER - 8, y, str(number), f"end mono small{ink}", quiet=True)
    yield text(f"line {number}", NUMBER, y, annotated.lines[number - 1][:COLUMNS], f"start mono{ink}")


def _described(annotated: AnnotatedLog) -> str:
    claims = (f"{claim.text} ({claim.confidence or 'nothing is concluded'})" for claim in annotated.claims)
    return "\n".join(claims)


_TYPE_BITS = 32
_TYPE_BYTE = 24  # the lowest bit of the byte that says the type since v6.12
_PAGE_WORDS = 8  # of a `struct page` of 64 bytes


def word_pictures(log: PrintedLog, lines: Collection[int]) -> Iterator[Picture]:
    """The pictures of the words in some lines of a log.

    >>> from pgtlab.linux import oops
    >>> log = oops.read("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    >>> [picture.title for picture in word_pictures(log, (1,))]
    ['ESR_EL1 = 0x96000004: Data Abort taken without a change in Exception level: Translation fault, level 0, reading']
    """
    for report in log.reports:
        if report.esr is not None and report.where["esr"] in lines:
            syndrome = esr.decode(report.esr)
            title = f"ESR_EL1 = {report.esr:#x}: {syndrome.summary}"
            yield named_picture(title, report.esr, syndrome.fields, str(syndrome), 64 if report.esr >> 32 else 32)
        if report.page is not None and not set(report.page.lines).isdisjoint(lines):
            yield from _page(report.page)


def _page(page: PageDump) -> Iterator[Picture]:
    kind = page.page_type
    if kind is not None and kind.value is not None:
        words = page_type_text(kind, page.mapcount)
        yield named_picture(f"page_type = {kind.value:#x}", kind.value, type_bits(kind), words, _TYPE_BITS)
    if len(page.raw) == _PAGE_WORDS:
        title = "struct page" if page.pfn is None else f"struct page of pfn {page.pfn:#x}"
        yield page_picture(page.raw, title=title)


def type_bits(kind: PageType) -> tuple[NamedBits, ...]:
    """What the bits of a page type mean; `kind.value` must be known.

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
    """Runs of equal bits, highest first, each named by its mask, as the kernel names types."""
    hi = _TYPE_BITS - 1
    for lo in range(_TYPE_BITS - 1, -1, -1):
        bit = value >> lo & 1
        if lo and value >> lo - 1 & 1 == bit:
            continue
        meaning = "set: no type" if bit else f"cleared: {names}"
        mask = (1 << hi + 1) - (1 << lo)
        yield NamedBits(f"{mask:#x}", hi, lo, (value & mask) >> lo, meaning)
        hi = lo - 1
