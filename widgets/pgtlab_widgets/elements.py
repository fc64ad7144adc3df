"""Elements of a page as values: the same tree is shown by a live widget and written as HTML for pages without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from pgtlab.picture import Picture


@dataclass(frozen=True)
class Element:
    """An element with attributes, and with text or elements in it.

    >>> link = element("a", "the walk", href="04_the_walk.ipynb")
    >>> element("p", (link,), class_="next").html()
    '<p class="next"><a href="04_the_walk.ipynb">the walk</a></p>'
    >>> link.wanted("0")
    {'key': '0', 'tag': 'a', 'attributes': {'href': '04_the_walk.ipynb'}, 'text': 'the walk'}
    """

    tag: str
    content: str | tuple[Element, ...] = ""
    attributes: dict[str, str | float] = field(default_factory=dict)

    def html(self) -> str:
        """The element as HTML; text in it is text, whatever it looks like."""
        attributes = "".join(f" {name}={quoteattr(str(value))}" for name, value in self.attributes.items())
        inside = escape(self.content) if isinstance(self.content, str) else html(self.content)
        return f"<{self.tag}{attributes}>{inside}</{self.tag}>"

    def wanted(self, key: str) -> dict[str, Any]:
        """The element for `patch()` of page.js."""
        start = {"key": key, "tag": self.tag, "attributes": self.attributes}
        return start | ({"text": self.content} if isinstance(self.content, str) else {"children": wanted(self.content)})


def element(tag: str, content: str | tuple[Element, ...] = "", **attributes: str | float) -> Element:
    """Make an element; `class_` is the attribute class, and an underscore in another name stands for a hyphen."""
    return Element(tag, content, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()})


def html(elements: tuple[Element, ...]) -> str:
    """Elements one after the other, as HTML."""
    return "".join(each.html() for each in elements)


def wanted(elements: tuple[Element, ...]) -> list[dict[str, Any]]:
    """Elements one after the other, for `patch()` of page.js."""
    return [each.wanted(f"{place} {each.tag}") for place, each in enumerate(elements)]


def drawing(picture: Picture) -> Element:
    """A picture as an element."""
    shapes = tuple(Element(shape.tag, shape.text, dict(shape.attributes)) for shape in picture.shapes)
    size: dict[str, str | float] = {
        "viewBox": f"0 0 {picture.width:g} {picture.height:g}",
        "width": picture.width,
        "height": picture.height,
    }
    return Element("svg", shapes, size | {"class": "pgtlab-picture", "role": "img", "aria-label": picture.title})


def markdown(text: str) -> tuple[Element, ...]:
    """Markdown as elements: paragraphs, lists, tables, code, emphasis and links. HTML in it stays text.

    >>> html(markdown("**4** of `x` <b>"))
    '<p><strong>4</strong><span> of </span><code>x</code><span> &lt;b&gt;</span></p>'
    """
    return tuple(_elements(SyntaxTreeNode(_parser().parse(text))))


def inline(text: str) -> tuple[Element, ...]:
    """Markdown of one paragraph as elements, without the paragraph."""
    paragraphs = markdown(text)
    content = paragraphs[0].content if len(paragraphs) == 1 and paragraphs[0].tag == "p" else paragraphs
    return (element("span", content),) if isinstance(content, str) else content


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def _elements(node: SyntaxTreeNode) -> Iterator[Element]:
    for child in node.children:
        match child.type:
            case "text":
                if child.content:
                    yield element("span", child.content)
            case "softbreak" | "hardbreak":
                yield element("span", " ")
            case "code_inline":
                yield element("code", child.content)
            case "fence" | "code_block":
                yield element("pre", child.content.rstrip("\n"))
            case "inline":
                yield from _elements(child)
            case "link":
                yield element("a", _inside(child), href=str(child.attrs["href"]))
            case "paragraph" if child.hidden:  # in a tight list
                yield from _elements(child)
            case _:
                yield element(child.tag, _inside(child))


def _inside(node: SyntaxTreeNode) -> str | tuple[Element, ...]:
    """What is in an element: only its text, if there is nothing else."""
    inside = tuple(_elements(node))
    return inside[0].content if [each.tag for each in inside] == ["span"] else inside
