"""The picture of one translation: the address, the tables that the MMU reads, and Linux's pointers to the same words.

The address is at the top. Below it, from above to below, are the register with the first table, a few words of each
table, and the outcome. A line leads from a field of the address to the entry that it chooses, a dashed one from an
entry to the table that it points to. On the right are Linux's levels, each beside the word that it points to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pgtlab.arch.descriptor import Descriptor, Leaf
from pgtlab.arch.fault import Cause, Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import Memory, PhysicalAddressError
from pgtlab.arch.walk import Step, Walk
from pgtlab.linux.boot import Fold
from pgtlab.linux.software_walk import Lookup
from pgtlab.linux.walk_text import index_bits, outcome_of
from pgtlab.picture import Picture, Shape, letters, path, rect, text

LEFT, WIDTH = 4, 608
BIT, BITS_Y, BITS_H = 9.4, 40, 38
DIGIT, LETTER = 7.3, 6.9  # the widths of a digit and of a letter in the fallback fonts of browsers
CHAIN, WORDS, ROW = 12, 26, 17
INDEX_W, WORD_W = 66, 258
GUTTER, LANE = WORDS + WORD_W + 9, 7
LOOKUPS = GUTTER + 6 * LANE + 6
LOOKUP_H = 35
ROOT_Y, ROOT_H, GAP = BITS_Y + BITS_H + 34, 22, 10


@dataclass(frozen=True)
class _Part:
    """A field of the address: the level that it indexes, or None; the step that uses it, or None."""

    name: str
    hi: int
    lo: int
    classes: str
    value: str
    step: int | None = None
    level: int | None = None

    @property
    def x(self) -> float:
        return LEFT + (63 - self.hi) * BIT

    @property
    def width(self) -> float:
        return (self.hi - self.lo + 1) * BIT


def walk_picture(
    walk: Walk, memory: Memory, lookups: Sequence[Lookup] = (), at: int | None = None, known: int | None = None
) -> Picture:
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
        The current step: 0 is the TTBR, the number of steps plus one the outcome, which is the default. Later steps are
        pale.
    known : int, optional
        The number of entries of which the reader knows what they say. If it is given, nothing is shown that follows
        from an entry that the reader does not know, or from a step after the current one.

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
    seen, said = (last, last) if known is None else (at, known)
    title = f"{walk.va:#018x}, {walk.access.name.lower()} at EL{walk.el}"
    parts = list(_parts(walk)) if known is None else _seen(list(_parts(walk)), at)
    shapes: list[Shape] = [text("title", LEFT, 16, title, "start strong"), *_address(parts, walk, at, seen)]
    shapes += _root(walk, at, known is None or known >= 0)
    ends: dict[int | None, float] = {}  # where the line of each field ends
    chain, y = ROOT_Y + ROOT_H / 2, ROOT_Y + ROOT_H + GAP
    if lookups:
        shapes.append(text("linux", LOOKUPS, ROOT_Y + 16, "Linux's walk of the same words", "start strong"))
    words = {step.address for step in walk.steps}
    # With one word less of each, five tables are as high as four.
    around = (-1, 0, 1) if len(walk.steps) < 5 else (0, 1)
    for number, step in enumerate(walk.steps, 1):
        beside = [each for each in lookups if each.pa == step.address or (number == 1 and each.pa not in words)]
        block = [
            _chain(f"chain {number}", chain, y + ROW / 2),
            *_table(step, walk, memory, y, number, seen, said, around),
        ]
        if number <= seen:
            block += _lookups(beside, words, y)
        chain = ends[number] = y + (1.5 + around.index(0)) * ROW
        if number == at:
            block = [_now(shape) if shape.key == f"word {step.level} 0" else shape for shape in block]
        shapes += block if number <= at else map(_ghost, block)
        y += max((1 + len(around)) * ROW, len(beside) * LOOKUP_H) + GAP
    end = list(_outcome(walk, y, at, seen, last))
    end.append(_chain("chain end", chain, y + ROW))
    ends[last] = y
    shapes += end if at == last else map(_ghost, end)
    reads = [part for part in parts if part.step in ends and (part.level is None or (part.step or 0) < last)]
    shapes += _elbows(reads, ends, at)
    lines = [str(walk), *(f"Linux: {lookup}" for lookup in lookups)] if seen == last else []
    return Picture(WIDTH, y + 3 * ROW + 12, title, "\n".join(lines or [title]), tuple(shapes))


def _parts(walk: Walk) -> Iterator[_Part]:
    """The fields of the address, the highest bits first."""
    r = walk.va_range
    compared = r.top_bits(fetch=walk.access.name == "FETCH").bit_length()
    outside = isinstance(walk.outcome, Fault) and walk.outcome.cause is Cause.INPUT_ADDRESS
    same = f"{walk.va >> r.input_bits & (1 << compared - r.input_bits) - 1:#x}" if outside else f"all {int(r.upper)}"
    if compared < 64:
        yield _Part("tag", 63, compared, "unused", "")
    yield _Part("top", compared - 1, r.input_bits, "wrong" if outside else "unused", same)
    end = r.input_bits
    leaf = next((step.level for step in walk.steps if isinstance(step.descriptor, Leaf)), LAST_LEVEL)
    first = LAST_LEVEL + 1 if r.start_level is None else r.start_level
    for number, level in enumerate(range(first, leaf + 1), 1):
        hi, end = index_bits(walk, level)
        index = walk.va >> end & (1 << hi - end + 1) - 1
        yield _Part(f"level {level}", hi, end, f"level-{level}", f"{index:#x}", number, level)
    maps = None if isinstance(walk.outcome, Fault) else len(walk.steps) + 1
    yield _Part("offset", end - 1, 0, "offset", f"{walk.va & (1 << end) - 1:#x}", maps)


def _seen(parts: Sequence[_Part], at: int) -> list[_Part]:
    """The fields as far as the reader knows them, and the bits below as one."""
    later = [part for part in parts if part.step is not None and part.step > at]
    if not later:
        return list(parts)
    seen = parts[: parts.index(later[0])]
    return [*seen, _Part("rest", later[0].hi, 0, "unused", "?")]


def _address(parts: Sequence[_Part], walk: Walk, at: int, seen: int) -> Iterator[Shape]:
    """The address as a strip of 64 bits, in the colours of the levels."""
    for part in parts:
        shown = part.value if part.step is None or part.step <= seen else "?"
        classes = f"{part.classes} now" if part.step == at and part.level is not None else part.classes
        middle, ink = part.x + part.width / 2, "" if part.classes == "unused" else " on-fill"
        bits = f"{part.hi}:{part.lo}" if part.hi > part.lo else f"{part.hi}"
        data = (
            {}
            if part.step is None or part.step > len(walk.steps)
            else {"step": f"{part.step}", "level": f"{part.level}"}
        )
        hint = f"bits {bits}, {part.name}: {shown}" if part.name != "top" else f"bits {bits}: {shown}"
        yield rect(f"va {part.name}", part.x, BITS_Y, part.width, BITS_H, classes, hint, **data)
        if len(bits) * LETTER < part.width + (4 if part.level is not None else -8):  # apart from its neighbours
            yield text(f"va {part.name} bits", middle, BITS_Y - 5, bits, "middle small", quiet=True)
        lines = [word for word in ("" if part.name == "top" else part.name, shown) if word]
        lines = [word for word in lines if len(word) * LETTER < part.width]
        for row, word in enumerate(lines):
            y = BITS_Y + BITS_H / 2 + 4 + (row - (len(lines) - 1) / 2) * 15
            yield text(f"va {part.name} {row}", middle, y, word, f"middle small{ink}", quiet=True)


def _root(walk: Walk, at: int, known: bool) -> Iterator[Shape]:
    r = walk.va_range
    register = r.ttbr if known else "TTBR?_EL1"
    base = "?" if not known else f"{r.base:#x}" if walk.steps else "is not used"
    classes = "outline now" if at == 0 else "cell"
    yield rect("root", WORDS, ROOT_Y, WORD_W, ROOT_H, classes, f"step 0: {register}, {base}", step="0")
    yield text("root 0", WORDS + 6, ROOT_Y + 15, register, "start small strong")
    yield text("root 1", WORDS + WORD_W - 6, ROOT_Y + 15, base, "end mono small")


def _chain(key: str, start: float, end: float) -> Shape:
    """From an entry to the top of the next table, on the left of both."""
    head = f"M{WORDS - 5} {end - 4}L{WORDS} {end}L{WORDS - 5} {end + 4}"
    return path(key, f"M{WORDS} {start:g}H{CHAIN}V{end:g}H{WORDS}{head}", "chain")


def _table(
    step: Step, walk: Walk, memory: Memory, y: float, number: int, seen: int, said: int, around: Sequence[int]
) -> Iterator[Shape]:
    """The head of a table, and the words around the descriptor."""
    read, level = number <= seen, step.level
    hi, lo = index_bits(walk, level)
    where = f"{step.table:#x}" if number <= said + 1 else "?"
    yield rect(f"table {level}", WORDS, y, WORD_W, ROW, f"level-{level}", f"level {level} table at {where}")
    yield text(f"level {level}", WORDS + 6, y + 13, f"level {level} table", "start small strong on-fill")
    yield text(f"level {level} at", WORDS + WORD_W - 6, y + 13, where, "end mono small on-fill")
    for row, offset in enumerate(around, 1):
        index, top, key = step.index + offset, y + row * ROW, f"word {level} {offset}"
        there = read and 0 <= index < 1 << hi - lo + 1
        name = f"entry {index:#x} ({index})" if there else "an entry"
        if offset == 0:
            hint = f"step {number}: level {level}, {name}"
            yield rect(key, WORDS, top, WORD_W, ROW, "cell entry", hint, step=str(number), level=str(level))
        else:
            yield rect(key, WORDS, top, WORD_W, ROW, "byte")
        if there:
            strong = " strong" if offset == 0 else " faint"
            yield text(f"{key} index", WORDS + 6, top + 13, f"[{index:#05x}]", f"start mono small{strong}")
            descriptor = step.descriptor if offset == 0 and number <= said else None
            yield from _word(key, memory, step.table + 8 * index, top, descriptor)
    if number <= min(seen, said):
        kind = "" if step.descriptor is None else type(step.descriptor).__name__
        top = y + (1 + around.index(0)) * ROW
        yield text(f"kind {level}", WORDS + WORD_W - 6, top + 13, kind, "end small strong")


def _word(key: str, memory: Memory, pa: int, y: float, descriptor: Descriptor | None) -> Iterator[Shape]:
    """A word in groups of four digits; of the descriptor that was read, the address in the colour of its level."""
    x = WORDS + INDEX_W
    try:
        word = memory.read64(pa)
    except PhysicalAddressError:
        yield text(f"{key} text", x, y + 13, "no memory", "start small")
        return
    address = sum(field.mask for field in descriptor.fields if field.name.startswith("OA")) if descriptor else 0
    places = [x + (i + i // 4 * 0.5) * DIGIT for i in range(16)]
    digits = f"{word:016x}"
    shown = [i for i in range(16) if address >> 60 - 4 * i & 0xF]
    fill = "" if descriptor is None else f"level-{descriptor.level}"
    for i in shown:
        width = DIGIT * (1.5 if i % 4 == 3 and i + 1 in shown else 1)
        yield rect(f"{key} digit {i}", places[i], y + 2, width, ROW - 4, f"{fill} part")
    for part, of, ink in (("", False, " faint"), (" address", True, " strong on-fill")):
        at = [i for i in range(16) if (i in shown) is of]
        if at:
            content = "".join(digits[i] for i in at)
            yield letters(f"{key} text{part}", [places[i] for i in at], y + 13, content, f"start mono small{ink}")


def _lookups(lookups: Sequence[Lookup], words: set[int], y: float) -> Iterator[Shape]:
    """Linux's pointers, beside the word that they point to; beside the first word if the MMU never reads it."""
    for row, lookup in enumerate(lookups):
        top, key = y + row * LOOKUP_H, f"lookup {lookup.level}"
        classes = {Fold.COMPILE_TIME: "folded", Fold.RUN_TIME: "byte run-time"}.get(lookup.fold, "byte")
        where = "same entry" if lookup.again else f"at {lookup.pa:#x}"
        unread = "" if lookup.pa in words else ", not read by the MMU"
        note = unread if lookup.fold is Fold.REAL else f", {lookup.fold.value}"
        yield rect(key, LOOKUPS, top, WIDTH - LOOKUPS - 2, LOOKUP_H - 3, classes, str(lookup))
        yield text(f"{key} call", LOOKUPS + 6, top + 13, lookup.call, "start mono small")
        yield text(f"{key} same", LOOKUPS + 6, top + 27, f"{where}{note}", "start small")


