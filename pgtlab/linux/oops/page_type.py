"""What a page is, out of the four bytes that `_mapcount` and `page_type` share (`include/linux/page-flags.h`).

The encoding changed three times:

========================  ==================================================================================
v4.18 to v5.10            a type is a cleared bit; 0x200 is kmemcg, 0x400 is table
v5.11 to v6.10            the same; without kmemcg table moved to 0x200
v6.11                     the same with bits of the top byte, and the low 16 bits are the owner's
since v6.12               the top byte is the type, 0xf2 for a table; the rest is the owner's
========================  ==================================================================================

A page without type that is mapped nowhere holds 0xffffffff in all of them.
"""

from __future__ import annotations

import re

from pgtlab.linux.oops.report import PageType

Version = tuple[int, int]

_UNTYPED = 0xFFFFFFFF
_EARLY = {0x80: "buddy", 0x100: "offline", 0x200: "kmemcg", 0x400: "table", 0x800: "guard"}
_LATER = {0x80: "buddy", 0x100: "offline", 0x200: "table", 0x400: "guard", 0x800: "hugetlb", 0x1000: "slab"}
_TOP_BITS = {
    0x40000000: "buddy",
    0x20000000: "offline",
    0x10000000: "table",
    0x08000000: "guard",
    0x04000000: "hugetlb",
    0x02000000: "slab",
    0x01000000: "zsmalloc",
}
_BYTES = {
    0xF0: "buddy",
    0xF1: "offline",
    0xF2: "table",
    0xF3: "guard",
    0xF4: "hugetlb",
    0xF5: "slab",
    0xF6: "zsmalloc",
    0xF7: "unaccepted",
}
TABLE_MOVED, TOP_BITS, TOP_BYTE = (5, 11), (6, 11), (6, 12)
_PRINTED = re.compile(r"page_type: (0x)?([0-9a-f]{1,8})\(([^()]{0,80})\)")


def kernel_version(release: str) -> Version | None:
    """Major and minor number of a release; `None` where it does not begin with them.

    >>> kernel_version("6.8.0-rc6-00966-gde701dc1f7f8")
    (6, 8)
    """
    found = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", release)
    return (int(found[1]), int(found[2])) if found else None


def page_type_of(value: int, version: Version | None = None) -> PageType:
    """The type that the four bytes hold. Without a `version` the value itself tells the encoding; a bit that two
    versions use differently then has both names.

    >>> page_type_of(0xfffffdff, (6, 8)), page_type_of(0xfffffdff).names
    (PageType(value=4294966783, encoding='bits', names=('table',)), ('table', 'kmemcg'))
    >>> page_type_of(0xf2000000).names, page_type_of(0xefffffff).names, page_type_of(3).encoding
    (('table',), ('table',), 'count')
    """
    if value == _UNTYPED:
        return PageType(value, "none")
    top, owner = value >> 24, value >> 16 & 0xFF
    if top in _BYTES and (version >= TOP_BYTE if version else owner != 0xFF):
        return PageType(value, "byte", (_BYTES[top],))
    if value >> 31 == 0 or (version and version >= TOP_BYTE):
        return PageType(value, "count")
    if top != 0xFF or (version and version >= TOP_BITS):
        names = _cleared(value, _TOP_BITS)
        return PageType(value, "bits" if names else "count", names)
    # A count that went below zero, down to PAGE_MAPCOUNT_RESERVE (-128), has none of these bits cleared.
    if version:
        names = _cleared(value, _EARLY if version < TABLE_MOVED else _LATER)
    else:
        names = tuple(dict.fromkeys(_cleared(value, _LATER) + _cleared(value, _EARLY)))
    return PageType(value, "bits" if names else "count", names)


def printed_page_type(text: str) -> PageType | None:
    """The line `page_type: ...`: with `0x` all four bytes, until v6.11; without it the top one, since v6.12.

    >>> printed_page_type("page_type: f2(table)")
    PageType(value=None, encoding='byte', names=('table',))
    """
    found = _PRINTED.match(text)
    if found is None:
        return None
    names = tuple(name for name in found[3].split("|") if name)
    value = int(found[2], 16)
    if found[1] is None and value <= 0xFF:
        return PageType(None, "byte", names or ((_BYTES[value],) if value in _BYTES else ()))
    return PageType(value, "none" if value == _UNTYPED else "bits" if names else page_type_of(value).encoding, names)


def _cleared(value: int, types: dict[int, str]) -> tuple[str, ...]:
    return tuple(name for bit, name in types.items() if not value & bit)
