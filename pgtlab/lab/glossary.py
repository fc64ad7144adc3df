"""The glossary: every term with its sentence, under the chapter that introduces it."""

from __future__ import annotations

from itertools import groupby

from pgtlab.lab.chapters import plans
from pgtlab.terms import Term, terms

_OTHERS = {"more": "More of the field's words", "pgtlab": "pgtlab's own words"}


def glossary() -> str:
    """Return the glossary in Markdown: a part for each chapter, and a heading for each term, to link to.

    >>> "### pfn" in glossary()
    True
    """
    parts = []
    for chapter, group in groupby(terms(), key=lambda term: term.chapter):
        parts += [f"## {_title(chapter)}", *map(_entry, group)]
    return "\n\n".join(parts)


def notebook_text() -> str:
    """Return the glossary as the text of a notebook, for a workbench."""
    lines = ["# Glossary", "", *glossary().splitlines()]
    return "# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in lines) + "\n"


def anchor(name: str) -> str:
    """Return what a link in a notebook has after the number sign: `glossary.ipynb#virtual-address`.

    >>> anchor("`struct page`")
    'struct-page'
    """
    return name.replace("`", "").replace(" ", "-")


def _title(chapter: str) -> str:
    if chapter in _OTHERS:
        return _OTHERS[chapter]
    plan = plans()[chapter]
    return f"[{plan.heading}]({plan.stem}.ipynb)" if plan.written else plan.heading


def _entry(term: Term) -> str:
    also = f"\n\nAlso: {', '.join(term.also)}." if term.also else ""
    return f"### {term.name}\n\n{term.sentence}{also}"
