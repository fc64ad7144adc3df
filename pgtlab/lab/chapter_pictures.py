"""A small picture for each chapter, from the model's own values: for the map of the course."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.granule import G4K
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.chapters import ChapterPlan, log_lines
from pgtlab.lab.trees import TREES
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config
from pgtlab.picture import Picture, Shape, line, rect, text

WIDTH, HEIGHT = 240, 64
VA = 0xFFFF_8000_8000_1234
Shapes = Iterator[Shape]


def chapter_picture(plan: ChapterPlan) -> Picture:
    """Return the picture of a chapter; an empty one if it has none.

    >>> from pgtlab.lab.chapters import plans
    >>> [stem for stem, plan in plans().items() if not chapter_picture(plan).shapes]
    []
    """
    draw = _PICTURES.get(plan.stem, lambda: iter(()))
    shapes = [Shape(f"{place}", s.tag, s.attributes, s.text) for place, s in enumerate(draw())]
    return Picture(WIDTH, HEIGHT, f"Chapter {plan.number}" if plan.number else plan.title, "", tuple(shapes))


def _booted(page_size: str = "4k", va_bits: int = 48, cpu: str = "max") -> Boot:
    booted = boot(Config(page_size, va_bits), CPU.named(cpu))
    assert isinstance(booted, Boot)
    return booted


def _address(booted: Boot, y: float) -> Shapes:
    """An address, cut into its indices: as wide as they have bits."""
    levels = decompose(VA, booted).hardware
    bits = [*((level.hi - level.lo + 1, f"level-{level.level}") for level in levels), (levels[-1].lo, "offset")]
    scale, x = WIDTH / 52, 0.0
    for count, classes in bits:
        yield rect("", x, y, count * scale - 2, 18, classes)
        x += count * scale


def _tour() -> Shapes:
    yield from _address(_booted("16k", 52), 10)
    yield from _address(_booted("16k", 52, "max,lpa2=off"), 38)


def _hexadecimal() -> Shapes:
    for place, digit in enumerate(f"{-513 & 0xFFFF_FFFF:08x}"):
        x = 8 + place * 28
        yield rect("", x, 14, 25, 36, "outline" if digit == "f" else "lit")
        yield text("", x + 12.5, 38, digit, "mono middle" if digit == "f" else "mono middle on-fill")


def _two_programs() -> Shapes:
    for program, (y, frame) in enumerate(((6, 4), (38, 1))):
        yield line("", 90, y + 10, 180, 8 + 11 * frame)
        yield rect("", 20, y, 70, 20, f"level-{2 * program}")
        yield text("", 55, y + 14, "0x1000", "mono small middle on-fill")
    yield from (rect("", 180, 3 + 11 * place, 30, 10, "lit" if place in (1, 4) else "outline") for place in range(5))


def _tree() -> Shapes:
    rows = [[120.0], [60.0, 180.0], [30.0, 90.0, 180.0], [15.0, 45.0, 90.0, 165.0, 195.0]]
    for level, (above, below) in enumerate(pairwise(rows)):
        for x in below:
            parent = min(above, key=lambda at, x=x: abs(at - x))  # type: ignore[misc]
            yield line("", parent, 12 + 17 * level, x, 18 + 17 * level)
    for level, row in enumerate(rows):
        yield from (rect("", x - 12, 2 + 17 * level, 24, 10, f"level-{level}") for x in row)


def _entry() -> Shapes:
    scale = WIDTH / 64
    yield rect("", 0, 20, WIDTH, 24, "outline")
    page = DescriptorFormat(G4K, OutputAddress.PLAIN).decode(0x0068_0000_4000_0F07, 3)
    for place, field in enumerate(page.fields):
        yield rect("", (63 - field.hi) * scale, 20, (field.hi - field.lo + 1) * scale, 24, f"level-{place % 4}")


def _stairs(reached: int = 4) -> Shapes:
    for place, level in enumerate(decompose(VA, _booted()).hardware):
        y = 4 + 15 * place
        yield rect("", 8 + 58 * place, y, 44, 12, f"level-{level.level}" if place < reached else "outline")
        if place + 1 < reached:
            yield line("", 30 + 58 * place, y + 12, 66 + 58 * place, y + 21)


def _walk() -> Shapes:
    yield from _stairs()


def _fault() -> Shapes:
    yield from _stairs(1)
    yield text("", 30, 44, "✗", "middle strong")
    yield text("", 44, 44, "level 0", "small start")


def _kernel_map() -> Shapes:
    constants = _booted().constants
    start, scale = constants.PAGE_OFFSET, WIDTH / (1 << 48)
    parts = (
        (start, constants.PAGE_END, "level-0"),
        (constants.MODULES_VADDR, constants.VMALLOC_START, "level-1"),
        (constants.VMALLOC_START, constants.VMALLOC_END, "level-2"),
        (constants.VMEMMAP_START, constants.VMEMMAP_START + (1 << 41), "level-3"),
    )
    yield rect("", 0, 20, WIDTH, 24, "outline")
    for first, end, classes in parts:
        yield rect("", (first - start) * scale, 20, max(4, (end - first) * scale), 24, classes)


def _page_to_number() -> Shapes:
    for place in range(12):
        yield rect("", 4 + 20 * place, 6, 17, 8, "lit" if place == 7 else "outline")
        yield rect("", 4 + 20 * place, 36, 17, 22, "level-3" if place == 7 else "outline")
    yield line("", 152, 14, 152, 36)


def _names(booted: Boot, y: float) -> Shapes:
    for place, name in enumerate(("pgd", "p4d", "pud", "pmd", "pte")):
        folded = booted.folded.get(name, Fold.REAL) is not Fold.REAL
        yield rect("", 4 + 47 * place, y, 42, 20, "folded" if folded else f"level-{max(place - 1, 0)}")
        yield text("", 25 + 47 * place, y + 14, name, "mono small middle" if folded else "mono small middle on-fill")


def _five_names() -> Shapes:
    yield from _names(_booted(), 22)


def _folded() -> Shapes:
    yield from _names(_booted("16k", 52), 6)
    yield from _names(_booted("16k", 52, "max,lpa2=off"), 38)


def _owner() -> Shapes:
    for place in range(16):
        yield rect("", 4 + 29 * (place % 8), 8 + 26 * (place // 8), 27, 20, "byte changed" if place == 12 else "byte")
    yield text("", 134, 48, "-512", "mono small middle on-fill")


def _bars(numbers: Iterable[int], x: float, classes: str) -> Shapes:
    lines = log_lines()
    for row, number in enumerate(numbers):
        yield rect("", x, 2 + 5.2 * row, min(72.0, 0.9 * len(lines[number].text)), 3.6, classes)


def _registers() -> Shapes:
    lines = log_lines()
    for row, number in enumerate(range(25, 35)):
        for place, word in enumerate(lines[number].text.replace(" :", ":").split(": ")[1:]):
            zero = not int(word.split()[0], 16)
            yield rect("", 6 + 78 * place, 3 + 6 * row, 66, 4.2, "outline" if zero else "level-0")


def _log() -> Shapes:
    for place in range(5):
        for row, number in enumerate(range(12 * place + 1, min(12 * place + 13, 60))):
            evidence = "evidence" in log_lines()[number].verdict
            width = max(4.0, 0.42 * len(log_lines()[number].text))
            yield rect("", 2 + 48 * place, 2 + 5.1 * row, width, 3.6, "lit" if evidence else "outline")


def _history() -> Shapes:
    for branch in range(len(TREES["next-20240229"].commits)):
        yield line("", 20, 32, 60, 12 + 40 * branch)
        yield line("", 60, 12 + 40 * branch, 160, 12 + 40 * branch)
        yield line("", 160, 12 + 40 * branch, 200, 32)
        yield from (rect("", 60 + 50 * place, 4 + 40 * branch, 26, 16, "commit") for place in range(2))
    yield rect("", 7, 24, 26, 16, "commit good")
    yield rect("", 200, 24, 26, 16, "commit bad")


def _cost() -> Shapes:
    for row, booted in enumerate((_booted("16k", 52, "max,lpa2=off"), _booted("16k", 48, "max"))):
        for place, level in enumerate(decompose(VA, booted).hardware):
            yield rect("", 20 + 50 * place, 10 + 28 * row, 46, 16, f"level-{level.level}")


def _case() -> Shapes:
    yield from _bars(range(1, 13), 20, "outline")
    yield text("", 170, 44, "?", "middle strong")


def _gallery() -> Shapes:
    for place in range(9):
        x, y = 6 + 47 * (place % 5), 6 + 30 * (place // 5)
        yield rect("", x, y, 40, 22, f"level-{place % 4}")


_PICTURES: dict[str, Callable[[], Shapes]] = {
    "00_tour": _tour,
    "00_hexadecimal": _hexadecimal,
    "01_two_programs": _two_programs,
    "02_a_tree": _tree,
    "03_an_entry": _entry,
    "04_the_walk": _walk,
    "05_a_fault": _fault,
    "06a_the_kernel_map": _kernel_map,
    "06b_page_to_number": _page_to_number,
    "07_five_names": _five_names,
    "08_folded_at_boot": _folded,
    "09_who_owns_a_table": _owner,
    "10a_registers": _registers,
    "10b_the_log": _log,
    "11_who_did_it": _history,
    "12_the_cost_of_a_walk": _cost,
    "13_your_own_case": _case,
    "gallery": _gallery,
}
