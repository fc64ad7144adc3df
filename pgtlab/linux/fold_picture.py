"""The picture of folding: which of Linux's five levels fold, for each configuration on each CPU.

A cell has the bits in use, and a box for each level that has bits, in the colour of the MMU's level. A dashed border
marks a level that folds at run time; the pgd above it, whose index is not used, is white. A level that folds at compile
time leaves a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgtlab.linux.boot import Boot, Fold, NoBoot
from pgtlab.linux.decompose import LinuxLevel, decompose
from pgtlab.picture import Picture, Shape, letters, rect, text

ROW_LABEL, HEAD = 146, 44
BOX, BOX_H = 23, 15
CELL, CELL_H = 5 * BOX + 7, 42
LETTER = 7


def cell_key(boot: Boot | NoBoot) -> str:
    """The key of a cell of the picture.

    >>> from pgtlab import CPU, Config, boot
    >>> cell_key(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
    '16k/52/52/max,lpa2=off'
    """
    config = boot.config
    return f"{config.page_size_name}/{config.va_bits}/{config.pa_bits}/{boot.cpu.name}"


def fold_picture(boots: Sequence[Boot | NoBoot], selected: Boot | NoBoot | None = None) -> Picture:
    """Draw what folds where: a row for each configuration, a column for each CPU.

    >>> from pgtlab.lab.matrix import boots
    >>> picture = fold_picture(list(boots()))
    >>> [shape.hint for shape in picture.shapes if shape.key == "cell 4k/39/48/max"]
    ['4K pages, VA_BITS=39, PA_BITS=48 on max: 39 bits in use; pgd is level 1, pmd is level 2, pte is level 3']
    """
    configs = list(dict.fromkeys(boot.config for boot in boots))
    cpus = list(dict.fromkeys(boot.cpu.name for boot in boots))
    shapes = [text("title", 4, 16, "What becomes of Linux's levels", "start strong"), *_legend()]
    for column, name in enumerate(cpus):
        shapes.append(text(f"cpu {name}", ROW_LABEL + (column + 0.5) * CELL, HEAD - 6, name, "middle small strong"))
    for row, config in enumerate(configs):
        y = HEAD + row * CELL_H
        label = f"{config.granule} pages, {config.va_bits} bits"
        shapes.append(text(f"config {row}", 4, y + 17, label, "start strong"))
        shapes.append(text(f"pa {row}", 4, y + 32, f"{config.pa_bits}-bit physical", "start small"))
    for boot in boots:
        x, y = ROW_LABEL + cpus.index(boot.cpu.name) * CELL, HEAD + configs.index(boot.config) * CELL_H
        shapes += _cell(boot, x, y, boot == selected)
    width, height = ROW_LABEL + len(cpus) * CELL + 4, HEAD + len(configs) * CELL_H + 4
    described = "\n".join(map(fold_line, boots))
    return Picture(width, height, "What becomes of Linux's levels, by configuration and CPU", described, tuple(shapes))


def _legend() -> Iterator[Shape]:
    named = [(f"level-{level}", f"level {level}") for level in range(-1, 4)]
    x = 226.0
    for classes, name in (*named, ("folded", "computed, not read"), ("outline run-time", "folded at run time")):
        yield rect(f"legend {name}", x, 6, 13, 13, classes)
        yield text(f"legend name {name}", x + 18, 16, name, "start small")
        x += 30 + LETTER * len(name)
    yield text("legend gap", x, 16, "a gap: folded by the compiler", "start small")


def _cell(boot: Boot | NoBoot, x: float, y: float, selected: bool) -> Iterator[Shape]:
    key = cell_key(boot)
    classes = "cell selected" if selected else "cell"
    yield rect(f"cell {key}", x, y, CELL - 3, CELL_H - 3, classes, fold_line(boot), cell=key)
    if isinstance(boot, NoBoot):
        yield text(f"bits {key}", x + (CELL - 3) / 2, y + 24, "does not boot", "middle small", quiet=True)
        return
    yield text(f"bits {key}", x + 4, y + 14, f"{boot.vabits_actual} bits", "start small", quiet=True)
    drawn = [level for level in decompose(0, boot).linux if level.hi is not None]
    lefts = {level.name: x + 2 + place * BOX for place, level in enumerate(decompose(0, boot).linux)}
    for level in drawn:
        left = lefts[level.name]
        fill = "folded" if level.level is None else f"level-{level.level}"
        border = " run-time" if level.fold is Fold.RUN_TIME else ""
        yield rect(f"{level.name} {key}", left, y + 20, BOX - 1, BOX_H, fill + border)
    for what, classes in (("computed", "middle mono small"), ("read", "middle mono small on-fill")):
        names = [level.name for level in drawn if (level.level is None) == (what == "computed")]
        places = [lefts[name] + 4 + i * LETTER for name in names for i in range(3)]
        if names:
            yield letters(f"{what} {key}", places, y + 31, "".join(names), classes)


def fold_line(boot: Boot | NoBoot) -> str:
    """A cell in words."""
    config = boot.config
    named = f"{config.granule} pages, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {boot.cpu.name}"
    if isinstance(boot, NoBoot):
        return f"{named}: {boot.reason}"
    levels = [_level(level) for level in decompose(0, boot).linux if level.hi is not None]
    return f"{named}: {boot.vabits_actual} bits in use; {', '.join(levels)}"


def _level(level: LinuxLevel) -> str:
    if level.level is None:
        return f"{level.name} is computed and not read"
    return f"{level.name} is level {level.level}{', folded at run time' if level.fold is Fold.RUN_TIME else ''}"
