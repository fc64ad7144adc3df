"""The picture of one translation: the address, the tables that the MMU reads, and Linux's pointers to the same words.

From left to right, the register with the first table, the tables and the outcome have a column each. Above them is the
address, whose fields choose the entries; below each table are Linux's levels, each under the word that it points to.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from pgtlab.arch.descriptor import Block, Descriptor, Leaf, PageDescriptor, Table
from pgtlab.arch.fault import Cause, Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import Memory, PhysicalAddressError
from pgtlab.arch.walk import Step, Update, Walk
from pgtlab.linux.boot import Fold
from pgtlab.linux.software_walk import Lookup
from pgtlab.picture import Picture, Shape, line, rect, text

LEFT, ROOT, COLUMN, GAP = 4, 96, 224, 16
BIT, ADDRESS_Y, ADDRESS_H = 13, 26, 22
TABLE_Y, ROW = 96, 20
AROUND = 2  # words before and after the descriptor
TABLE_H = (2 * AROUND + 1) * ROW
LOOKUPS_Y = TABLE_Y + TABLE_H + 46
LOOKUP_H, LOOKUP_GAP = 38, 4
LETTER = 6.4  # the width of a character in the fallback fonts of browsers
NARROWEST = 1120  # so that pictures of few and of many levels have the same scale if possible


def walk_picture(walk: Walk, memory: Memory, lookups: Sequence[Lookup] = (), at: int | None = None) -> Picture:
    """Draw a walk.

    Parameters
    ----------
    walk : Walk
        From `MMU.translate`.
    memory : Memory
        The memory that it was read from, for the words around each descriptor.
    lookups : sequence of Lookup
        Linux's walk of the same address, where there is one.
    at : int, optional
        The current step: 0 is the TTBR, the number of steps plus one the outcome, which is the default.
        What is read later is left open.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x40_0000, 0x8020_0000, 0x20_0000)
    >>> walk_picture(mapper.mmu.translate(0x40_1234), mapper.mmu.memory).title
    '0x0000000000401234, read at EL1'
    """
    last = len(walk.steps) + 1
    at = last if at is None else at
    r = walk.va_range
    title = f"{walk.va:#018x}, {walk.access.name.lower()} at EL{walk.el}"
    shapes: list[Shape] = [text("title", LEFT, 16, title, "start strong"), *_address(walk, at)]
    root = (r.ttbr, f"{r.base:#x}") if walk.steps else (r.ttbr, "is not used")
    shapes += _box("root", 0, LEFT, ROOT, root, "outline now" if at == 0 else "cell")
    x = LEFT + ROOT + GAP
    places: dict[int, tuple[float, bool]] = {}
    for number, step in enumerate(walk.steps, 1):
        shapes.append(_arrow(f"arrow {number}", x))
        shapes += _table(step, walk, memory, x, number, at)
        places[step.address] = x, number <= at
        x += COLUMN + GAP
    shapes.append(_arrow("arrow end", x))
    outcome = outcome_of(walk)
    width = max(150, LETTER * max(map(len, outcome)) + 12)
    if at == last:
        shapes += _box(
            "outcome", last, x, width, outcome, "wrong now" if isinstance(walk.outcome, Fault) else "outline now"
        )
    else:
        shapes += _box("outcome", last, x, width, ("?",), "cell")
    rows = max(Counter(places.get(lookup.pa, (LEFT + ROOT + GAP,))[0] for lookup in lookups).values(), default=0)
    shapes += _lookups(lookups, places)
    lines = [str(walk), *(f"Linux: {lookup}" for lookup in lookups)]
    height = LOOKUPS_Y + rows * (LOOKUP_H + LOOKUP_GAP) if rows else LOOKUPS_Y - 20
    return Picture(max(round(x + width + 6), NARROWEST), height, title, "\n".join(lines), tuple(shapes))


def step_of(walk: Walk, at: int) -> str:
    """What happens at a step, in a sentence or two; `at` is as in `walk_picture`.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x40_0000, 0x8020_0000, 0x20_0000)
    >>> walk = mapper.mmu.translate(0x40_1234)
    >>> for at in range(4):
    ...     print(step_of(walk, at))
    Bit 55 is 0: TTBR0_EL1 has the level 1 table, at 0x40000000.
    Level 1: bits 38:30 of the address choose entry 0x0. It is a table descriptor: the level 2 table is at 0x40002000.
    Level 2: bits 29:21 of the address choose entry 0x2. It is a block descriptor: its memory begins at 0x80200000.
    PA 0x80201234, Normal WB RWA, Inner Shareable. An AT instruction would report it as PAR_EL1 = 0xff00000080201980.
    """
    r = walk.va_range
    if at == 0:
        bit = f"Bit 55 is {int(r.upper)}: {r.ttbr}"
        if walk.steps:
            return f"{bit} has the level {walk.steps[0].level} table, at {walk.steps[0].table:#x}."
        return f"{bit} would have the first table, but it is not read."
    if at > len(walk.steps):
        sentence = f"{str(walk.outcome)[0].upper()}{str(walk.outcome)[1:]}."
        if walk.esr is not None:
            return f"{sentence} ESR_EL1 = {int(walk.esr):#x}."
        if walk.update:
            sentence = f"{sentence} Besides, {_written(walk.steps[-1], walk.update)}."
        return f"{sentence} An AT instruction would report it as PAR_EL1 = {int(walk.par):#x}."
    step = walk.steps[at - 1]
    hi, lo = _index_bits(walk, step.level)
    chosen = f"Level {step.level}: bits {hi}:{lo} of the address choose entry {step.index:#x}."
    return f"{chosen} {_found(step.descriptor, step.level)}"


def outcome_of(walk: Walk) -> tuple[str, ...]:
    """The outcome of the walk, in lines: the physical address and its memory, or the fault and its ESR_EL1."""
    if isinstance(walk.outcome, Fault):
        kind, _, cause = str(walk.outcome).partition(": ")
        return kind, *_wrapped(cause), f"ESR_EL1 = {int(walk.esr or 0):#x}"
    written = [_written(walk.steps[-1], walk.update)] if walk.update else []
    return (*str(walk.outcome).split(", "), *written)


def _written(step: Step, update: Update) -> str:
    """The fields that hardware changes in a descriptor."""
    assert step.descriptor is not None
    changed = (
        f"{field.name} = {field.extract(update.after):#x}"
        for field in step.descriptor.fields
        if field.extract(update.before) != field.extract(update.after)
    )
    return f"hardware writes {', '.join(changed)}"


def _found(descriptor: Descriptor | None, level: int) -> str:
    match descriptor:
        case None:
            return "There is no memory."
        case Table():
            return f"It is a table descriptor: the level {level + 1} table is at {descriptor.oa:#x}."
        case Block():
            return f"It is a block descriptor: its memory begins at {descriptor.oa:#x}."
        case PageDescriptor():
            return f"It is a page descriptor: its page begins at {descriptor.oa:#x}."
        case _:
            return "It is invalid: the walk ends here."


def _wrapped(words: str, width: int = 30) -> list[str]:
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False)


def _index_bits(walk: Walk, level: int) -> tuple[int, int]:
    """The address bits that choose an entry of a level's table, the highest first."""
    r = walk.va_range
    above = r.granule.level_shift(level - 1)
    return (r.input_bits if level == r.start_level else above) - 1, r.granule.level_shift(level)


