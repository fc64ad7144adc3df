"""The text of the course: terms before their use, links, sections, code and spelling."""

import re
import subprocess
import sys
from functools import cache
from urllib.parse import unquote

import pytest

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.granule import G4K, G16K, LAST_LEVEL
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab import chapters
from pgtlab.lab.course_text import sources
from pgtlab.lab.glossary import anchor, glossary
from pgtlab.terms import Term, terms
from tests.notebooks.course import (
    CHAPTERS,
    FOLDER,
    PAGES,
    cells,
    headings,
    lines_outside_functions,
    prose,
    question,
    without_code,
    words_of,
)

ROOT = sources()
WORDS = 250  # of a section, without something to do
LINES = 10  # of code, outside functions
ORDER = [plan.stem for plan in CHAPTERS]
TERMS = [term for term in terms() if term.chapter in ORDER]
IDS = [plan.stem for plan in CHAPTERS]


@cache
def forms(term: Term) -> re.Pattern[str]:
    """Every form of a term in the text without code. An abbreviation is one only in capitals: FAR is not far."""
    names = (name for name in (term.name, *term.also) if "`" not in name)
    ignoring_case = (re.escape(name) if name[1:] != name[1:].lower() else f"(?i:{re.escape(name)})" for name in names)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ignoring_case) or '(?!)'})(?:s|es)?(?![\w-])")


@cache
def definition(term: Term) -> re.Pattern[str]:
    """The bold words that mark where a term is defined."""
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in (term.name, *term.also))
    return re.compile(rf"\*\*(?:[^*]*\W)?(?:{names})(?:s|es)?(?:\W[^*]*)?\*\*", re.I)


@cache
def defining_section(term: Term) -> str | None:
    """The heading of the section that has the term in bold; empty at the beginning of the chapter."""
    bold = definition(term)
    found = (cell.section for cell in cells(term.chapter) if cell.kind == "markdown" and bold.search(cell.source))
    return next(found, None)


