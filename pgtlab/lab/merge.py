"""Merge a chapter that the course has changed into the reader's notebook, cell by cell.

Three notebooks are compared: the chapter as it was `given`, the reader's (`own`), and the course's newer one (`new`).

======================  ===================  ===============================================================
the reader has          the course has       the merged notebook has
======================  ===================  ===============================================================
left a cell as it was   left it as it was    the reader's, with its output
left a cell as it was   changed, removed it  the course's, without output; none
changed a cell          left, removed it     the reader's
changed a cell          changed it           the reader's; above it, as text that does not run, the course's
removed a cell          left, removed it     none
removed a cell          changed it           the course's
added a cell            -                    the reader's
-                       added a cell         the course's
======================  ===================  ===============================================================

nbdime merges notebooks too. It is not used here, because it writes conflict markers into code, keeps the output of a
cell whose code it replaces, takes cells with the same id for the same cell, and adds its own buttons to JupyterLab.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

Cells = list[Any]

#: Two cells of one type are the same cell, changed, if they share this part of their words.
ALIKE = 0.5


@dataclass(frozen=True)
class Merged:
    """A merged notebook.

    Attributes
    ----------
    notebook : NotebookNode
        A valid notebook, with the ids and the metadata of the course's cells.
    changed : int
        How many cells the course had added, changed or removed.
    both : int
        How many of these the reader had changed too, so that both forms are there.
    edited : bool
        Whether the reader had changed anything at all; output does not count.
    """

    notebook: Any
    changed: int
    both: int
    edited: bool


def merge(given: Any, own: Any, new: Any) -> Merged:
    """Merge what the course changed between `given` and `new` into the reader's notebook.

    Examples
    --------
    >>> from pgtlab.lab.course_text import from_text
    >>> given, own, new = (
    ...     from_text(f"# %% [markdown]\\n# {title}\\n\\n# %%\\n{code}\\n")
    ...     for title, code in (("Teh walk", "x = 1"), ("Teh walk", "x = 2"), ("The walk", "x = 1"))
    ... )
    >>> [cell.source for cell in merge(given, own, new).notebook.cells]
    ['The walk', 'x = 2']
    """
    readers, courses = pairs(given.cells, own.cells, by_id=True), pairs(given.cells, new.cells)
    was_own, was_new = _inverse(readers), _inverse(courses)
    merged: list[tuple[int | None, Cells]] = []  # in the reader's order: a place in the course, and what stands there
    for number, cell in enumerate(own.cells):
        was = was_own.get(number)
        place = None if was is None else courses.get(was)
        old = None if was is None else given.cells[was]
        course = None if place is None else new.cells[place]
        merged.append((place, [copy.deepcopy(one) for one in _chosen(old, cell, course)]))
        if old is not None and course is not None:
            merged[-1][1][-1].metadata = _metadata(old.metadata, cell.metadata, course.metadata)
    differs = [n not in was_new or _differ(given.cells[was_new[n]], cell) for n, cell in enumerate(new.cells)]
    removed = len(given.cells) - len(courses)
    added = [n for n, cell in enumerate(new.cells) if differs[n] and was_new.get(n) not in readers]

    notebook = copy.deepcopy(own)
    notebook.cells = _with_ids(_in_place(merged, {n: new.cells[n] for n in added}, len(new.cells)), new.cells)
    notebook.metadata = _metadata(given.metadata, own.metadata, new.metadata)
    notebook.nbformat_minor = max(own.nbformat_minor, new.nbformat_minor)
    both = sum(len(cells) > 1 for _, cells in merged)
    edited = [_key(cell) for cell in given.cells] != [_key(cell) for cell in own.cells]
    return Merged(notebook, sum(differs) + removed, both, edited)


def pairs(given: Cells, other: Cells, *, by_id: bool = False) -> dict[int, int]:
    """Return which cell of `given` is which of `other`, by their places.

    Jupyter keeps the id of a cell that its reader edits or moves; the ids of the course only count its cells.
    """
    found: dict[int, int] = {}
    if by_id:
        places = {cell.get("id"): place for place, cell in reversed(list(enumerate(other)))}
        found = {place: places[cell.id] for place, cell in enumerate(given) if cell.id in places}
    left = [place for place in range(len(given)) if place not in found]
    right = sorted(set(range(len(other))) - set(found.values()))
    same = SequenceMatcher(None, [_key(given[p]) for p in left], [_key(other[p]) for p in right], autojunk=False)
    for kind, i, i_end, j, j_end in same.get_opcodes():
        if kind == "equal":
            found.update(zip(left[i:i_end], right[j:j_end], strict=True))
        elif kind == "replace":
            found.update(_alike(given, left[i:i_end], other, right[j:j_end]))
    return found


def _alike(given: Cells, left: list[int], other: Cells, right: list[int]) -> Iterator[tuple[int, int]]:
    for place in left:
        for number, candidate in enumerate(right):
            one, two = given[place], other[candidate]
            words = SequenceMatcher(None, _words(one), _words(two), autojunk=False)
            if one.cell_type == two.cell_type and words.ratio() >= ALIKE:
                yield place, candidate
                right = right[number + 1 :]
                break


def _chosen(old: Any, own: Any, course: Any) -> Cells:
    """Return what stands in the place of the reader's cell; `old` and `course` are None where there is none."""
    if old is None or (_differ(old, own) and (course is None or not _differ(old, course))):
        return [own]
    if course is None:
        return []
    if not _differ(own, course):
        return [own]
    return [_shown(course), own] if _differ(old, own) else [course]


