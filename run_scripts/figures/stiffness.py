"""Draws how long markets take against delta for several stiffnesses, from the results of the two sweeps."""

import sys

import numpy as np

import style
import sweep as results
from trace import TraceError

WIDTH, HEIGHT = 13.0, 7.4
INPUTS = [("dense", "results of configs/studies/stiffness.yaml"),
          ("sparse", "results of configs/studies/stiffness-sparse.yaml")]
# For the stiffnesses in the order of the axis, after `auto`.
COLOURS = ("#f0b660", "#dd8452", "#c0504d", "#8c5a8c", "#9a9a9a", "#071426")
MARKERS = "s^DvPX"


class Study:
    """One sweep: the size axis first, then delta, sigma, kappa and the replicate."""

    def __init__(self, sweep, size, word):
        for axis in (size, "delta", "sigma", "kappa"):
            if axis not in sweep.axes:
                raise TraceError(f"{sweep.path}: the axis {axis} is wanted")
        self.kappas = sweep.texts.get("kappa", [])
        if "auto" not in self.kappas:
            raise TraceError(f"{sweep.path}: the stiffness auto is wanted among those of the axis kappa")
        self.word, self.delta = word, sweep.axes["delta"]
        names = (size, "delta", "sigma", "kappa")
        self.status = sweep.over("status", *names)
        known = np.where(self.status == 0, sweep.over("convergence_time", *names), sweep.over("end_time", *names))
        self.time = np.where(self.status == 2, np.nan, known)  # a market without solution is none
        self.peers = 2 * np.nanmean(np.where(self.status == 2, np.nan, sweep.over("n_trades", *names)
                                             / np.maximum(sweep.over("n_agents", *names), 1)), axis=(1, 2, 3, 4))

    def mean(self):
        """Mean time over markets; a run at a limit counts with where it was cut off: too little."""
        return np.nanmean(self.time, axis=-1)

    def ratio(self):
        """Against `auto` on the same markets: the geometric mean over losses of mean times."""
        mean = self.mean()
        own = mean[..., [self.kappas.index("auto")]]
        return np.exp(np.log(mean / own).mean(axis=2))

    def excess(self, kappa):
        """By how much the mean time at any point exceeds the best of all stiffnesses there, at the worst."""
        mean = self.mean()
        return (mean[..., self.kappas.index(kappa)] / mean.min(axis=-1)).max()


def _looks(kappas, name):
    """Colour and marker of a stiffness."""
    if name == "auto":
        return style.DARK, "o"
    k = [kappa for kappa in kappas if kappa != "auto"].index(name)
    return COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]


def _panel(axes, study, place, top):
    """One number of peers: a line for each stiffness; arrows where a line leaves the picture or runs were cut."""
    ratio = study.ratio()[place]
    for k, name in enumerate(study.kappas):
        cut = (study.status[place, :, :, k] == 1).any(axis=(1, 2))
        shown = np.minimum(ratio[:, k], top)
        colour, marker = _looks(study.kappas, name)
        axes.plot(study.delta, shown, color=colour, marker=marker, markersize=4,
                  linewidth=2.4 if name == "auto" else 1.4, zorder=3 if name == "auto" else 2, label=name)
        beyond = cut | (ratio[:, k] > top)
        if beyond.any():
            axes.plot(study.delta[beyond], shown[beyond], linestyle="none", marker="^", markersize=9, clip_on=False,
                      markerfacecolor="none", markeredgecolor=colour, zorder=4)
    axes.set_yscale("log")
    axes.set_ylim(0.85, top)
    ticks = (0.9, 1, 1.2, 1.5, 2, 3)
    axes.set_yticks(ticks, [style.number(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlim(0, 1.03)
    axes.grid(True)
    axes.set_title(f"{style.number(float(study.peers[place]), 2)} peers, {study.word}", loc="left")


def _words(studies):
    """The finding, from the numbers: how far from the best each stiffness is at its worst point."""
    worst = {name: max(study.excess(name) for study in studies) for name in studies[0].kappas}
    own = worst.pop("auto")
    best = min(worst, key=worst.get)
    return (f"Stiffness auto takes at most {style.number(100 * (own - 1), 2)} % longer than the best anywhere, "
            f"the best constant, {best}, up to {style.number(100 * (worst[best] - 1), 2)} %")


def draw(dense, sparse):
    """The whole picture."""
    studies = [Study(dense, "agents", "everybody linked"), Study(sparse, "links", "of 48 agents")]
    figure = style.lay_out(WIDTH, HEIGHT)
    runs = sum(study.status.size for study in studies)
    cut = sum((study.status == 1).sum() for study in studies)
    facts = [f"{style.number(runs, 9)} runs",
             f"{style.number(cut, 9)} ended at the limit of time (△: there, or beyond the picture)",
             "mean times against auto on the same markets, geometric mean over the losses"]
    style.title(figure, _words(studies), facts)
    rows = figure.subplots(len(studies), max(len(s.peers) for s in studies), sharex=True, sharey=True, squeeze=False)
    for row, study in zip(rows, studies):
        for place, axes in enumerate(row[:len(study.peers)]):
            _panel(axes, study, place, 3.0)
        row[0].set_ylabel("time until clear, against auto")
    for axes in rows[-1]:
        axes.set_xlabel("asynchronous rate δ")
    rows[0][0].legend(title="stiffness κ", loc="upper right", ncol=2)
    return figure


if __name__ == "__main__":
    sys.exit(results.command("stiffness.py", __doc__, INPUTS, draw))
