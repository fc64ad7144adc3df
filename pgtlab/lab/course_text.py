"""The course's text files: where they are, and how to make a notebook of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pgtlab.extras import needed_by

CHAPTERS = "# {chapters}\n"
_PACKAGE = Path(__file__).resolve().parents[1]


def sources() -> Path:
    """Return the folder with ``notebooks/`` and ``exercises/``: the wheel's copy, or the clone."""
    inside = _PACKAGE / "_course"
    return inside if inside.is_dir() else _PACKAGE.parent


def notebook(source: Path) -> Any:
    """Read a text notebook; a line `{chapters}` in its prose stands for the table of all chapters.

    Raises
    ------
    ValueError
        If the file is not in the ``py:percent`` format.
    """
    text = source.read_text(encoding="utf-8")
    if "\n# %%" not in f"\n{text}":
        raise ValueError(f"{source} is not a notebook: it has no line `# %%`, which starts a cell.")
    if CHAPTERS in text:
        from pgtlab.lab.chapters import table

        text = text.replace(CHAPTERS, "".join(f"# {row}\n" for row in table()))
    return from_text(text)


def from_text(text: str) -> Any:
    """Make a notebook from ``py:percent`` text; the same text always gives the same notebook."""
    with needed_by("a notebook"):
        import jupytext

    made = jupytext.reads(text, fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number:03}"  # Jupytext makes it random
        cell.metadata.pop("lines_to_next_cell", None)  # only Jupytext uses it
    # Without Jupytext's own entry, JupyterLab has no reason to pair the copy with a text file.
    made.metadata.pop("jupytext", None)
    return made
