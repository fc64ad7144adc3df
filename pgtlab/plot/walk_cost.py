"""Charts of what walks cost in several regimes."""

from __future__ import annotations

import numpy as np

from pgtlab.extras import needed_by
from pgtlab.lab.cost_comparison import Regime, Row, WalkCosts

with needed_by("a chart"):
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

# The colours of the levels in all pictures; here that of the start level.
COLOUR = {-1: "#cc79a7", 0: "#56b4e9", 1: "#33b08d", 2: "#f0e442"}
MARKERS = "osD^v"
AXIS = {
    "reads_per_walk": "descriptors read for each walk",
    "reads_per_access": "descriptors read for each access",
}


def plot_walk_costs(
    costs: WalkCosts, *, panels: str = "hardware", number: str = "reads_per_walk", **where: str
) -> Figure:
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
    size = (1.4 + 2.2 * len(titles), 1.3 + 0.32 * len(traces))
    figure, grid = plt.subplots(1, len(titles), sharex=True, sharey=True, figsize=size, layout="constrained")
    plt.close(figure)  # otherwise a notebook shows it twice, when it is made and when it is returned
    for title, axes in zip(titles, np.atleast_1d(grid), strict=True):
        for n, regime in enumerate(costs.regimes):
            rows = {row.trace: row for row in costs.where(regime=regime, **{panels: title}, **where)}
            x = [getattr(rows[trace].cost, number) for trace in traces]
            y = np.arange(len(traces)) + 0.22 * (n - (len(costs.regimes) - 1) / 2)
            dots = {"marker": MARKERS[n], "s": 30, "edgecolors": "black", "linewidths": 0.5, "zorder": 3}
            axes.scatter(x, y, label=_label(regime), color=COLOUR[regime.start_level], clip_on=False, **dots)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(AXIS[number], fontsize=8)
        axes.set_yticks(range(len(traces)), traces)
        axes.tick_params(length=0, labelsize=8, pad=6)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.spines[:].set_visible(False)
        axes.set(ylim=(len(traces) - 0.5, -0.5), xlim=(0, None))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def plot_over_time(rows: tuple[Row, ...], title: str) -> Figure:
    """Draw how many descriptors a walk read on average in each window; 0 where there was no walk.

    Parameters
    ----------
    rows : tuple of Row
        One or two, each with windows.
    title : str
        What was run.
    """
    figure, axes = plt.subplots(figsize=(9, 2.6), layout="constrained")
    plt.close(figure)
    for n, row in enumerate(rows):
        edges = np.append(0, np.cumsum(row.cost.over_time("accesses")))
        reads = row.cost.over_time("reads") / np.maximum(row.cost.over_time("walks"), 1)
        # Where lines overlap, the first ones show as a margin of the last.
        colour, width = COLOUR[row.regime.start_level], 3.5 - 2 * n
        axes.stairs(reads, edges, baseline=None, label=_label(row.regime), color=colour, linewidth=width)
    axes.set(xlabel="accesses", ylabel="descriptors read\nfor each walk", ylim=(0, None))
    axes.set_title(title, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=len(rows), frameon=False, fontsize=8)
    return figure


def _label(regime: Regime) -> str:
    return f"{regime.name}: starts at level {regime.start_level}, {regime.first_table} entries"
