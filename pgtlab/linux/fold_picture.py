"""The picture of folding: which of Linux's five levels fold, for each configuration on each CPU.

CPUs that behave alike stand together. In a row, cells with the same outcome are one run, which is drawn once: the bits
in use, and a box for each level that has bits, in the colour of the MMU's level. A dashed box is a level that folds at
run time; the pgd above it, whose index is not used, has no colour. A level that folds at compile time leaves a gap.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold, NoBoot
from pgtlab.linux.decompose import LinuxLevel, decompose
from pgtlab.linux.kconfig import Config
from pgtlab.picture import Picture, Shape, letters, rect, text

EDGE = 4
BOX, BOX_W, BOX_H = 27, 24, 17
BOXES = len(LINUX_LEVELS) * BOX
NARROWEST = 30  # the width of a column
NARROWEST_TEXT = 420  # the width of lines of text
BITS = 52  # the width of the number of bits
LETTER, CHARACTER = 7.2, 6.5  # the width of a letter of a level's name, and of others, in the widest fallback fonts
HEAD_LINE, LEGEND_LINE, NOTE_LINE = 14, 20, 17
WIDEST = 1012


def cell_key(boot: Boot | NoBoot) -> str:
    """The key of a cell of the picture.

    >>> from pgtlab import CPU, Config, boot
    >>> cell_key(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
    '16k/52/52/max,lpa2=off'
    """
    config = boot.config
    return f"{config.page_size_name}/{config.va_bits}/{config.pa_bits}/{boot.cpu.name}"


@dataclass(frozen=True)
class _Run:
    """Neighbouring cells of a row with the same outcome: of the columns `first` up to, not including, `last`."""

    boot: Boot | NoBoot
    first: int
    last: int
    known: bool

    @property
    def levels(self) -> list[LinuxLevel]:
        """The levels that have bits; none where the kernel does not boot, or what becomes of it is not known."""
        if isinstance(self.boot, NoBoot) or not self.known:
            return []
        return [level for level in decompose(0, self.boot).linux if level.hi is not None]


@dataclass(frozen=True)
class _Layout:
    """Where things are: with little room, the bits in use stand above the boxes and not beside them."""

    label: int
    row: int
    beside: bool
    end: int

    @classmethod
    def within(cls, room: float) -> _Layout:
        end = min(WIDEST, max(628, int(room)))
        return cls(186, 30, True, end) if end > 900 else cls(92, 46, False, end)

    @property
    def run(self) -> int:
        """The width that the content of a run needs."""
        return BOXES + 12 + (BITS if self.beside else 0)


def fold_picture(
    boots: Sequence[Boot | NoBoot],
    selected: Boot | NoBoot | None = None,
    room: float = WIDEST,
    known: Collection[str] | None = None,
) -> Picture:
    """Draw what folds where: a row for each configuration, a column for each CPU.

    Parameters
    ----------
    boots : sequence of Boot or NoBoot
        Each configuration on each CPU.
    selected : Boot or NoBoot, optional
        The one to mark.
    room : float
        The width that there is for the picture.
    known : collection of str, optional
        The keys of the cells to fill in; the others have a question mark. All, if it is not given.

    Examples
    --------
    >>> from pgtlab.lab.matrix import boots
    >>> picture = fold_picture(list(boots()))
    >>> picture.title
    'Linux finds out at boot: with 4K pages and 52 bits the p4d folds at run time, with 16K pages and 52 bits the pud'
    >>> [shape.hint for shape in picture.shapes if shape.key == "cell 4k/39/48/max"]
    ['4K pages, VA_BITS=39, PA_BITS=48 on max: 39 bits in use; pgd is level 1, pmd is level 2, pte is level 3']
    """
    configs = list(dict.fromkeys(boot.config for boot in boots))
    at = {(boot.config, boot.cpu.name): boot for boot in boots}
    cpus = _in_classes([boot.cpu.name for boot in boots], configs, at)
    layout, title = _Layout.within(room), _title(boots) if known is None else "What becomes of each of Linux's levels?"
    known = set(map(cell_key, boots)) if known is None else known
    rows = {config: _runs([at[config, cpu] for cpu in cpus], known) for config in configs}
    edges = _edges(list(rows.values()), len(cpus), layout)
    seen = min(layout.end, max(room, NARROWEST_TEXT))  # what can be read without scrolling
    titles = textwrap.wrap(title, int(seen / (CHARACTER + 1)))
    shapes = [text(f"title {n}", EDGE, 16 + n * NOTE_LINE, line, "start strong") for n, line in enumerate(titles)]
    y: float = 16 + len(titles) * NOTE_LINE
    legend, y = _legend(y, seen)
    shapes += legend
    for column, cpu in enumerate(cpus):
        middle = (edges[column] + edges[column + 1]) / 2
        for n, word in enumerate(at[configs[0], cpu].cpu.title.replace("-", " ").split()):
            shapes.append(
                text(
                    f"cpu {cpu} {n}",
                    middle,
                    y + 12 + n * HEAD_LINE,
                    word,
                    f"middle small{' strong' if layout.beside else ''}",
                )
            )
    y += 3 * HEAD_LINE + 6
    for column, cpu in enumerate(cpus):
        x, width = edges[column], edges[column + 1] - edges[column] - 3
        keys = " ".join(cell_key(at[config, cpu]) for config in configs)
        chosen = " selected" if selected is not None and selected.cpu.name == cpu else ""
        shapes.append(rect(f"column {cpu}", x, y - 5, width, 3, f"row{chosen}", cells=keys))
    for config, runs in rows.items():
        shapes += _row(config, runs, [at[config, cpu] for cpu in cpus], edges, y, layout, selected, known)
        y += layout.row
    notes = _notes([boot for boot in boots if cell_key(boot) in known], seen)
    shapes += [text(f"note {n}", EDGE, y + 16 + n * NOTE_LINE, line, "start small") for n, line in enumerate(notes)]
    height = y + 8 + NOTE_LINE * len(notes)
    described = "\n".join(_words(boot, known) for boot in boots)
    return Picture(layout.end, height, title, described, tuple(shapes))


def _in_classes(
    names: Sequence[str], configs: Sequence[Config], at: dict[tuple[Config, str], Boot | NoBoot]
) -> list[str]:
    """The CPUs, those that behave alike beside each other, and those on which most kernels boot first."""
    cpus = list(dict.fromkeys(names))
    alike: dict[tuple[object, ...], list[str]] = {}
    for cpu in cpus:
        alike.setdefault(tuple(_outcome(at[config, cpu]) for config in configs), []).append(cpu)
    order = sorted(alike.items(), key=lambda item: item[0].count(None))
    return [cpu for _, names in order for cpu in names]


def _outcome(boot: Boot | NoBoot) -> object:
    """What a cell shows; None where the kernel does not boot."""
    if isinstance(boot, NoBoot):
        return None
    return boot.vabits_actual, tuple((v.name, v.fold, v.level) for v in decompose(0, boot).linux)


def _runs(boots: Sequence[Boot | NoBoot], known: Collection[str]) -> list[_Run]:
    """A row's runs; a cell that is not known is one by itself."""
    runs, first = list[_Run](), 0
    for _, group in groupby(boots, lambda boot: _outcome(boot) if cell_key(boot) in known else cell_key(boot)):
        same = list(group)
        runs.append(_Run(same[0], first, first + len(same), cell_key(same[0]) in known))
        first += len(same)
    return runs


def _edges(rows: Sequence[Sequence[_Run]], columns: int, layout: _Layout) -> list[float]:
    """The edges of the columns: each is as wide as its share of what a run needs, and of the rest."""
    widths = [0.0] * columns
    for run in (run for runs in rows for run in runs):
        for column in range(run.first, run.last):
            widths[column] = max(widths[column], layout.run / (run.last - run.first) if run.known else NARROWEST)
    spare = (layout.end - EDGE - layout.label - sum(widths)) / columns
    edges = [float(layout.label)]
    for width in widths:
        edges.append(round(edges[-1] + width + spare, 1))
    return edges


def _title(boots: Sequence[Boot | NoBoot]) -> str:
    folds: dict[str, str] = {}
    for boot in boots:
        for name, fold in boot.folded.items() if isinstance(boot, Boot) else ():
            if fold is Fold.RUN_TIME:
                folds[f"with {boot.config.granule} pages and {boot.config.va_bits} bits the"] = name
    (first, name), *others = folds.items() if folds else [("", "")]
    if not name:
        return "No level folds at run time"
    said = "".join(f", {where} {other}" for where, other in others)
    return f"Linux finds out at boot: {first} {name} folds at run time{said}"


def _legend(y: float, end: float) -> tuple[list[Shape], float]:
    """The meaning of the boxes, in as many lines as they need; and where it ends."""
    named = [(f"level-{level}", f"level {level}") for level in range(-1, 4)]
    entries = [*named, ("folded", "computed, not read"), ("outline run-time", "folded at run time")]
    shapes, x = list[Shape](), float(EDGE)
    for classes, name in (*entries, ("", "a gap: folded by the compiler")):
        width = (20 if classes else 0) + CHARACTER * len(name) + 14
        if x + width > end:
            x, y = EDGE, y + LEGEND_LINE
        if classes:
            shapes.append(rect(f"legend {name}", x, y, 14, 14, classes))
        shapes.append(text(f"legend name {name}", x + (20 if classes else 0), y + 11, name, "start small"))
        x += width
    return shapes, y + LEGEND_LINE + 4


def _row(
    config: Config,
    runs: Sequence[_Run],
    boots: Sequence[Boot | NoBoot],
    edges: Sequence[float],
    y: float,
    layout: _Layout,
    selected: Boot | NoBoot | None,
    known: Collection[str],
) -> Iterator[Shape]:
    key = f"{config.page_size_name}/{config.va_bits}/{config.pa_bits}"
    late = any(level.fold is Fold.RUN_TIME for run in runs for level in run.levels)
    strong = " strong" if late else ""
    if late:
        yield rect(f"mark {key}", 0, y + 1, 3, layout.row - 4, "part ink")
    size, physical = f"{config.granule} pages, VA {config.va_bits}", f"PA {config.pa_bits}"
    if layout.beside:
        yield text(f"config {key}", EDGE + 4, y + 18, f"{size}, {physical}", f"start small{strong}")
    else:
        yield text(f"config {key}", EDGE + 4, y + 18, f"{config.granule}, VA {config.va_bits}", f"start small{strong}")
        yield text(f"pa {key}", EDGE + 4, y + 34, physical, "start small")
    for column, boot in enumerate(boots):
        classes = "cell part-of-run selected" if boot == selected else "cell part-of-run"
        width = edges[column + 1] - edges[column] - 3
        yield rect(
            f"cell {cell_key(boot)}",
            edges[column],
            y,
            width,
            layout.row - 3,
            classes,
            _words(boot, known),
            cell=cell_key(boot),
        )
    for run in runs:
        cells = boots[run.first : run.last]
        yield _frame(run, cells, edges[run.first], edges[run.last], y, layout, selected)
        yield from _run(run, cell_key(run.boot), edges[run.first], edges[run.last], y, layout)


def _frame(
    run: _Run,
    cells: Sequence[Boot | NoBoot],
    left: float,
    right: float,
    y: float,
    layout: _Layout,
    selected: Boot | NoBoot | None,
) -> Shape:
    """The frame of a run, which is marked with the chosen cell: what that shows is true of all of them."""
    classes = "unused" if run.known and isinstance(run.boot, NoBoot) else "frame"
    chosen = " selected" if selected in cells else ""
    keys = " ".join(map(cell_key, cells))
    return rect(
        f"run {cell_key(run.boot)}", left, y, right - left - 3, layout.row - 3, f"{classes}{chosen}", cells=keys
    )


def _run(run: _Run, key: str, left: float, right: float, y: float, layout: _Layout) -> Iterator[Shape]:
    """What the cells of a run have in common."""
    stuck = run.known and isinstance(run.boot, NoBoot)
    if not run.known or isinstance(run.boot, NoBoot):
        words = "does not boot" if stuck else "?"
        yield text(f"bits {key}", (left + right) / 2, y + layout.row / 2 + 3, words, "middle small", quiet=True)
        return
    x, top = (left + 6 + BITS, y + 5) if layout.beside else (left + 6, y + 22)
    yield text(
        f"bits {key}",
        left + 6,
        y + 18 if layout.beside else y + 16,
        f"{run.boot.vabits_actual} bits",
        "start small",
        quiet=True,
    )
    for level in run.levels:
        at = x + LINUX_LEVELS.index(level.name) * BOX
        fill = "folded" if level.level is None else f"level-{level.level}"
        border = " run-time" if level.fold is Fold.RUN_TIME else ""
        yield rect(f"{level.name} {key}", at, top, BOX_W, BOX_H, fill + border)
        places = [at + BOX_W / 2 + (i - 1) * LETTER for i in range(3)]
        yield letters(
            f"{level.name} name {key}",
            places,
            top + 13,
            level.name,
            f"middle mono small{' on-fill' if level.level is not None else ''}",
        )


def _notes(boots: Sequence[Boot | NoBoot], seen: float) -> list[str]:
    """Why kernels do not boot, once for each reason."""
    stuck = [boot for boot in boots if isinstance(boot, NoBoot)]
    reasons = dict.fromkeys(boot.reason.removeprefix(f"{boot.cpu.name} ") for boot in stuck)
    width = int((seen - 2 * EDGE) / CHARACTER)
    return [line for reason in reasons for line in textwrap.wrap(f"Does not boot: the CPU {reason}", width)]


def _words(boot: Boot | NoBoot, known: Collection[str]) -> str:
    return fold_line(boot) if cell_key(boot) in known else cell_name(boot)


def cell_name(boot: Boot | NoBoot) -> str:
    """A cell's kernel and CPU in words."""
    config = boot.config
    return f"{config.granule} pages, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {boot.cpu.title}"


def fold_line(boot: Boot | NoBoot) -> str:
    """A cell in words."""
    named = cell_name(boot)
    if isinstance(boot, NoBoot):
        return f"{named}: {boot.reason}"
    levels = [_level(level) for level in decompose(0, boot).linux if level.hi is not None]
    return f"{named}: {boot.vabits_actual} bits in use; {', '.join(levels)}"


def _level(level: LinuxLevel) -> str:
    if level.level is None:
        return f"{level.name} is computed and not read"
    return f"{level.name} is level {level.level}{', folded at run time' if level.fold is Fold.RUN_TIME else ''}"
