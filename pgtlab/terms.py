"""The terms of the field and of the course, each with its one plain sentence: `notebooks/terms.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Term:
    """A term, and where the course introduces it.

    Attributes
    ----------
    name : str
        The term.
    sentence : str
        What it means, in Markdown.
    chapter : str
        The stem of the chapter that introduces it; `more` or `pgtlab` for one that no chapter does.
    also : tuple of str
        Other names and forms of the same term.
    everyday : bool
        Whether it is an ordinary word too, which a text may use before the term is introduced.
    """

    name: str
    sentence: str
    chapter: str
    also: tuple[str, ...] = ()
    everyday: bool = False

    @property
    def plain(self) -> str:
        """The sentence without Markdown, for a tooltip."""
        return re.sub(r"[*`]|\]\([^)]*\)|\[", "", self.sentence)


@cache
def terms() -> tuple[Term, ...]:
    """Return all terms in the order of the course.

    >>> {term.name: term.chapter for term in terms()}["pfn"]
    '06b_page_to_number'
    """
    inside = _PACKAGE / "_course"
    course = inside if inside.is_dir() else _PACKAGE.parent
    chapters = tomllib.loads((course / "notebooks" / "terms.toml").read_text(encoding="utf-8"))
    return tuple(
        _term(name, value, chapter) for chapter, entries in chapters.items() for name, value in entries.items()
    )


def sentence(name: str) -> str:
    """Return what a term means, without Markdown; empty if the term is unknown.

    >>> sentence("TTBR1")[:32], sentence("sandwich")
    ('The registers with the addresses', '')
    """
    return _by_name().get(name, "")


@cache
def _by_name() -> dict[str, str]:
    return {name.strip("`"): term.plain for term in terms() for name in (term.name, *term.also)}


def _term(name: str, value: str | dict[str, Any], chapter: str) -> Term:
    if isinstance(value, str):
        return Term(name, value, chapter)
    return Term(name, value["sentence"], chapter, tuple(value.get("also", ())), value.get("everyday", False))
