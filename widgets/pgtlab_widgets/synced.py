"""What a page has of a view: it gets what differs, with the number of the message that it answers, or ahead of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, Self

import anywidget
import traitlets

from pgtlab_widgets.differences import Difference, difference
from pgtlab_widgets.turns import TURN, in_turn


def packed(data: dict[str, Any], widget: object) -> str:
    """Data as one string, because ipywidgets looks for binary buffers in every node of what it sends."""
    return json.dumps(data, separators=(",", ":"))


def ahead(*names: str, overtaking: tuple[str, ...] = ()) -> traitlets.Dict[str, bool]:
    """The trait `foresees`: what messages may be about, as their first key says, for what follows to be foreseen.

    A copy of the view that receives one must change nothing that it shares with the view. Those of `overtaking` lead to
    the same whatever others about the same came before.
    """
    return traitlets.Dict({**dict.fromkeys(names, False), **dict.fromkeys(overtaking, True)}).tag(sync=True)


class Synced(anywidget.AnyWidget):
    """A widget whose large traits, its parts, are sent as differences.

    A page gets the whole when it opens the view, or asks for it because it missed something: the states that it gets
    are counted. A message from a page has a number, which comes back with the first state that follows from it.

    A page may ask what a message would lead to, before the reader does what sends it. It is foreseen by a copy of the
    view, and the page shows it as soon as it sends the message, which is then handled as ever.
    """

    view = traitlets.Dict().tag(sync=True, to_json=packed)

    #: The part that stays the same while something in it is chosen, such as a large picture.
    base_view = traitlets.Dict().tag(sync=True, to_json=packed)

    #: How many states the page has had.
    number = traitlets.Int().tag(sync=True)

    foresees = ahead()

    _answering: object = None

    def __setattr__(self, name: str, value: object) -> None:
        """Set a trait, and do all that follows from it, in turn."""
        with TURN:
            super().__setattr__(name, value)

    @in_turn
    def set_trait(self, name: str, value: object) -> None:
        """Set a trait by its name, in turn."""
        super().set_trait(name, value)

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Set several traits in one turn."""
        with TURN, super().hold_trait_notifications():
            yield

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Send what changes all at once, in one turn."""
        with TURN, super().hold_sync():
            yield

    @in_turn
    def _handle_msg(self, msg: dict[str, Any]) -> None:
        super()._handle_msg(msg)

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        """The traits that are sent as differences."""
        return {name: getattr(self, name) for name in self.trait_names(to_json=lambda to_json: to_json is packed)}

    def receive(self, message: dict[str, Any]) -> None:
        """Do what a message says."""
        raise NotImplementedError

    def _attempt(self, message: dict[str, Any]) -> None:
        """Do what a message says, or show why not."""
        raise NotImplementedError

    @in_turn
    def open(self) -> None:
        """Open the connection to the page, which gets the whole."""
        self._sent = self.parts
        super().open()

    @in_turn
    def send_state(self, key: str | Iterable[str] | None = None) -> None:
        """Send traits: all, or those that are named; of a part only what differs from what the page has."""
        if self.comm is None or key == "number":
            return
        if key is None:
            self._sent = self.parts
            super().send_state()
            return
        names = {key} if isinstance(key, str) else {*key}
        parts = names & self._sent.keys()
        if others := names - parts:
            super().send_state(others)
        changes = self._differing({name: getattr(self, name) for name in parts})
        self._sent |= {name: getattr(self, name) for name in parts}
        if changes:
            self.number += 1
        if changes or self._answering:
            self.send({"number": self.number, "changes": changes, "answers": self._answering})

    def _differing(self, parts: dict[str, dict[str, Any]]) -> dict[str, Difference]:
        differences = ((name, difference(self._sent[name], value)) for name, value in parts.items())
        return {name: changed for name, changed in differences if changed is not None}

    @in_turn
    def foresee(self, message: dict[str, Any]) -> dict[str, Difference] | None:
        """What a message would change on the page; None if that cannot be foreseen. The view stays as it is."""
        if not message.keys() <= self.foresees.keys():
            return None
        twin = self._twin()
        try:
            twin.receive(message)
        except Exception:  # it is shown when the message is sent
            return None
        return self._differing(twin.parts)

    def _twin(self) -> Self:
        """A copy that no page shows and nothing observes. It has copies of the view's own parts, such as its fields."""
        twin = type(self).__new__(type(self))  # as yet without traits of its own, and observed by its own methods only
        twin._trait_values.update(self._trait_values | {"comm": None})
        for name, value in self.__dict__.items():
            if name not in twin.__dict__:
                own = isinstance(value, dict | list | set) or type(value).__module__.startswith(__package__)
                twin.__dict__[name] = copy(value) if own else value
        return twin

    @in_turn
    def handle(self, message: dict[str, Any]) -> None:
        """Handle what a page sent; it gets what changed, all at once."""
        match message:
            case {"whole": True}:
                self.send_state()
            case {"foresee": [*texts]}:
                foreseen = {text: self.foresee(json.loads(text)) for text in texts}
                self.send({"number": self.number, "foreseen": foreseen})
            case _:
                self._answering = message.pop("sent", None)
                try:
                    with self.hold_sync():
                        self._attempt(message)
                finally:
                    self._answering = None
