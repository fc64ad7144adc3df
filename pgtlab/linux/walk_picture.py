"""The picture of one translation: the tables that the MMU reads, and Linux's pointers to the same words below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.memory import Memory, PhysicalAddressError
from pgtlab.arch.walk import Step, Walk
from pgtlab.linux.boot import Fold
from pgtlab.linux.software_walk import Lookup
from pgtlab.picture import Picture, Shape, line, rect, text

COLUMN, GAP, LEFT = 240, 14, 4
TABLE_Y, ROW = 66, 20
AROUND = 2  # words before and after the one that is read
LOOKUP_H = 40


def walk_picture(walk: Walk, memory: Memory, lookups: Sequence[Lookup] = (), at: int | None = None) -> Picture:
    """Draw a walk.

    Parameters
    ----------
    walk : Walk
        As `MMU.translate` gives it.
    memory : Memory
        What it was read from, for the words around each entry.
    lookups : sequence of Lookup
        Linux's walk of the same address, where there is one.
    at : int, optional
        The step that is looked at: 0 is the TTBR, one more than there are steps the outcome. Later ones are faint.
    """
    at = len(walk.steps) + 1 if at is None else at
    r = walk.va_range
    shapes: list[Shape] = [text("title", LEFT, 16, title_of(walk), "start strong")]
    x: float = LEFT
    shapes += _box("ttbr", x, TABLE_Y, 92, 5 * ROW, (r.ttbr, f"{r.base:#x}"), "selected" if at == 0 else "")
    x += 92 + GAP
    bottom = TABLE_Y + (2 * AROUND + 1) * ROW
    places: dict[int, float] = {}
    for number, step in enumerate(walk.steps, 1):
        shapes.append(line(f"arrow {number}", x - GAP, TABLE_Y + 2.5 * ROW, x, TABLE_Y + 2.5 * ROW))
        shapes += _table(step, memory, x, number, at)
        places[step.address] = x
        x += COLUMN + GAP
    shapes.append(line("arrow end", x - GAP, TABLE_Y + 2.5 * ROW, x, TABLE_Y + 2.5 * ROW))
    told = outcome_of(walk)
    width = max(150, 6.6 * max(map(len, told)) + 12)
    marked = "selected" if at > len(walk.steps) else ""
    fault = walk.esr is not None
    shapes += _box("outcome", x, TABLE_Y, width, 5 * ROW, told, f"{marked}{' wrong' if fault else ''}".strip())
    shapes += _lookups(lookups, places, bottom + 26)
    lines = [str(walk), *(f"Linux: {lookup}" for lookup in lookups)]
    height = bottom + (26 + 5 * (LOOKUP_H + 4) if lookups else 8)
    return Picture(round(x + width + 6), height, title_of(walk), "\n".join(lines), tuple(shapes))


def title_of(walk: Walk) -> str:
    """What is translated, for whom."""
    return f"{walk.va:#018x}, {walk.access.name.lower()} at EL{walk.el}"


def outcome_of(walk: Walk) -> tuple[str, ...]:
    """What the walk ends in, in lines: the physical address and its memory, or the fault and its ESR_EL1."""
    if walk.esr is not None:
        kind, _, cause = str(walk.outcome).partition(": ")
        return kind, *_wrapped(cause), f"ESR_EL1 = {int(walk.esr):#x}"
    return tuple(str(walk.outcome).split(", "))


def _wrapped(words: str, width: int = 30) -> Iterator[str]:
    line = ""
    for word in words.split():
        if line and len(line) + len(word) >= width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line


def _table(step: Step, memory: Memory, x: float, number: int, at: int) -> Iterator[Shape]:
    """The words around an entry, that one in the colour of its level once it has been read."""
    read = number <= at
    shown = "start strong" if read else "start faint"
    yield text(
        f"level {step.level}", x + 4, TABLE_Y - 22, f"level {step.level} table at {step.table:#x}", f"{shown} small"
    )
    yield text(f"index {step.level}", x + 4, TABLE_Y - 8, f"index {step.index:#x} of the address", f"{shown} small")
    for row, offset in enumerate(range(-AROUND, AROUND + 1)):
        index, y = step.index + offset, TABLE_Y + row * ROW
        key = f"word {step.level} {offset}"
        classes = f"level-{step.level}" if offset == 0 and read else "byte"
        if offset == 0 and number == at:
            classes += " now"
        try:
            word = f"{memory.read64(step.table + 8 * index):016x}" if index >= 0 else ""
        except PhysicalAddressError:
            word = "no memory" if offset == 0 else ""
        yield rect(key, x, y, COLUMN, ROW, classes)
        if word and (read or offset):
            ink = " on-fill strong" if offset == 0 else " faint" if not read else ""
            yield text(f"{key} text", x + 6, y + 14, f"[{index:#05x}] {word}", f"start mono small{ink}")
    y = TABLE_Y + (2 * AROUND + 1) * ROW + 14
    if read and step.descriptor is not None:
        kind = type(step.descriptor).__name__
        oa = f" {step.descriptor.oa:#x}" if isinstance(step.descriptor, Table | Leaf) else ""
        yield text(f"kind {step.level}", x + 4, y, f"{kind}{oa}", "start small strong")


def _lookups(lookups: Sequence[Lookup], places: dict[int, float], y: float) -> Iterator[Shape]:
    """Linux's pointers, each below the word that it points to."""
    rows: dict[float, int] = {}
    last: float = LEFT + 92 + GAP
    for lookup in lookups:
        x = places.get(lookup.pa, last)
        last = x
        row = rows[x] = rows.get(x, -1) + 1
        top = y + row * (LOOKUP_H + 4)
        classes = {Fold.COMPILE_TIME: "folded", Fold.RUN_TIME: "byte run-time"}.get(lookup.fold, "byte")
        yield rect(f"lookup {lookup.level}", x, top, COLUMN, LOOKUP_H, classes, str(lookup))
        ink = " on-fill" if classes == "folded" else ""
        folded = "" if lookup.fold is Fold.REAL else f", {lookup.fold.value}"
        same = "same entry again" if lookup.again else f"at {lookup.pa:#x}"
        yield text(f"lookup {lookup.level} call", x + 6, top + 16, lookup.call, f"start mono small{ink}")
        yield text(f"lookup {lookup.level} same", x + 6, top + 32, f"{same}{folded}", f"start small{ink}")


def _box(
    key: str, x: float, y: float, width: float, height: float, lines: Sequence[str], classes: str
) -> Iterator[Shape]:
    yield rect(key, x, y, width, height, f"cell {classes}".strip())
    ink = " on-fill" if "wrong" in classes else ""
    for number, told in enumerate(lines):
        yield text(
            f"{key} {number}", x + 6, y + 18 + number * 17, told, f"start small{ink}{' strong' if number == 0 else ''}"
        )
