"""The kernels and addresses that exercises use.

An address depends on a seed alone: a number or a word, such as a student's name. The same seed gives the same address
on every machine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final

from pgtlab.arch.granule import G64K
from pgtlab.arch.word import MASK64
from pgtlab.lab.matrix import boots
from pgtlab.linux.boot import Boot
from pgtlab.linux.kconfig import Config

COURSE: Final = "pgtlab"
PRACTICE: Final = "practice"  # the seed of a notebook that was made for nobody in particular


def seed_of(course: str, student: str) -> str:
    """The seed of a student in a course: a hash, so that it is the same on every machine and says nothing by itself.

    Letters may be large or small, and spaces at the ends do not count.

    >>> seed_of(COURSE, "Student 1"), seed_of(COURSE, " student 1") == seed_of(COURSE, "Student 1")
    ('0b5f7fc7', True)
    """
    name = " ".join(student.casefold().split())
    return hashlib.sha256(f"{course}\n{name}".encode()).hexdigest()[:8]


@cache
def distinct_boots() -> tuple[Boot, ...]:
    """Every configuration on a CPU that has the address bits it was built for, and on one that has fewer.

    CPUs that give a kernel the same number of bits do not differ in its page tables.

    >>> len(distinct_boots()), describe(distinct_boots()[-1])
    (17, '64K pages, VA_BITS=52, PA_BITS=52 on cortex-a53 (48 in use)')
    """
    distinct: dict[tuple[Config, int], Boot] = {}
    for booted in boots():
        if isinstance(booted, Boot):
            distinct.setdefault((booted.config, booted.vabits_actual), booted)
    return tuple(distinct.values())


def alike(boot: Boot, seed: int | str) -> Boot:
    """The same kernel with as many address bits in use, on a CPU that the seed chooses.

    >>> describe(alike(distinct_boots()[-1], "a student")).partition(" on ")[0]
    '64K pages, VA_BITS=52, PA_BITS=52'
    """
    others = _same_bits()[boot.config, boot.vabits_actual]
    return others[_draw(seed, "CPU") % len(others)]


@cache
def _same_bits() -> dict[tuple[Config, int], list[Boot]]:
    grouped: dict[tuple[Config, int], list[Boot]] = {}
    for booted in boots():
        if isinstance(booted, Boot):
            grouped.setdefault((booted.config, booted.vabits_actual), []).append(booted)
    return grouped


def describe(boot: Boot) -> str:
    """A kernel on a CPU in the words of the hints.

    >>> describe(distinct_boots()[0])
    '4K pages, VA_BITS=39 on max'
    """
    config = boot.config
    pa_bits = f", PA_BITS={config.pa_bits}" if config.granule is G64K else ""  # the others have no choice
    in_use = f" ({boot.vabits_actual} in use)" if boot.vabits_actual < config.va_bits else ""
    return f"{config.granule} pages, VA_BITS={config.va_bits}{pa_bits} on {boot.cpu.name}{in_use}"


def addresses(boot: Boot, seed: int | str = 0) -> tuple[int, int]:
    """A user and a kernel address: random bits below `vabits_actual`, zeros or ones above.

    >>> [f"{va:#018x}" for va in addresses(distinct_boots()[0], seed=7)]
    ['0x0000003615d59e1e', '0xfffffffa4ba6a36a']
    """
    below = (1 << boot.vabits_actual) - 1
    return _draw(seed, "user") & below, _draw(seed, "kernel") & below | (MASK64 ^ below)


@cache
def boots_alike() -> tuple[Boot, ...]:
    """Those of `distinct_boots` that are alike in difficulty: a walk has three or four levels.

    >>> {4 - booted.start_level for booted in boots_alike()}, len(boots_alike())
    ({3, 4}, 13)
    """
    return tuple(booted for booted in distinct_boots() if booted.start_level in (0, 1))


@dataclass(frozen=True)
class Variant:
    """The address of one student and the kernel that it belongs to.

    >>> print(variant("ada"))
    va             0xffffee63ed49a35d
    page_size      65536
    va_bits        48
    vabits_actual  48, on max
    <BLANKLINE>
    63   59   55   51   47   43   39   35   31   27   23   19   15   11   7    3
    1111 1111 1111 1111 1110 1110 0110 0011 1110 1101 0100 1001 1010 0011 0101 1101
    """

    seed: int | str
    boot: Boot
    va: int

    @property
    def given(self) -> tuple[int, int, int, int]:
        """The numbers that are given: the address, PAGE_SIZE, VA_BITS and vabits_actual."""
        return self.va, self.boot.config.page_size, self.boot.config.va_bits, self.boot.vabits_actual

    def __str__(self) -> str:
        _, page_size, va_bits, vabits_actual = self.given
        return "\n".join(
            [
                f"va             {self.va:#018x}",
                f"page_size      {page_size}",
                f"va_bits        {va_bits}",
                f"vabits_actual  {vabits_actual}, on {self.boot.cpu.name}",
                "",
                " ".join(f"{bit:<4}" for bit in range(63, -1, -4)).rstrip(),
                " ".join(f"{self.va >> bit & 15:04b}" for bit in range(60, -1, -4)),
            ]
        )


def variant(seed: int | str) -> Variant:
    """The kernel and the address for a seed.

    >>> variant(0).given == variant("0").given
    True
    """
    kernels = boots_alike()
    booted = kernels[_draw(seed, "kernel and CPU") % len(kernels)]
    return Variant(seed, booted, addresses(booted, seed)[_draw(seed, "half") & 1])


def _draw(seed: int | str, what: str) -> int:
    # Not `random`, whose numbers for a seed may differ between versions of Python.
    return int.from_bytes(hashlib.sha256(f"{what} {seed}".encode()).digest(), "big")
