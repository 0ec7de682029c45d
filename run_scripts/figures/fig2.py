"""Draws the survey's figure 2: one market under several organisations, a small graph each."""

import argparse
import csv
import sys

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

import style
import trace

COLUMN, HEIGHT, FOOTER = 2.3, 2.9, 0.35
WIDEST, THINNEST = 5.0, 0.5
EXIT_IO = 5


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="fig2.py", description=__doc__)
    parser.add_argument("agents", metavar="AGENTS.csv", help="the agents' table, with x and y")
    parser.add_argument("traces", metavar="TRACE.h5:TITLE", nargs="+", help="a run of each organisation")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", default="fig2", help="write PREFIX.png and PREFIX.svg")
    return parser.parse_args(arguments)


def read_places(path):
    """Where the agents of the table are, [agents, 2]."""
    with open(path, encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    places = np.full((len(rows), 2), np.nan)
    for row in rows:
        places[int(row["agent"])] = float(row["x"]), float(row["y"])
    return places


def place(run, known):
    """Where everybody is: who was added stands amid those that he is linked with and that have a place."""
    places = np.full((len(run.groups["agents"]["agent"]), 2), np.nan)
    places[:len(known)] = known
    ends = np.stack([run.groups["trades"][name] for name in ("agent_a", "agent_b")])
    for agent in range(len(known), len(places)):
        peers = np.concatenate([ends[1][ends[0] == agent], ends[0][ends[1] == agent]])
        near = places[peers][np.isfinite(places[peers, 0])]
        places[agent] = near.mean(axis=0) if len(near) else known.mean(axis=0)
    return places


def draw_links(axes, run, places, largest):
    """Links as thin lines, trades as wide as they are large."""
    trades = run.groups["trades"]
    lines = np.stack([places[trades["agent_a"]], places[trades["agent_b"]]], axis=1)
    widths = THINNEST + (WIDEST - THINNEST) * np.abs(trades["power"]) / largest
    used = np.abs(trades["power"]) > 1e-3 * largest
    axes.add_collection(LineCollection(lines[~used], colors=style.RULE, linewidths=THINNEST, zorder=1))
    axes.add_collection(LineCollection(lines[used], colors=style.LIGHT, linewidths=widths[used], zorder=2))


def draw_agents(axes, run, places, n_known):
    """Who injects, who consumes, who stands between."""
    power = run.groups["agents"]["power"]
    for chosen, colour in ((power > 1e-6, style.DARK), (power < -1e-6, style.MIDDLE)):
        axes.scatter(*places[chosen].T, s=34, color=colour, edgecolors="white", linewidths=0.6, zorder=3)
    added = np.arange(len(places)) >= n_known
    axes.scatter(*places[added].T, s=48, marker="s", color="white", edgecolors=style.INK, linewidths=1.2, zorder=4)


def draw(runs, titles, known):
    """All organisations side by side."""
    figure = style.lay_out(COLUMN * len(runs), HEIGHT + style.HEADER_INCHES + FOOTER, FOOTER)
    largest = max(np.abs(run.groups["trades"]["power"]).max() for run in runs)
    for axes, run, title in zip(figure.subplots(1, len(runs)), runs, titles):
        places = place(run, known)
        draw_links(axes, run, places, largest)
        draw_agents(axes, run, places, len(known))
        price = style.quantity(run.scalar("price_mean"), run.unit("", "price_mean"))
        welfare = style.quantity(run.scalar("social_welfare"), run.unit("", "social_welfare"))
        axes.set_title(f"{style.plain(title)}\nprice {price}\nwelfare {welfare}", size=9)
        axes.set_xlabel(f"{len(run.groups['trades']['trade'])} links, "
                        f"{style.number(run.scalar('messages_sent'), 3)} offers", size=8.5)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.margins(0.12)
        for spine in axes.spines.values():
            spine.set_visible(False)
    marks = [Line2D([], [], color=colour, marker=shape, linestyle="", markeredgecolor=edge, markersize=6)
             for colour, shape, edge in ((style.DARK, "o", "white"), (style.MIDDLE, "o", "white"),
                                         ("white", "s", style.INK))]
    marks.append(Line2D([], [], color=style.LIGHT, linewidth=4))
    figure.legend(marks, ("sells on balance", "buys on balance", "operator or manager, added", "trade, as wide as large"),
                  loc="lower center", ncols=4)
    style.title(figure, f"{runs[0].title}: one market, {len(runs)} organisations",
                [f"{len(known)} agents", "thin lines are links without a trade"])
    return figure


def main(arguments=None):
    """Reads the traces, draws; returns the exit code."""
    options = parse(arguments)
    style.apply()
    try:
        known = read_places(options.agents)
        paths, titles = zip(*(word.rsplit(":", 1) for word in options.traces))
        for path in style.save(draw([trace.read(path) for path in paths], titles, known), options.prefix):
            print(path, flush=True)
    except trace.TraceError as error:
        print(f"fig2.py: {error}", file=sys.stderr)
        return EXIT_IO
    except (OSError, KeyError, ValueError) as error:
        print(f"fig2.py: {options.agents}: {error}", file=sys.stderr)
        return EXIT_IO
    return 0


if __name__ == "__main__":
    sys.exit(main())
