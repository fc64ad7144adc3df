"""The picture of a `struct page`: its bytes, and beside them the members, those of a union side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, count

from pgtlab.linux.headers.mm_types import PAGE, Member
from pgtlab.linux.kernel.page_flags import PAGE_TYPES, PAGEFLAGS, page_type_has_type
from pgtlab.picture import Picture, Shape, rect, text

OFFSET, BYTE, HEAD = 44, 24, 42
LANES = OFFSET + 4 * BYTE + 12
LANE = (230, 222)
LETTER = 7.3  # the width of a digit in the fallback fonts of browsers
ROW, TALL = 20, 38  # a row of four bytes, and one of two lines: those of a member of four bytes
TWO_NAMES = range(48, 52)  # page_type and _mapcount
TOPS = (HEAD, *accumulate((TALL if row in (12, 13) else ROW for row in range(16)), initial=HEAD))[1:]


def page_picture(
    words: Sequence[int],
    before: Sequence[int] | None = None,
    title: str = "struct page",
    hidden: Collection[str] = (),
) -> Picture:
    """Draw the 64 bytes of a `struct page`, given as eight words.

    What differs from `before` is marked. Of the members in `hidden` the value is not shown, nor are their bytes, unless
    the other name of these bytes is shown.

    >>> table = page_picture([0, 0, 0, 0, 0, 0, 0xfffffdff, 0])
    >>> [shape.text for shape in table.shapes if shape.key in ("value page_type", "value _mapcount", "note _mapcount")]
    ['page_type = 0xfffffdff', '_mapcount = -513', 'printed plus one: -512']
    """
    was = words if before is None else before
    now_bytes, was_bytes = (b"".join(word.to_bytes(8, "little") for word in each) for each in (words, was))
    shapes = [text("title", 4, 16, title, "start strong")]
    shapes.append(text("head bytes", OFFSET + 4 * BYTE, HEAD - 7, "bytes, lowest first", "end small"))
    shapes.append(text("head members", LANES, HEAD - 7, "what lies there", "start small"))
    shapes.append(text("head union", LANES + LANE[0], HEAD - 7, "the same bytes by another name", "start small"))
    placed = list(lanes(PAGE.members))
    unseen = {byte for member, lane in placed if lane == 0 and member.name in hidden for byte in _bytes(member)}
    for offset, (byte, old) in enumerate(zip(now_bytes, was_bytes, strict=True)):
        shapes += _byte(offset, byte, old, shown=offset not in unseen)
    for member, lane in placed:
        shapes += _member(member, lane, now_bytes, was_bytes, shown=member.name not in hidden)
    width, top = LANES + sum(LANE) - 4, TOPS[TWO_NAMES.start // 4]
    shapes.append(rect("two names", OFFSET - 2, top - 2, width - OFFSET + 2, TALL + 4, "mark"))
    shown = [member for member in PAGE.members if member.name not in hidden]
    lines = [member_line(member, now_bytes, was_bytes) for member in shown]
    return Picture(width + 4, TOPS[-1] + 6, title, "\n".join(lines), tuple(shapes))


def _bytes(member: Member) -> range:
    return range(member.offset, member.offset + member.size)


def lanes(members: Sequence[Member]) -> Iterator[tuple[Member, int]]:
    """Each member with its lane: the first lane in which its bytes are still free.

    >>> [(member.name, lane) for member, lane in lanes(PAGE.members) if lane]
    [('compound_head', 1), ('_mapcount', 1)]
    """
    taken: set[tuple[int, int]] = set()
    for member in members:
        lane = next(lane for lane in count() if not any((lane, byte) in taken for byte in _bytes(member)))
        taken |= {(lane, byte) for byte in _bytes(member)}
        yield member, lane


def member_line(member: Member, now: bytes, was: bytes) -> str:
    """A member as text: its offset, its value, and its previous value if that differs."""
    value, old = _value(member, now), _value(member, was)
    return f"{member.offset:#04x} {member.name} = {value}" + (f"  (was {old})" if old != value else "")


def _byte(offset: int, byte: int, old: int, *, shown: bool) -> Iterator[Shape]:
    row, column = divmod(offset, 4)
    x, y, height = OFFSET + column * BYTE, TOPS[row], TOPS[row + 1] - TOPS[row]
    if column == 0:
        yield text(f"offset {offset}", OFFSET - 8, y + height / 2 + 4, f"{offset:#04x}", "end mono small")
    changed = byte != old and shown
    hint = (f"byte {offset:#04x}: {byte:#04x}" if shown else "") + (f", was {old:#04x}" if changed else "")
    yield rect(f"byte {offset}", x, y, BYTE, height, "byte changed" if changed else "byte", hint)
    classes = "middle mono strong on-fill" if changed else "middle mono"
    yield text(f"hex {offset}", x + BYTE / 2, y + height / 2 + 4, f"{byte:02x}" if shown else "??", classes)


def _member(member: Member, lane: int, now: bytes, was: bytes, *, shown: bool) -> Iterator[Shape]:
    """A member in two lines: its value, and a note on it with the value before."""
    x, y = LANES + sum(LANE[:lane]), TOPS[member.offset // 4]
    height = TOPS[(member.offset + member.size) // 4] - y
    value, old = _value(member, now), _value(member, was)
    changed = shown and value != old
    hint = member_line(member, now, was) if shown else ""
    yield rect(
        f"member {member.name}", x, y + 1, LANE[lane] - 8, height - 2, "byte changed" if changed else "byte", hint
    )
    ink = " on-fill" if changed else ""
    first, *notes = f"{member.name} = {value if shown else '?'}".split("  ")
    notes += _printed(member, now) if shown else []
    room = int((LANE[lane] - 20) / LETTER)
    if len(first) > room:  # a pointer, below its name
        first, _, pointer = first.partition(" = ")
        notes.insert(0, pointer)
    before = ", ".join([*notes, f"was {' '.join(old.split())}"])
    if changed and 6.4 * len(before) < LANE[lane] - 14:
        notes = [before]
    middle = y + height / 2 + (4 if not notes else -4)
    yield text(f"value {member.name}", x + 6, middle, first, f"start mono small{ink}")
    if notes:
        yield text(f"note {member.name}", x + 6, middle + 15, ", ".join(notes), f"start small{ink}")


def _printed(member: Member, page: bytes) -> list[str]:
    """What a report prints for `_mapcount`: how often the page is mapped, which is stored less one."""
    if member.name != "_mapcount":
        return []
    return [f"printed plus one: {int.from_bytes(page[member.offset :][: member.size], 'little', signed=True) + 1}"]


def _value(member: Member, page: bytes) -> str:
    """The value of a member as the kernel writes it, with the names of its bits if it has any."""
    raw = page[member.offset : member.offset + member.size]
    if member.name == "lru":
        return "  ".join(f"{int.from_bytes(half, 'little'):x}" for half in (raw[:8], raw[8:]))
    value = int.from_bytes(raw, "little", signed=member.signed)
    if member.name == "page_type":
        names = [name for bit, name in PAGE_TYPES.items() if not value & bit] if page_type_has_type(value) else []
        return " ".join([f"{value:#x}", " ".join(names)]).rstrip().replace(" ", "  ", 1)
    if member.name == "flags":
        names = [name for name, bit in PAGEFLAGS.items() if value & bit]
        return f"{value:#x}" + (f"  {'|'.join(names)}" if names else "")
    return f"{value}" if member.signed else f"{value:#x}"
