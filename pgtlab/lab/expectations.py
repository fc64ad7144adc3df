"""What the checks of exercises are written with: comparing an answer with the right one, and naming a wrong rule.

A wrong rule is named only if it, and no other, computes what the answer gave. So cases for which two rules agree are
drawn again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
#: A wrong value, the misconception that leads to it (a key, or nothing), and what to say.
Rule = tuple[Any, str, str]

DEEPEST, MOST_BITS = 20, 1024  # of plain data: lists in lists, and the size of a number
_DRAWS = 400
_NAMES = {
    int: "a number",
    str: "a text",
    bool: "True or False",
    list: "a list",
    tuple: "a tuple",
    dict: "a dictionary",
    type(None): "nothing (None)",
}


class WrongAnswer(AssertionError):
    """What a check says of a wrong answer, and the misconception that explains it, if one does."""

    def __init__(self, hint: str, misconception: str = "") -> None:
        super().__init__(hint)
        self.misconception = misconception


def expect(got: Any, right: Any, rules: Iterable[Rule], otherwise: str, where: str = "") -> None:
    """Do nothing if an answer is right, else say what is wrong with it.

    Parameters
    ----------
    got, right : object
        What the answer gave, and what is right.
    rules : iterable
        What wrong rules give: `(value, key, sentence)`.
    otherwise : str
        What to say where no single rule explains the answer.
    where : str
        What was asked, as the beginning of the sentence.

    Raises
    ------
    WrongAnswer
        If it is wrong.

    Examples
    --------
    >>> expect(7, 8, [(7, "off-by-one", "That is one too few.")], "How many are there?", "for 0x10")
    Traceback (most recent call last):
        ...
    pgtlab.lab.expectations.WrongAnswer: for 0x10: `7`. That is one too few.
    >>> expect("0x8", 8, [], "How many are there?")
    Traceback (most recent call last):
        ...
    pgtlab.lab.expectations.WrongAnswer: You gave a text, `'0x8'`, where a number is wanted; `hex()` makes a text of a \
number.
    """
    if type(got) is list and type(right) is tuple:
        got = tuple(got)
    if type(right) is bool and type(got) is int and got in (0, 1):
        got = bool(got)
    if type(got) is type(right) and got == right:
        return
    shown = f"{where}: `{_short(got)}`. " if where else f"`{_short(got)}`: "
    explained = {(key, sentence) for value, key, sentence in rules if type(value) is type(got) and value == got}
    if len(explained) == 1:
        key, sentence = explained.pop()
        raise WrongAnswer(f"{shown}{sentence}", key)
    if type(got) is not type(right) and right is not None:
        said = f"{where}: you gave" if where else "You gave"
        number = "; `hex()` makes a text of a number" if isinstance(got, str) and isinstance(right, int) else ""
        given = "" if got is None else f", `{_short(got)}`,"
        raise WrongAnswer(f"{said} {_kind(got)}{given} where {_kind(right)} is wanted{number}.")
    raise WrongAnswer(f"{shown}{otherwise}")


def expect_entries(got: Any, entries: dict[str, tuple[Any, Iterable[Rule], str]], name: str = "answer") -> None:
    """Compare a dictionary with the right one, entry by entry: `{label: (right, rules, otherwise)}`.

    Raises
    ------
    WrongAnswer
        If it is not a dictionary with these entries, or for the first entry that is wrong.
    """
    if not isinstance(got, dict):
        raise WrongAnswer(f"`{name}` is {_kind(got)}, and a dictionary as in the cell that you got is wanted.")
    missing = [label for label in entries if label not in got]
    if missing:
        raise WrongAnswer(f"`{name}` has no entry `{missing[0]!r}` any more.")
    for label, (right, rules, otherwise) in entries.items():
        if got[label] is None:
            raise WrongAnswer(f"`{name}[{label!r}]` is not filled in yet.")
        expect(got[label], right, rules, otherwise, f"`{name}[{label!r}]`")


def drawn(seed: int | str, make: Callable[[Random], T], values: Callable[[T], Iterable[Any]]) -> T:
    """Draw a case for which no two rules agree.

    Parameters
    ----------
    seed : int or str
        The same seed gives the same case.
    make : callable
        Makes a case.
    values : callable
        The values that the right rule and the wrong ones give in a case: they must all differ.

    Raises
    ------
    ValueError
        If two rules agree in whatever is drawn.

    Examples
    --------
    >>> drawn(1, lambda draw: draw.randrange(1, 9), lambda n: [1 << n, 2 * n]) in (3, 4, 5, 6, 7, 8)
    True
    """
    for number in range(_DRAWS):
        case = make(Random(f"{seed} {number}"))
        given = [repr(value) for value in values(case)]
        if len(set(given)) == len(given):
            return case
    raise ValueError(f"two rules agree in whatever is drawn: {given}")


def plain(value: Any) -> Any:
    """Return a value as plain data: without subclasses of numbers or lists, which may lie about themselves.

    No method of a learner's class runs.

    Raises
    ------
    TypeError
        If it is, or contains, something else, contains itself, or is a number larger than any that is asked for.

    Examples
    --------
    >>> plain({"a": [1, None, (True, "x")]})
    {'a': [1, None, (True, 'x')]}
    >>> plain(print)
    Traceback (most recent call last):
        ...
    TypeError: a value of type builtin_function_or_method is not a number, a text, or a list or dictionary of these
    """
    return _plain(value, 0)


def type_of(value: Any) -> str:
    """The name of a value's type, whatever its class makes of reading it."""
    name: str = type.__dict__["__name__"].__get__(type(value))
    return str.__str__(name)[:80]


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if value is None or kind in (str, bool):
        return value
    if depth > DEEPEST:
        raise TypeError(f"it has lists in lists, more than {DEEPEST} deep, or one that contains itself")
    if issubclass(kind, list):
        return [_plain(item, depth + 1) for item in list.__iter__(value)]
    if issubclass(kind, tuple):
        return tuple(_plain(item, depth + 1) for item in tuple.__iter__(value))
    if issubclass(kind, dict):  # also an OrderedDict
        entries = dict.items(value)
        return {_plain(key, depth + 1): _plain(entry, depth + 1) for key, entry in entries}
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, numpy.integer):
        value = numpy.integer.item(value)
    elif not issubclass(kind, int):
        if kind is float:
            raise TypeError(f"{value!r} is a float, and a whole number is wanted, as `//` gives one where `/` does not")
        raise TypeError(f"a value of type {type_of(value)} is not a number, a text, or a list or dictionary of these")
    value = int.__index__(value)
    if value.bit_length() > MOST_BITS:
        raise TypeError(f"a number of {value.bit_length()} bits is larger than any that is asked for")
    return value


def _kind(value: Any) -> str:
    return _NAMES.get(type(value)) or f"something of type {type_of(value)}"


def _short(value: Any) -> str:
    if type(value) is int and abs(value) > 999:
        return f"{f'{value:#x}':.80}"
    return f"{value!r:.80}"
