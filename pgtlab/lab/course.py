"""Make a folder of notebooks and data for a learner from the course's text files, and bring it up to date.

Notebooks and exercises are kept as text (Jupytext's ``py:percent``). A notebook is made from its text once and belongs
to the learner from then on. What was given is kept beside it, in `.course`: when the course has changed, `build` merges
its changes into the learner's notebook (`pgtlab.lab.merge`), or puts the course's version beside it where it cannot.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pgtlab
from pgtlab.extras import needed_by
from pgtlab.files import write_file
from pgtlab.lab import course_data, glossary, progress
from pgtlab.lab.course_text import from_text, notebook, sources
from pgtlab.lab.exercise import learner_notebook
from pgtlab.lab.merge import Merged, merge
from pgtlab.lab.variants import COURSE, seed_of

#: The folder in a workbench with what the course gave: data, and the notebooks under their digests.
GIVEN = ".course"
#: What the name of the course's notebook ends with where the learner's own is in its place.
NEW = "-new"
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

    Attributes
    ----------
    path : Path
        The learner's notebook.
    state : {"new", "kept", "updated", "beside"}
        ``new``: it was written now. ``kept``: it is as the learner left it, and the course has nothing newer.
        ``updated``: the course's changes were merged into it. ``beside``: it is as the learner left it, and the
        course's version is beside it, because nothing says from which one it was made.
    said : str
        A sentence for the learner, if the last two concern what the learner wrote.
    """

    path: Path
    state: Literal["new", "kept", "updated", "beside"]
    said: str = ""


def build(folder: Path, course: Path | None = None) -> list[NotebookFile]:
    """Make `folder` a workbench, or bring it up to date: write what it lacks, and lose nothing that a learner wrote.

    Raises
    ------
    ValueError
        If there is a file where the folder should be, or `course` has no notebooks.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: the workbench needs a folder of its own.")
    course = course or sources()
    if not any(course.glob("notebooks/*.py")) and not any(course.glob("exercises/*.py")):
        raise ValueError(f"{course} has no course: notebooks/*.py and exercises/*.py are missing.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # on a shared machine, answers are read by their owner only
    seed = seed_of(COURSE, progress.start(folder))
    files = [_place(folder, name, made) for name, made in _notebooks(course, seed)]
    course_data.place(folder, folder / GIVEN)
    return files


def _notebooks(course: Path, seed: str) -> Iterator[tuple[str, Any]]:
    """Make each notebook of a course; its name is its path in the workbench, without the suffix."""
    parts: dict[str, Callable[[Path], Any]] = {
        "notebooks": notebook,
        "exercises": partial(learner_notebook, seed=seed),
    }
    for part, read in parts.items():
        for source in sorted((course / part).glob("[!_]*.py")):
            yield f"{part}/{source.stem}", read(source)
    if (course / "notebooks" / "terms.toml").exists():
        yield "notebooks/glossary", from_text(glossary.notebook_text())


def _place(folder: Path, name: str, made: Any) -> NotebookFile:
    target = folder / f"{name}.ipynb"
    digest = hashlib.sha256(json.dumps([(c.cell_type, c.source, c.metadata) for c in made.cells]).encode()).hexdigest()
    made.metadata |= {"kernelspec": KERNEL, "language_info": LANGUAGE}
    made.metadata["pgtlab"] = {
        **made.metadata.get("pgtlab", {}),
        "source": name.removesuffix(NEW),
        "sha256": digest,
        "version": pgtlab.__version__,
    }
    if not target.exists():
        _remember(folder, made, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_file(target, _text(made), replace=False)
        except FileExistsError:  # another `pgtlab lab` was quicker
            return NotebookFile(target, "kept")
        return NotebookFile(target, "new")
    if (was := _made_from(target)) == digest:
        _remember(folder, made, digest)
        return NotebookFile(target, "kept")
    own, given = _read(target), _read(folder / GIVEN / f"{was}.ipynb")
    if own and given:
        _remember(folder, made, digest)
        merged = merge(given, own, made)
        _trust(merged.notebook, own)
        return _update(folder / GIVEN / "before", target, merged)
    if own and [cell.source for cell in own.cells] == [cell.source for cell in made.cells]:
        return NotebookFile(target, "kept")
    beside = _place(folder, f"{name}{NEW}", made).path
    why = "Nothing says which version of the course it was made from" if own else "It cannot be read as a notebook"
    return NotebookFile(target, "beside", f"{target} is as you left it. {why}: the course's version is {beside}.")


def _update(before: Path, target: Path, merged: Merged) -> NotebookFile:
    """Write a merged notebook, and keep the learner's file in the folder `before` if it was more than the course's."""
    own = target.read_bytes()
    kept = before / f"{target.stem}-{hashlib.sha256(own).hexdigest()[:8]}.ipynb"
    if merged.edited:
        _write(kept, own)
    _write(target, _text(merged.notebook))
    if not merged.edited:
        return NotebookFile(target, "updated")
    said = f"{target} has the course's changes to {_cells(merged.changed)}, and what you wrote."
    if merged.both:
        said += f" You had changed {_cells(merged.both)} of these too: the course's text is above yours."
    return NotebookFile(target, "updated", f"{said} Your file as it was: {kept}.")


def trust(files: Iterable[NotebookFile]) -> None:
    """Let Jupyter trust notebooks that the course has just made, so that a link in a view opens without a warning."""
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for file in files:
        if made := _read(file.path):
            notary.sign(made)


def _trust(merged: Any, own: Any) -> None:
    """Let Jupyter trust the output of a merged notebook, all of which is the learner's, if it trusted the learner's."""
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    if notary.check_signature(own):
        notary.sign(merged)


def _cells(number: int) -> str:
    return f"{number} cell{'s' * (number != 1)}"


def _remember(folder: Path, made: Any, digest: str) -> None:
    given = folder / GIVEN / f"{digest}.ipynb"
    if not given.exists():
        _write(given, _text(made))


def _made_from(target: Path) -> str | None:
    """Return the digest of what a notebook was made from, or None if it does not say."""
    try:
        return str(json.loads(target.read_text(encoding="utf-8"))["metadata"]["pgtlab"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # the learner's own notebook, or another file


def _read(path: Path) -> Any:
    """Return a valid notebook, or None if the file is missing or is something else."""
    with needed_by("a notebook"):
        import nbformat
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about missing ids, which the merge does without
            found = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
            nbformat.validate(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, nbformat.ValidationError):
        return None
    return found


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)


def _text(notebook: Any) -> bytes:
    with needed_by("a notebook"):
        import nbformat

    return f"{nbformat.writes(notebook)}\n".encode()
