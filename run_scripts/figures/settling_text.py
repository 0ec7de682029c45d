"""The numbers of figure 5 as text."""

import numpy as np

import settling
from settling import AUTOMATIC, BASELINE, LEVEL, LEVELS, ratio


def _short(rho):
    """A penalty in few digits."""
    return "automatic" if rho == AUTOMATIC else f"{rho:.3g}"


def _mean(values):
    """The mean over the markets that get there, and how many do not."""
    never = int(np.isinf(values).sum())
    mean = values[np.isfinite(values)].mean() if never < len(values) else np.nan
    return f"{mean:9.0f}" + (f" ({never} never)" if never else "")


def _pair(values, others):
    """Ratio of means / median of ratios."""
    means, median = ratio(values, others)
    return "-" if np.isnan(means) else f"{means:.3g} / {median:.3g}"


def _cell(own, base):
    """The pair, and in how many markets only the others get there."""
    never = int((np.isinf(own) & np.isfinite(base)).sum())
    return f"{_pair(own, base)}{f' *{never}' if never else ''}"


def _table(words, heads, rows):
    """Lines of a table of ratios."""
    yield f"{words}: ratio of means / median of ratios (*n: in n markets only the other gets there)"
    yield f"{'':>30}" + "".join(f"{head:>20}" for head in heads)
    for name, cells in rows:
        yield f"{name:>30}" + "".join(f"{cell:>20}" for cell in cells)


def _penalties(data):
    """Messages of the baseline against the penalty, beside what ships."""
    yield "The survey's baseline (global criterion, relaxation 0.5): mean messages to gap and imbalance both within"
    yield f"{'penalty':>24}" + "".join(f"{level:>22g}" for level in LEVELS)
    for rho, runs in data.scan.items():
        yield f"{_short(rho):>24}" + "".join(f"{_mean(runs.needed(level)):>22}" for level in LEVELS)
    yield f"{'best of each market':>24}" + "".join(f"{_mean(data.best_of_each(level)):>22}" for level in LEVELS)
    yield f"{'what ships':>24}" + "".join(f"{_mean(data.shipped.needed(level)):>22}" for level in LEVELS)


def _shipped(data):
    """What ships against the baseline."""
    yield "What ships (automatic penalty, by trade) against the baseline, ratio of means / median of ratios"
    for level in LEVELS:
        own, best, below = data.shipped.needed(level), data.best(level), data.decade_below(level)
        yield (f"  within {level:g}: {_pair(own, data.scan[best].needed(level))} of the best penalty for all "
               f"({_short(best)}), {_pair(own, data.best_of_each(level))} of the best of each market, "
               f"{_pair(own, data.scan[below].needed(level))} of a decade below ({_short(below)})")


def _far(data):
    """How much a penalty that is far off costs, on the markets that all share."""
    yield "The baseline at other penalties against the best, ratio of means / median of ratios, on the same markets"
    for level in LEVELS[:2]:
        best, parts = data.best(level), []
        for rho in sorted({rho for rho, _ in data.far}):
            far = data.far[rho, BASELINE].needed(level)
            parts.append(f"{_short(rho)}: {_pair(far, data.scan[best].needed(level)[:len(far)])}")
        yield f"  within {level:g}: " + ", ".join(parts)


def _criteria(data, level):
    """What a criterion saves at the same penalty."""
    places = data.places()
    rows = ((str(way), [_cell(place[way].needed(level), place[BASELINE].needed(level)) for place in places.values()])
            for way in data.ways)
    return _table(f"Messages within {level:g} against the global criterion at the same penalty", map(_short, places),
                  rows)


def _baselines(data, level):
    """Every criterion with the automatic penalty against the baseline at some penalties."""
    bases = {rho: data.scan[rho] for rho in (data.best(level), data.decade_below(level))}
    for rho in (min(rho for rho, _ in data.far), max(rho for rho, _ in data.far)):
        bases[rho] = data.far[rho, BASELINE]
    rows = ((str(way), [_cell(data.near[AUTOMATIC, way].needed(level)[:base.messages.shape[1]], base.needed(level))
                        for base in bases.values()]) for way in data.ways)
    words = f"Messages within {level:g} with the automatic penalty against the baseline at some penalties"
    return _table(words, map(_short, bases), rows)


def _promises(data):
    """What a tolerance has meant for welfare."""
    yield "|welfare gap| / tolerance of the runs that ended"
    yield f"{'':>42}{'runs':>8}{'median':>9}{'99 %':>9}{'worst':>9}{'beyond 1':>10}{'not ended':>11}"
    for (way, name), (share, open_runs) in data.promises().items():
        yield (f"{f'{way}, {name}':>42}{len(share):>8}{np.median(share):>9.2g}{np.quantile(share, 0.99):>9.2g}"
               f"{share.max():>9.2g}{int((share > 1).sum()):>10}{open_runs:>11}")


def report(criteria, penalty, off):
    """All tables, as lines."""
    data = settling.Settling(criteria, penalty, off)
    for part in (_penalties(data), _shipped(data), _far(data), _criteria(data, LEVEL), _criteria(data, LEVELS[-1]),
                 _baselines(data, LEVEL), _promises(data)):
        yield from part
        yield ""
