"""Draws convergence time over delta, for several loss probabilities, from the results of a sweep."""

import sys

import numpy as np

import style
import sweep as results
from trace import TraceError

WIDTH, HEIGHT = 12.0, 8.6
INPUTS = [("sweep", "results of configs/studies/fig8.yaml")]
# From light to dark, and told apart in grey by markers too.
COLOURS = ("#f0b660", "#dd8452", "#c0504d", "#7a4a78", "#17375e", "#071426")
MARKERS = "osD^vP"


def _colour(k, count):
    """The colour of curve k of count."""
    return COLOURS[round(k * (len(COLOURS) - 1) / max(count - 1, 1))]


def _label(sigma):
    """What a curve is called."""
    return f"σ = {style.number(float(sigma))}"


def _curves(axes, delta, sigma, values):
    """One line per sigma."""
    for k, s in enumerate(sigma):
        axes.plot(delta, values[:, k], color=_colour(k, len(sigma)), marker=MARKERS[k % len(MARKERS)],
                  markersize=3.8, linewidth=1.5, label=_label(s))
    axes.grid(True)
    axes.set_xlim(0, 1.02)


def _panel_time(axes, delta, sigma, time):
    """(a): the mean, and where it is least."""
    mean = np.nanmean(time, axis=2)
    _curves(axes, delta, sigma, mean)
    for k in range(len(sigma)):
        best = int(np.nanargmin(mean[:, k]))
        axes.plot(delta[best], mean[best, k], marker="o", markersize=10, markerfacecolor="none",
                  markeredgecolor=_colour(k, len(sigma)), linestyle="none",
                  label="least" if k == len(sigma) - 1 else None)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("mean convergence time [s]")
    axes.set_title("(a)  time until the market clears", loc="left")
    axes.legend(loc="upper left", ncol=2)


def _panel_ratio(axes, delta, sigma, time):
    """(b): median and quartiles, each market relative to itself with delta = 1."""
    ratio = time / time[-1:]
    for k, s in enumerate(sigma):
        low, middle, high = np.nanquantile(ratio[:, k], (0.25, 0.5, 0.75), axis=1)
        colour = _colour(k, len(sigma))
        axes.fill_between(delta, low, high, color=colour, alpha=0.22, linewidth=0)
        axes.plot(delta, middle, color=colour, marker=MARKERS[k % len(MARKERS)], markersize=3.8,
                  linewidth=1.5, label=_label(s))
    axes.axhline(1.0, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.grid(True)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("time relative to δ = 1")
    axes.set_title("(b)  median and quartiles, relative to waiting for all", loc="left")


def _panel_messages(axes, delta, sigma, sweep):
    """What the speed costs."""
    _curves(axes, delta, sigma, np.nanmean(sweep.over("messages", "delta", "sigma"), axis=2) / 1e3)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("messages [thousands]")
    axes.set_title("(c)  messages", loc="left")


def _panel_gap(axes, delta, sigma, sweep):
    """How far from the optimum runs end: median, and the worst of all."""
    gap = np.abs(sweep.over("welfare_gap", "delta", "sigma"))
    _curves(axes, delta, sigma, np.nanmedian(gap, axis=2))
    worst = axes.plot(delta, np.nanmax(gap, axis=(1, 2)), color=style.MUTED, linestyle=":",
                      linewidth=1.4, label="worst of all runs")
    axes.set_yscale("log")
    axes.set_ylim(top=2 * np.nanmax(gap))
    axes.legend(handles=worst, loc="upper left")
    axes.set_ylabel("|welfare gap|, relative")
    axes.set_title("(d)  distance to the central optimum (median)", loc="left")


def _panel_waiting(axes, delta, sigma, sweep):
    """How agents spend their time: waiting for offers, or in local solves."""
    for name, dashes in (("wait_time", "-"), ("compute_time", (0, (3, 1.5)))):
        values = np.nanmean(sweep.over(name, "delta", "sigma"), axis=2)
        for k in sorted({0, len(sigma) - 1}):
            axes.plot(delta, values[:, k], color=_colour(k, len(sigma)), linestyle=dashes,
                      marker=MARKERS[k % len(MARKERS)], markersize=3.2, linewidth=1.4,
                      label=f"{'waits' if name == 'wait_time' else 'computes'}, {_label(sigma[k])}")
    axes.grid(True)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("time of an agent [s]")
    axes.set_title("(e)  waiting against computing", loc="left")
    axes.legend(loc="upper left")


def _check(sweep):
    """The delta axis must rise to 1, the synchronous case."""
    delta = sweep.axes.get("delta")
    if delta is None or sweep.axes.get("sigma") is None:
        raise TraceError(f"{sweep.path}: the axes delta and sigma are wanted")
    if delta[-1] != 1 or (np.diff(delta) <= 0).any():
        raise TraceError(f"{sweep.path}: delta must rise to 1, the synchronous case")


def draw(sweep):
    """The whole picture."""
    _check(sweep)
    delta, sigma = sweep.axes["delta"], sweep.axes["sigma"]
    time = sweep.over("convergence_time", "delta", "sigma")
    status = sweep.over("status", "delta", "sigma")
    figure = style.lay_out(WIDTH, HEIGHT)
    facts = [f"{style.number(status.size, 9)} runs", f"{style.number((status == 0).sum(), 9)} converged",
             f"{len(sweep.axes['replicate'])} markets at every point",
             "δ: share of answers an agent waits for", "σ: probability that a transmission is lost"]
    style.title(figure, f"{sweep.title}: how long until the market clears", facts)
    grid = figure.add_gridspec(2, 6, height_ratios=(1.25, 1))
    top = [figure.add_subplot(grid[0, :3]), figure.add_subplot(grid[0, 3:])]
    low = [figure.add_subplot(grid[1, 2 * i:2 * i + 2]) for i in range(3)]
    _panel_time(top[0], delta, sigma, time)
    _panel_ratio(top[1], delta, sigma, time)
    _panel_messages(low[0], delta, sigma, sweep)
    _panel_gap(low[1], delta, sigma, sweep)
    _panel_waiting(low[2], delta, sigma, sweep)
    for axes in (*top, *low):
        axes.set_xlabel("asynchronous rate δ")
    return figure


if __name__ == "__main__":
    sys.exit(results.command("fig8.py", __doc__, INPUTS, draw))
