"""The picture of a decomposed address: 64 bits over two aligned lanes, the MMU's levels and Linux's.

Columns are bits, 63 on the left, so that whatever stands over the same bits stands over each other. A level folded at
compile time is a sliver at the seam where it would be; one folded at run time keeps its bits, with a dashed border.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.linux.boot import Fold
from pgtlab.linux.decompose import Decomposition, LinuxLevel
from pgtlab.picture import Picture, Shape, line, rect, text

MARGIN = 58
BIT = 15
WIDTH = MARGIN + 64 * BIT + 4
HEX_Y, BITS_Y, MMU_Y, LINUX_Y, FLAGS_Y = 42, 66, 106, 162, 220
BITS_H, LANE_H, FLAG_H = 24, 34, 24
MOST_FLAGS, SLIVER = 3, 9
HEIGHT = FLAGS_Y + MOST_FLAGS * FLAG_H + 4
CHARACTER = 6.7  # widest average of a label's characters, in the fonts that browsers fall back on


def address_picture(d: Decomposition) -> Picture:
    """Draw a decomposition.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.decompose import decompose
    >>> address_picture(decompose(0, boot(Config("4k", 39), CPU.named("max")))).title
    '0x0000000000000000: 4K pages, VA_BITS=39 on max. 39 bits in use, the walk starts at level 1'
    """
    boot = d.boot
    title = (
        f"{d.va:#018x}: {boot.config.granule} pages, VA_BITS={boot.config.va_bits} on {boot.cpu.name}. "
        f"{boot.vabits_actual} bits in use, the walk starts at level {boot.start_level}"
    )
    shapes = (
        text("title", 4, 16, title, "start strong"),
        *_bits(d),
        *_mmu(d),
        *_linux(d),
        *_flags(d),
    )
    return Picture(WIDTH, HEIGHT, title, str(d), shapes)


def _x(bit: int) -> float:
    """Left edge of a bit's column."""
    return MARGIN + (63 - bit) * BIT


def _bits(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-bits", MARGIN - 8, BITS_Y + 17, "bits", "end")
    for nibble in range(15, -1, -1):
        yield text(
            f"hex-{nibble}", _x(nibble * 4 + 3) + 2 * BIT, HEX_Y, f"{d.va >> nibble * 4 & 15:x}", "middle mono strong"
        )
    for what, hi, lo, _ in d.fields:
        for bit in range(hi, lo - 1, -1):
            value = d.va >> bit & 1
            label = f"bit {bit}, {what}"
            data = {"bit": str(bit), "value": str(value), "label": label}
            yield rect(f"bit-{bit}", _x(bit), BITS_Y, BIT, BITS_H, f"bit {_class(what, d)}", **data)
            ink = "" if _class(what, d) == "unused" else " on-fill"
            yield text(f"digit-{bit}", _x(bit) + BIT / 2, BITS_Y + 16, str(value), f"middle mono{ink}")
        # The numbers of a field's outer bits, where there is room for two.
        yield text(f"hi-{hi}", _x(hi) + BIT / 2, BITS_Y - 6, str(hi), "middle small")
        if hi - lo >= 2:
            yield text(f"lo-{lo}", _x(lo) + BIT / 2, BITS_Y - 6, str(lo), "middle small")


def _mmu(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-mmu", MARGIN - 8, MMU_Y + 21, "MMU", "end")
    for what, hi, lo, value in d.fields:
        label = {
            "tag": f"tag {value:#04x}, ignored",
            "zeros": "all 0: TTBR0" if d.ttbr else "not all 0: fault",
            "ones": "all 1: TTBR1" if d.ttbr else "not all 1: fault",
            "offset": f"offset {value:#x}",
        }.get(what, f"{what}: {value}")
        yield from _block(f"mmu-{what}", hi, lo, MMU_Y, _class(what, d), label)


def _linux(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-linux", MARGIN - 8, LINUX_Y + 21, "Linux", "end")
    for level in d.linux:
        if level.hi is None or level.lo is None:
            continue
        classes = "outline" if level.level is None else f"level-{level.level}"
        if level.fold is Fold.RUN_TIME:
            classes += " run-time"
        not_read = ", not read" if level.level is None else ""
        yield from _block(
            f"linux-{level.name}", level.hi, level.lo, LINUX_Y, classes, f"{level.name} {level.index}{not_read}"
        )
    shift = d.boot.config.granule.shift
    yield from _block("linux-offset", shift - 1, 0, LINUX_Y, "offset", f"offset {d.offset:#x}")


def _flags(d: Decomposition) -> Iterator[Shape]:
    """A sliver in the lane for each level folded at compile time, and for every folded one a flag that says how."""
    folded = [level for level in d.linux if level.fold is not Fold.REAL]
    place = {level.name: _seam(d, level) + i * SLIVER for i, level in enumerate(folded)}
    for level in folded:
        if level.hi is None:
            yield rect(f"linux-{level.name}", place[level.name], LINUX_Y - 4, SLIVER - 2, LANE_H + 8, "outline")
    for row, level in enumerate(folded):
        x = place[level.name] + SLIVER / 2 - 1
        yield line(f"leader-{level.name}", x, LINUX_Y + LANE_H + 4, x, FLAGS_Y + row * FLAG_H)
    for row, level in enumerate(folded):
        label = f"{level.name} {level.fold.value}: {level.note}"
        width, y = 5.8 * len(label) + 12, FLAGS_Y + row * FLAG_H
        left = min(place[level.name], WIDTH - width - 4)
        yield rect(f"flag-{level.name}", left, y, width, FLAG_H - 5, "folded")
        yield text(f"flag-text-{level.name}", left + 6, y + 14, label, "start small")


def _seam(d: Decomposition, level: LinuxLevel) -> float:
    """Where a folded level belongs: over its bits, or below the last level above it that has some."""
    if level.hi is not None:
        return _x(level.hi) + BIT
    above = d.linux[: d.linux.index(level)]
    lo = next(one.lo for one in reversed(above) if one.lo is not None)
    return _x(lo) + BIT


def _block(key: str, hi: int, lo: int, y: float, classes: str, label: str) -> Iterator[Shape]:
    width = (hi - lo + 1) * BIT
    yield rect(key, _x(hi), y, width, LANE_H, classes)
    if CHARACTER * len(label) > width:
        # Too narrow for its label, which then stands below, clear of the seam on the right.
        yield text(f"{key}-text", _x(hi) + width - 4, y + LANE_H + 13, label, "end small")
    else:
        ink = "" if classes in ("unused", "outline") else " on-fill"
        yield text(f"{key}-text", _x(hi) + width / 2, y + 21, label, f"middle{ink}")


def _class(what: str, d: Decomposition) -> str:
    if what in ("zeros", "ones"):
        return "unused" if d.ttbr else "wrong"
    if what == "tag":
        return "unused"
    return what.replace(" ", "-")
