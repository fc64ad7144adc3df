"""``pgtlab walk-cost``: count what walks cost with more levels and with fewer.

Run traces over the same mappings with the sizes of address that a 52-bit kernel might use, with and without 52-bit
addresses in the CPU, and count the descriptors that are read and the hits of walk caches.

example: pgtlab walk-cost --page-size 16k --trace uniform --trace processes
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pgtlab.cli.answer import print_json
from pgtlab.cli.standard_input import standard_input
from pgtlab.cli.terminal import complain

if TYPE_CHECKING:
    from pgtlab.lab.cost_comparison import Row, WalkCosts, Workload

ACCESSES = 300_000
QUICK = 10_000  # that Python alone runs in a minute or so


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab walk-cost`` takes."""
    parser.add_argument(
        "--trace",
        action="append",
        metavar="KIND|FILE",
        help="sequential, strided, uniform, chase, zipf, scattered, processes, or a file with one address a line or a "
        ".npy array, compressed with gzip or not, or - for standard input; may be repeated (default: every kind)",
    )
    parser.add_argument("--page-size", default="16k", metavar="SIZE", help="4k, 16k or 64k (default: 16k)")
    parser.add_argument(
        "--mapping", default="pages", metavar="HOW", help="pages, contiguous or blocks (default: pages)"
    )
    parser.add_argument(
        "--accesses",
        type=int,
        default=ACCESSES,
        metavar="N",
        help=f"length of each trace that is made (default: {ACCESSES})",
    )


def run(args: argparse.Namespace) -> int:
    """Run the traces, print the table."""
    from pgtlab.lab.cost_comparison import regimes, walk_costs, workloads

    if args.accesses < 1:
        raise ValueError(f"--accesses {args.accesses}: a trace has 1 or more")
    if not find_spec("numba") and args.accesses > QUICK:
        complain("without numba this takes minutes: pip install 'pgtlab[fast]', or ask for --accesses 1000")
    compared = regimes(args.page_size)
    made = workloads(compared[0].region, args.accesses)
    traces = [made[name] if name in made else from_file(name, list(made)) for name in args.trace or made]
    costs = walk_costs(compared, traces, [args.mapping], progress=True)
    if args.json:
        print_json(costs.as_dict())
    else:
        print(as_text(costs, args.mapping))
    return 0


def from_file(name: str, kinds: list[str]) -> Workload:
    """The trace in a file."""
    from pgtlab.arch.cost.trace import TraceError
    from pgtlab.arch.cost.trace_file import read_trace, trace_from
    from pgtlab.lab.cost_comparison import Workload

    if name == "-":
        return Workload("-", trace_from(standard_input(), "standard input"))
    if not Path(name).exists():
        raise TraceError(f"--trace {name}: neither a file nor a kind of trace ({', '.join(kinds)})")
    return Workload(Path(name).name, read_trace(name))


def as_text(costs: WalkCosts, mapping: str) -> str:
    """The regimes, and a line for each kind of walk cache and each trace."""
    names = [regime.name for regime in costs.regimes]
    lines = [
        f"{regime.name}: {regime.levels} levels from level {regime.start_level} on, "
        f"{regime.first_table} entries of 8 bytes in the first table"
        for regime in costs.regimes
    ]
    width, column = max(map(len, costs.names("trace"))) + 2, 14
    span = column * len(names)
    lines += [
        "",
        f"{'mapped by ' + mapping:{15 + width}}{'TLB':>7}{'descriptors read/access':>{span}}"
        f"{'walk cache hits/walk':>{span}}",
        f"{'walk cache':15}{'trace':{width}}{'misses':>7}{''.join(f'{name:>{column}}' for name in names * 2)}",
    ]
    for hardware in costs.names("hardware"):
        for trace in costs.names("trace"):
            rows = costs.where(hardware=hardware, trace=trace)
            lines.append(f"{hardware:15}{trace:{width}}{_numbers(rows)}")
    faults = {(row.regime.name, row.trace): row.cost for row in costs.rows if row.cost.faults}
    lines += [
        f"{name}: {cost.faults} of {cost.accesses} accesses of {trace} fault" for (name, trace), cost in faults.items()
    ]
    return "\n".join(lines)


def _numbers(rows: tuple[Row, ...]) -> str:
    costs = [row.cost for row in rows]
    reads = "".join(f"{cost.reads_per_access:14.4f}" for cost in costs)
    hits = "".join(f"{sum(cost.walk_cache_hits) / max(1, cost.walks):14.4f}" for cost in costs)
    return f"{costs[0].misses / max(1, costs[0].accesses):7.1%}{reads}{hits}"
