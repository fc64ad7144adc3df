"""An exercise belongs to a chapter, and uses no term that a later chapter introduces."""

import re

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.exercise import paths, read
from pgtlab.lab.judge import task
from pgtlab.terms import terms

ORDER = [plan.stem for plan in chapters.plans().values() if plan.number]
EXERCISES = [read(source) for source in paths().values()]


def prose(exercise) -> str:
    """What a learner reads: the task and the hints without code, and what the task gives."""
    words = "\n".join(cell.source for cell in exercise.cells if cell.tag in ("", "hint") and not cell.is_code)
    if "def given(" in exercise.code("check"):
        words += task(exercise.name, "practice")
    named = "|".join(exercise.parameters) or "(?!)"  # the task says what the parameters are
    return re.sub(rf"`[^`]*`|Your task|\b(?:{named})\b", "", words.replace("\n# ", "\n"))


def form(name: str) -> str:
    return re.escape(name) if name[1:] != name[1:].lower() else f"(?i:{re.escape(name)})"


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_no_term_before_the_chapter_that_introduces_it(exercise):
    later = ORDER[ORDER.index(exercise.about.chapter) + 1 :]
    early = []
    for term in terms():
        if term.chapter in later and not term.everyday:
            names = "|".join(form(name) for name in (term.name, *term.also) if "`" not in name)
            if names and (found := re.search(rf"(?<![\w-])(?:{names})(?:s|es)?(?![\w-])", prose(exercise))):
                early.append(f"{found[0]}: {term.chapter}")
    assert early == []
