"""Draws who sends what to whom, and when, from the timelines of runs: one lane per agent, one panel per run."""

import argparse
import re
import sys

import h5py
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

import style
import trace
from trace import TraceError

WIDTH, PANEL_HEIGHT = 12.0, 3.1
MOST_AGENTS = 8
BAR = 0.2
FIRE, SEND, DELIVER, LOST = range(4)
COLOURS = (style.DARK, style.MIDDLE, "#d08a1c", "#4f7d4a", "#7a4a78", "#5f5f5f", "#2a8a99", "#8a5a2b")


class Timeline:
    """The events of one run, and what it takes to draw them."""

    def __init__(self, path):
        self.run = trace.read(path)
        with h5py.File(path, "r") as file:
            if "timeline" not in file:
                raise TraceError(f"{path}: it has no /timeline: run with -s run.timeline=yes")
            group = file["timeline"]
            columns = [group[name][()] for name in ("time", "agent", "kind", "peer", "round")]
            case = file["provenance"].attrs.get("case", "") if "provenance" in file else ""
        self.events = list(zip(*(column.tolist() for column in columns)))
        self.agents = len(self.run.groups["agents"]["agent"])
        self.retransmit = _number(case, "retransmit_s")
        if self.agents > MOST_AGENTS:
            raise TraceError(f"{path}: {self.agents} agents, at most {MOST_AGENTS} can be told apart")

    def solve_time(self, agent):
        """How long a local solve of the agent takes."""
        count = self.run.column("agents", "iterations")[agent]
        return self.run.column("agents", "compute_time")[agent] / count if count else 0.0


def _number(case, key):
    """A setting out of the effective case, NaN if it is not there."""
    text = case.decode("utf-8", "replace") if isinstance(case, bytes) else str(case)
    found = re.search(rf"\b{key}: ([0-9.eE+-]+)", text)
    return float(found.group(1)) if found else np.nan


def _lane(timeline, agent):
    """The height of an agent's lane: the first on top."""
    return timeline.agents - 1 - agent


def _arrow(axes, start, end, colour):
    """A message that arrives."""
    note = axes.annotate("", xy=end, xytext=start, annotation_clip=False,
                         arrowprops={"arrowstyle": "-|>,head_width=0.13,head_length=0.28", "color": colour,
                                     "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0, "alpha": 0.85})
    note.arrow_patch.set_clip_path(axes.patch)


def _messages(axes, timeline, until):
    """Arrows from the last attempt to the arrival; a cross halfway for each attempt that is lost."""
    sent, lost = {}, {}
    for time, agent, kind, peer, number in timeline.events:
        if kind == SEND:
            sent[agent, peer, number] = time
        elif kind == LOST:
            lost.setdefault((agent, peer, number), []).append(time)
    for time, agent, kind, peer, number in timeline.events:
        if kind != DELIVER:
            continue
        key = (peer, agent, number)
        attempts = len(lost.get(key, []))
        start = sent.get(key, time)
        if attempts and np.isfinite(timeline.retransmit):
            start += attempts * timeline.retransmit
        if start <= until:
            _arrow(axes, (start, _lane(timeline, peer)), (time, _lane(timeline, agent)), COLOURS[peer])
    for (agent, peer, _), times in lost.items():
        for time in times:
            _cross(axes, time, _lane(timeline, agent), _lane(timeline, peer), COLOURS[agent])


def _cross(axes, time, lane, other, colour):
    """A transmission that is lost on its way."""
    end = (time + 0.4, lane + 0.4 * (other - lane))
    axes.plot((time, end[0]), (lane, end[1]), color=colour, linewidth=0.9, linestyle=(0, (2.5, 1.5)))
    axes.plot(*end, marker="x", color=colour, markersize=7, markeredgewidth=1.8)


def _solves(axes, timeline, until):
    """A bar for each local solve on its agent's lane."""
    for agent in range(timeline.agents):
        axes.axhline(_lane(timeline, agent), color=style.RULE, linewidth=5, zorder=0)
        axes.plot(0, _lane(timeline, agent), marker="|", markersize=16, color=style.INK)
    for time, agent, kind, _, _ in timeline.events:
        if kind == FIRE and time <= until:
            axes.add_patch(Rectangle((time, _lane(timeline, agent) - BAR / 2), timeline.solve_time(agent),
                                     BAR, facecolor=COLOURS[agent], edgecolor="white", zorder=3))


def _panel(axes, timeline, letter, until):
    """One run."""
    _solves(axes, timeline, until)
    _messages(axes, timeline, until)
    run = timeline.run
    delta = run.scalar("delta")
    words = "each waits for all its peers" if delta == 1 else f"each waits for {delta:.0%} of its peers"
    shown = sum(kind == FIRE and time <= until for time, _, kind, _, _ in timeline.events)
    axes.set_title(f"({letter})  δ = {style.number(delta)}: {words}; {shown} local solves in the time shown, "
                   f"the market clears after {style.number(run.scalar('convergence_time_s'), 3)} s",
                   loc="left")
    axes.set_yticks([_lane(timeline, n) for n in range(timeline.agents)],
                    [f"agent {name}" for name in run.names()])
    axes.set_ylim(-0.4, timeline.agents - 0.6)
    axes.set_xlim(0, until)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")


def _legend(figure):
    """What the marks mean, once."""
    marks = [Patch(color=style.DARK, label="local solve"),
             Line2D([], [], color=style.DARK, marker=">", markersize=6, markevery=(1, 2), linewidth=0.9,
                    label="message, in the sender's colour"),
             Line2D([], [], color=style.DARK, marker="x", markersize=7, markeredgewidth=1.8, linewidth=0.9,
                    linestyle=(0, (2.5, 1.5)), label="transmission that is lost"),
             Line2D([], [], color=style.RULE, linewidth=5, label="waiting")]
    figure.legend(handles=marks, loc="lower center", ncol=4)


def draw(timelines, until):
    """The whole picture: the first run on top."""
    figure = style.lay_out(WIDTH, style.HEADER_INCHES + 0.7 + PANEL_HEIGHT * len(timelines), footer=0.35)
    first = timelines[0]
    loss = first.run.scalar("loss")
    style.title(figure, f"{first.run.title}: messages between {first.agents} agents",
                [f"the first {style.number(until)} s", f"{loss:.0%} of transmissions are lost",
                 f"repeated after {style.number(first.retransmit)} s"])
    grid = figure.subplots(len(timelines), 1, sharex=True, squeeze=False)[:, 0]
    for k, (axes, timeline) in enumerate(zip(grid, timelines)):
        _panel(axes, timeline, "abcdefgh"[k % 8], until)
    grid[-1].set_xlabel("time [s]")
    _legend(figure)
    return figure


def main(arguments=None):
    """Reads, draws, prints the paths; returns the exit code."""
    parser = argparse.ArgumentParser(prog="fig7.py", description=__doc__)
    parser.add_argument("traces", metavar="TRACE.h5", nargs="+", help="runs with run.timeline=yes")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", help="write PREFIX.png and .svg")
    parser.add_argument("--until", metavar="SECONDS", type=float, default=12.0, help="the time shown (12)")
    options = parser.parse_args(arguments)
    style.apply()
    prefix = options.prefix or options.traces[0].removesuffix(".h5")
    return trace.deliver("fig7.py", prefix, lambda: style.save(
        draw([Timeline(path) for path in options.traces], options.until), prefix))


if __name__ == "__main__":
    sys.exit(main())
