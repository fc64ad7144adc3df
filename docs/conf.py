"""Sphinx's settings for the site, which `make docs` builds into build/site.

The source folder is the clone itself, so that a link between two files is the same on the site as in the clone.
Nothing is loaded from a network, neither at build nor in a browser.
"""

from __future__ import annotations

import ast
import importlib
import logging
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pgtlab_widgets
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

import pgtlab
from pgtlab.lab import course_text, exercise, glossary

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
import house  # noqa: E402

project = "pgtlab"
author = copyright = "The pgtlab authors"
root_doc = "docs/index"
include_patterns = [
    *("docs/**.md", "notebooks/*.py", "exercises/*.py", "exercises/README.md"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
]
exclude_patterns = ["build", "workbench", ".*"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "myst-nb", ".py": "myst-nb"}

# The course: notebooks are text, and run at build. A cell that fails or warns stops the build.
nb_custom_formats = {".py": ["nbformat.reads", {"as_version": 4}]}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = "warn"
logging.getLogger("traitlets").setLevel(logging.WARNING)  # not a line for each notebook that starts
# A view is shown as its static picture: without a kernel, a live widget could do nothing. (See also `forget_widgets`.)
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# Python: numpydoc's sections; single backticks link to what they name, if that is in the reference.
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_default_options = {"members": True, "ignore-module-all": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 110
# Every name of ours has to resolve; those of Python, numpy and the kernel are in no inventory that is at hand offline.
nitpicky = True
nitpick_ignore_regex = [("py:obj", "(?s).*"), ("py:class", r"(?!pgtlab).*"), ("py:class", r"pgtlab.*\.[A-Z]")]

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

html_theme = "furo"
html_title = "pgtlab"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_root"]
html_show_sourcelink = False
html_copy_source = False

TERMS_BLOCK = "```{terms}\n```\n"
EXPORTS_BLOCK = re.compile(r"^```\{exports\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOTEBOOK_LINK = re.compile(r"\]\(([\w./]+)\.ipynb(?:#([^)]*))?\)")
NOTEBOOK_HREF = re.compile(r'href="([\w./]+)\.ipynb(?:#([^"]*))?"')
MODULES_BLOCK = re.compile(r"^```\{modules\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def public_modules() -> list[str]:
    """Return the modules that the reference has, sorted: all but the command's and those with a leading underscore."""
    names = []
    for package in (pgtlab, pgtlab_widgets):
        folder = Path(package.__file__ or "").parent
        for path in folder.rglob("*.py"):
            parts = [*path.relative_to(folder.parent).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
            if not any(part.startswith("_") for part in parts):
                names.append(".".join(parts))
    return sorted(name for name in names if name != "pgtlab" and not name.startswith("pgtlab.cli"))


def patterns() -> set[str]:
    """Return the names of modules in the reference's lists, some with a wildcard."""
    pages = (path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md"))
    return {name for page in pages for block in MODULES_BLOCK.findall(page) for name in block.split()}


def modules(pattern: str) -> list[str]:
    """Return the modules that a name in a list stands for; a wildcard leaves out what a longer name matches.

    Raises
    ------
    ValueError
        If a name without a wildcard stands for none.
    """
    longer = {other for other in patterns() if len(other) > len(pattern)}
    result = [
        module
        for module in public_modules()
        if fnmatchcase(module, pattern) and not any(fnmatchcase(module, other) for other in longer)
    ]
    if not result and "*" not in pattern:
        raise ValueError(f"docs/api lists {pattern}, and there is no such module.")
    return result


def documented(block: re.Match[str]) -> str:
    """Return the Markdown that documents the modules of a list, a section for each."""
    names = [module for pattern in block[1].split() for module in modules(pattern)]
    return "\n".join(f"### `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n" for name in names)


def exported(block: re.Match[str]) -> str:
    """Return a list of what each package of a block exports, with links."""
    lines = []
    for package in block[1].split():
        module = importlib.import_module(package)
        links = []
        for name in sorted(module.__all__, key=str.lower):
            value = getattr(module, name)
            home = getattr(value, "__module__", None)
            target = f"{home}.{value.__qualname__}" if home else value.__name__
            links.append(f"{{py:obj}}`{name} <{target}>`")
        lines.append(f"- `{package}`: {', '.join(links)}")
    return "\n".join(lines)


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make notebooks out of the course's text, and expand the lists of modules."""
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".py":
        read = exercise.learner_notebook if path.parent.name == "exercises" else course_text.notebook
        notebook = read(path)
        notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
        for cell in notebook.cells:
            if cell.cell_type == "markdown":  # a link to a notebook is one to the page that is made from its text
                cell.source = NOTEBOOK_LINK.sub(link_to_page, cell.source)
        source[0] = nbformat.writes(notebook)
    elif path.parent.name == "api":
        source[0] = MODULES_BLOCK.sub(documented, source[0])
    elif path.name == "api.md":
        source[0] = EXPORTS_BLOCK.sub(exported, source[0])
    elif path.name == "glossary.md":
        text = NOTEBOOK_LINK.sub(r"](../notebooks/\1.py)", glossary.glossary())
        source[0] = source[0].replace(TERMS_BLOCK, text)
    elif path.name == "architecture.md":
        drawing = f'<div class="cell_output">{house.picture(house.ways(source[0])).svg()}</div>'
        source[0] = source[0].replace("{house}\n", f"{{raw}} html\n{drawing}\n")


def link_to_page(link: re.Match[str]) -> str:
    """Return a link to the page that is made from a notebook, and to the same heading there."""
    heading = re.sub(r"[^\w-]", "", unquote(link[2] or "")).lower()
    page = "../docs/glossary.md" if link[1] == "glossary" else f"{link[1]}.py"
    return f"]({page}{heading and f'#{heading}'})"


def forget_widgets(app: Sphinx, env: BuildEnvironment) -> None:
    """Leave the state of live widgets out of the pages: it is large, and no script is there to use it."""
    for data in env.nb_metadata.values():
        data.pop("js_files", None)


def link_pages(app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object) -> None:
    """Let links to notebooks in the outputs of cells lead to the pages of these notebooks."""

    def to_page(link: re.Match[str]) -> str:
        heading = nodes.make_id(unquote(link[2] or "").replace("-", " "))
        return f'href="{link[1]}.html{heading and f"#{heading}"}"'

    context["body"] = NOTEBOOK_HREF.sub(to_page, str(context.get("body", "")))


def skip_member(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Leave out the fields of named tuples, of which Python says only that they are fields."""
    if getattr(member, "__module__", "").startswith("matplotlib."):  # matplotlib gives each subclass a `set` of its own
        return True
    if str(getattr(member, "__doc__", None)).startswith("Alias for field number"):
        return True
    # A function that is called like a module beside it, such as `headers.run_time`, would be documented under one name.
    return True if f"{getattr(member, '__module__', '')}.{name}" in sys.modules else None


class LightAndDark(SphinxTransform):
    """Show the dark screenshot beside each light one; the theme hides one of the two."""

    default_priority = 200

    def apply(self, **kwargs: object) -> None:
        for light in [*self.document.findall(nodes.image)]:
            if light["uri"].endswith("-light.png"):
                dark = light.copy()
                dark["uri"] = light["uri"].removesuffix("-light.png") + "-dark.png"
                light["classes"].append("only-light")
                dark["classes"].append("only-dark")
                light.parent.insert(light.parent.index(light) + 1, dark)


def whole_comment(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from taking what stands before a colon in an attribute's comment for its type."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = f": {lines[0]}"


def import_for_types() -> None:
    """Do the imports that modules do only for type checkers, so that an annotation links to the class that it means."""
    for name in public_modules():
        module = importlib.import_module(name)
        for node in ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                exec(compile(ast.Module(node.body, []), name, "exec"), vars(module))


def setup(app: Sphinx) -> None:
    """Connect the above to Sphinx."""
    app.connect("source-read", read_source)
    app.connect("env-updated", forget_widgets)
    app.connect("html-page-context", link_pages)
    app.connect("autodoc-skip-member", skip_member)
    app.connect("autodoc-process-docstring", whole_comment, priority=400)  # before napoleon's
    app.add_transform(LightAndDark)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.rolename = ""  # the name of an attribute would link to any attribute of that name
    import_for_types()
