"""The picture of what a trace costs in several regimes: hits of each cache, and descriptors read.

A row has the same place for every regime and hardware, so that the effect of a choice can be seen. All bars of a
section have one scale: for hits the whole, for descriptors an axis that ends at the levels of the longer walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgtlab.arch.cost.tlb import TABLE_LEVELS, Hardware
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.lab.cost_comparison import Row
from pgtlab.picture import Picture, Shape, rect, text

LABELS, BAR, NUMBER, GAP = 150, 230, 130, 18
ROW, BOX, HEAD = 22, 14, 44
COLUMN = BAR + NUMBER + GAP
LEVELS = range(-1, LAST_LEVEL + 1)


def cost_comparison_picture(rows: Sequence[Row], hardware: Hardware) -> Picture:
    """Draw the cost of one trace in each regime, side by side.

    Parameters
    ----------
    rows : sequence of Row
        One for each regime, with the same trace, mapping and hardware.
    hardware : Hardware
        The hardware of all rows.

    Examples
    --------
    >>> from pgtlab.lab.cost_comparison import HARDWARE, regimes, walk_costs, workload
    >>> shared = {"shared": HARDWARE["shared"]}
    >>> costs = walk_costs(regimes("16k")[:2], [workload("uniform", 1 << 25, 1000)], hardware=shared)
    >>> cost_comparison_picture(costs.rows, HARDWARE["shared"]).title
    'uniform, mapped by pages, 1,000 accesses: 16K/47 reads 1.7610 descriptors an access, 16K/48 1.7620'
    """
    title = _title(rows)
    shapes = [text("title", 4, 16, title, "start strong")]
    lines = [title]
    y = HEAD + 2 * ROW
    most = max(row.regime.levels for row in rows)  # descriptors that a walk can read
    sections = (
        ("hits", "hits, of those that looked", 1, _hits),
        ("reads", "descriptors read, for each access (and in all)", most, _reads),
    )
    for n, row in enumerate(rows):
        x = LABELS + n * COLUMN
        shapes.append(text(f"name {n}", x, HEAD, row.regime.name, "start strong"))
        regime = row.regime
        levels = (
            f"{regime.levels} levels from level {regime.start_level}; the first table has {regime.first_table} entries"
        )
        shapes.append(text(f"levels {n}", x, HEAD + 16, levels, "start small"))
    for section, label, full, bars in sections:
        shapes.append(text(f"head {section}", 4, y, label, "start strong"))
        y += ROW
        for row_of in zip(*(list(bars(row, hardware)) for row in rows), strict=True):
            shapes.append(text(f"label {section} {row_of[0][0]}", LABELS - 10, y, row_of[0][0], "end"))
            for n, (what, length, classes, shown) in enumerate(row_of):
                share = None if length is None else length / full
                shapes += _bar(f"{section} {what} {n}", LABELS + n * COLUMN, y, share, classes, shown)
            lines.append(
                f"{label} {row_of[0][0]}: "
                + ", ".join(f"{row.regime.name} {bar[3]}" for row, bar in zip(rows, row_of, strict=True))
            )
            y += ROW
        y += 10
    for n in range(len(rows)):
        shapes += _axis(n, LABELS + n * COLUMN, y - 17, most)
    return Picture(LABELS + len(rows) * COLUMN, y, title, "\n".join(lines), tuple(shapes))


def compared(rows: Sequence[Row]) -> str:
    """The cost of the second regime compared with the first, in a sentence.

    >>> from pgtlab.lab.cost_comparison import HARDWARE, regimes, walk_costs, workload
    >>> none = {"no walk cache": HARDWARE["no walk cache"]}
    >>> compared(walk_costs(regimes("16k")[:2], [workload("uniform", 1 << 25, 1000)], hardware=none).rows)
    '16K/48 reads 3,996 descriptors where 16K/47 reads 2,997: 33.33% more.'
    """
    first, second = rows[:2]
    before, after = sum(first.cost.reads), sum(second.cost.reads)
    if before == after:
        return f"{second.regime.name} reads as many descriptors as {first.regime.name}: {after:,}."
    by = "" if not before else f": {abs(after / before - 1):.2%} {'more' if after > before else 'fewer'}"
    return f"{second.regime.name} reads {after:,} descriptors where {first.regime.name} reads {before:,}{by}."


def _title(rows: Sequence[Row]) -> str:
    first = rows[0]
    reads = [f"{row.regime.name} {'reads ' if row is first else ''}{row.cost.reads_per_access:.4f}" for row in rows]
    reads[0] += " descriptors an access"
    what = f"{first.trace}, mapped by {first.mapping}, {first.cost.accesses:,} accesses"
    return f"{what}: {', '.join(reads)}"


def _bar(key: str, x: float, y: float, share: float | None, classes: str, shown: str) -> Iterator[Shape]:
    """A bar for a share of 1 in its frame, and the number; for None only the frame."""
    if share is None:
        yield text(f"{key} number", x, y, shown, "start small faint")
        return
    yield rect(f"{key} bar", x, y - BOX + 3, round(BAR * share, 1), BOX, classes, shown)
    yield rect(f"{key} frame", x, y - BOX + 3, BAR, BOX, "frame")
    yield text(f"{key} number", x + BAR + 8, y, shown, "start mono small")


def _axis(n: int, x: float, y: float, most: int) -> Iterator[Shape]:
    """The whole numbers of descriptors, below the bars."""
    for number in range(most + 1):
        yield text(f"axis {n} {number}", x + round(BAR * number / most, 1), y, str(number), "middle small faint")


Bar = tuple[str, float | None, str, str]


def _hits(row: Row, hardware: Hardware) -> Iterator[Bar]:
    """The share of lookups that hit."""
    cost = row.cost
    l1, l2 = sum(cost.l1_hits), sum(cost.l2_hits)
    yield _hit("L1 TLB", l1, cost.accesses, _size(hardware.l1), "no such TLB")
    yield _hit("L2 TLB", l2, cost.accesses - l1, _size(hardware.l2), "no such TLB")
    for level in reversed(TABLE_LEVELS):
        name = f"walk cache, level {level}"
        if level < row.regime.start_level:
            yield name, None, "", "no such level"
            continue
        held = [cache for cache in hardware.walk_caches if level in cache.levels]
        looked = cost.walks - sum(cost.walk_cache_hits[below] for below in range(level + 1, LAST_LEVEL))
        yield _hit(name, cost.walk_cache_hits[level], looked, _size(held), "no such cache", f"level-{level}")


def _hit(name: str, hits: int, looked: int, size: int, without: str, classes: str = "offset") -> Bar:
    if not size:
        return name, None, "", without
    share = hits / max(1, looked)
    return name, share, classes, f"{share:7.2%} of {looked:,}"


def _size(caches: Sequence[object]) -> int:
    return len(caches)


def _reads(row: Row, hardware: Hardware) -> Iterator[Bar]:
    """Descriptors read for each access, by level."""
    cost = row.cost
    for level in LEVELS:
        if level < row.regime.start_level:
            yield f"level {level}", None, "", "no such level"
        else:
            reads = cost.reads[level] / max(1, cost.accesses)
            yield f"level {level}", reads, f"level-{level}", f"{reads:.4f} ({cost.reads[level]:,})"
    reads = cost.reads_per_access
    yield "all levels", reads, "offset", f"{reads:.4f} ({sum(cost.reads):,})"
