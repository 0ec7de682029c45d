"""Draws how much of the full market's gain from trade few peers keep, from what tests/bench/bench_choosing.c wrote."""

import argparse
import csv
import sys

import numpy as np

import style
import trace
from trace import TraceError

WIDTH, HEIGHT, FOOTER = 12.0, 8.6, 0.5
COLUMNS = ["table", "market", "way", "peers", "slot", "replicate", "share"]
FLOOR, CEILING = 1e-3, 40.0  # of the loss, in percent
CLAIM = 97.0
MOST_WITHOUT = 0.1  # a mean over fewer markets than the others says little

# Colour, marker, line and words of each way.
WAYS = {
    "random": (style.MIDDLE, "o", "-", "random"),
    "nearest": (style.LIGHT, "s", "-", "nearest"),
    "greedy": ("#4f81bd", "^", "-", "greedy"),
    "planned": ("#6b8e3d", "v", "-", "planned"),
    "adaptive": (style.DARK, "D", "-", "adaptive, after 30 slots"),
    "uncapped": (style.MUTED, "x", "--", "as many links at random, no cap"),
    "blind": (style.MUTED, "+", ":", "random among all 39, no resale"),
    "best": (style.INK, "*", "", "best there is (K = 1)"),
}


class Shares:
    """All rows of the file: shares in percent by table, market, way, peers and slot."""

    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != COLUMNS:
                raise TraceError(f"{path}: not what bench_choosing writes")
            self.values = {}
            try:
                for row in rows:
                    key = (row["table"], row["market"], row["way"], int(row["peers"]), int(row["slot"]))
                    self.values.setdefault(key, []).append(100 * float(row["share"]))
            except (TypeError, ValueError) as error:
                raise TraceError(f"{path}: {error}") from error
        if not self.values:
            raise TraceError(f"{path}: no results")

    def peers(self, table, market):
        """The numbers of peers that were tried."""
        return sorted({key[3] for key in self.values if key[:2] == (table, market)})

    def slots(self, table, market, peers):
        """The slots of a repeated market."""
        return sorted({key[4] for key in self.values if key[:2] == (table, market) and key[3] == peers})

    def of(self, table, market, way, peers, slot):
        """One share for each market, NaN where it has no solution."""
        return np.array(self.values.get((table, market, way, peers, slot), [np.nan]))


def _summary(values):
    """Mean and least, NaN where too many markets have no solution."""
    known = values[np.isfinite(values)]
    if len(known) < (1 - MOST_WITHOUT) * len(values):
        return np.nan, np.nan
    return known.mean(), known.min()


def _loss(kept):
    """What is drawn for a share, on a scale of losses."""
    return np.clip(100 - np.asarray(kept, dtype=float), FLOOR, CEILING)


def _nines(axes, label):
    """A scale of shares on which 90, 99 and 99.9 % are as far apart."""
    axes.set_yscale("log")
    axes.set_ylim(CEILING, 0.8 * FLOOR)
    ticks = [30, 10, 3, 1, 0.1, 0.01, FLOOR]
    axes.set_yticks(ticks, [style.number(100 - tick, 6) for tick in ticks[:-1]] + ["all"])
    axes.set_yticks([], minor=True)
    axes.set_ylabel(label)
    axes.grid(True)


def _panel_peers(axes, shares, market, words):
    """Mean and worst share (thin) against the peers."""
    peers = shares.peers("compare", market)
    last_slot = max(key[4] for key in shares.values if key[0] == "compare")
    for way, (colour, marker, line, label) in WAYS.items():
        means, least = np.array([_summary(shares.of("compare", market, way, k, last_slot)) for k in peers]).T
        if way in ("uncapped", "blind"):  # from where on nearly all have a solution
            means[:np.flatnonzero(np.isnan(means)).max(initial=-1) + 1] = np.nan
            least = np.full(len(peers), np.nan)
        if np.isnan(means).all():
            continue
        axes.plot(peers, _loss(means), color=colour, marker=marker, linestyle=line, linewidth=1.9,
                  markersize=10 if way == "best" else 5, label=label, zorder=5 if way == "best" else 3)
        axes.plot(peers, _loss(least), color=colour, linewidth=0.8, linestyle=":")
    axes.axhline(100 - CLAIM, color=style.INK, linewidth=0.8, linestyle=(0, (5, 3)))
    _nines(axes, "kept of the gain from trade [%]")
    axes.set_xticks(peers)
    axes.set_xlabel("K, the most peers of an agent")
    axes.set_title(words, loc="left")


