"""What every view is on the Python side: what is shown follows from the model, and what the reader does is a message.

Data flows one way. A view's traits say what is chosen; from them follows one more, `view`, which is all that the
browser needs to draw; what is chosen there comes back as a message, and sets traits.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar, cast
from weakref import WeakSet

import anywidget
import traitlets
from ipywidgets import Widget

from pgtlab.picture import STYLE, Picture

HERE = Path(__file__).parent


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


def packed(data: dict[str, Any], widget: object) -> str:
    """As one string, because ipywidgets looks for binary buffers in every node of what it sends: there are hundreds."""
    return json.dumps(data, separators=(",", ":"))


class View(anywidget.AnyWidget):
    """A view of a value. A subclass says what there is to draw, in `drawn()`, and what messages do, in `receive()`."""

    _css = STYLE + (HERE / "view.css").read_text(encoding="utf-8")

    view = traitlets.Dict().tag(sync=True, to_json=packed)

    #: What stays while something in it is chosen, such as a large picture: sent when it changes itself.
    base_view = traitlets.Dict().tag(sync=True, to_json=packed)

    #: Those that a cell shows by themselves.
    displayed: ClassVar[WeakSet[View]] = WeakSet()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def drawn(self) -> dict[str, Any]:
        """All that the browser needs, as plain data."""
        raise NotImplementedError

    def receive(self, message: dict[str, Any]) -> None:
        """Do what the reader asks for, and `draw()` if no trait changes that does."""
        raise NotImplementedError

    def picture(self) -> Picture | None:
        """The picture as it stands, for pages without widgets; None where there is none."""
        raise NotImplementedError

    def text(self) -> str:
        """The same as text; where there is no picture, why."""
        raise NotImplementedError

    def draw(self) -> None:
        """Make `view` anew."""
        self.view = self.drawn()

    def svg(self) -> str:
        """The picture as it stands, as an SVG string.

        Raises
        ------
        ValueError
            Where there is none; it says why.
        """
        picture = self.picture()
        if picture is None:
            raise ValueError(f"there is no picture: {self.text()}")
        return picture.svg()

    def png(self, scale: float = 2) -> bytes:
        """The picture as it stands, as a PNG of `scale` pixels for each of its own.

        Raises
        ------
        ValueError
            Where there is none; it says why.
        ImportError
            Where the packages that draw it are not installed; it names the extra that brings them.
        """
        from pgtlab.plot.png import png

        picture = self.picture()
        if picture is None:
            raise ValueError(f"there is no picture: {self.text()}")
        return png(picture, scale)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, with the picture as it stands for pages that have no widgets."""
        if self.comm is None:  # it was shown before, and has left the page since
            self.open()
        View.displayed.add(self)
        data, metadata = cast(tuple[dict[str, Any], dict[str, Any]], super()._repr_mimebundle_())
        picture = self.picture()
        return data | (picture.mimebundle(self.text()) if picture else {"text/plain": self.text()}), metadata

    def _leave(self) -> None:
        """Give up the connection to the page, for which ipywidgets would keep this for good; but not inside another."""
        reference, states = f"IPY_MODEL_{self.model_id}", Widget.get_manager_state()["state"].values()
        if any(reference in widget["state"].get("children", ()) for widget in states):
            return
        self.close()
        View.displayed.discard(self)
        self.__dict__.pop("_repr_mimebundle_", None)  # close() hides the method; but this can be shown again

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        """A message and not a trait, because a trait's changes may be merged: two clicks are two clicks."""
        try:
            if content == {"gone": True}:
                self._leave()
            else:
                self.receive(content)
        except Exception as error:
            self.view = {**self.drawn(), "failed": f"{error}" if isinstance(error, ValueError) else repr(error)}
