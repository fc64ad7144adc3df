"""How an answer is given: a number, a choice, lines in order, or words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Said = str | Sequence[str]

_SUFFIXES = "KMGTPE"
_SIZE = re.compile(rf"(\d+)(?:([{_SUFFIXES.lower()}])i?b?|b|bytes?)")
_POWER = re.compile(r"(\d+)(?:\^|\*\*)(\d+)|(\d+)<<(\d+)")
_TIMES = re.compile(r"(?<!\*)\*(?!\*)")  # and not of a power
_SHUFFLES = 64


class UnreadableAnswer(ValueError):
    """What the reader gave is not an answer to this question; the message is one sentence."""


@dataclass(frozen=True)
class Number:
    """A number, typed by the reader in any usual notation.

    Attributes
    ----------
    value : int
        The right number.
    base : int
        16 to show it in hexadecimal, else 10.
    unit : str
        What is counted, such as `levels`; `bytes` for a size, which may also be given as 4K or 4 KiB.
    strict : bool
        Whether only decimal digits are read, because to write the number in decimal is the question.

    Examples
    --------
    >>> Number(4096, unit="bytes").read("4 KiB"), Number(0, base=16).read("0xffff_fdff"), Number(0).read("2^9")
    (4096, 4294966783, 512)
    >>> Number(4096, unit="bytes").show(3 << 40), Number(0, base=16).show(255), Number(4, unit="levels").show(3)
    ('3 TiB', '0xff', '3 levels')
    """

    value: int
    base: int = 10
    unit: str = ""
    strict: bool = False

    @property
    def right(self) -> int:
        """The right answer."""
        return self.value

    def read(self, said: Said) -> int:
        """Return the number that was typed.

        Raises
        ------
        UnreadableAnswer
            If it is not a number, or could be decimal or hexadecimal where hexadecimal is asked for.
        """
        typed = said.strip() if isinstance(said, str) else ""
        text = re.sub(r"[\s_`]|(?<=\d),(?=\d{3}(?!\d))", "", typed.lower().replace("\u2212", "-"))
        if self.unit and self.unit != "bytes":
            text = text.removesuffix(self.unit.lower()).removesuffix(self.unit.lower().removesuffix("s"))
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        if self.strict and not digits.isdecimal():
            raise UnreadableAnswer("Write the number in decimal.")
        if self.unit == "bytes" and digits.isdecimal() and int(digits[:9]) < 1024 <= self.value:
            raise UnreadableAnswer(f"{digits} what? Add the unit, such as bytes, KiB, MiB or GiB.")
        value = self._magnitude(digits, sign) if 0 < len(digits) <= 40 else None
        if value is None:
            if not typed:
                raise UnreadableAnswer("Type a number first.")
            examples = "4096, 0x1000 or 4 KiB" if self.unit == "bytes" else "42, 0x2a or 1_000"
            raise UnreadableAnswer(f"`{typed:.40}` is not a number: write one such as {examples}.")
        return sign * value

    def _magnitude(self, digits: str, sign: int) -> int | None:
        if len(factors := _TIMES.split(digits)) > 1:
            values = [value for factor in factors if (value := self._magnitude(factor, sign)) is not None]
            return math.prod(values) if len(values) == len(factors) else None
        if power := _POWER.fullmatch(digits):
            base, exponent, number, shift = (int(part or 0) for part in power.groups())
            if max(exponent, shift) > 128:
                return None
            return number << shift if power[3] else int(base**exponent)
        if re.fullmatch(r"0x[0-9a-f]+|0b[01]+", digits):
            return int(digits, 0)
        if self.unit == "bytes" and (size := _SIZE.fullmatch(digits)):
            return int(size[1]) << 10 * (_SUFFIXES.lower().index(size[2]) + 1 if size[2] else 0)
        if self.base == 16 and re.fullmatch(r"[0-9a-f]{2,}", digits):
            if digits.isdecimal():
                minus = "-" if sign < 0 else ""
                raise UnreadableAnswer(
                    f"`{minus}{digits}` could be hexadecimal or decimal: write {minus}0x{digits}, or "
                    f"{minus}{int(digits):#x} if you meant the decimal number."
                )
            return int(digits, 16)
        return int(digits) if digits.isascii() and digits.isdecimal() else None

    def show(self, value: int) -> str:
        """Return a number as the reader sees it."""
        if self.base == 16:
            return f"{value:#x}"
        if self.unit != "bytes":
            return f"{value:,} {self.unit.removesuffix('s') if abs(value) == 1 else self.unit}".rstrip()
        power = 0
        while value and value % 1024 == 0 and power < len(_SUFFIXES):
            value, power = value // 1024, power + 1
        return f"{value:,} {_SUFFIXES[power - 1]}iB" if power else f"{value:,} bytes"


@dataclass(frozen=True)
class Choice:
    """One of a few sentences, shown in a drawn order.

    >>> Choice("a table at each level", ("one table", "no table")).read("one table")
    'one table'
    """

    right: str
    others: tuple[str, ...]

    def shown(self, seed: str) -> tuple[str, ...]:
        """Return all options, in the order of a seed."""
        return _shuffled((self.right, *self.others), seed)

    def read(self, said: Said) -> str:
        """Return the chosen option.

        Raises
        ------
        UnreadableAnswer
            If none of the options was chosen.
        """
        if said not in (self.right, *self.others):
            raise UnreadableAnswer("Choose one of the answers.")
        return str(said)

    def show(self, value: str) -> str:
        """Return an option as the reader sees it."""
        return value


@dataclass(frozen=True)
class Order:
    """Lines to put in order; they are shown shuffled.

    >>> Order(("walk", "fault", "oops")).read(["oops", "fault", "walk"])
    ('oops', 'fault', 'walk')
    """

    right: tuple[str, ...]

    def __init__(self, lines: Sequence[str]) -> None:
        object.__setattr__(self, "right", tuple(lines))

    def shown(self, seed: str) -> tuple[str, ...]:
        """Return the lines in the order of a seed, which is not the right one."""
        drawn = (_shuffled(self.right, f"{seed} {number}") for number in range(_SHUFFLES))
        return next((lines for lines in drawn if lines != self.right), self.right)

    def read(self, said: Said) -> tuple[str, ...]:
        """Return the lines as the reader ordered them.

        Raises
        ------
        UnreadableAnswer
            If they are not these lines.
        """
        if isinstance(said, str) or Counter(said) != Counter(self.right):
            raise UnreadableAnswer("Put these lines in order, each of them once.")
        return tuple(said)

    def show(self, value: tuple[str, ...]) -> str:
        """Return the lines one below the other."""
        return "\n".join(value)


@dataclass(frozen=True)
class Words:
    """A prediction in the reader's own words: kept, shown beside the truth, and never judged.

    >>> Words().read("  The kernel panics. ")
    'The kernel panics.'
    """

    right: None = None
    rows: int = 2  # of the field

    def read(self, said: Said) -> str:
        """Return what was written.

        Raises
        ------
        UnreadableAnswer
            If nothing was written.
        """
        text = said.strip() if isinstance(said, str) else ""
        if not text:
            raise UnreadableAnswer("Write an answer, in a few words.")
        return text

    def show(self, value: str) -> str:
        """Return what was written."""
        return value


def _shuffled(items: tuple[str, ...], seed: str) -> tuple[str, ...]:
    shuffled = list(items)
    Random(seed).shuffle(shuffled)
    return tuple(shuffled)
