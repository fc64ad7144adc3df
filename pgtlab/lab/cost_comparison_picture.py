"""The picture of what a trace costs in several regimes: descriptors read, and hits of each cache.

The regimes are below each other, so that their bars are compared on one axis. A bar of descriptors is made of those of
each level, in the colour of the level. What a regime or the hardware does not have takes no room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pgtlab.arch.cost.tlb import TABLE_LEVELS, Hardware
from pgtlab.arch.cost.walk_cost import Cost
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.lab.cost_comparison import Row
from pgtlab.picture import Picture, Shape, line, rect, text

LABEL, BAR, NUMBER = 216, 300, 92
WIDTH: Final = LABEL + BAR + NUMBER
READS, HITS, HEAD = 46, 19, 22  # heights of a row
NAMED, NUMBERED = 48, 14  # the least widths of a bar that has the name, or the number, of its level in it


def cost_comparison_picture(rows: Sequence[Row], hardware: Hardware, accesses: int | None = None) -> Picture:
    """Draw the cost of one trace in each regime.

    Parameters
    ----------
    rows : sequence of Row
        One for each regime, with the same trace, mapping and hardware.
    hardware : Hardware
        The hardware of all rows.
    accesses : int, optional
        The length of the whole trace. If the rows are about a part of it, the picture says so, and its bars are pale.

    Examples
    --------
    >>> from pgtlab.lab.cost_comparison import HARDWARE, regimes, walk_costs, workload
    >>> shared = {"shared": HARDWARE["shared"]}
    >>> costs = walk_costs(regimes("16k")[:2], [workload("uniform", 1 << 25, 1000)], hardware=shared)
    >>> cost_comparison_picture(costs.rows, HARDWARE["shared"]).title
    '16K/48 reads 1.76 descriptors for each access, 16K/47 1.76: 0.1% more'
    >>> cost_comparison_picture(costs.rows, HARDWARE["shared"], 5000).title
    'So far, 1,000 of 5,000: 16K/48 reads 1.76 for each access, 16K/47 1.76'
    """
    done = rows[0].cost.accesses
    accesses = done if accesses is None else accesses
    whole = accesses == done
    title = _title(rows, accesses)
    shapes = [text("title", 4, 16, title, "start strong" if whole else "start faint")]
    what = f"{rows[0].trace}, mapped by {rows[0].mapping}, {done:,} accesses"
    lines = [title, what, "Descriptors read for each access, and in all:"]
    y = 44.0
    shapes.append(text("head reads", 4, y, "Descriptors read for each access", "start strong"))
    most = max(row.regime.levels for row in rows)
    for n, row in enumerate(rows):
        shapes += _reads(n, row, y + 10 + n * READS, most, whole)
        by_level = ", ".join(f"level {level} {row.cost.reads[level]:,}" for level in _levels(row))
        lines.append(f"{row.regime.name}: {row.cost.reads_per_access:.4f}, in all {sum(row.cost.reads):,}; {by_level}")
    y += 10 + len(rows) * READS
    shapes += _axis(y, most)
    y += 38
    shapes.append(text("head hits", 4, y, "Lookups that hit", "start strong"))
    lines.append("Lookups that hit:")
    for name, hits in _caches(rows, hardware):
        shapes.append(text(f"cache {name}", 4, y + HEAD + 2, name, "start"))
        for n, level, hit, looked in hits:
            y += HITS
            exact = f"{hit:,} of {looked:,}"
            regime = rows[n].regime.name
            lines.append(f"{name}, {regime}: {hit / max(1, looked):.2%}, {exact}")
            shapes += _hit(f"hits {name} {n}", y + 6, regime, hit / max(1, looked), exact, level, whole)
        y += 7
    return Picture(WIDTH, y + 14, title, "\n".join(lines), tuple(shapes))


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
    by = "" if not before else f": {_more(before, after)}"
    return f"{second.regime.name} reads {after:,} descriptors where {first.regime.name} reads {before:,}{by}."


def _more(before: int, after: int, decimals: int = 2) -> str:
    return f"{abs(after / before - 1):.{decimals}%} {'more' if after > before else 'fewer'}"


def _title(rows: Sequence[Row], accesses: int) -> str:
    """The answer; of a part of a trace only what is counted so far."""
    first, second = rows[:2]
    done, before, after = first.cost.accesses, sum(first.cost.reads), sum(second.cost.reads)
    average = f"{second.cost.reads_per_access:.2f}", f"{first.cost.reads_per_access:.2f}"
    if done < accesses:
        now = f": {second.regime.name} reads {average[0]} for each access, {first.regime.name} {average[1]}"
        return f"So far, {done:,} of {accesses:,}{now if done else ''}"
    reads = f"{second.regime.name} reads {average[0]} descriptors for each access"
    if before == after:
        return f"{reads}, and so does {first.regime.name}"
    return f"{reads}, {first.regime.name} {average[1]}{before and f': {_more(before, after, 1)}'}"


def _levels(row: Row) -> range:
    return range(row.regime.start_level, LAST_LEVEL + 1)


def _shown(whole: bool) -> str:
    return "length" if whole else "length partial"


def _reads(n: int, row: Row, y: float, most: int, whole: bool) -> Iterator[Shape]:
    """The bar of one regime, made of those of its levels."""
    regime, cost = row.regime, row.cost
    yield text(f"name {n}", 4, y + 17, regime.name, "start strong")
    yield text(
        f"levels {n}", 4, y + 33, f"{regime.levels} levels, from level {regime.start_level} on", "start small faint"
    )
    x = float(LABEL)
    for level in _levels(row):
        reads = cost.reads[level] / max(1, cost.accesses)
        width = round(BAR * reads / most, 1)
        hint = f"{regime.name}, level {level}: {cost.reads[level]:,} descriptors, {reads:.4f} for each access"
        yield rect(f"reads level {level} {n}", round(x, 1), y + 4, width, 22, f"level-{level} {_shown(whole)}", hint)
        if whole and width >= NUMBERED:
            name = f"level {level}" if width >= NAMED else f"{level}"
            yield text(
                f"reads name {level} {n}", round(x + width / 2, 1), y + 19, name, "middle small on-fill", quiet=True
            )
        x += width
    yield text(
        f"reads {n}", x + 8, y + 20, f"{cost.reads_per_access:.2f}", "start mono" + (" strong" if whole else " faint")
    )


def _axis(y: float, most: int) -> Iterator[Shape]:
    """The whole numbers of descriptors: an access reads one of each level at most."""
    for number in range(most + 1):
        x = LABEL + round(BAR * number / most, 1)
        yield line(f"axis {number}", x, y - 18, x, y - 12)
        yield text(f"axis number {number}", x, y + 2, str(number), "middle small faint")


Hits = tuple[int, int | None, int, int]  # the number of the row, the level, hits, lookups


def _caches(rows: Sequence[Row], hardware: Hardware) -> Iterator[tuple[str, list[Hits]]]:
    """Each cache that there is, with its hits in each regime that uses it."""
    costs = [row.cost for row in rows]
    firsts = [sum(cost.l1_hits) for cost in costs]
    if hardware.l1:
        hits = [(n, None, firsts[n], cost.accesses) for n, cost in enumerate(costs)]
        yield f"L1 TLB, {sum(tlb.entries for tlb in hardware.l1)} entries", list(hits)
    if hardware.l2:
        hits = [(n, None, sum(cost.l2_hits), cost.accesses - firsts[n]) for n, cost in enumerate(costs)]
        yield f"L2 TLB, {sum(tlb.entries for tlb in hardware.l2)} entries", list(hits)
    for level in reversed(TABLE_LEVELS):
        held = any(level in cache.levels for cache in hardware.walk_caches)
        using = [n for n, row in enumerate(rows) if held and level >= row.regime.start_level]
        if using:
            yield f"walk cache, level {level}", [(n, level, *_resumed(costs[n], level)) for n in using]


def _resumed(cost: Cost, level: int) -> tuple[int, int]:
    """Hits of the walk caches at a level, and lookups: of the walks that no deeper level helped."""
    deeper = sum(cost.walk_cache_hits[below] for below in range(level + 1, LAST_LEVEL))
    return cost.walk_cache_hits[level], cost.walks - deeper


def _hit(key: str, y: float, regime: str, share: float, exact: str, level: int | None, whole: bool) -> Iterator[Shape]:
    """A bar for a share of 1 in its frame, and the share in percent."""
    fill = "offset" if level is None else f"level-{level}"
    yield text(f"{key} regime", LABEL - 8, y, regime, "end small faint")
    yield rect(f"{key} bar", LABEL, y - 11, round(BAR * share, 1), 14, f"{fill} {_shown(whole)}", f"{regime}: {exact}")
    yield rect(f"{key} frame", LABEL, y - 11, BAR, 14, "frame")
    percent = f"{share:.1%}" if share == 0 or share >= 0.001 else f"{share:.2%}"
    yield text(f"{key} number", LABEL + BAR + 8, y, percent, "start mono small")
