"""Draws price, welfare and rounds over the sparsity of the links, from the results of a sweep."""

import re
import sys

import numpy as np

import style
import sweep as results
from trace import TraceError

WIDTH, HEIGHT = 12.0, 7.6
INPUTS = [("sweep", "results of configs/studies/fig6.yaml")]
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


class Efficiency:
    """What the picture shows, over sparsity and markets; NaN where a market has no solution or had not ended.

    With the automatic penalty; rounds and messages with the fixed one too, by the place of the penalty.
    """

    def __init__(self, sweep):
        self.title, self.sparsity = sweep.title, _sparsity(sweep)
        self.penalties = sweep.texts.get("penalty", [])
        if len(self.penalties) != 2 or self.penalties[0] != "auto":
            raise TraceError(f"{sweep.path}: an axis penalty of auto and one number is wanted")
        status = sweep.over("status", "links", "penalty")
        self.status = status[:, 0]

        def ended(name):
            return np.where(status == 0, sweep.over(name, "links", "penalty"), np.nan)

        self.price = ended("price_mean")[:, 0]
        self.welfare = ended("social_welfare")[:, 0] / ended("social_welfare")[:1, 0]
        self.rounds, self.messages = np.moveaxis(ended("iterations"), 1, 0), np.moveaxis(ended("messages"), 1, 0)
        self.gap = np.abs(ended("welfare_gap"))

    def without_solution(self):
        """Share of the markets at each sparsity."""
        return (self.status == 2).mean(axis=1)

    def unfinished(self):
        """Share of the markets that had not ended at their limit."""
        return (self.status == 1).mean(axis=1)


def _sparsity(sweep):
    """One minus the density of each value of the axis, which must fall from 1."""
    texts = sweep.texts.get("links", [])
    densities = [re.search(r"random: ([0-9.]+)", text) for text in texts]
    if not densities or None in densities:
        raise TraceError(f"{sweep.path}: an axis links of {{random: density}} is wanted")
    sparsity = 1 - np.array([float(found[1]) for found in densities])
    if sparsity[0] != 0 or (np.diff(sparsity) <= 0).any():
        raise TraceError(f"{sweep.path}: the density must fall from 1, all links")
    return 100 * sparsity


def _band(axes, sparsity, values, colour, label=""):
    """The mean in quartiles in deciles, of the markets that have a solution."""
    low, quarter, middle, three, high = np.nanquantile(values, SHARES, axis=1)
    axes.fill_between(sparsity, low, high, color=colour, alpha=0.16, linewidth=0, label=None if label else "deciles")
    axes.fill_between(sparsity, quarter, three, color=colour, alpha=0.30, linewidth=0,
                      label=None if label else "quartiles")
    axes.plot(sparsity, middle, color=colour, linewidth=1.2, linestyle="--", label=None if label else "median")
    axes.plot(sparsity, np.nanmean(values, axis=1), color=colour, linewidth=1.9, marker="o", markersize=3.4,
              label=label or "mean")
    axes.grid(True)
    axes.set_xlim(-1, sparsity[-1] + 1)
    axes.set_xlabel("sparsity [% of the links missing]")


def _panel_lost(axes, study):
    """What became of the draws that the other panels leave out."""
    width = 0.8 * np.diff(study.sparsity).min()
    none, late = 100 * study.without_solution(), 100 * study.unfinished()
    axes.bar(study.sparsity, none, width, color=style.MIDDLE, label="no solution: an agent cannot trade as it must")
    axes.bar(study.sparsity, late, width, bottom=none, color=style.LIGHT, label="not ended at the limit of rounds")
    for at, share in zip(study.sparsity, none):
        if share > 0:
            axes.annotate(style.number(share, 2), (at, share), textcoords="offset points", xytext=(0, 2), ha="center",
                          fontsize=7.5, color=style.MUTED)
    axes.set_xlim(-1 - width / 2, study.sparsity[-1] + 1 + width / 2)
    axes.set_ylim(0, max(1.0, 1.35 * (none + late).max()))
    axes.set_xlabel("sparsity [% of the links missing]")
    axes.set_ylabel("share of the draws [%]")
    axes.set_title("(d)  draws left out of the others", loc="left")
    axes.legend(loc="upper left")


def draw(sweep):
    """The whole picture."""
    study = Efficiency(sweep)
    figure = style.lay_out(WIDTH, HEIGHT)
    axes = figure.subplots(2, 2).flat
    _band(axes[0], study.sparsity, study.price, style.DARK)
    axes[0].set_ylabel("mean price of the trades [EUR/kWh]")
    axes[0].set_title("(a)  price", loc="left")
    axes[0].legend(loc="upper left")
    _band(axes[1], study.sparsity, study.welfare, style.DARK)
    axes[1].set_ylabel("welfare, share of that with all links")
    axes[1].set_title("(b)  social welfare", loc="left")
    _band(axes[2], study.sparsity, study.rounds[0], style.DARK, "automatic penalty")
    _band(axes[2], study.sparsity, study.rounds[1], style.MIDDLE, f"penalty fixed at {study.penalties[1]}")
    axes[2].set_yscale("log")
    for which in (axes[2].yaxis.set_major_formatter, axes[2].yaxis.set_minor_formatter):
        which(lambda value, _: style.number(value, 2))
    axes[2].legend(loc="upper left")
    axes[2].set_ylabel("rounds of an agent")
    axes[2].set_title("(c)  rounds until the market is over", loc="left")
    _panel_lost(axes[3], study)
    best = int(np.nanargmin(np.nanmean(study.rounds[1], axis=1)))
    style.title(figure, f"{study.title}: fewer partners, less welfare",
                [f"{study.status.shape[1]} markets at every point",
                 f"with the fixed penalty fewest rounds at {style.number(study.sparsity[best])} %",
                 f"largest |welfare gap| to the optimum on the same links {style.number(np.nanmax(study.gap), 2)}"])
    return figure


def report(sweep):
    """The numbers, a line for each sparsity."""
    study = Efficiency(sweep)
    yield (f"{'sparsity %':>10} {'price':>8} {'welfare':>8} {'rounds':>7} {'messages':>9} {'rounds, fixed':>13} "
           f"{'no solution':>11} {'late':>5}")
    for k, sparsity in enumerate(study.sparsity):
        price, welfare, rounds, messages, fixed = (np.nanmean(values[k]) for values in (
            study.price, study.welfare, study.rounds[0], study.messages[0], study.rounds[1]))
        yield (f"{sparsity:10.0f} {price:8.4f} {welfare:8.5f} {rounds:7.1f} {messages:9.0f} {fixed:13.1f} "
               f"{(study.status[k] == 2).sum():11d} {(study.status[k] == 1).sum():5d}")


if __name__ == "__main__":
    sys.exit(results.command("fig6.py", __doc__, INPUTS, draw, report))
