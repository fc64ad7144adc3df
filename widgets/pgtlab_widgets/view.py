"""The base of all views: what is shown follows from traits, and what the reader does arrives as a message.

Data flows one way. Traits say what is chosen; `view` follows from them and holds all that the browser draws; what the
reader does in the browser comes back as a message, which sets traits.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, cast

import traitlets
from ipywidgets.widgets.widget import _instances

from pgtlab.extras import MissingExtra
from pgtlab.picture import STYLE, Picture
from pgtlab_widgets.about import ABOUT
from pgtlab_widgets.address_field import ShareField
from pgtlab_widgets.synced import Synced, packed
from pgtlab_widgets.turns import in_turn

HERE = Path(__file__).parent
WIDE = 1024  # CSS pixels: the room that a view has for its picture, as far as it knows; `WIDE` of edges.js


def module(name: str) -> str:
    """The JavaScript of a view with the modules that it imports, as one module: a page loads one for each widget.

    Each imported module is a function that returns what it exports, so that names of different modules stay apart.

    Raises
    ------
    ValueError
        Where a module imports or exports in another form than `import { a, b } from "./other.js";`, `export function a`
        and `export const a`: whole lines.
    """
    modules: dict[str, str] = {}

    def body(name: str) -> str:
        text = (HERE / f"{name}.js").read_text(encoding="utf-8")
        for other in re.findall(r'^import .* from "\./(\w+)\.js";$', text, flags=re.M):
            if other not in modules:
                code = body(other)
                exported = ", ".join(re.findall(r"^export (?:function|const) (\w+)", code, flags=re.M))
                code = re.sub(r"^export (?=function |const )", "", code, flags=re.M)
                modules[other] = f"const ${other} = (() => {{\n{code}return {{ {exported} }};\n}})();\n"
        return re.sub(r'^import (\{ (?:\w+, )*\w+ \}) from "\./(\w+)\.js";$', r"const \1 = $\2;", text, flags=re.M)

    view = body(name)
    whole = "".join([*modules.values(), view])
    if other := re.search(r"^(import|export) (?!default ).*", whole, flags=re.M):
        raise ValueError(f"{name}.js, or what it imports: {other[0]}")
    return whole


def opened() -> list[Any]:
    """The widgets with a connection to a page.

    JupyterLab has messages from the page handled in a thread of their own, and the cell that runs meanwhile may make or
    close others: a list does not change under the one who reads it.
    """
    return list(_instances.values())


class View(Synced):
    """A view of a value. A subclass says what there is to draw, in `drawn()`, and what messages do, in `receive()`."""

    _css = STYLE + (HERE / "view.css").read_text(encoding="utf-8")

    #: What the view is about: its question, how to read it, and its terms.
    about_view = traitlets.Dict().tag(sync=True, to_json=packed)

    #: Whether the picture follows the room that it has on the page.
    reflows: ClassVar[bool] = False

    #: Whether a cell shows it by itself, not inside another widget.
    displayed = False

    def __init__(self, **traits: Any) -> None:
        self._shared = ShareField()
        self.room = WIDE
        super().__init__(**traits)
        if about := ABOUT.get(type(self).__name__):
            self.about_view = {"frame": about.drawn(), "reflows": self.reflows}
        self.on_msg(self._on_message)

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws, as plain data."""
        raise NotImplementedError

    def receive(self, message: dict[str, Any]) -> None:
        """Do what the reader asks for, then `draw()` unless a trait changed that does so."""
        raise NotImplementedError

    def picture(self) -> Picture | None:
        """The current picture, for pages without widgets; None if there is none."""
        raise NotImplementedError

    def text(self) -> str:
        """The picture as text, or why there is no picture."""
        raise NotImplementedError

    def fallback(self) -> tuple[Picture | None, str]:
        """The picture and the text for pages without widgets, which are made before the view is shown."""
        return self.picture(), self.text()

    def resized(self) -> None:
        """Draw for another `room`."""
        self.draw()

    @property
    def share(self) -> str:
        """All that is chosen, as a string that `load()` takes; empty if the view has no such string."""
        return ""

    def load(self, share: str) -> None:
        """Choose what a share string says.

        Raises
        ------
        ValueError
            If it is not a share string of such a view, or a choice in it is not legal; then nothing changes.
        """
        raise ValueError(f"{share!r}: {type(self).__name__} takes no share string")

    @in_turn
    def draw(self) -> None:
        """Update `view`."""
        self.view = {**self.drawn(), "share": self._shared.shown(self.share)}

    def svg(self) -> str:
        """The current picture as an SVG string.

        Raises
        ------
        ValueError
            If there is no picture; the message says why.
        """
        picture = self.picture()
        if picture is None:
            raise ValueError(f"there is no picture: {self.text()}")
        return picture.svg()

    def png(self, scale: float = 2) -> bytes:
        """The current picture as a PNG, with `scale` pixels of the image for each of the picture.

        Raises
        ------
        ValueError
            If there is no picture; the message says why.
        ImportError
            If a package that draws it is not installed; the message names the extra that brings it.
        """
        from pgtlab.plot.png import png

        picture = self.picture()
        if picture is None:
            raise ValueError(f"there is no picture: {self.text()}")
        return png(picture, scale)

    @in_turn
    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and the current picture for pages without widgets."""
        for widget in (self.layout, self):
            widget.open()  # it may have been shown before, and have left the page since
        self.displayed = True
        data, metadata = cast(tuple[dict[str, Any], dict[str, Any]], super()._repr_mimebundle_())
        picture, text = self.fallback()
        return data | (picture.mimebundle(text) if picture else {"text/plain": text}), metadata

    @in_turn
    def _leave(self) -> None:
        """Close the connection to the page, which keeps this object alive, unless another widget contains it.

        The layout is a widget too; it is closed as well, unless another widget has the same one.
        """
        others = [widget for widget in opened() if widget is not self]
        if any(self is child for other in others for child in getattr(other, "children", ())):
            return
        shared = any(self.layout is getattr(other, "layout", None) for other in others)
        for widget in (self,) if shared else (self, self.layout):
            widget.close()
            widget.__dict__.pop("_repr_mimebundle_", None)  # close() hides the method; but it can be shown again
        self.displayed = False

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        """Handle a message. (Changes of a trait could be merged, and two clicks are two clicks.)"""
        if "gone" in content:
            self._leave()
        else:
            self.handle(content)

    def _attempt(self, message: dict[str, Any]) -> None:
        try:
            if "room" in message:
                self.room = message["room"]
                self.resized()
            elif "share" in message:
                self._shared.load(self.share, message["share"], self.load)
                self.draw()
            else:
                self.receive(message)
        except Exception as error:
            self.view = {
                **self.drawn(),
                "share": self._shared.shown(self.share),
                "failed": f"{error}" if isinstance(error, ValueError | MissingExtra) else repr(error),
            }
