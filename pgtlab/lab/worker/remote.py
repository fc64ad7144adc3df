"""What stands in a learner's process for the objects and functions of the process that judges.

This module imports nothing of pgtlab: the learner's process reads it by its path.
"""

from __future__ import annotations

import builtins
from typing import Any

# What follows does not notice when a learner's code replaces some of them.
globals()["__builtins__"] = dict(vars(builtins))


class Remote:
    """An object of the judge's. Reading an attribute, setting one or calling it asks the judge."""

    def __init__(self, judge: Any, number: int, kind: tuple[str, str] | None) -> None:
        vars(self)["_remote"] = (judge, number, kind)
        vars(self)["_kept"] = {}

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # so that `isinstance()` answers as for the object itself
        kind = object.__getattribute__(self, "_remote")[2]
        if kind is None:
            return Remote
        module = __import__(kind[0], fromlist=["_"])
        return getattr(module, kind[1])

    def __getattr__(self, name: str) -> Any:
        judge, number, _ = object.__getattribute__(self, "_remote")
        kept = object.__getattribute__(self, "_kept")
        if name in kept:
            return kept[name]
        value, stays = judge.ask("get", number, name)
        if stays:
            kept[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        judge, number, _ = object.__getattribute__(self, "_remote")
        judge.ask("set", number, name, judge.encoded(value))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _special(self, "call", *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        if type(other) is Remote and number_of(other) == number_of(self):
            return True
        return bool(_special(self, "eq", other))

    def __hash__(self) -> int:
        return int(_special(self, "hash"))

    def __repr__(self) -> str:
        return str(_special(self, "repr"))

    def __bool__(self) -> bool:
        return bool(_special(self, "bool"))

    def __len__(self) -> int:
        return int(_special(self, "len"))

    def __getitem__(self, key: Any) -> Any:
        return _special(self, "getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _special(self, "setitem", key, value)

    def __contains__(self, key: Any) -> bool:
        return bool(_special(self, "contains", key))

    def __iter__(self) -> Any:
        return iter(_special(self, "list"))


def number_of(remote: Any) -> int:
    """The number that an object of the judge's has here."""
    return int(object.__getattribute__(remote, "_remote")[1])


def _special(remote: Any, operation: str, *args: Any, **kwargs: Any) -> Any:
    judge, number, _ = object.__getattribute__(remote, "_remote")
    return judge.ask(operation, number, [judge.encoded(arg) for arg in args], _named(judge, kwargs))


def _named(judge: Any, kwargs: dict[str, Any]) -> list[Any]:
    return [[name, judge.encoded(value)] for name, value in kwargs.items()]


class RemoteFunction:
    """A function of the judge's, or a method of an object of its."""

    def __init__(self, judge: Any, number: int, name: str) -> None:
        self._judge, self._number, self.__name__ = judge, number, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        judge = self._judge
        return judge.ask(
            "invoke", self._number, self.__name__, [judge.encoded(arg) for arg in args], _named(judge, kwargs)
        )

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"
