"""Draws imbalance against messages for all stop criteria, and what penalty and criterion cost, from three sweeps."""

import sys

import numpy as np

import settling
import settling_text
import style
import sweep as results
from settling import AUTOMATIC, BASELINE, CRITERIA, LEVEL, LEVELS, Way

WIDTH, HEIGHT = 14.0, 9.6
INPUTS = [("criteria", "results of configs/studies/fig5.yaml"),
          ("penalty", "results of configs/studies/fig5-penalty.yaml"),
          ("off", "results of configs/studies/fig5-off.yaml")]
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
COLOURS = {"global": style.DARK, "agent": style.LIGHT, "trade": style.MIDDLE, "good": "#7a4a78"}
# Penalties by hand, from soft to stiff.
GREYS = ("#b8b8b8", "#8a8a8a", "#111111", "#8a8a8a", "#b8b8b8")
MARKERS = "<v*^>"
FLOOR = 1e-6
CAP = 6  # of ratios; what is beyond, or never gets there, is an arrow


def _spread(values, axis=-1):
    """Deciles, quartiles and the median, of numbers that may be infinite."""
    return np.quantile(values, SHARES, axis=axis, method="inverted_cdf")


def _band(axes, x, values, colour, **line):
    """A median line in its quartiles in its deciles."""
    low, quarter, middle, three, high = values
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.fill_between(x, quarter, three, color=colour, alpha=0.32, linewidth=0)
    axes.plot(x, middle, color=colour, **line)


def _median_curve(axes, runs, **line):
    """Medians of messages and imbalance at each tolerance."""
    axes.plot(np.median(runs.messages, axis=1), np.maximum(np.median(runs.imbalance, axis=1), FLOOR), **line)


def _name(data, rho):
    """What a penalty by hand is called."""
    times = rho / data.by_hand
    if times == 1:
        return f"by hand, {style.number(rho)}{', the best' if rho == data.best(LEVEL) else ''}"
    return f"{max(times, 1 / times):.0e}".replace("e+01", "0") + f" times {'softer' if times < 1 else 'stiffer'}"


def _panel_curves(axes, data, letter, criterion):
    """(a) to (d): the automatic penalty with its band and every draw, penalties by hand as lines."""
    absolute, relative, colour = Way(criterion, "absolute"), Way(criterion, "relative"), COLOURS[criterion]
    for k, (rho, place) in enumerate(list(data.places().items())[1:]):
        _median_curve(axes, place[absolute], color=GREYS[k], marker=MARKERS[k], markersize=3.6 if k != 2 else 6,
                      linewidth=1.1, label=_name(data, rho))
    runs = data.near[AUTOMATIC, absolute]
    axes.plot(runs.messages.ravel(), np.maximum(runs.imbalance, FLOOR).ravel(), linestyle="none", marker=",",
              color=colour, alpha=0.16, rasterized=True)
    _band(axes, np.median(runs.messages, axis=1), np.maximum(_spread(runs.imbalance), FLOOR), colour, marker="o",
          markersize=3.6, linewidth=1.9, label="in colour: automatic; median, quartiles, deciles")
    _median_curve(axes, data.near[AUTOMATIC, relative], color=colour, linestyle=(0, (3, 1.5)), linewidth=1.6,
                  label="the same, relative tolerance")
    axes.plot(np.median(runs.messages, axis=1), np.median(np.abs(runs.gap), axis=1), color=colour, linestyle=":",
              linewidth=1.6, label="the same, |welfare gap|")
    axes.set_title(f"({letter})  {CRITERIA[criterion]}{': never reopened' if criterion == 'good' else ''}", loc="left")
    axes.set_xlabel("messages")


def _row_of_curves(grid, figure, data):
    """Imbalance against messages, a panel for each criterion."""
    first = None
    for k, criterion in enumerate(CRITERIA):
        axes = figure.add_subplot(grid[k], sharex=first, sharey=first)
        _panel_curves(axes, data, "abcd"[k], criterion)
        axes.grid(True)
        if first is not None:
            axes.tick_params(labelleft=False)
        first = first or axes
    first.set_xscale("log")
    first.set_yscale("log")
    first.set_xlim(2e3, 4e5)
    first.set_ylim(FLOOR, 3)
    first.set_ylabel("imbalance, share of the power injected")
    return first


def _panel_penalty(axes, data):
    """(e): the baseline against the penalty, at equal imbalance and welfare gap; what ships across it."""
    rho = np.array(list(data.scan))
    for level in LEVELS:
        needed = np.array([runs.needed(level) for runs in data.scan.values()])
        own = np.median(data.shipped.needed(level))
        if level == LEVEL:
            _band(axes, rho, np.minimum(_spread(needed), 1e7), style.DARK, marker="o", markersize=3.6, linewidth=1.8,
                  label=f"baseline, within {style.number(level)}:\nmedian, quartiles, deciles")
            axes.axhline(own, color=style.MIDDLE, linewidth=1.8, label=f"what ships, within {style.number(level)}")
        else:
            axes.plot(rho, np.median(needed, axis=1), color=style.DARK, linewidth=1.0, linestyle=(0, (4, 2)),
                      label=f"baseline, within {LEVELS[0]:g} (lower), {LEVELS[-1]:g} (upper)"
                      if level == LEVELS[0] else None)
    far = sorted({key for key, _ in data.far} - set(data.scan))
    axes.plot(far, [np.median(data.far[key, BASELINE].needed(LEVEL)) for key in far], marker="o", markersize=5,
              markerfacecolor="none", markeredgecolor=style.DARK, linestyle="none",
              label=f"baseline, within {style.number(LEVEL)}, {data.n_far} markets")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(3e3, 5e6)
    axes.grid(True)
    axes.set_xlabel("penalty ρ by hand [EUR/kWh per kW]")
    axes.set_ylabel("messages at equal imbalance and welfare gap")
    axes.set_title("(e)  what the penalty costs", loc="left")
    axes.legend(loc="upper right")


