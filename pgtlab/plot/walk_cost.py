"""Charts of what walks cost in several regimes."""

from __future__ import annotations

import numpy as np

from pgtlab.extras import needed_by
from pgtlab.lab.cost_comparison import Regime, Row, WalkCosts

with needed_by("a chart"):
    from pgtlab.plot.chart import GRID, INK, Chart, new_chart, styled

# The colours of the levels in all pictures; here that of the start level.
COLOUR = {-1: "#cc79a7", 0: "#56b4e9", 1: "#33b08d", 2: "#f0e442"}
MARKERS = "osD^v"
AXIS = {
    "reads_per_walk": "descriptors read for each walk",
    "reads_per_access": "descriptors read for each access",
}


def plot_walk_costs(
    costs: WalkCosts, *, panels: str = "hardware", number: str = "reads_per_walk", **where: str
) -> Chart:
    """Draw one dot for each trace and regime: dots of a trace in a vertical line mean equal cost.

    Parameters
    ----------
    costs : WalkCosts
        From `pgtlab.lab.cost_comparison.walk_costs()`.
    panels : {"hardware", "mapping"}
        The field that has a panel for each of its values.
    number : {"reads_per_walk", "reads_per_access"}
        What is drawn.
    **where
        One value for each other field that has several.
    """
    titles, traces = costs.names(panels), costs.names("trace")
    size = (1.6 + 2.3 * len(titles), 1.4 + 0.34 * len(traces))
    lines = [f"{AXIS[number].capitalize()}, by {panels}"]
    with styled():
        figure = new_chart(figsize=size)
        grid = figure.subplots(1, len(titles), sharex=True, sharey=True)
        for title, axes in zip(titles, np.atleast_1d(grid), strict=True):
            for n, regime in enumerate(costs.regimes):
                rows = {row.trace: row for row in costs.where(regime=regime, **{panels: title}, **where)}
                x = [getattr(rows[trace].cost, number) for trace in traces]
                y = np.arange(len(traces)) + 0.22 * (n - (len(costs.regimes) - 1) / 2)
                dots = {"marker": MARKERS[n], "s": 30, "edgecolors": INK, "linewidths": 0.7, "zorder": 3}
                axes.scatter(x, y, label=_label(regime), color=COLOUR[regime.start_level], clip_on=False, **dots)
                values = ", ".join(f"{trace} {value:.4g}" for trace, value in zip(traces, x, strict=True))
                lines.append(f"{title}, {regime.name}: {values}")
            axes.set_title(title)
            axes.set_xlabel(AXIS[number])
            axes.set_yticks(range(len(traces)), traces)
            axes.tick_params(length=0, pad=6)
            axes.grid(color=GRID, linewidth=0.6)
            axes.spines[:].set_visible(False)
            axes.set(ylim=(len(traces) - 0.5, -0.5), xlim=(0, None))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.alt = "\n".join(lines)
    return figure


def plot_over_time(rows: tuple[Row, ...], title: str) -> Chart:
    """Draw how many descriptors a walk read on average in each window; 0 where there was no walk.

    Parameters
    ----------
    rows : tuple of Row
        One or two, each with windows.
    title : str
        What was run.
    """
    lines = [f"{title}: descriptors read for each walk, over time"]
    with styled():
        figure = new_chart(figsize=(9, 2.8))
        axes = figure.subplots()
        for n, row in enumerate(rows):
            edges = np.append(0, np.cumsum(row.cost.over_time("accesses")))
            reads = row.cost.over_time("reads") / np.maximum(row.cost.over_time("walks"), 1)
            # Where lines overlap, the first ones show as a margin of the last.
            colour, width = COLOUR[row.regime.start_level], 3.5 - 2 * n
            axes.stairs(reads, edges, baseline=None, label=_label(row.regime), color=colour, linewidth=width)
            lines.append(
                f"{row.regime.name}: from {reads.min():.4g} to {reads.max():.4g}, {reads.mean():.4g} on average"
            )
        axes.set(xlabel="accesses", ylabel="descriptors read\nfor each walk", ylim=(0, None))
        axes.set_title(title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=GRID, linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=len(rows), frameon=False)
    figure.alt = "\n".join(lines)
    return figure


def _label(regime: Regime) -> str:
    return f"{regime.name}: starts at level {regime.start_level}, {regime.first_table} entries"
