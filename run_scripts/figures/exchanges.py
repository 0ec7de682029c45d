"""Draws how runs end with each exchange, against delta and the spread of the delays, from the results of a sweep."""

import re
import sys

import numpy as np

import style
import sweep as results
from trace import TraceError

WIDTH, HEIGHT = 13.0, 7.2
INPUTS = [("sweep", "results of configs/studies/stale.yaml")]
AXES = ("exchange", "delta", "spread")
GAP_FLOOR = 1e-7
# Ways to end: colour and words.
WAYS = ((style.DARK, "converged: the optimality conditions hold"),
        (style.LIGHT, "still moving at the limit of time"),
        (style.MIDDLE, "its residuals say that it is over, the optimality conditions do not hold"))
RIGHT, MOVING, WRONG = range(3)


def _tolerance(sweep, name):
    """An absolute tolerance of the stop, from the effective case."""
    found = re.search(rf"^ +{name}: ([0-9.e+-]+)$", sweep.case, re.MULTILINE)
    if not found:
        raise TraceError(f"{sweep.path}: stop.{name} is wanted in the study, so that residuals can be held to it")
    return float(found.group(1))


def _ways(sweep):
    """How each run ended."""
    passes = np.ones(sweep.over("status", *AXES).shape, bool)
    for name in ("primal", "dual", "price"):
        passes &= sweep.over(f"{name}_residual", *AXES) <= _tolerance(sweep, name)
    return np.where(sweep.over("status", *AXES) == 0, RIGHT, np.where(passes, WRONG, MOVING))


def _places(n_delta, n_spread):
    """Where each bar stands: groups of one delta, a gap between them."""
    return np.arange(n_delta)[:, None] * (n_spread + 1.2) + np.arange(n_spread)[None, :]


def _label(axes, sweep, places):
    """Each bar its spread, each group its delta."""
    spread = [style.number(float(s)) for s in sweep.axes["spread"]]
    axes.set_xticks(places.ravel(), spread * len(places), rotation=90, size=7)
    for delta, group in zip(sweep.axes["delta"], places):
        axes.text(group.mean(), 1.02, f"δ = {style.number(float(delta))}", ha="center", va="bottom", size=8.5,
                  transform=axes.get_xaxis_transform())
    axes.set_xlim(places[0, 0] - 1, places[-1, -1] + 1)


def _panel_ends(axes, ways, places):
    """Shares of the ways to end."""
    below = np.zeros(places.shape)
    for way, (colour, words) in enumerate(WAYS):
        share = 100 * (ways == way).mean(axis=-1)
        axes.bar(places.ravel(), share.ravel(), 0.86, bottom=below.ravel(), color=colour, label=words)
        below += share
    axes.set_ylim(0, 100)


def _panel_gap(axes, ways, gap, places):
    """Every run: how far its last market is from the optimum."""
    rng = np.random.default_rng(1)
    where = places[..., None] + rng.uniform(-0.35, 0.35, gap.shape)
    for way, (colour, _) in enumerate(WAYS):
        mine = ways == way
        axes.plot(where[mine], np.maximum(gap[mine], GAP_FLOOR), linestyle="none", marker=".", markersize=2.2,
                  color=colour, alpha=0.7)
    axes.set_yscale("log")
    axes.set_ylim(GAP_FLOOR, 1)
    axes.grid(True, axis="y")


def _words(ways, gap, names):
    """The finding, from the numbers."""
    stale = names.index("stale")
    wrong, others = ways[stale] == WRONG, np.delete(ways, stale, axis=0)
    return (f"stale: {style.number(100 * wrong.mean(), 2)} % of the runs pass their residual tests at a wrong market, "
            f"up to {style.number(100 * gap[stale][wrong].max(), 2)} % off; the others: "
            f"{(others == WRONG).sum() or 'none'}")


def draw(sweep):
    """The whole picture: a column for each exchange."""
    names = sweep.texts.get("exchange", [])
    if "stale" not in names or "paired" not in names:
        raise TraceError(f"{sweep.path}: the axis exchange with paired and stale is wanted")
    ways, gap = _ways(sweep), np.abs(sweep.over("welfare_gap", *AXES))
    places = _places(*ways.shape[1:3])
    figure = style.lay_out(WIDTH, HEIGHT, footer=0.34)
    false_stops = sweep.over("naive_false_stops", *AXES)[names.index("paired")] > 0
    facts = [f"{style.number(ways.size, 9)} runs, {ways.shape[-1]} markets at every point",
             "δ: share of answers an agent waits for", "a stop test that pairs no rounds would have erred in "
             f"{style.number(100 * false_stops.mean(), 2)} % of the paired runs too"]
    style.title(figure, _words(ways, gap, names), facts)
    grid = figure.subplots(2, len(names), sharex=True, sharey="row", height_ratios=(1, 1.15))
    for k, name in enumerate(names):
        _panel_ends(grid[0, k], ways[k], places)
        _panel_gap(grid[1, k], ways[k], gap[k], places)
        _label(grid[1, k], sweep, places)
        grid[0, k].set_title(name, loc="left", weight="bold")
        grid[1, k].set_xlabel("standard deviation of the delay [s], mean 1 s")
    grid[0, 0].set_ylabel("how runs ended [%]")
    grid[1, 0].set_ylabel("|welfare gap| at the end, relative")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="lower center", ncol=len(WAYS))
    return figure


if __name__ == "__main__":
    sys.exit(results.command("exchanges.py", __doc__, INPUTS, draw))
