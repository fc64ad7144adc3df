"""What `dump_page()` prints (`mm/debug.c`), in the forms that it has had since v4.9, and the type of the page.

`_mapcount` and `page_type` share four bytes (`include/linux/page-flags.h`). Their encoding changed three times:

========================  ==================================================================================
v4.18 to v5.10            a type is a cleared bit; 0x200 is kmemcg, 0x400 is table
v5.11 to v6.10            a type is a cleared bit; kmemcg is gone, and 0x200 is table
v6.11                     a type is a cleared bit of the top byte; the low 16 bits belong to the owner
since v6.12               the top byte is the type, 0xf2 for a table; the rest belongs to the owner
========================  ==================================================================================

A page without a type that is mapped nowhere holds 0xffffffff in every version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kernel.page_flags import PAGE_TYPES, PGTY_NAMES
from pgtlab.linux.oops.reading.code import PrintedSymbol, read_frames
from pgtlab.linux.oops.reading.header import Version
from pgtlab.linux.oops.reading.lines import Line, hex16

#: The same words of a page of the slab allocator, before v5.17.
_SLAB = ("flags", "slab_list.next", "slab_list.prev", "slab_cache", "freelist", "s_mem or counters")
SLAB_FIELDS = {name: (8 * n, 8) for n, name in enumerate(_SLAB)} | {"_refcount": (52, 4), "memcg_data": (56, 8)}
PAGE_WORDS = PAGE.size // 8
OWN_STRUCT = (5, 17)  # the version since which a slab has a struct of its own
REORDERED = (4, 18)  # the version in which the fields of struct page changed places

_LRU = PAGE.member("lru").offset
_OTHER_NAMES = ("lru", "compound_head", "_mapcount")  # of bytes that are shown as something else
#: The fields of struct page with their offset and size in bytes; `lru.next` is compound_head in a tail page.
FIELDS = {member.name: (member.offset, member.size) for member in PAGE.members if member.name not in _OTHER_NAMES}
FIELDS |= {"lru.next": (_LRU, 8), "lru.prev": (_LRU + 8, 8), "memcg_data": (56, 8)}
FIELDS = dict(sorted(FIELDS.items(), key=lambda field: field[1]))
OLD_FIELDS = {
    "flags": (0, 8),
    "mapping": (8, 8),
    "index": (16, 8),
    "page_type": (24, 4),
    "_refcount": (28, 4),
    "lru.next": (32, 8),
    "lru.prev": (40, 8),
    "private": (48, 8),
    "mem_cgroup": (56, 8),
}

_PAGE = re.compile(r"page:\s?(?:\S{1,24} )?(?:ref)?count:-?\d")
_NUMBER = {
    "refcount": re.compile(r"\b(?:ref)?count:(-?\d{1,10})\b"),
    "mapcount": re.compile(r" mapcount:(-?\d{1,10})\b"),
}
_POINTER = {
    "mapping": re.compile(r" mapping: ?(?:0x)?([0-9a-f]{16})(?![0-9a-zA-Z])"),
    "index": re.compile(r" index:(?:0x)?([0-9a-f]{1,16})(?![0-9a-zA-Z])"),
    "pfn": re.compile(r" pfn:0x([0-9a-f]{1,16})(?![0-9a-zA-Z])"),
}
_FLAGS = re.compile(r"(?:(anon|ksm) )?(?:page )?flags: 0x([0-9a-f]{1,16})\(([^()]{0,400})\)")
_WORDS = re.compile(r"(raw|head): ((?:[0-9a-f]{16}(?: |$)){1,4})")
_REASON = re.compile(r"page dumped because: (.{1,300})")
_MEMCG = re.compile(r"(?:page->mem_cgroup:|memcg:)(?:0x)?([0-9a-f]{8,16})$")
_HEAD = re.compile(r"head:\s?(\S{1,24} )?order:")
_AOPS = re.compile(r"aops:\S{1,200}")
_OWNER = re.compile(r"page (last allocated|allocated|last free|last freed|freed)\b")
NOT_THE_FOLIO = "page does not match folio"

_DUMP_LINE = re.compile(
    r"page:|(?:anon |ksm )?(?:page )?flags: 0x|page_type: |raw: |head: ?|memcg:|page->mem_cgroup:|aops:|"
    r"page dumped because|page does not match|page_owner |page last |page is "
)


@dataclass(frozen=True)
class PageType:
    """The four bytes that `_mapcount` and `page_type` share.

    Attributes
    ----------
    value : int or None
        All four bytes; `None` if the log shows only the top one (since v6.12) and no `raw:` words.
    encoding : str
        `bits` (v4.18 to v6.11: a type is a cleared bit), `byte` (since v6.12: the top byte), `count` for a map count,
        `none` for a page without a type that is mapped nowhere.
    names : tuple of str
        The types, such as `table`. If versions differ on a bit and the log names no version, all that it may be.
    """

    value: int | None
    encoding: str
    names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The type as plain data."""
        value = None if self.value is None else f"{self.value:#x}"
        return {"value": value, "encoding": self.encoding, "names": list(self.names)}


