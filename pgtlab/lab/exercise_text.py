"""The text of an exercise: its cells, and the form of it that students get.

Nothing is imported here but the standard library, because the build of the wheel uses it before anything is installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: The tags of a cell; the cells of the task have none.
TAGS: Final = ("", "about", "seed", "stub", "hint", "call", "solution", "wrong", "check", "hidden")
#: What only the instructor has.
INSTRUCTORS: Final = frozenset({"solution", "wrong", "hidden"})


@dataclass(frozen=True)
class ExerciseCell:
    """A cell of the text: its first line, `# %% ...`, and the lines below it."""

    header: str
    source: str

    @property
    def tag(self) -> str:
        """The tag that says what the cell is for; empty for the task itself."""
        tags = re.search(r'tags=\["(.*?)"\]', self.header)
        return tags[1] if tags else ""

    @property
    def title(self) -> str:
        """The words between `# %%` and the tags."""
        return re.split(r"\[markdown\]|tags=", self.header.removeprefix("# %%"))[0].strip()

    @property
    def feedback(self) -> str:
        """A part of the feedback that a wrong answer must get."""
        feedback = re.search(r'feedback="(.*?)"', self.header)
        return feedback[1] if feedback else ""

    @property
    def mark(self) -> int:
        """The points that a wrong answer must get."""
        mark = re.search(r"mark=(\d+)", self.header)
        return int(mark[1]) if mark else 0

    @property
    def is_code(self) -> bool:
        """Whether it is a cell of code."""
        return "[markdown]" not in self.header

    def __str__(self) -> str:
        return f"{self.header}\n{self.source}\n\n"


def cells_of(text: str) -> tuple[ExerciseCell, ...]:
    """The cells of a text, in order.

    >>> [cell.tag for cell in cells_of('# %% tags=["stub"]' + chr(10) + "answer = None")]
    ['stub']
    """
    parts = re.split(r"^(# %%.*)$", text, flags=re.MULTILINE)
    return tuple(ExerciseCell(h, s.strip("\n")) for h, s in zip(parts[1::2], parts[2::2], strict=True))


def students_text(text: str) -> str:
    """The text without what only the instructor has: it still judges, and holds no answer.

    >>> students_text('# %% tags=["solution"]' + chr(10) + "answer = 42" + chr(10))
    ''
    """
    return "".join(str(cell) for cell in cells_of(text) if cell.tag not in INSTRUCTORS)