def _address(walk: Walk, at: int) -> Iterator[Shape]:
    """The address as a strip of 64 bits, in the colours of the levels."""
    r = walk.va_range
    compared = r.top_bits(fetch=walk.access.name == "FETCH").bit_length()
    outside = isinstance(walk.outcome, Fault) and walk.outcome.cause is Cause.INPUT_ADDRESS
    same = f"{walk.va >> r.input_bits & (1 << compared - r.input_bits) - 1:#x}" if outside else f"all {int(r.upper)}"
    fields = [("tag", 63, compared, "unused", "tag")] if compared < 64 else []
    fields.append(("top", compared - 1, r.input_bits, "wrong" if outside else "unused", same))
    end = r.input_bits
    leaf = next((step.level for step in walk.steps if isinstance(step.descriptor, Leaf)), LAST_LEVEL)
    for level in range(LAST_LEVEL + 1 if r.start_level is None else r.start_level, leaf + 1):
        hi, end = _index_bits(walk, level)
        index = walk.va >> end & (1 << hi - end + 1) - 1
        number = level - (r.start_level or 0) + 1
        now = " now" if number == at <= len(walk.steps) else ""
        fields.append((f"level {level}", hi, end, f"level-{level}{now}", f"level {level}: {index:#x}"))
    fields.append(("offset", end - 1, 0, "offset", f"offset {walk.va & (1 << end) - 1:#x}"))
    for name, hi, lo, classes, meaning in fields:
        width, x = (hi - lo + 1) * BIT, LEFT + (63 - hi) * BIT
        yield rect(f"va {name}", x, ADDRESS_Y, width, ADDRESS_H, classes, f"bits {hi}:{lo}, {meaning}")
        short = meaning if LETTER * len(meaning) < width else meaning.partition(": ")[2]
        if short and LETTER * len(short) < width:
            ink = "" if classes == "unused" else " on-fill"
            yield text(f"va {name} text", x + width / 2, ADDRESS_Y + 15, short, f"middle small{ink}")