def _panel_criterion(axes, data):
    """(f): what a criterion saves at the same penalty."""
    places, ways = data.places(), [way for way in data.ways if way.criterion != "global"]
    for w, way in enumerate(ways):
        place = np.arange(len(places)) + (w - (len(ways) - 1) / 2) * 0.12
        shares = np.array([_spread(_against(runs[way], runs[BASELINE])) for runs in places.values()])
        beyond, colour = shares[:, 2] > CAP, COLOURS[way.criterion]
        shares = np.minimum(shares, CAP)
        axes.vlines(place, shares[:, 0], shares[:, 4], color=colour, linewidth=0.9)
        axes.vlines(place, shares[:, 1], shares[:, 3], color=colour, linewidth=3.2, alpha=0.55)
        axes.plot(place, shares[:, 2], marker="o", markersize=4.6, linestyle="none", markeredgecolor=colour,
                  markerfacecolor=colour if way.kind == "absolute" else "white", label=str(way))
        axes.plot(place[beyond], shares[beyond, 2], marker="^", markersize=7, linestyle="none", color=colour)
    axes.axhline(1, color=style.MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.set_xticks(range(len(places)), [rho if rho == AUTOMATIC else style.number(rho, 3) for rho in places])
    axes.set_yscale("log")
    axes.set_ylim(0.25, 3 * CAP)
    axes.set_yticks((0.3, 0.5, 1, 2, 5), ("0.3", "0.5", "1", "2", "5"))
    axes.minorticks_off()
    axes.grid(True, axis="y")
    axes.set_xlabel("penalty ρ; bars: quartiles and deciles; ▲ beyond, or never")
    axes.set_ylabel("messages against the global criterion")
    axes.set_title("(f)  what the criterion saves at the same penalty", loc="left")
    axes.legend(loc="upper right", ncol=2)


def _against(runs, base):
    """Ratio of messages in the markets where the global criterion gets there; infinite where this one does not."""
    own, other = runs.needed(LEVEL), base.needed(LEVEL)
    there = np.isfinite(other)
    return own[there] / other[there]


def _panel_promise(axes, data):
    """(g): welfare gaps in tolerances."""
    rows = data.promises()
    names = list(dict.fromkeys(way for way, _ in rows))
    for k, way in enumerate(names):
        for shift, name in ((-0.17, "automatic"), (0.17, "by hand")):
            values = rows[way, name][0]
            low, quarter, middle, three, high = _spread(values)
            colour, y = COLOURS[way.criterion] if name == "automatic" else style.MUTED, k + shift
            axes.hlines(y, low, high, color=colour, linewidth=1.2)
            axes.hlines(y, quarter, three, color=colour, linewidth=4.2, alpha=0.6)
            axes.plot(middle, y, marker="|", markersize=8, color=colour)
            axes.plot(values.max(), y, marker="x", markersize=5, color=colour)
    axes.axvline(1, color=style.INK, linewidth=1.2)
    axes.set_yticks(range(len(names)), [str(way) for way in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1e-3, 1e3)
    axes.grid(True, axis="x")
    axes.set_xlabel("|welfare gap| / tolerance; × worst of all; grey: by hand")
    axes.set_title("(g)  what a tolerance promises", loc="left")


def _facts(data, *sweeps):
    """The line below the title."""
    runs = sum(sweep.variables["status"].size for sweep in sweeps)
    best, own = data.scan[data.best(LEVEL)].needed(LEVEL), data.shipped.needed(LEVEL)
    below = data.scan[data.decade_below(LEVEL)].needed(LEVEL)
    return [f"{style.number(runs, 9)} runs, {len(own)} markets",
            f"within {style.number(LEVEL)}, what ships (automatic, by trade) takes "
            f"{style.number(settling.ratio(own, best)[0], 2)} times the mean messages of the baseline (global) at its "
            f"best penalty, {style.number(settling.ratio(own, below)[0], 2)} times a decade below"]


def draw(criteria, penalty, off):
    """The whole picture."""
    data = settling.Settling(criteria, penalty, off)
    figure = style.lay_out(WIDTH, HEIGHT, footer=0.62)
    style.title(figure, "Imbalance against messages: what stop criterion and penalty cost",
                _facts(data, criteria, penalty, off))
    rows = figure.add_gridspec(2, 1, height_ratios=(1, 1.05))
    first = _row_of_curves(rows[0].subgridspec(1, len(CRITERIA)), figure, data)
    low = rows[1].subgridspec(1, 3, width_ratios=(1, 1.35, 0.95))
    for k, panel in enumerate((_panel_penalty, _panel_criterion, _panel_promise)):
        panel(figure.add_subplot(low[k]), data)
    figure.legend(*first.get_legend_handles_labels(), loc="lower center", ncol=4)
    return figure


if __name__ == "__main__":
    sys.exit(results.command("fig5.py", __doc__, INPUTS, draw, settling_text.report))
