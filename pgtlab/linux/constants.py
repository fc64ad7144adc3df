"""A set of kernel constants: read-only, by attribute or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

EXACT_IN_JSON: Final = 1 << 53  # a JSON reader may round larger numbers


class Constants(Mapping[str, int]):
    """Kernel constants under their kernel names.

    Names that are valid in Python are attributes, and all names are keys (`k["sizeof(struct page)"]`). They are
    read-only.

    >>> from pgtlab import Config
    >>> k = Config("4k", 48).constants
    >>> hex(k.VMEMMAP_START), k["sizeof(struct page)"]
    ('0xfffffdffc0000000', 64)
    """

    def __init__(self, values: Mapping[str, int]) -> None:
        self.__dict__.update(values)

    def __getitem__(self, name: str) -> int:
        value: int = self.__dict__[name]
        return value

    def __getattr__(self, name: str) -> int:
        raise AttributeError(f"this configuration has no constant {name}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"constants are read-only: {name} was fixed when the kernel was configured")

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def as_dict(self) -> dict[str, int | str]:
        """The constants for JSON: numbers up to 2^53, which every reader keeps exact, and hex strings above.

        >>> from pgtlab import Config
        >>> constants = Config("4k", 48).constants.as_dict()
        >>> constants["PAGE_SIZE"], constants["PAGE_OFFSET"]
        (4096, '0xffff000000000000')
        """
        return {name: value if value <= EXACT_IN_JSON else f"{value:#x}" for name, value in self.items()}

    def __repr__(self) -> str:
        return f"Constants({len(self)} names)"


class Header:
    """The constants while the headers are read, in order: each may use those before it."""

    def __getattr__(self, name: str) -> int:
        raise AttributeError(f"{name} is not defined by the headers included so far")

    def __setattr__(self, name: str, value: int) -> None:
        self.__dict__[name] = int(value)

    def __getitem__(self, name: str) -> int:
        value: int = self.__dict__[name]
        return value

    __setitem__ = __setattr__


def include(start: Mapping[str, int], *headers: Callable[[Header], None]) -> Constants:
    """The constants that `headers` define, in order, in addition to `start`."""
    k = Header()
    vars(k).update(start if isinstance(start, Constants) else {name: int(value) for name, value in start.items()})
    for header in headers:
        header(k)
    return Constants(vars(k))
