"""What a learner's code may use of the judge's objects: what a function of the kernel may, and nothing that judges.

Values travel as they are. An object that can change stays with the judge, and its public attributes and methods are
used from afar. Functions, classes and modules of the model never travel.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import io
import pickle
from collections.abc import Callable
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

#: Of the kernel itself, besides its functions and constants: what a function may reach whatever it replaces.
OPEN: Final = frozenset({"boot", "current", "init_mm", "memory", "mmu", "placement", "reports", "release"})
#: And what no function may: with these a patch could change how it is judged.
CLOSED: Final = frozenset({"constants", "livepatch", "patched", "replaced", "run", "symbols", "tree"})
LEARNERS: Final = "_of_a_learner"  # the attribute with the number of a learner's function, of what stands for it
KEPT: Final = 100  # exceptions that a learner's code may still pass on
_METHODS: Final = ("report", "hold", "trace")  # of the kernel itself, which its functions call
_FUNCTIONS: Final = (FunctionType, MethodType, BuiltinFunctionType, functools.partial)
_CONTAINERS: Final = (list, dict, set)
_OF_CONTAINERS: Final = frozenset(
    {"add", "append", "clear", "copy", "count", "discard", "extend", "get", "index", "insert", "items", "keys", "pop"}
    | {"remove", "setdefault", "update", "values", "elements", "most_common", "any", "all", "sum", "tolist", "shape"}
)


def touched(kernel: Kernel, names: set[str]) -> frozenset[str]:
    """The names that some kernel functions use: a patch of them may change the same records of the kernel."""
    used: set[str] = set()
    for name in names & kernel.symbols.keys():
        codes = [getattr(kernel.symbols[name], "__code__", None)]
        while codes:
            code = codes.pop()
            if code is not None:
                used |= set(code.co_names)
                codes += [each for each in code.co_consts if hasattr(each, "co_names")]
    return frozenset((used | {"vmstat"}) - CLOSED - {"reports"})  # the counters are anybody's in the kernel


class Exposed:
    """The objects of the judge's that a learner's process knows, by number.

    Parameters
    ----------
    used : frozenset of str
        Records of the kernel that may be changed: see `touched`.
    """

    def __init__(self, used: frozenset[str] = frozenset()) -> None:
        self._used = used
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._errors: dict[int, BaseException] = {}
        self._raised = 0

    # Outward.

    def pickled(self, message: tuple[Any, ...]) -> bytes:
        """A message for the learner's process, with numbers in place of the judge's own objects."""
        data = io.BytesIO()
        _Pickler(data, self).dump(message)
        return data.getvalue()

    def number(self, value: Any) -> int:
        """The number of an object, which is kept from now on."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return number

    def raised(self, error: BaseException) -> tuple[Any, ...]:
        """The message that makes a learner's code raise what the judge's object raised."""
        number, self._raised = self._raised, self._raised + 1
        self._errors[number] = error.with_traceback(None)  # which holds all that was in use
        self._errors.pop(number - KEPT, None)
        return "raise", *_portable(error), number

    # Inward.

    def __getitem__(self, number: int) -> Any:
        return self._objects[number]

    def error(self, number: object) -> BaseException | None:
        """The exception of the judge's that a learner's code passed on."""
        return self._errors.get(number) if isinstance(number, int) else None

    def perform(self, request: list[Any], decoded: Callable[[Any], Any]) -> Any:
        """Do what a learner's code asks of an object."""
        operation, number, *content = request
        subject = self._objects[number]
        if operation == "get":
            return self._get(subject, content[0])
        if operation == "set":
            return self._set(subject, content[0], decoded(content[1]))
        if operation == "invoke":
            name, args, named = content
            return self.method(subject, name)(*map(decoded, args), **{key: decoded(value) for key, value in named})
        args, named = content
        return _SPECIAL[operation](subject, *map(decoded, args), **{key: decoded(value) for key, value in named})

    def method(self, subject: Any, name: str) -> Callable[..., Any]:
        """A method that may be called, or a function of the kernel."""
        if not isinstance(name, str):
            raise TypeError("the name of a method is text")
        if name not in getattr(subject, "symbols", ()):
            self._check(subject, name)
        found = getattr(subject, name)
        if not callable(found) or isinstance(found, type):
            raise TypeError(f"{name} is not a function")
        return found  # type: ignore[no-any-return]

    def _get(self, subject: Any, name: str) -> tuple[Any, bool]:
        """An attribute, and whether it stays the same."""
        if not isinstance(name, str):
            raise TypeError("the name of an attribute is text")
        if _is_kernel(subject):
            if name in subject.symbols:
                return _Method(subject, name), True
            if name in subject.constants:
                return subject.constants[name], True
        self._check(subject, name)
        value = getattr(subject, name)
        if isinstance(value, _FUNCTIONS):
            return _Method(subject, name), False
        if _is_kernel(subject) and isinstance(value, _CONTAINERS + _arrays()):
            if name not in self._used:
                return _unchangeable(value), False
            self.number(value)
        return value, False

    def _set(self, subject: Any, name: str, value: Any) -> None:
        may = name in self._used and name in vars(subject) if _is_kernel(subject) else _is_struct(subject)
        if not may:
            raise AttributeError(f"{name} of {type(subject).__name__} cannot be set from here")
        self._check(subject, name)
        setattr(subject, name, value)

    def _check(self, subject: Any, name: str) -> None:
        """Refuse what is private, and what belongs to the judge."""
        if name.startswith("_") and inspect.getattr_static(subject, name, None) is not None:
            raise AttributeError(f"{type(subject).__name__} has no attribute {name} that can be used from here")
        if isinstance(subject, _CONTAINERS + _arrays()):
            if name not in _OF_CONTAINERS:
                raise AttributeError(f"{name} cannot be used from here")
        elif _is_kernel(subject) and name in vars(type(subject)).keys() | vars(subject).keys():
            plain = isinstance(vars(subject).get(name), (int, float, str))
            if name in CLOSED or not (plain or name in OPEN or name in self._used or name in _METHODS):
                raise AttributeError(f"this kernel has {name}, but a function cannot use it from here")

    # For the pickler.

    def stands_for(self, value: Any) -> tuple[Any, ...] | None:
        """What travels in place of an object that stays with the judge; None for a value."""
        if isinstance(value, _Method):
            return "function", self.number(value.subject), value.name
        if id(value) in self._numbers:
            return "object", self._numbers[id(value)], _kind(value)
        if isinstance(value, FunctionType) and LEARNERS in vars(value):
            return "learner", vars(value)[LEARNERS]
        if _stays(value):
            return "object", self.number(value), _kind(value)
        return None


