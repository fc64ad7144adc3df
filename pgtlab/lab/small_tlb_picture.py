"""The picture of a small TLB: the accesses of a trace, and what each entry holds after one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pgtlab.arch.cost.tlb import TLB
from pgtlab.arch.cost.tlb_entries import TLBEntry
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.lab.cost_comparison import Regime
from pgtlab.lab.small_tlb import WatchedAccess
from pgtlab.picture import Picture, Shape, rect, text

WIDTH: Final = 608
IN_A_ROW, STEP, BOX = 24, 25, 24  # accesses in a row, and the size of their boxes
STRIP, WALK, LEVEL = 30, 100, 66  # where the accesses begin, the walk, and the width of a level in it
ENTRY: Final = 24  # height of a row of the table
COLUMNS: Final = {"entry": 10, "from address": 74, "size": 210, "level": 264, "ASID": 328, "to memory at": 366, "": 454}
#: What an access does: the letter in its box, the class of the box, and the words.
KINDS: Final = {
    "hit": ("h", "byte", "a hit"),
    "fill": ("m", "offset", "a miss, which fills an empty entry"),
    "evict": ("e", "offset length", "a miss, which evicts another translation"),
}


def small_tlb_picture(watched: Sequence[WatchedAccess], number: int, tlb: TLB, regime: Regime) -> Picture:
    """Draw the TLB after an access.

    Parameters
    ----------
    watched : sequence of WatchedAccess
        All accesses of the trace.
    number : int
        The access to draw, from 1.
    tlb : TLB
        The TLB that they went through.
    regime : Regime
        The regime whose tables are walked.

    Examples
    --------
    >>> from pgtlab.lab.cost_comparison import regimes
    >>> from pgtlab.lab.small_tlb import small_tlb, watch
    >>> regime, tlb = regimes("16k")[0], small_tlb("4", "LRU")
    >>> watched = watch("sequential", regime, "pages", tlb)
    >>> small_tlb_picture(watched, 17, tlb, regime).title
    'Access 17 of 48: 0x20010000 misses, and evicts 0x20000000'
    >>> small_tlb_picture(watched, 18, tlb, regime).title
    'Access 18 of 48: 0x20011000 hits entry 0'
    """
    now = watched[number - 1]
    title = _title(watched, number, tlb)
    shapes = [text("title", 4, 16, title, "start strong")]
    lines = [title]
    for n, each in enumerate(watched, 1):
        shapes += _access(n, each, number)
    shapes += _legend(watched[:number])
    shapes += _walk(now, regime)
    top = WALK + 56
    shapes += [text(f"head {name}", x, top, name, "start small faint") for name, x in COLUMNS.items() if name]
    for slot, entry in enumerate(now.entries):
        mark = _mark(slot, now)
        shapes += _entry(slot, entry, top + 8 + slot * ENTRY, _entry_name(slot, tlb), mark)
        words = "empty" if entry is None else str(entry)
        lines.append(f"entry {_entry_name(slot, tlb)}: {words}{mark and f' ({mark})'}")
    lines.append(_so_far(watched[:number]))
    return Picture(WIDTH, top + 14 + len(now.entries) * ENTRY, title, "\n".join(lines), tuple(shapes))


def _entry_name(slot: int, tlb: TLB) -> str:
    """The name of an entry: its number, or its set and its way.

    >>> _entry_name(3, TLB(8)), _entry_name(3, TLB(8, ways=2))
    ('3', 'set 1, 1')
    """
    return f"{slot}" if tlb.sets == 1 else f"set {slot // tlb.ways}, {slot % tlb.ways}"


def _title(watched: Sequence[WatchedAccess], number: int, tlb: TLB) -> str:
    now = watched[number - 1]
    several = len({each.accessed.asid for each in watched}) > 1
    title = (
        f"Access {number} of {len(watched)}: {now.accessed.va:#x}{f' of ASID {now.accessed.asid}' if several else ''}"
    )
    if now.accessed.hit:
        return f"{title} hits entry {_entry_name(now.accessed.hit.slot, tlb)}"
    if now.evicted:
        return f"{title} misses, and evicts {now.evicted.va:#x}"
    return f"{title} misses, and fills entry {_entry_name(now.accessed.filled[0].at.slot, tlb)}"


def _access(n: int, each: WatchedAccess, number: int) -> Iterator[Shape]:
    """The box of an access: press it to go there. It is empty while the access is still to come: a prediction."""
    row, column = divmod(n - 1, IN_A_ROW)
    x, y = 4 + column * STEP, STRIP + row * STEP
    letter, classes, words = KINDS[each.kind]
    hint = f"access {n}, {each.accessed.va:#x} with ASID {each.accessed.asid}"
    if n > number:
        yield rect(f"access {n}", x, y, BOX, BOX, "byte ghost", hint, access=str(n))
        return
    yield rect(
        f"access {n}", x, y, BOX, BOX, f"{classes}{' now' if n == number else ''}", f"{hint}: {words}", access=str(n)
    )
    ink = " on-fill" if classes != "byte" else ""
    yield text(f"access letter {n}", x + BOX / 2, y + 16, letter, f"middle small{ink}", quiet=True)


def _legend(until: Sequence[WatchedAccess]) -> Iterator[Shape]:
    rows = STRIP + 2 * STEP + 12
    yield text("legend", 4, rows, "h: hit; m: miss, fills an empty entry; e: miss, evicts", "start small faint")
    yield text("so far", WIDTH - 4, rows, _so_far(until), "end small")


def _so_far(until: Sequence[WatchedAccess]) -> str:
    """The counts until an access."""
    hits, read = sum(each.kind == "hit" for each in until), sum(len(each.accessed.read) for each in until)
    counts = ((hits, "hit", "hits"), (len(until) - hits, "miss", "misses"), (read, "read", "reads"))
    return "so far " + ", ".join(f"{count} {one if count == 1 else several}" for count, one, several in counts)


def _walk(now: WatchedAccess, regime: Regime) -> Iterator[Shape]:
    """The levels that a walk of this regime reads: those that this access read have their colours."""
    y = WALK + 12
    yield text("walk", 4, y + 16, "The walk", "start strong")
    read = {step.level: step for step in now.accessed.read}
    x = COLUMNS["from address"]
    for level in range(regime.start_level, LAST_LEVEL + 1):
        if level in read:
            step = read[level]
            hint = f"read at {step.address:#x}: {type(step.descriptor).__name__}"
            yield rect(f"walk {level}", x, y, LEVEL - 4, 22, f"level-{level}", hint)
            yield text(f"walk name {level}", x + LEVEL / 2 - 2, y + 15, f"level {level}", "middle small on-fill")
        else:
            yield rect(f"walk {level}", x, y, LEVEL - 4, 22, "byte", "not read")
            yield text(f"walk name {level}", x + LEVEL / 2 - 2, y + 15, f"level {level}", "middle small faint")
        x += LEVEL
    if now.accessed.hit:
        said = "not needed: the TLB has the translation"
    else:
        block = max(read) < LAST_LEVEL
        said = f"reads {len(read)} descriptors" + (f", and ends in a block of level {max(read)}" if block else "")
    yield text("walk said", x + 4, y + 15, said, "start small")


def _mark(slot: int, now: WatchedAccess) -> str:
    """What happened to an entry, or will happen to it next."""
    if now.accessed.hit and now.accessed.hit.slot == slot:
        return "hit"
    if any(fill.at.slot == slot for fill in now.accessed.filled):
        return f"was {now.evicted.va:#x}" if now.evicted else "was empty"
    full = now.entries[slot] is not None
    return "the next to go" if full and slot in now.victims else ""


def _entry(slot: int, entry: TLBEntry | None, y: float, name: str, mark: str) -> Iterator[Shape]:
    """A row of the table."""
    new, hit = mark.startswith("was "), mark == "hit"
    classes = "byte changed" if new else "byte now" if hit else "byte"
    yield rect(f"entry {slot}", 4, y, WIDTH - 8, ENTRY - 3, classes, "empty" if entry is None else str(entry))
    ink, y = " on-fill" if new else "", y + 15
    columns = list(COLUMNS.values())
    yield text(f"entry name {slot}", columns[0], y, name, f"start small{ink}")
    if entry is None:
        yield text(f"entry empty {slot}", columns[1], y, "empty", "start small faint")
    else:
        owner = "all" if entry.asid is None else str(entry.asid)
        yield text(f"entry va {slot}", columns[1], y, f"{entry.va:#x}", f"start mono small{ink}")
        yield text(f"entry size {slot}", columns[2], y, _size(entry.size), f"start small{ink}")
        yield rect(f"entry level {slot}", columns[3], y - 13, 54, 17, f"level-{entry.level}")
        yield text(f"entry level name {slot}", columns[3] + 27, y, f"level {entry.level}", "middle small on-fill")
        yield text(f"entry asid {slot}", columns[4], y, owner, f"start small{ink}")
        yield text(f"entry pa {slot}", columns[5], y, f"{entry.oa:#x}", f"start mono small{ink}")
    yield text(f"entry mark {slot}", columns[6], y, mark, f"start small{ink}")


def _size(size: int) -> str:
    """A size in the unit that fits.

    >>> _size(4 << 10), _size(2 << 20)
    ('4 KiB', '2 MiB')
    """
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
