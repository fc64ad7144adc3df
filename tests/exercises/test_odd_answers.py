"""Answers of values, whatever those are made of: a sentence, no points, and nothing of theirs runs."""

import sys

import numpy as np
import pytest

from pgtlab.lab import check
from pgtlab.lab.expectations import plain

EXERCISE = "06_who_reads_what"


class Escapes(BaseException):
    """Not an `Exception`."""


def fails(*_, **__):
    raise Escapes


LIES = ("__eq__", "__hash__", "__repr__", "__str__", "__format__", "__iter__", "__len__", "__index__", "__int__")
LIES += ("__bool__", "__getattribute__", "__contains__", "__getitem__", "__reduce_ex__", "items", "keys")


def hostile(base: type, **more: object) -> type:
    """A class whose every method raises what is not an `Exception`."""
    return type("Hostile", (base,), {**dict.fromkeys(LIES, fails), "__class__": property(fails), **more})


class FailingType(type):
    """A class that cannot be asked its name."""

    __getattribute__ = fails
    __name__ = property(fails)


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def in_itself() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


def dictionary_in_itself() -> dict[str, object]:
    value: dict[str, object] = {}
    value["a"] = (value,)
    return value


def endless():
    while True:
        yield 1


NOT_DATA = {
    "an object": (hostile(object), "a value of type Hostile is not a number"),
    "an object that says it is a list": (type("L", (), {"__class__": list}), "a value of type L is not a number"),
    "an object that says it is a number": (type("I", (), {"__class__": int}), "a value of type I is not a number"),
    "an object of a class without a name": (lambda: FailingType("T", (), {})(), "a value of type T is not a number"),
    "a class": (lambda: int, "is not a number, a text, or a list"),
    "a text of its own kind": (hostile(str), "a value of type Hostile is not a number"),
    "a list in itself": (in_itself, "lists in lists, more than 20 deep, or one that contains itself"),
    "a dictionary in itself": (dictionary_in_itself, "or one that contains itself"),
    "lists in lists": (lambda: nested(100_000), "lists in lists, more than 20 deep"),
    "a generator": (endless, "a value of type generator is not a number"),
    "a number of 5000 digits": (lambda: 10**5000, "a number of 16610 bits is larger than any that is asked for"),
    "such a number in a list": (lambda: [10**5000], "a number of 16610 bits is larger"),
    "such a number as a name": (lambda: {-(10**5000): 1}, "a number of 16610 bits is larger"),
    "a float": (lambda: float("inf"), "inf is a float, and a whole number is wanted"),
    "an array": (lambda: np.zeros(3), "a value of type ndarray is not a number"),
    "a module": (lambda: sys, "a value of type module is not a number"),
}


@pytest.mark.parametrize("kind", NOT_DATA)
def test_what_is_not_data_is_told_in_a_sentence(kind):
    make, told = NOT_DATA[kind]
    for answer in (make(), {"TCR_EL1": make()}, [make()]):
        result = check(EXERCISE, answer)
        assert result.points == 0
        assert told in result.feedback
        assert "\n" not in result.feedback


@pytest.mark.parametrize(
    ("base", "content"), [(int, 7), (list, [7]), (tuple, (7,)), (dict, {"a": 7}), (np.int8, 7), (np.uint64, 7)]
)
def test_a_subclass_counts_as_what_it_holds(base, content):
    """None of its own methods runs."""
    for kind in (base, hostile(base)):
        read = plain(kind(content))
        assert type(read) is type(content)
        assert read == content


def test_what_is_called_is_never_asked():
    """Neither an exercise nor a kernel, and nothing that can be printed."""
    with pytest.raises(
        ValueError, match="takes the name of an exercise, such as '03_pud_free', or a kernel, and got <an"
    ):
        check(hostile(object)(), 1)


@pytest.mark.parametrize("name", ["__getattr__", "__getattribute__", "__reduce__", "__reduce_ex__", "__getstate__"])
def test_a_function_that_escapes_what_looks_at_it(name):
    """It is asked what it is, and sent to a process of its own: neither lets what it raises pass."""
    answer = type("Odd", (), {name: fails, "__call__": lambda self, *args: 0})()
    result = check("18_page_to_pfn", answer)
    assert result.points == 0
    assert result.feedback