def test_a_term_is_defined_once():
    names = [name for term in terms() for name in (term.name, *term.also)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_a_term_is_defined_in_its_chapter():
    assert {term.name: term.chapter for term in TERMS if defining_section(term) is None} == {}


def first_use(term: Term) -> str:
    """The place that uses a term before the section that defines it; empty if there is none.

    But a chapter may begin with a question that has one, and chapter 0 with a test to skip it.
    """
    used, home = forms(term), defining_section(term)
    longer = [forms(other) for other in terms() if term.name in other.name.split() and other.name != term.name]
    for plan in CHAPTERS:
        for section, where, text in prose(plan.stem):
            if plan.stem == term.chapter and section == home:
                return ""
            if (plan.stem == term.chapter and not section) or section.startswith("0.1 "):
                continue
            for other in longer:
                text = other.sub("", text)
            if early := used.search(text):
                return f"{plan.stem}, {section} {where}: {early[0]}"
    return ""


@pytest.mark.slow
def test_no_term_before_the_section_that_defines_it():
    assert {term.name: place for term in TERMS if not term.everyday and (place := first_use(term))} == {}


LINK = re.compile(r"\]\(([^)\s]+)\)")


def broken(link: str) -> str:
    """Why a link in a notebook leads nowhere; empty if it does not."""
    path, _, heading = link.partition("#")
    name = re.fullmatch(r"(?:\.\./exercises/)?(\w+)\.ipynb", path)
    if path and not name:
        return "a notebook links to notebooks and exercises only: the workbench has nothing else"
    folder = ROOT / "exercises" if path.startswith("../") else FOLDER
    if name and name[1] != "glossary" and not (folder / f"{name[1]}.py").exists():
        return "no such notebook"
    if not name or not heading or path.startswith("../"):
        return ""
    places = [term.name for term in terms()] if name[1] == "glossary" else headings(name[1])
    return "" if unquote(heading) in map(anchor, places) else "no such heading"


@pytest.mark.parametrize("stem", ["index", *(plan.stem for plan in PAGES)])
def test_links_resolve(stem):
    texts = [cell.source for cell in cells(stem) if cell.kind == "markdown"]
    texts += [text for name in chapters.names(stem) for text in words_of(question(name))]
    links = [link for text in texts for link in LINK.findall(re.sub(r"`[^`]*`", "", text)) if "://" not in link]
    assert {link: why for link in links if (why := broken(link))} == {}


def test_links_of_the_glossary_resolve():
    assert {link: why for link in LINK.findall(glossary()) if (why := broken(link))} == {}


@pytest.mark.parametrize("plan", CHAPTERS, ids=IDS)
def test_a_chapter_has_its_parts(plan):
    first, *_, last = [cell for cell in cells(plan.stem) if cell.source.strip()]
    assert first.source.startswith(f"# {plan.heading}\n")
    code = "\n".join(cell.source for cell in cells(plan.stem) if cell.kind == "code")
    assert f'Chapter("{plan.stem}")' in code
    assert "chapter.summary()" in code
    assert "In three lines" in " ".join(headings(plan.stem))
    if plan.next and chapters.plan(plan.next).written:
        assert f"({plan.next}.ipynb)" in last.source, "no link to the next chapter at the end"


@pytest.mark.parametrize("plan", CHAPTERS, ids=IDS)
def test_no_section_is_long_without_something_to_do(plan):
    run, long = 0, []
    for cell in cells(plan.stem):
        run = 0 if cell.kind == "code" or re.search(r"^## ", cell.source, re.M) else run
        run += len(without_code(cell.source).split()) if cell.kind == "markdown" else 0
        if run > WORDS:
            long.append(f"{cell.section}: {run} words")
    assert long == []


@pytest.mark.parametrize("plan", CHAPTERS, ids=IDS)
def test_a_power_is_code(plan):
    """Markdown takes two of `2**48 / 2**27` for bold type."""
    text = "\n".join(without_code(cell.source) for cell in cells(plan.stem) if cell.kind == "markdown")
    assert re.findall(r"\w\*\*\d+", text) == []


@pytest.mark.parametrize("plan", PAGES, ids=lambda plan: plan.stem)
def test_code_is_short(plan):
    code = [cell for cell in cells(plan.stem) if cell.kind == "code"]
    assert {cell.source: count for cell in code if (count := lines_outside_functions(cell.source)) > LINES} == {}


def test_a_line_of_the_log_has_a_section():
    written = [line for line in chapters.log_lines().values() if chapters.plan(line.chapter).written]
    assert {line.number: line.section for line in written if line.section not in headings(line.chapter)} == {}


def lines_named(text: str) -> set[int]:
    """The lines of the log that a text names: "line 5", "lines 8 to 10 and 13", "lines 50 to 46"."""
    runs = re.findall(r"\b[Ll]ines?\s+(\d+(?:(?:,|\s+and|\s+to)\s+\d+)*)", text)
    ends = [
        sorted([int(end), int(other or end)])
        for run in runs
        for end, other in re.findall(r"(\d+)(?:\s+to\s+(\d+))?", run)
    ]
    return {number for first, last in ends for number in range(first, last + 1)}


def test_the_section_of_a_line_names_it_in_its_text_or_in_a_question():
    silent = {}
    for line in chapters.log_lines().values():
        section = [cell for cell in cells(line.chapter) if cell.section == line.section]
        said = [cell.source for cell in section if cell.kind == "markdown"]
        asked = [name if "/" in name else f"{line.chapter}/{name}" for cell in section for name in cell.asks]
        if line.number not in lines_named("\n".join([*said, *(question(name).text for name in asked)])):
            silent[line.number] = line.section
    assert silent == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Lines 8 to 10 and 13", {8, 9, 10, 13}),
        ("lines 50 to 46", {46, 47, 48, 49, 50}),
        ("12 lines, 3 of them", set()),
    ],
)
def test_a_line_is_found_where_it_is_named(text, named):
    assert lines_named(text) == named


def test_spelling():
    """codespell knows common misspellings; `ignore` has the field's words that look like one."""
    ignore = "vas,ist,nd,fo,te,ot,ans,inout,cas,ser"
    folders = ["notebooks", "exercises", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
    command = [
        sys.executable,
        "-m",
        "codespell_lib",
        "--ignore-words-list",
        ignore,
        "--skip",
        "*.svg,*.png,*.ipynb,*.npz",
    ]
    done = subprocess.run([*command, *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_runs_of_contiguous_entries_are_as_long_as_chapter_12_says():
    formats = [DescriptorFormat(granule, OutputAddress.PLAIN) for granule in (G16K, G4K)]
    runs = [format.contiguous_entries(LAST_LEVEL) for format in formats]
    text = " ".join(cell.source for cell in cells("12_the_cost_of_a_walk") if cell.kind == "markdown")
    assert f"{runs[0]} pages of 16 KiB or {runs[1]} of 4 KiB" in " ".join(text.split())