@dataclass(frozen=True)
class PageDump:
    """What `dump_page()` printed, and the reason that `BUG: Bad page state` gave.

    `mapcount` is as printed: before v6.12 a page type shows there as a large negative number. `index`, `mapping` and
    `memcg` are as printed too: pointers may be hashed. `raw` has the words of `struct page` from word `raw_at` on; that
    is 0, or `None` if one of two lines is missing and nothing shows which. `fields` has these words by name (64-byte
    `struct page`, `include/linux/mm_types.h`). `flag_names` and `flag_fields` are from `flags: 0x...(names|node=0)`.
    """

    pfn: int | None = None
    refcount: int | None = None
    mapcount: int | None = None
    mapping: int | None = None
    index: int | None = None
    flags: int | None = None
    flag_names: tuple[str, ...] = ()
    flag_fields: Mapping[str, int] = field(default_factory=dict)
    kind: str = ""  # `anon`, `ksm` or empty: the word before `flags:`
    page_type: PageType | None = None
    raw: tuple[int, ...] = ()
    raw_at: int | None = 0
    head_raw: tuple[int, ...] = ()
    fields: Mapping[str, int] = field(default_factory=dict)
    head: str = ""
    memcg: int | None = None
    aops: str = ""
    reason: str = ""
    matches_folio: bool = True
    folio_line: int = 0  # of the log, where it says that the page does not match
    owner: str = ""
    allocated: tuple[PrintedSymbol, ...] = ()
    freed: tuple[PrintedSymbol, ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def is_slab(self) -> bool:
        """Whether the slab allocator has the page, and its own words where others have a map count."""
        return "slab" in self.flag_names or (self.page_type is not None and "slab" in self.page_type.names)

    def as_dict(self) -> dict[str, Any]:
        """The dump as plain data."""
        return {
            "pfn": None if self.pfn is None else f"{self.pfn:#x}",
            "refcount": self.refcount,
            "mapcount": self.mapcount,
            "mapping": hex16(self.mapping),
            "index": None if self.index is None else f"{self.index:#x}",
            "flags": None if self.flags is None else f"{self.flags:#x}",
            "flag_names": list(self.flag_names),
            "flag_fields": dict(self.flag_fields),
            "page_type": None if self.page_type is None else self.page_type.as_dict(),
            "raw": [f"{word:016x}" for word in self.raw],
            "fields": {name: f"{value:#x}" for name, value in self.fields.items()},
            "head": self.head or None,
            "matches_folio": self.matches_folio,
            "reason": self.reason or None,
            "allocated": [str(frame) for frame in self.allocated],
            "freed": [str(frame) for frame in self.freed],
        }


def is_page_line(text: str) -> bool:
    """Whether a page dump begins with this line.

    >>> is_page_line("page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d")
    True
    """
    return text.startswith("page:") and _PAGE.match(text) is not None


def is_dump_line(text: str) -> bool:
    """Whether a line belongs to a page dump."""
    return _DUMP_LINE.match(text) is not None


def read_page(lines: Sequence[Line], version: Version | None = None) -> PageDump | None:
    """The page that the lines dump, or `None`; `version` decides what differs between versions.

    >>> page = read_page([Line(1, "page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d")],
    ...     (6, 8))
    >>> hex(page.pfn), page.mapcount, page.page_type.names
    ('0x18a65d', -512, ('table',))
    """
    page = PageDump()
    used: list[int] = []
    for at, line in enumerate(lines):
        if line.text == NOT_THE_FOLIO:
            page = replace(page, matches_folio=False, folio_line=line.number)
            continue
        if not is_dump_line(line.text):
            continue
        if used and is_page_line(line.text) and page.mapcount is not None:
            break  # another page
        changed = _with_line(page, line, lines[at + 1 :] if _OWNER.match(line.text) else ())
        if changed is not page:
            page, used = changed, [*used, line.number]
    if not used and page.matches_folio:
        return None
    page = replace(page, lines=tuple(used) or (page.folio_line,), raw_at=_place(page))
    page = replace(page, fields=_fields(page, version))
    return _with_type(page, version)


def _with_line(page: PageDump, line: Line, following: Sequence[Line]) -> PageDump:
    """The dump with what one line adds; the same object if it adds nothing."""
    text = line.text
    if is_page_line(text):
        decimal = {name: int(match[1]) for name, pattern in _NUMBER.items() if (match := pattern.search(text))}
        hexadecimal = {name: int(match[1], 16) for name, pattern in _POINTER.items() if (match := pattern.search(text))}
        return replace(page, **decimal, **hexadecimal)  # type: ignore[arg-type]
    if match := _FLAGS.match(text):
        names, fields = _flag_names(match[3])
        return replace(page, kind=match[1] or "", flags=int(match[2], 16), flag_names=names, flag_fields=fields)
    if match := _WORDS.match(text):
        words = tuple(int(word, 16) for word in match[2].split())
        if match[1] == "raw":
            return replace(page, raw=(page.raw + words)[:PAGE_WORDS])
        return replace(page, head_raw=(page.head_raw + words)[: 2 * PAGE_WORDS])
    if match := _HEAD.match(text):
        return replace(page, head=text)
    if printed := printed_page_type(text):
        return replace(page, page_type=printed)
    if match := _REASON.match(text):
        return replace(page, reason=match[1])
    if match := _MEMCG.match(text):
        return replace(page, memcg=int(match[1], 16))
    if _AOPS.match(text):
        return replace(page, aops=text)
    if match := _OWNER.match(text):
        frames = read_frames(following)
        if "free" in match[1]:
            return replace(page, freed=frames)
        return replace(page, owner=text, allocated=frames)
    return page


def _flag_names(text: str) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """The names in `referenced|node=0|lastcpupid=0x7ff`, and the fields with a value."""
    names, fields = [], {}
    for part in text.split("|"):
        name, sign, value = part.partition("=")
        if not sign:
            names += [name] if name else []
        elif re.fullmatch(r"0x[0-9a-f]{1,16}|\d{1,10}", value):
            fields[name] = int(value, 0)
    return tuple(names), fields


def _place(page: PageDump) -> int | None:
    """Which word of struct page the first one of `raw:` is; `None` if that cannot be known.

    One of the two lines may be lost: the printed flags are in the first, and since v4.18 the printed reference count is
    in the second.
    """
    words = page.raw
    if not 0 < len(words) <= PAGE_WORDS // 2:
        return 0
    is_first = words[0] == page.flags
    is_second = len(words) > 2 and page.refcount is not None and words[2] >> 32 == page.refcount & 0xFFFFFFFF
    # The four bytes beside it hold the map count less one, or a type, whose upper bit is set.
    is_second = is_second and (
        words[2] >> 31 & 1 == 1 or words[2] & 0xFFFFFFFF == ((page.mapcount or 0) - 1) & 0xFFFFFFFF
    )
    if is_first != is_second:
        return 0 if is_first else PAGE_WORDS // 2
    return None


def _fields(page: PageDump, version: Version | None) -> Mapping[str, int]:
    """The words of `raw:` by name, in the order of fields that fits the printed reference count, or the version."""
    if not page.raw or page.raw_at is None:
        return {}
    words = (None,) * page.raw_at + page.raw
    new, old = (_named(words, layout) for layout in (FIELDS, OLD_FIELDS))
    if page.is_slab:
        known = version is not None and REORDERED <= version < OWN_STRUCT
        return _named(words, SLAB_FIELDS if known else {name: FIELDS[name] for name in ("flags", "_refcount")})
    if version is not None:
        return old if version < REORDERED else new
    if page.refcount is None:
        return new
    refcount = page.refcount & 0xFFFFFFFF
    decisive = "_refcount" in new or new.get("mapping")  # zeros alone fit both orders
    return old if decisive and new.get("_refcount") != refcount == old.get("_refcount") else new


def _named(words: Sequence[int | None], layout: Mapping[str, tuple[int, int]]) -> Mapping[str, int]:
    fields = {}
    for name, (offset, size) in layout.items():
        word = words[offset // 8] if offset // 8 < len(words) else None
        if word is not None:
            fields[name] = word >> 8 * (offset % 8) & (1 << 8 * size) - 1
    return fields


def _with_type(page: PageDump, version: Version | None) -> PageDump:
    """The page with its type: from the line that names it, or from the raw words, or from the map count."""
    if "slab" in page.flag_names:
        return page  # before v6.10 slab is a flag, and these bytes are the allocator's
    value = page.fields.get("page_type")
    printed = page.page_type
    if printed is not None and (printed.value is not None or value is None):
        if printed.encoding == "bits" and not printed.names and printed.value is not None:
            return replace(page, page_type=page_type_of(printed.value, version))
        return page
    if value is None and page.mapcount is not None and page.mapcount < 0:
        value = page.mapcount - 1 & 0xFFFFFFFF  # it is printed as one more than the bytes
    if value is None:
        return page
    if printed is not None:
        return replace(page, page_type=replace(printed, value=value))
    return replace(page, page_type=page_type_of(value, version))


def page_notes(page: PageDump) -> tuple[str, ...]:
    """Sentences on where the printed numbers of a page contradict its raw words."""
    notes = []
    raw = page.fields
    if raw.get("lru.next", 0) & 1:
        return ()  # a tail page: the printed flags and reference count are those of the folio
    if page.refcount is not None and "_refcount" in raw and page.refcount & 0xFFFFFFFF != raw["_refcount"]:
        notes.append(f"refcount is printed as {page.refcount}, but the raw words hold {_signed(raw['_refcount'])}")
    if page.flags is not None and "flags" in raw and page.flags != raw["flags"]:
        notes.append(f"flags are printed as {page.flags:#x}, but the raw words hold {raw['flags']:#x}")
    return tuple(notes)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


_UNTYPED = 0xFFFFFFFF
_EARLY = {0x80: "buddy", 0x100: "offline", 0x200: "kmemcg", 0x400: "table", 0x800: "guard"}
_LATER = PAGE_TYPES | {0x800: "hugetlb", 0x1000: "slab"}
_TOP_BITS = {
    0x40000000: "buddy",
    0x20000000: "offline",
    0x10000000: "table",
    0x08000000: "guard",
    0x04000000: "hugetlb",
    0x02000000: "slab",
    0x01000000: "zsmalloc",
}
TABLE_MOVED, TOP_BITS, TOP_BYTE = (5, 11), (6, 11), (6, 12)
_PRINTED = re.compile(r"page_type: (0x)?([0-9a-f]{1,8})\(([^()]{0,80})\)")


def page_type_of(value: int, version: Version | None = None) -> PageType:
    """The type that the four bytes hold.

    Without a `version` the value itself shows the encoding; a bit that two versions use differently has both names.

    >>> page_type_of(0xfffffdff, (6, 8)), page_type_of(0xfffffdff).names
    (PageType(value=4294966783, encoding='bits', names=('table',)), ('table', 'kmemcg'))
    >>> page_type_of(0xf2000000).names, page_type_of(0xefffffff).names, page_type_of(3).encoding
    (('table',), ('table',), 'count')
    """
    if value == _UNTYPED:
        return PageType(value, "none")
    top, owner = value >> 24, value >> 16 & 0xFF
    if top in PGTY_NAMES and (version >= TOP_BYTE if version else owner != 0xFF):
        return PageType(value, "byte", (PGTY_NAMES[top],))
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
    """The line `page_type: ...`: all four bytes with `0x` until v6.11, the top byte without it since v6.12.

    >>> printed_page_type("page_type: f2(table)")
    PageType(value=None, encoding='byte', names=('table',))
    """
    match = _PRINTED.match(text)
    if match is None:
        return None
    names = tuple(name for name in match[3].split("|") if name)
    value = int(match[2], 16)
    if match[1] is None and value <= 0xFF:
        return PageType(None, "byte", names or ((PGTY_NAMES[value],) if value in PGTY_NAMES else ()))
    return PageType(value, "none" if value == _UNTYPED else "bits" if names else page_type_of(value).encoding, names)


def _cleared(value: int, types: dict[int, str]) -> tuple[str, ...]:
    return tuple(name for bit, name in types.items() if not value & bit)
