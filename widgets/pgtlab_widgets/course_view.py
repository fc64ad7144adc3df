"""The base of the course's own views: elements, live in a notebook and as HTML on pages without widgets."""

from __future__ import annotations

from typing import Any

from pgtlab.picture import STYLE, Picture
from pgtlab_widgets.elements import Element, html, wanted
from pgtlab_widgets.view import HERE, View, module

STYLES = (HERE / "course.css").read_text(encoding="utf-8")


class CourseView(View):
    """A view that shows elements. A subclass gives them in `elements()`."""

    _esm = module("course_view")
    _css = f"{View._css}{STYLES}"

    #: The class of the whole, for style sheets.
    kind = "course"

    def elements(self) -> tuple[Element, ...]:
        """What is shown."""
        raise NotImplementedError

    def static(self) -> tuple[Element, ...]:
        """What a page without widgets shows."""
        return self.elements()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        return {"elements": wanted(self.elements())}

    def receive(self, message: dict[str, Any]) -> None:
        """Do nothing: there is nothing to choose."""

    def picture(self) -> Picture | None:
        """None: it is no picture."""
        return None

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and the same as HTML."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        styles = f"<style>{STYLE}{STYLES}</style>"
        data["text/html"] = f'{styles}<div class="pgtlab-view pgtlab-course">{html(self.static())}</div>'
        return data, metadata
