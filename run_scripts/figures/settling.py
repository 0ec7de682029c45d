"""The numbers of figure 5: how many messages to what imbalance and welfare gap, and what a tolerance promises."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trace import TraceError

AUTOMATIC = "auto"
CRITERIA = {"global": "global", "agent": "by agent", "trade": "by trade", "good": "by trade, for good"}
LEVELS = (1e-2, 1e-3, 1e-4)  # of imbalance and welfare gap alike
LEVEL = 1e-3                 # the one that single numbers are about
ALIKE = 1.5                  # penalties whose ratio is less count as the same
TINY = 1e-15


class Way(NamedTuple):
    """A stop criterion: a key of CRITERIA, and whether its tolerances are absolute or relative."""

    criterion: str
    kind: str

    def __str__(self):
        return f"{CRITERIA[self.criterion]}, {self.kind}"


BASELINE = Way("global", "relative")
SHIPPED = Way("trade", "absolute")


@dataclass
class Runs:
    """One stop criterion at one penalty: rows from loose to tight tolerances, a column for each market."""

    tolerance: np.ndarray  # NaN where it is given in units
    messages: np.ndarray
    gap: np.ndarray        # of welfare, relative, positive where it is short of the optimum
    imbalance: np.ndarray  # as a share of the power injected
    ended: np.ndarray      # of itself and accepted, so not at the limit of time

    def needed(self, level):
        """Messages of every market until |gap| and imbalance are both at most the level; infinite where never.

        They are those of the loosest tolerance whose run keeps it; between this and the next looser one they are
        interpolated in the logarithm of the worse of the two, as fits convergence at a steady rate.
        """
        worst = np.where(self.ended, np.maximum(np.abs(self.gap), self.imbalance), np.inf)
        keeps = worst <= level
        first, markets = keeps.argmax(axis=0), np.arange(worst.shape[1])
        before = np.maximum(first - 1, 0)
        high, low = worst[before, markets], np.maximum(worst[first, markets], TINY)
        between = (before < first) & np.isfinite(high) & keeps.any(axis=0)
        share = np.ones(len(markets))
        share[between] = np.log(high[between] / level) / np.log(high[between] / low[between])
        start = self.messages[before, markets]
        return np.where(keeps.any(axis=0), start + share * (self.messages[first, markets] - start), np.inf)


def _words(text):
    """The settings in a value of an axis over a section."""
    return dict(re.findall(r"(\w+): ([^,{}]+)", text))


def _stop(text):
    """What a value of the axis stop means: the way, what to sort by, and the relative tolerance."""
    words = _words(text)
    if "criterion" not in words:  # a study of the baseline alone
        return BASELINE, float(text), float(text)
    criterion = "good" if words.get("ratify") == "yes" else words["criterion"]
    if "primal" in words:
        return Way(criterion, "absolute"), float(words["primal"]), np.nan
    is_relative = "share" in words or criterion == "global"
    tolerance = float(words["share" if "share" in words else "tolerance"])
    return Way(criterion, "relative" if is_relative else "absolute"), tolerance, tolerance


def _penalty(text):
    """A number, or AUTOMATIC."""
    value = _words(text).get("penalty", text)
    return AUTOMATIC if value == AUTOMATIC else float(value)


def _texts(sweep, axis):
    """The values of an axis as texts."""
    if axis not in sweep.axes:
        raise TraceError(f"{sweep.path}: an axis {axis} is wanted")
    return sweep.texts.get(axis) or [repr(float(value)) for value in sweep.axes[axis]]


def _limit(sweep):
    """The limit of time of all runs."""
    found = re.search(r"^ +max_time_s: ([0-9.e+]+)$", sweep.case, re.MULTILINE)
    if not found:
        raise TraceError(f"{sweep.path}: stop.max_time_s is wanted in the study")
    return float(found.group(1))


def runs_of(sweep):
    """All runs by (penalty, way)."""
    penalties, stops = _texts(sweep, "penalty"), [_stop(text) for text in _texts(sweep, "stop")]
    over = {name: sweep.over(name, "penalty", "stop") for name in ("status", "end_time", "messages", "welfare_gap",
                                                                   "imbalance", "power_injected")}
    limit = _limit(sweep)
    found = {}
    for p, text in enumerate(penalties):
        for way in dict.fromkeys(stop[0] for stop in stops):
            rows = sorted((i for i, stop in enumerate(stops) if stop[0] == way), key=lambda i: -stops[i][1])
            take = {name: values[p][rows] for name, values in over.items()}
            found[_penalty(text), way] = Runs(np.array([stops[i][2] for i in rows]), take["messages"],
                                              take["welfare_gap"], take["imbalance"] / take["power_injected"],
                                              (take["status"] == 0) & (take["end_time"] < limit))
    return found


class Settling:
    """The three sweeps together."""

    def __init__(self, criteria, penalty, off):
        self.near, self.far = runs_of(criteria), runs_of(off)
        self.scan = {key[0]: runs for key, runs in runs_of(penalty).items()}
        if (AUTOMATIC, SHIPPED) not in self.near or BASELINE not in {way for _, way in self.far}:
            raise TraceError(f"{criteria.path}: the automatic penalty and the stops by trade and global are wanted")
        self.n_far = next(iter(self.far.values())).messages.shape[1]
        self.shipped = self.near[AUTOMATIC, SHIPPED]
        self.by_hand = next(key for key, _ in self.near if key != AUTOMATIC)
        self.ways = list(dict.fromkeys(way for _, way in self.near))

    def best(self, level):
        """The penalty by hand, one for all markets, with the fewest messages in the mean."""
        return min(self.scan, key=lambda rho: self.scan[rho].needed(level).mean())

    def best_of_each(self, level):
        """Messages of every market with the penalty by hand that suits it best."""
        return np.min([runs.needed(level) for runs in self.scan.values()], axis=0)

    def decade_below(self, level):
        """The penalty of the scan that is a decade below the best."""
        wanted = self.best(level) / 10
        found = min(self.scan, key=lambda rho: abs(np.log(rho / wanted)))
        if not wanted / ALIKE < found < wanted * ALIKE:
            raise TraceError("the scan of the penalties does not reach a decade below the best")
        return found

    def places(self):
        """All penalties with all criteria: automatic first, then by hand from soft to stiff; and their runs."""
        both = {**self.far, **self.near}
        by_hand = sorted({rho for rho, _ in both if rho != AUTOMATIC})
        return {rho: {way: both[rho, way] for way in self.ways} for rho in (AUTOMATIC, *by_hand)}

    def promises(self):
        """|welfare gap| / tolerance of all runs that ended, by way: automatic, by hand; and how many did not end."""
        found = {}
        for way in (way for way in self.ways if way != Way("global", "absolute")):
            for name, is_automatic in (("automatic", True), ("by hand", False)):
                some = [place[way] for rho, place in self.places().items() if (rho == AUTOMATIC) == is_automatic]
                share = [(np.abs(runs.gap) / runs.tolerance[:, None])[runs.ended] for runs in some]
                found[way, name] = np.concatenate(share), sum(int((~runs.ended).sum()) for runs in some)
        return found


def ratio(values, others):
    """Ratio of means and median of ratios over the markets that get there both ways."""
    both = np.isfinite(values) & np.isfinite(others)
    if not both.any():
        return np.nan, np.nan
    return values[both].mean() / others[both].mean(), np.median(values[both] / others[both])