def _shown(course: Any) -> Any:
    """Return a cell that shows the course's form of a cell, and runs nothing."""
    text = course.source if course.cell_type == "markdown" else f"~~~python\n{course.source}\n~~~"
    cell = copy.deepcopy(course)
    cell.cell_type, cell.metadata, cell.id = "markdown", type(course.metadata)(), ""
    cell.source = (
        f"**You and the course have both changed the next cell.** Yours is below; the course's is now:\n\n{text}"
    )
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    return cell


def _in_place(
    merged: list[tuple[int | None, Cells]], added: dict[int, Any], places: int
) -> Iterator[tuple[int | None, Any]]:
    """Put each cell that only the course has before the course's next cell, or at the end."""
    taken = {place for place, _ in merged if place is not None}
    before: dict[int | None, list[int]] = defaultdict(list)
    following = None
    for place in reversed(range(places)):
        if place in taken:
            following = place
        elif place in added:
            before[following].insert(0, place)
    for at, cells in merged:
        if at is not None:
            yield from ((place, copy.deepcopy(added[place])) for place in before.pop(at, []))
        yield from ((None, cell) for cell in cells[:-1])
        yield from ((at, cell) for cell in cells[-1:])
    yield from ((place, copy.deepcopy(added[place])) for place in before[None])


def _with_ids(placed: Iterator[tuple[int | None, Any]], course: Cells) -> Cells:
    """Give each cell of the course its new id, and each other one an id that no cell has."""
    cells = list(placed)
    ids = {cell.id for cell in course}
    for place, cell in cells:
        if place is not None:
            cell.id = course[place].id
        else:
            cell.id = next(i for i in _ids(cell.get("id") or "shown") if i not in ids)
            ids.add(cell.id)
    return [cell for _, cell in cells]


def _ids(first: str) -> Iterator[str]:
    yield first
    number = 1
    while True:
        yield f"{first[:50]}-{number}"
        number += 1


def _metadata(old: Any, own: Any, new: Any) -> Any:
    """Keep what the reader's tools added, and take the rest from the course."""
    merged = type(own)({key: value for key, value in own.items() if key not in old} | new)
    if "pgtlab" in own and "pgtlab" in new:
        merged["pgtlab"] = {**own["pgtlab"], **new["pgtlab"]}
    return merged


def _key(cell: Any) -> tuple[str, str]:
    return cell.cell_type, cell.source.rstrip()


def _words(cell: Any) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", cell.source)


def _differ(one: Any, two: Any) -> bool:
    return _key(one) != _key(two)


def _inverse(places: dict[int, int]) -> dict[int, int]:
    return {there: here for here, there in places.items()}
