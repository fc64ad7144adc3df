"""Declarative bit-fields: a register is declared once, and everything else derives from that.

A subclass of `BitFields` names its bit ranges, as the Arm ARM's register diagrams do::

    class TCR_EL1(BitFields):
        T0SZ = Field(5, 0)
        EPD0 = Field(7)

Decoding, encoding, `repr`, the listing of fields and the picture of the word come from those lines alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from operator import index
from typing import Any, ClassVar, Self, overload


class FieldError(ValueError):
    """A bit-field declared or written against its own width."""


class Field:
    """Bits `hi` to `lo` of a 64-bit word, read as an integer or as a member of `enum`.

    >>> Field(9, 8).mask
    768
    """

    def __init__(self, hi: int, lo: int | None = None, enum: type[IntEnum] | None = None) -> None:
        self.hi = hi
        self.lo = hi if lo is None else lo
        self.enum = enum
        self.name = ""
        self.width = self.hi - self.lo + 1  # number of bits
        self.mask = ((1 << max(self.width, 0)) - 1) << max(self.lo, 0)  # the field's bits set, in place
        if not 63 >= self.hi >= self.lo >= 0:
            raise FieldError(f"bits {self.hi}:{self.lo} are not a range inside 63:0, highest first")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def bits(self) -> str:
        """The range as the Arm ARM writes it: `9:8`, or `10` for a single bit."""
        return f"{self.hi}:{self.lo}" if self.width > 1 else f"{self.lo}"

    def extract(self, word: int) -> int:
        """The field's value in `word`; a value that `enum` has no name for stays a number, as in hardware."""
        value = (word & self.mask) >> self.lo
        if self.enum is not None and value in self.enum._value2member_map_:
            return self.enum(value)
        return value

    def insert(self, word: int, value: int) -> int:
        """`word` with this field set to `value`; `FieldError` where the value does not fit."""
        if not 0 <= value < 1 << self.width:
            raise FieldError(
                f"{self.name}={value:#x} does not fit in bits {self.bits}: at most {(1 << self.width) - 1:#x}"
            )
        return (word & ~self.mask) | (value << self.lo)

    @overload
    def __get__(self, word: None, owner: type) -> Field: ...
    @overload
    def __get__(self, word: BitFields, owner: type) -> int: ...
    def __get__(self, word: BitFields | None, owner: type) -> Field | int:
        return self if word is None else self.extract(word.value)

    def __set__(self, word: BitFields, value: int) -> None:
        raise AttributeError(f"{type(word).__name__} is a value: use .replace({self.name}={value!r})")


class BitFields:
    """An immutable 64-bit word with named bit ranges.

    >>> class Toy(BitFields):
    ...     LOW = Field(3, 0)
    ...     TOP = Field(63)
    >>> Toy(LOW=5)
    Toy(0x5: LOW=0x5)
    >>> hex(Toy(0x8000_0000_0000_0005).replace(LOW=1))
    '0x8000000000000001'
    """

    __slots__ = ("value",)
    value: int
    fields: ClassVar[tuple[Field, ...]] = ()

    def __init_subclass__(cls) -> None:
        declared = {field.name: field for base in reversed(cls.__mro__) for field in _own_fields(base)}
        cls.fields = tuple(sorted(declared.values(), key=lambda field: field.lo))
        for below, above in zip(cls.fields, cls.fields[1:], strict=False):
            if above.lo <= below.hi:
                raise FieldError(f"{cls.__name__}: {above.name}[{above.bits}] overlaps {below.name}[{below.bits}]")

    def __init__(self, word: int = 0, /, **values: int) -> None:
        if not 0 <= word < 1 << 64:
            raise FieldError(f"{type(self).__name__} holds 64 bits; {word:#x} does not fit")
        for name, value in values.items():
            field = getattr(type(self), name, None)
            if not isinstance(field, Field):
                known = ", ".join(field.name for field in self.fields)
                raise FieldError(f"{type(self).__name__} has no field {name}; it has {known}")
            word = field.insert(word, index(value))
        object.__setattr__(self, "value", word)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is a value: use .replace({name}={value!r})")

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self.value,)  # a copy or a pickle is made by its value, since no attribute can be set

    def replace(self, **values: int) -> Self:
        """This word with the named fields changed."""
        return type(self)(self.value, **values)

    def items(self) -> Iterator[tuple[str, int]]:
        """Every field and its value, lowest bits first."""
        return ((field.name, field.extract(self.value)) for field in self.fields)

    def __index__(self) -> int:
        return self.value

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.value == self.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __repr__(self) -> str:
        shown = (
            f"{name}={value.name if isinstance(value, IntEnum) else format(value, '#x')}"
            for name, value in reversed(list(self.items()))
            if value
        )
        return f"{type(self).__name__}({self.value:#x}: {' '.join(shown)})".replace(": )", ")")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from pgtlab.arch.word_picture import word_picture  # views load only where something is shown

        return word_picture(self).mimebundle(repr(self))


def _own_fields(cls: type) -> Iterator[Field]:
    return (attribute for attribute in vars(cls).values() if isinstance(attribute, Field))
