"""The picture of a `struct page`: its bytes, and beside them the members, those of a union side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from pgtlab.linux.headers.mm_types import PAGE, Member
from pgtlab.linux.kernel.page_flags import PAGE_TYPES, PAGEFLAGS, page_type_has_type
from pgtlab.picture import Picture, Shape, rect, text

OFFSET, BYTE, ROW, HEAD = 46, 30, 24, 46
LANES = OFFSET + 4 * BYTE + 16
LANE = 378  # room for a page_type with its name and its previous value
POINTERS = ("lru", "compound_head", "mapping")


def page_picture(words: Sequence[int], before: Sequence[int] | None = None, title: str = "struct page") -> Picture:
    """Draw the 64 bytes of a `struct page`, given as eight words; what differs from `before` is marked.

    >>> table = page_picture([0, 0, 0, 0, 0, 0, 0xfffffdff, 0])
    >>> [shape.text for shape in table.shapes if shape.key in ("value page_type", "value _mapcount")]
    ['page_type = 0xfffffdff  table', '_mapcount = -513']
    """
    was = words if before is None else before
    now_bytes, was_bytes = (b"".join(word.to_bytes(8, "little") for word in each) for each in (words, was))
    shapes = [text("title", 4, 16, title, "start strong")]
    shapes.append(text("head bytes", OFFSET, HEAD - 8, "bytes, lowest first", "start small"))
    shapes.append(text("head members", LANES, HEAD - 8, "what lies there", "start small"))
    shapes.append(text("head union", LANES + LANE, HEAD - 8, "the same bytes by another name", "start small"))
    for offset, (byte, old) in enumerate(zip(now_bytes, was_bytes, strict=True)):
        shapes += _byte(offset, byte, old)
    for member, lane in lanes(PAGE.members):
        shapes += _member(member, lane, now_bytes, was_bytes)
    height = HEAD + PAGE.size // 4 * ROW + 6
    lines = [member_line(member, now_bytes, was_bytes) for member in PAGE.members]
    return Picture(LANES + 2 * LANE + 4, height, title, "\n".join(lines), tuple(shapes))


def lanes(members: Sequence[Member]) -> Iterator[tuple[Member, int]]:
    """Each member with its lane: the first lane in which its bytes are still free.

    >>> [(member.name, lane) for member, lane in lanes(PAGE.members) if lane]
    [('compound_head', 1), ('_mapcount', 1)]
    """
    taken: set[tuple[int, int]] = set()
    for member in members:
        bytes_of = range(member.offset, member.offset + member.size)
        lane = next(lane for lane in count() if not any((lane, byte) in taken for byte in bytes_of))
        taken |= {(lane, byte) for byte in bytes_of}
        yield member, lane


def member_line(member: Member, now: bytes, was: bytes) -> str:
    """A member as text: its offset, its value, and its previous value if that differs."""
    value, old = _value(member, now), _value(member, was)
    return f"{member.offset:#04x} {member.name} = {value}" + (f"  (was {old})" if old != value else "")


def _byte(offset: int, byte: int, old: int) -> Iterator[Shape]:
    row, column = divmod(offset, 4)
    x, y = OFFSET + column * BYTE, HEAD + row * ROW
    if column == 0:
        yield text(f"offset {offset}", OFFSET - 8, y + 16, f"{offset:#04x}", "end mono small")
    changed = byte != old
    hint = f"byte {offset:#04x}: {byte:#04x}" + (f", was {old:#04x}" if changed else "")
    yield rect(f"byte {offset}", x, y, BYTE, ROW, "byte changed" if changed else "byte", hint)
    classes = "middle mono strong on-fill" if changed else "middle mono"
    yield text(f"hex {offset}", x + BYTE / 2, y + 16, f"{byte:02x}", classes)


def _member(member: Member, lane: int, now: bytes, was: bytes) -> Iterator[Shape]:
    x, y = LANES + lane * LANE, HEAD + member.offset // 4 * ROW
    height = member.size // 4 * ROW
    value, old = _value(member, now), _value(member, was)
    changed = value != old
    yield rect(f"member {member.name}", x, y + 1, LANE - 6, height - 2, "byte changed" if changed else "byte")
    ink = " on-fill" if changed else ""
    middle = y + height / 2 + 4
    if changed and member.size > 4:
        yield text(f"was {member.name}", x + 8, middle + 10, f"was {old}", f"start small mono{ink}")
        middle -= 8
    shown = f"{member.name} = {value}"
    if changed and member.size == 4:
        shown += f"  (was {old.split()[0]})"
    yield text(f"value {member.name}", x + 8, middle, shown, f"start mono{ink}")


def _value(member: Member, page: bytes) -> str:
    """The value of a member as the kernel writes it, with the names of its bits if it has any."""
    raw = page[member.offset : member.offset + member.size]
    if member.name == "lru":
        return " ".join(f"{int.from_bytes(half, 'little'):x}" for half in (raw[:8], raw[8:]))
    value = int.from_bytes(raw, "little", signed=member.signed)
    if member.name == "page_type":
        names = [name for bit, name in PAGE_TYPES.items() if not value & bit] if page_type_has_type(value) else []
        return " ".join([f"{value:#x}", " ".join(names)]).rstrip().replace(" ", "  ", 1)
    if member.name == "flags":
        names = [name for name, bit in PAGEFLAGS.items() if value & bit]
        return f"{value:#x}" + (f"  {'|'.join(names)}" if names else "")
    return f"{value}" if member.signed else f"{value:#x}"