def _outcome(walk: Walk, y: float, at: int, seen: int, last: int) -> Iterator[Shape]:
    """The physical address, or the fault."""
    lines = outcome_of(walk) if last <= seen else ("?",)
    classes = ("wrong" if isinstance(walk.outcome, Fault) and last <= seen else "cell") + (" now" if at == last else "")
    hint = f"step {last}: outcome"
    yield rect("outcome", WORDS, y, WIDTH - WORDS - 2, 3 * ROW + 8, classes, hint, step=str(last))
    ink = " on-fill" if "wrong" in classes else ""
    for number, content in enumerate(lines):
        strong = " strong" if number == 0 else ""
        yield text(f"outcome {number}", WORDS + 6, y + 15 + number * 17, content, f"start small{ink}{strong}")


def _elbows(parts: Sequence[_Part], ends: dict[int | None, float], at: int) -> Iterator[Shape]:
    """Lines from fields of the address to what they choose, side by side in a gutter, so that none crosses another."""
    lanes = [GUTTER + lane * LANE for lane in range(len(parts))]
    left = sum(part.x + part.width / 2 < lane for part, lane in zip(parts, lanes, strict=True))
    for number, (part, gutter) in enumerate(zip(parts, lanes, strict=True)):
        depth = left - 1 - number if number < left else number - left
        x, top, end = part.x + part.width / 2, BITS_Y + BITS_H, ends[part.step]
        line = f"M{x:g} {top}V{top + 5 + 5 * depth}H{gutter}V{end:g}" + (
            f"H{WORDS + WORD_W}" if part.level is not None else ""
        )
        data = {} if part.level is None else {"level": str(part.level)}
        shape = path(f"elbow {part.name}", line, "elbow", **data)
        if part.step == at:
            yield _now(shape)
        else:
            yield shape if part.step is not None and part.step < at else _ghost(shape)


def _now(shape: Shape) -> Shape:
    return _with_class(shape, "now")


def _ghost(shape: Shape) -> Shape:
    """A shape of a step that is still to come."""
    return _with_class(shape, "ghost")


def _with_class(shape: Shape, name: str) -> Shape:
    return replace(
        shape, attributes={**shape.attributes, "class": f"{shape.attributes.get('class', '')} {name}".strip()}
    )
