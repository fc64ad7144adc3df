"""The layout of the structures that the model keeps in simulated memory (`linux/mm_types.h`, `linux/mmzone.h`).

Members of a union share an offset: that `_mapcount` and `page_type` are the same four bytes is half of the story.
The layout is the same in v6.9 and v6.12; what the bytes of `page_type` mean is not (`page_flags.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One member: its offset and size in bytes, and whether the kernel declares it signed."""

    name: str
    offset: int
    size: int = 8
    signed: bool = False


@dataclass(frozen=True)
class Struct:
    """A C structure as offsets."""

    name: str
    size: int
    members: tuple[Member, ...]

    def member(self, name: str) -> Member:
        """The member of that name; `AttributeError` where there is none."""
        for member in self.members:
            if member.name == name:
                return member
        names = ", ".join(member.name for member in self.members)
        raise AttributeError(f"struct {self.name} has no member {name}; it has {names}")


PAGE = Struct(
    "page",
    64,  # aligned to two words (CONFIG_HAVE_ALIGNED_STRUCT_PAGE); the last eight bytes are CONFIG_MEMCG's
    (
        Member("flags", 0),
        Member("lru", 8, 16),
        Member("compound_head", 8),
        Member("mapping", 24),
        Member("index", 32),
        Member("private", 40),
        Member("page_type", 48, 4),
        Member("_mapcount", 48, 4, signed=True),
        Member("_refcount", 52, 4, signed=True),
    ),
)


def mem_section(page_extension: bool) -> Struct:
    """`struct mem_section`, a power of two in size: with CONFIG_PAGE_EXTENSION it has a third member, and padding.

    >>> [mem_section(page_extension).size for page_extension in (False, True)]
    [16, 32]
    """
    names = ("section_mem_map", "usage", "page_ext", "pad") if page_extension else ("section_mem_map", "usage")
    members = tuple(Member(name, 8 * i) for i, name in enumerate(names))
    return Struct("mem_section", sum(member.size for member in members), members)


def structs(page_extension: bool) -> tuple[Struct, ...]:
    """Every structure of the model."""
    return (PAGE, mem_section(page_extension))