@dataclasses.dataclass(frozen=True)
class _Method:
    """A function that is called by the name that an object has for it."""

    subject: Any
    name: str


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, exposed: Exposed) -> None:
        super().__init__(file, protocol=4)
        self._exposed = exposed

    def persistent_id(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (int, str, bool, tuple, float, bytes):
            return None
        return self._exposed.stands_for(value)


def _stays(value: Any) -> bool:
    """Whether an object stays with the judge: it can change, or can be called."""
    kind = type(value)
    if isinstance(value, _FUNCTIONS):
        return True
    if isinstance(value, (type, BaseException, Enum, int, tuple)):
        return False
    if not kind.__module__.startswith(("pgtlab", "random", "<")) or kind.__module__ == __name__:
        return False
    return not (dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def _kind(value: Any) -> tuple[str, str] | None:
    """The class of an object as the learner's process finds it, if it can."""
    kind = type(value)
    return (kind.__module__, kind.__qualname__) if kind.__module__.startswith("pgtlab.") else None


def _unchangeable(value: Any) -> Any:
    """A copy of a list or a set that says so when somebody tries to change it."""
    return tuple(value) if isinstance(value, list) else frozenset(value) if isinstance(value, set) else value


def _is_kernel(value: Any) -> bool:
    return hasattr(type(value), "livepatch")


def _is_struct(value: Any) -> bool:
    """Whether an object is a structure in the kernel's memory, whose members its functions write."""
    kind = type(value)
    return kind.__module__.startswith("pgtlab.linux.kernel.") and not _is_kernel(value)


def _arrays() -> tuple[type, ...]:
    import sys

    numpy = sys.modules.get("numpy")
    return (numpy.ndarray,) if numpy else ()


def _portable(error: BaseException) -> tuple[str, str, str, str]:
    """An exception as the learner's process makes it: module and class, a class of Python's, the message."""
    kind = type(error)
    known = next(each.__name__ for each in kind.__mro__ if each.__module__ == "builtins")
    return kind.__module__, kind.__qualname__, known, str(error)


def _call(subject: Any, *args: Any, **named: Any) -> Any:
    if not callable(subject) or isinstance(subject, type):
        raise TypeError(f"{type(subject).__name__} cannot be called")
    return subject(*args, **named)


def _setitem(subject: Any, key: Any, value: Any) -> None:
    subject[key] = value


_SPECIAL: Final[dict[str, Callable[..., Any]]] = {
    "call": _call,
    "eq": lambda subject, other: bool(subject == other),
    "hash": hash,
    "repr": repr,
    "bool": bool,
    "len": len,
    "getitem": lambda subject, key: subject[key],
    "setitem": _setitem,
    "contains": lambda subject, key: key in subject,
    "list": list,
}
