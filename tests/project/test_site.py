"""The site: every page is reachable, links and anchors resolve, and nothing is loaded from a network.

What is marked `site` reads the built pages: `make site` runs it when it has built them.
"""

import ast
import doctest
import html
import importlib.util
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from pgtlab import Config, Fold, boot
from pgtlab.lab import glossary

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def script(name):
    """A file of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


check_site = script("check_site")


@pytest.fixture(scope="module")
def site():
    """The pages that `make site` has built."""
    if not (pages := ROOT / "build" / "site").exists():
        pytest.skip("no site in build/site: `make site` builds it")
    return pages


@pytest.mark.site
def test_reference_lists_every_public_module(site):
    pages = "".join(path.read_text() for path in (site / "docs" / "api").glob("*.html"))
    for package, folder in {"pgtlab": ROOT, "pgtlab_widgets": ROOT / "widgets"}.items():
        for path in (folder / package).rglob("*.py"):
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            public = not any(part.startswith("_") for part in name.split("."))
            if public and name != "pgtlab" and not name.startswith("pgtlab.cli"):
                assert pages.count(f'id="module-{name}"') == 1, name


@pytest.mark.site
def test_exercises_show_no_solution(site):
    for source in (ROOT / "exercises").glob("[0-9]*.py"):
        page = (site / "exercises" / f"{source.stem}.html").read_text()
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        for cell in re.split(r"\n# %% ?", source.read_text()):
            header, _, body = cell.partition("\n")
            if 'tags=["stub"]' in header:
                assert body.strip() in text
            if 'tags=["solution"]' in header:
                assert body.strip() not in text
            if 'tags=["wrong"]' in header:
                assert header.partition(" tags=")[0] not in page


GLOSSARY = glossary.glossary()


@pytest.mark.site
def test_glossary_shows_each_definition(site):
    terms = sum(line.startswith("### ") for line in GLOSSARY.splitlines())
    assert (site / "docs" / "glossary.html").read_text().count("<h3>") == terms > 60


def test_classes_in_the_glossary_exist():
    source = "".join(path.read_text() for path in (ROOT / "pgtlab").rglob("*.py"))
    own_words = GLOSSARY.split("## pgtlab's own words")[1]
    names = {name for line in re.findall(r"^### (.*)$", own_words, re.M) for name in re.findall(r"\b[A-Z]\w+", line)}
    assert len(names) > 10
    assert [name for name in sorted(names) if f"\nclass {name}" not in source] == []


def unended_sections(docstring):
    """The lines below a numpydoc section that belong to none, such as an example without a heading."""
    section, previous = "", "text"
    for line, below in pairwise([*docstring.splitlines(), "", ""]):
        if re.fullmatch("-{3,}", below):
            section = line
        elif section in ("Parameters", "Returns", "Raises", "Attributes") and not previous and line[:1].strip(" -"):
            yield line
        previous = line


def test_docstrings_have_a_heading_for_each_section():
    for folder in (ROOT / "pgtlab", ROOT / "widgets" / "pgtlab_widgets"):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                    docstring = ast.get_docstring(node) or ""
                    assert [*unended_sections(docstring)] == [], f"{path.relative_to(ROOT)}: {docstring[:60]}"


def test_section_without_an_end_is_found():
    docstring = "Do it.\n\nRaises\n------\nValueError\n    Always.\n\n>>> 1\n1"
    assert [*unended_sections(docstring)] == [">>> 1"]
    assert [*unended_sections(docstring.replace(">>>", "Examples\n--------\n>>>"))] == []


def write(folder, **pages):
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<html><head><link rel=stylesheet href=style.css></head>{body}</html>")
    (folder / "style.css").write_text("body { background: url(data:,) }")
    return [*check_site.faults(folder)]


def test_sound_site_has_no_faults(tmp_path):
    pages = {"index": '<a href="other.html#here">', "other": '<p id="here"><a href="https://example.org">'}
    assert write(tmp_path, **pages) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="missing.html">', "leads to nothing"),
        ('<a href="#nowhere">', "names an anchor"),
        ('<script src="https://example.org/a.js"></script>', "is loaded from a network"),
        ('<img src="//example.org/a.png">', "is loaded from a network"),
        ('<img src="a.png">', "is not there"),
        ("<style>@import 'https://example.org/a.css';</style>", "is loaded from a network"),
    ],
)
def test_fault_is_found(tmp_path, body, fault):
    [sentence] = write(tmp_path, index=body)
    assert fault in sentence


def test_unreachable_page_is_found(tmp_path):
    assert write(tmp_path, index="", other="") == ["other.html: no link leads to this page."]


def test_network_in_a_style_sheet_is_found(tmp_path):
    write(tmp_path, index="")
    (tmp_path / "style.css").write_text("@font-face { src: url('https://example.org/font.woff2') }")
    assert [*check_site.faults(tmp_path)] == ["style.css: https://example.org/font.woff2 is loaded from a network."]


@pytest.mark.parametrize("page", ["getting-started", "folding"])
def test_examples_in_pages_are_true(page):
    failed, tried = doctest.testfile(str(DOCS / f"{page}.md"), module_relative=False)
    assert tried > 0
    assert failed == 0


ROW = re.compile(r"^\| (\d+)K \| (\d+) \| level (-?\d) \| level (-?\d) \| (.*) \|$", re.MULTILINE)


@pytest.mark.parametrize("row", ROW.findall((DOCS / "two-views.md").read_text()), ids=lambda row: f"{row[0]}K-{row[1]}")
def test_table_of_levels_is_true(row):
    size, bits, start_level, pgd_level, folded = row
    booted = boot(Config(f"{size}k", int(bits)))
    assert start_level == pgd_level == str(booted.start_level)
    names = [name for name, fold in booted.folded.items() if fold is Fold.COMPILE_TIME]
    assert folded == (", ".join(names) or "none")


def test_citation_agrees_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"]
    assert " AND ".join(citation["license"]) == project["license"]
    assert citation["authors"] == project["authors"]
    assert all((ROOT / name).is_file() for name in project["license-files"])
