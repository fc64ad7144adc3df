"""Make a folder of notebooks and data for a learner from the course's text files.

Notebooks and exercises are kept as text (Jupytext's ``py:percent``). A notebook is made from its text once and belongs
to the learner from then on: `build` writes what is missing and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pgtlab.extras import needed_by
from pgtlab.lab import course_data, glossary, progress
from pgtlab.lab.course_text import from_text, notebook, sources
from pgtlab.lab.exercise import learner_notebook

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
#: What ipykernel says of its language. JupyterLab writes it into a notebook that it opens, and takes one that does not
#: have it for changed.
LANGUAGE = {
    "name": "python",
    "version": sys.version.split()[0],
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}


@dataclass(frozen=True)
class NotebookFile:
    """A notebook in a workbench folder, and what `build` did with it.

    ``new``: it was written now. ``kept``: it was there before. ``outdated``: it was there before, and its source has
    changed since it was made.
    """

    path: Path
    state: Literal["new", "kept", "outdated"]


def build(folder: Path, course: Path | None = None) -> list[NotebookFile]:
    """Make `folder` a workbench: write every notebook and data file that it lacks, and overwrite none.

    Raises
    ------
    ValueError
        If there is a file where the folder should be, or `course` has no notebooks.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: the workbench needs a folder of its own.")
    course = course or sources()
    pages = [
        _place(
            source.read_bytes(), partial(read, source), folder / part / f"{source.stem}.ipynb", f"{part}/{source.name}"
        )
        for part, read in {"notebooks": notebook, "exercises": learner_notebook}.items()
        for source in _texts(course / part)
    ]
    if not pages:
        raise ValueError(f"{course} has no course: notebooks/*.py and exercises/*.py are missing.")
    if (course / "notebooks" / "terms.toml").exists():
        words, target = glossary.notebook_text(), folder / "notebooks" / "glossary.ipynb"
        pages.append(_place(words.encode(), partial(from_text, words), target, "notebooks/terms.toml"))
    course_data.place(folder)
    progress.start(folder)
    return pages


def _texts(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_"))


def _place(source: bytes, read: Callable[[], Any], target: Path, name: str) -> NotebookFile:
    digest = hashlib.sha256(source).hexdigest()
    if target.exists():
        return NotebookFile(target, "kept" if _made_from(target) in (digest, None) else "outdated")
    made = read()
    made.metadata["kernelspec"] = KERNEL
    made.metadata["language_info"] = LANGUAGE
    made.metadata["pgtlab"] = {"source": name, "sha256": digest}
    with needed_by("a notebook"):
        import nbformat

    text = nbformat.writes(made)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8") as new:  # "x": even in a race, never over a file
        new.write(text + "\n")
    return NotebookFile(target, "new")


def _made_from(target: Path) -> str | None:
    """Return the digest of the text that a notebook was made from, or None if it does not say."""
    try:
        return str(json.loads(target.read_text(encoding="utf-8"))["metadata"]["pgtlab"]["sha256"])
    except (ValueError, KeyError, TypeError):
        return None  # the learner's own notebook, or another file
