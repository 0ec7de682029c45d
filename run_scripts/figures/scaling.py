"""Draws strong and weak scaling from the results of run_scripts/scaling.sh, and prints them as a table."""

import argparse
import json
import statistics
import sys
from collections import defaultdict

from matplotlib.ticker import LogLocator, NullLocator

import style
import trace
from trace import TraceError

WIDTH, HEIGHT = 9.6, 4.4
NEEDED = ("study", "ranks", "agents", "trades", "iterations_mean", "end_time_s", "wall_s", "total_s", "clock", "status")
MARKS = "osD^v"


def read(path):
    """The runs of the file, by study and number of ranks."""
    runs = defaultdict(lambda: defaultdict(list))
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                run = json.loads(line)
                missing = [name for name in NEEDED if name not in run]
            except (ValueError, TypeError) as error:
                raise TraceError(f"{path}:{number}: no result of a run: {error}") from error
            if missing:
                raise TraceError(f"{path}:{number}: no result of run_scripts/scaling.sh: {missing[0]} is missing")
            if run["status"] != "converged":
                raise TraceError(f"{path}:{number}: this run has not converged")
            runs[run["study"]][run["ranks"]].append(run)
    if not runs:
        raise TraceError(f"{path}: no result")
    return runs


def summarise(runs):
    """One row for each study and number of ranks: the medians of its runs, and what more ranks have brought."""
    rows = []
    for study, by_ranks in runs.items():
        fewest = min(by_ranks)
        for ranks in sorted(by_ranks):
            seconds, one = (statistics.median(run["wall_s"] for run in by_ranks[n]) for n in (ranks, fewest))
            some = by_ranks[ranks][0]
            work = statistics.median(2 * run["trades"] * run["iterations_mean"] for run in by_ranks[ranks])
            work_of_one = statistics.median(2 * run["trades"] * run["iterations_mean"] for run in by_ranks[fewest])
            rows.append({"study": study, "ranks": ranks, "agents": some["agents"], "trades": some["trades"],
                         "rounds": some["iterations_mean"], "seconds": seconds, "of": len(by_ranks[ranks]),
                         "ns": seconds * 1e9 / work,
                         "efficiency": (one / work_of_one * fewest) / (seconds / work * ranks)})
    return rows


def table(rows):
    """For people and for the page, line by line."""
    yield "| study | ranks | agents | trades | rounds | negotiation, s | ns a trade's end and round | efficiency |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        yield (f"| {row['study']} | {row['ranks']} | {row['agents']} | {row['trades']} | {row['rounds']:.0f} | "
               f"{row['seconds']:.3g} | {row['ns']:.3g} | {100 * row['efficiency']:.0f} % |")


def draw(rows):
    """Time over ranks, and how well the ranks are used."""
    figure = style.lay_out(WIDTH, HEIGHT, footer=0.55)
    time, used = figure.subplots(1, 2)
    studies = list(dict.fromkeys(row["study"] for row in rows))
    colours = [style.DARK, style.MIDDLE, style.LIGHT, style.MUTED, style.INK]
    for i, study in enumerate(studies):
        mine = [row for row in rows if row["study"] == study]
        looks = {"color": colours[i % len(colours)], "marker": MARKS[i % len(MARKS)], "markersize": 5,
                 "linestyle": "--" if "weak" in study else "-", "label": study}
        time.plot([row["ranks"] for row in mine], [row["seconds"] for row in mine], **looks)
        used.plot([row["ranks"] for row in mine], [100 * row["efficiency"] for row in mine], **looks)
    ranks = sorted({row["ranks"] for row in rows})
    time.set_yscale("log")
    time.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    style.plain_ticks(time.yaxis)
    time.yaxis.set_minor_locator(NullLocator())
    for axes, title, label in ((time, "(a)  time of the negotiation", "seconds, median"),
                               (used, "(b)  of what as many ranks could do", "efficiency [%]")):
        axes.set_xscale("log", base=2)
        axes.set_xticks(ranks, [str(n) for n in ranks])
        axes.minorticks_off()
        axes.set_xlabel("ranks")
        axes.set_ylabel(label)
        axes.set_title(title, loc="left")
        axes.grid(True)
    used.set_ylim(0, max(105, 105 * max(row["efficiency"] for row in rows)))
    used.axhline(100, color=style.MUTED, linewidth=0.8, linestyle=":")
    handles, labels = time.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=min(len(studies), 3))
    style.title(figure, "Scaling over ranks",
                     [f"medians of {min(row['of'] for row in rows)} runs", "dashed: the market grows with the ranks"])
    return figure


def main(arguments=None):
    """Reads the results, prints and draws; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scaling.py", description=__doc__)
    parser.add_argument("results", metavar="SCALING.jsonl", help="of run_scripts/scaling.sh")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", required=True, help="write PREFIX.png and PREFIX.svg")
    options = parser.parse_args(arguments)
    style.apply()

    def lines():
        rows = summarise(read(options.results))
        yield from table(rows)
        yield from style.save(draw(rows), options.prefix)

    return trace.deliver("scaling.py", options.prefix, lines)


if __name__ == "__main__":
    sys.exit(main())
