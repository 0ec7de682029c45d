"""Draws rounds until the market clears over the penalty, by hand and automatic, from the results of a sweep."""

import sys

import numpy as np

import style
import sweep as results
from trace import TraceError

WIDTH, HEIGHT = 12.0, 7.6
INPUTS = [("sweep", "results of configs/studies/fig4.yaml")]
AUTOMATIC = "auto"
WANTED = 1.5  # times the rounds of the best penalty by hand
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


def _penalties(sweep):
    """The place of the automatic penalty, the places of the others and their values, which must rise."""
    if "rho" not in sweep.axes or "rho" not in sweep.texts:
        raise TraceError(f"{sweep.path}: an axis rho with {AUTOMATIC} among its values is wanted")
    texts = sweep.texts["rho"]
    if texts.count(AUTOMATIC) != 1 or len(texts) < 3:
        raise TraceError(f"{sweep.path}: rho must be {AUTOMATIC} once, and at least two numbers")
    by_hand = [i for i, text in enumerate(texts) if text != AUTOMATIC]
    rho = np.array([float(texts[i]) for i in by_hand])
    if (np.diff(rho) <= 0).any():
        raise TraceError(f"{sweep.path}: the values of rho must rise")
    return texts.index(AUTOMATIC), by_hand, rho


def _rounds(sweep):
    """Rounds of every run; infinite where the market had not cleared at the limit."""
    time = sweep.over("convergence_time", "rho")
    return np.where(sweep.over("status", "rho") == 0, time, np.inf)


def _spread(values):
    """Deciles, quartiles and the median over the markets, of numbers that may be infinite."""
    return np.quantile(values, SHARES, axis=-1, method="inverted_cdf")


def _band(axes, x, values, colour, label):
    """A median line in its quartiles in its deciles."""
    top = 10 * np.max(values[np.isfinite(values)])
    low, quarter, middle, three, high = np.minimum(_spread(values), top)
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.fill_between(x, quarter, three, color=colour, alpha=0.30, linewidth=0)
    axes.plot(x, middle, color=colour, linewidth=1.8, label=label)


def _panel_rounds(axes, rho, by_hand, automatic):
    """(a): the U, and the automatic penalty across it."""
    _band(axes, rho, by_hand, style.DARK, "penalty by hand: median, quartiles, deciles")
    axes.plot(rho, _spread(by_hand)[2], color=style.DARK, marker="o", markersize=3.6, linestyle="none")
    _band(axes, rho[[0, -1]], np.tile(automatic, (2, 1)), style.MIDDLE, "automatic: the same")
    finite = by_hand[np.isfinite(by_hand)]
    axes.set_ylim(min(finite.min(), automatic.min()) / 1.5, 1.3 * finite.max())
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(rho[0], rho[-1])
    axes.grid(True)
    axes.set_xlabel("penalty ρ [money per energy and power]")
    axes.set_ylabel("rounds until the market clears")
    axes.set_title("(a)  rounds over the penalty", loc="left")
    axes.legend(loc="upper center")


def _panel_ratio(axes, ratio):
    """(b): how many markets clear automatically within so many times the rounds of their best penalty."""
    axes.step(np.sort(ratio), 100 * np.arange(1, len(ratio) + 1) / len(ratio), where="post",
              color=style.MIDDLE, linewidth=1.8)
    axes.axvline(1, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 2)), label="as the best by hand")
    axes.axvline(WANTED, color=style.INK, linewidth=1.2, label=f"{style.number(WANTED)} times")
    axes.set_xlim(0, 1.1 * max(ratio.max(), WANTED))
    axes.set_ylim(0, 102)
    axes.grid(True)
    axes.set_xlabel("rounds, automatic / best by hand in the same market")
    axes.set_ylabel("markets [%]")
    axes.set_title("(b)  automatic against the best of each market", loc="left")
    axes.legend(loc="upper left")


def _panel_gap(axes, rho, gap, automatic):
    """(c): how far from the optimum runs end; a stiff penalty clears the tests on residuals late and then near."""
    _band(axes, rho, gap, style.DARK, "by hand")
    _band(axes, rho[[0, -1]], np.tile(automatic, (2, 1)), style.MIDDLE, "automatic")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(rho[0], rho[-1])
    axes.grid(True)
    axes.set_xlabel("penalty ρ")
    axes.set_ylabel("|welfare gap|, relative")
    axes.set_title("(c)  distance to the central optimum", loc="left")
    axes.legend(loc="upper right")


def draw(sweep):
    """The whole picture, and the ratios it shows."""
    auto, by_hand, rho = _penalties(sweep)
    rounds, gap = _rounds(sweep), np.abs(sweep.over("welfare_gap", "rho"))
    best = rounds[by_hand].min(axis=0)
    if not np.isfinite(best).all():
        raise TraceError(f"{sweep.path}: a market that clears with no penalty by hand")
    ratio = rounds[auto] / best
    within = int((ratio <= WANTED).sum())
    facts = [f"{style.number(rounds.size, 9)} runs, {style.number(int(np.isfinite(rounds).sum()), 9)} converged",
             f"{rounds.shape[1]} markets at every penalty",
             f"automatic within {style.number(WANTED)} times the best by hand: {within} of {len(ratio)}",
             f"median {style.number(np.median(ratio), 3)}, worst {style.number(ratio.max(), 3)}"]
    figure = style.lay_out(WIDTH, HEIGHT)
    style.title(figure, f"{sweep.title}: rounds until the market clears", facts)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.5, 1))
    _panel_rounds(figure.add_subplot(grid[:, 0]), rho, rounds[by_hand], rounds[auto])
    _panel_ratio(figure.add_subplot(grid[0, 1]), ratio)
    _panel_gap(figure.add_subplot(grid[1, 1]), rho, gap[by_hand], gap[auto])
    return figure


if __name__ == "__main__":
    sys.exit(results.command("fig4.py", __doc__, INPUTS, draw))