def _arrow(key: str, x: float) -> Shape:
    return line(key, x - GAP, TABLE_Y + TABLE_H / 2, x, TABLE_Y + TABLE_H / 2)


def _table(step: Step, walk: Walk, memory: Memory, x: float, number: int, at: int) -> Iterator[Shape]:
    """The words around a descriptor, which has the colour of its level once it has been read."""
    read = number <= at
    hi, lo = _index_bits(walk, step.level)
    where = f" at {step.table:#x}" if number <= at + 1 else ""
    yield text(f"level {step.level}", x, TABLE_Y - 24, f"level {step.level} table{where}", "start small strong")
    yield text(f"index {step.level}", x, TABLE_Y - 8, f"bits {hi}:{lo} = {step.index:#x}", "start small")
    for row, offset in enumerate(range(-AROUND, AROUND + 1)):
        index, y = step.index + offset, TABLE_Y + row * ROW
        key = f"word {step.level} {offset}"
        fill = f"level-{step.level}" if offset == 0 and read else "byte"
        if offset == 0:
            classes = f"{fill} now" if number == at else fill
            yield rect(key, x, y, COLUMN, ROW, classes, f"step {number}: level {step.level}", step=str(number))
        else:
            yield rect(key, x, y, COLUMN, ROW, fill)
        if read and 0 <= index < 1 << hi - lo + 1:
            ink = " on-fill strong" if offset == 0 else ""
            content = f"[{index:#05x}] {_word(memory, step.table + 8 * index)}"
            yield text(f"{key} text", x + 6, y + 14, content, f"start mono small{ink}")
    if read:
        kind = "no memory" if step.descriptor is None else type(step.descriptor).__name__
        oa = f" {step.descriptor.oa:#x}" if isinstance(step.descriptor, Table | Leaf) else ""
        yield text(f"kind {step.level}", x, TABLE_Y + TABLE_H + 15, f"{kind}{oa}", "start small strong")


def _word(memory: Memory, pa: int) -> str:
    try:
        return f"{memory.read64(pa):016x}"
    except PhysicalAddressError:
        return "no memory"


def _lookups(lookups: Sequence[Lookup], places: dict[int, tuple[float, bool]]) -> Iterator[Shape]:
    """Linux's pointers, each below the word that it points to; below the first one if the MMU never reads it."""
    if not lookups:
        return
    yield text("linux", LEFT, LOOKUPS_Y + 16, "Linux's walk", "start strong")
    yield text("linux same", LEFT, LOOKUPS_Y + 32, "of these words", "start small")
    rows: dict[float, int] = {}
    for lookup in lookups:
        x, reached = places.get(lookup.pa, (LEFT + ROOT + GAP, True))
        row = rows[x] = rows.get(x, -1) + 1
        y = LOOKUPS_Y + row * (LOOKUP_H + LOOKUP_GAP)
        if not reached:
            continue
        classes = {Fold.COMPILE_TIME: "folded", Fold.RUN_TIME: "byte run-time"}.get(lookup.fold, "byte")
        where = "same entry" if lookup.again else f"at {lookup.pa:#x}"
        unread = "" if lookup.pa in places else ", the MMU skips it"
        note = unread if lookup.fold is Fold.REAL else f", {lookup.fold.value}"
        yield rect(f"lookup {lookup.level}", x, y, COLUMN, LOOKUP_H, classes, str(lookup))
        yield text(f"lookup {lookup.level} call", x + 6, y + 15, lookup.call, "start mono small")
        yield text(f"lookup {lookup.level} same", x + 6, y + 31, f"{where}{note}", "start small")


def _box(key: str, step: int, x: float, width: float, lines: Sequence[str], classes: str) -> Iterator[Shape]:
    yield rect(key, x, TABLE_Y, width, TABLE_H, classes, f"step {step}: {key}", step=str(step))
    ink = " on-fill" if "wrong" in classes else ""
    for number, content in enumerate(lines):
        strong = " strong" if number == 0 else ""
        yield text(f"{key} {number}", x + 6, TABLE_Y + 18 + number * 17, content, f"start small{ink}{strong}")