def _panel_growth(axes, shares):
    """The mean share over repetitions of the same market."""
    looks = {"even": ("-", (style.MIDDLE, style.LIGHT, "#4f81bd", style.MUTED)),
             "few": ("--", (style.DARK, "#6b8e3d", "#8c5a8c"))}
    for market, (line, colours) in looks.items():
        for colour, k in zip(colours, shares.peers("repeated", market)):
            slots = shares.slots("repeated", market, k)
            means = [_summary(shares.of("repeated", market, "adaptive", k, slot))[0] for slot in slots]
            axes.plot(slots, _loss(means), color=colour, linestyle=line, linewidth=1.6)
            axes.annotate(f"{market}, K = {k}", (slots[-1], _loss(means[-1])), textcoords="offset points", xytext=(5, 0),
                          va="center", fontsize=8, color=colour)
    _nines(axes, "kept of the gain from trade, mean [%]")
    axes.set_xlabel("slots of the same market so far")
    axes.set_title("(c)  adaptive, while the market repeats", loc="left")
    axes.set_xticks(range(0, slots[-1] + 1, 5))
    axes.set_xlim(-1, 1.22 * slots[-1])


def _panel_best(axes, shares):
    """Every small market: what a way gains of what the best of all choices gains."""
    peers = shares.peers("small", "even")
    ways = [way for way in WAYS if ("small", "even", way, peers[0], 0) in shares.values and way != "best"]
    for w, way in enumerate(ways):
        colour, marker = WAYS[way][:2]
        for k in peers:
            ratio = 100 * shares.of("small", "even", way, k, 0) / shares.of("small", "even", "best", k, 0)
            spread = np.linspace(-0.045, 0.045, len(ratio))
            at = k + 0.16 * (w - (len(ways) - 1) / 2)
            axes.plot(at + spread, _loss(ratio), marker, color=colour, markersize=3.6, alpha=0.7)
    _nines(axes, "gain, of that of the best choice [%]")
    axes.set_xticks(peers)
    axes.set_xlabel("K, the most peers of an agent")
    axes.set_title("(d)  4 buyers, 4 sellers: against every choice there is", loc="left")


def draw(shares):
    """The whole picture."""
    figure = style.lay_out(WIDTH, HEIGHT, footer=FOOTER)
    axes = figure.subplots(2, 2).flat
    _panel_peers(axes[0], shares, "even", "(a)  even: 20 buyers, 20 sellers")
    _panel_peers(axes[1], shares, "few", "(b)  few: 32 buyers, 8 sellers four times as large")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncol=4)
    axes[1].annotate(f"{style.number(CLAIM)} %", (axes[1].get_xlim()[0], 100 - CLAIM), textcoords="offset points",
                     xytext=(4, 3), fontsize=8, color=style.INK)
    _panel_growth(axes[2], shares)
    _panel_best(axes[3], shares)
    count = max(len(values) for values in shares.values.values())
    style.title(figure, "Few peers, chosen: what they keep of the full market's gain from trade",
                [f"{count} markets of 40 agents, solved centrally on the chosen links",
                 "thick: the mean, thin: the worst", "not drawn where over 10 % have no solution"])
    return figure


def main(arguments=None):
    """Reads the shares, draws; returns the exit code."""
    parser = argparse.ArgumentParser(prog="choosing.py", description=__doc__)
    parser.add_argument("shares", metavar="SHARES.csv", help="what bench_choosing wrote")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", required=True, help="write PREFIX.png and PREFIX.svg")
    options = parser.parse_args(arguments)
    style.apply()
    return trace.deliver("choosing.py", options.prefix,
                         lambda: style.save(draw(Shares(options.shares)), options.prefix))


if __name__ == "__main__":
    sys.exit(main())
