"""The picture of a matrix: a row for each configuration, a column for each CPU, a letter for each outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.picture import Picture, Shape, rect, text

LABEL, HEAD, CELL, ROW = 112, 54, 62, 27
#: The letter of an outcome, and its class.
OUTCOMES: Final = {
    "clean": ("✓", "clean"),
    "report": ("R", "report"),
    "panic": ("P", "panic"),
    "unnoticed": ("?", "bad"),
    "stopped": ("!", "bad"),  # a learner's patch did not finish
    "no boot": ("–", "none"),
}


def matrix_picture(
    boots: Sequence[Boot | NoBoot], outcomes: Mapping[str, str], title: str, selected: Boot | NoBoot | None = None
) -> Picture:
    """Draw the outcomes so far, by `cell_key`.

    >>> from pgtlab.lab.matrix import boots
    >>> picture = matrix_picture(list(boots()), {"4k/48/48/max": "panic"}, "next-20240229")
    >>> [shape.text for shape in picture.shapes if shape.key == "letter 4k/48/48/max"]
    ['P panic']
    """
    configs = list(dict.fromkeys(boot.config for boot in boots))
    cpus = list(dict.fromkeys(boot.cpu.name for boot in boots))
    shapes: list[Shape] = [text("title", 4, 16, title, "start strong")]
    for column, name in enumerate(cpus):
        shapes += _cpu(name, LABEL + (column + 0.5) * CELL)
    for row, config in enumerate(configs):
        label = f"{config.granule} VA {config.va_bits} PA {config.pa_bits}"
        shapes.append(text(f"config {row}", 4, HEAD + row * ROW + 17, label, "start small"))
    for boot in boots:
        x, y = LABEL + cpus.index(boot.cpu.name) * CELL, HEAD + configs.index(boot.config) * ROW
        shapes += _cell(cell_key(boot), outcomes.get(cell_key(boot)), x, y, boot == selected)
    lines = [f"{cell_key(boot)}: {outcomes.get(cell_key(boot), 'not run yet')}" for boot in boots]
    size = LABEL + len(cpus) * CELL + 4, HEAD + len(configs) * ROW + 4
    return Picture(*size, title, "\n".join(lines), tuple(shapes))


def _cpu(name: str, x: float) -> Iterator[Shape]:
    """The name of a CPU above its column, in two lines if it is long."""
    first, _, second = name.replace(",lpa2=off", " no LPA2").replace("-", "- ").partition(" ")
    for line, part in enumerate([second, first] if second else [first]):
        yield text(f"cpu {name} {line}", x - 1.5, HEAD - 6 - 14 * line, part, "middle small")


def _cell(key: str, outcome: str | None, x: float, y: float, selected: bool) -> Iterator[Shape]:
    letter, classes = OUTCOMES[outcome] if outcome else ("", "unknown")
    hint = f"{key}: {outcome or 'not run yet'}"
    mark = " selected" if selected else ""
    yield rect(f"cell {key}", x, y, CELL - 3, ROW - 3, f"cell {classes}{mark}", hint, cell=key)
    ink = " on-fill" if classes in ("clean", "report", "panic") else ""
    shown = f"{letter} {outcome or ''}".strip() if len(outcome or "") < len("unnoticed") else outcome or ""
    yield text(f"letter {key}", x + (CELL - 3) / 2, y + 16, shown, f"middle small{ink}", quiet=True)
