"""How the negotiation closed in: residuals and welfare against time and against messages."""

from typing import NamedTuple

import numpy as np

import style

WIDTH, ROW_HEIGHT = 11.0, 2.35
MARKERS_UP_TO = 40
THIN_FROM = 1000
MILLIONS_FROM = 2e6


class Curve(NamedTuple):
    """One line of a panel."""

    label: str
    values: np.ndarray
    colour: str
    dashes: str


class Row(NamedTuple):
    """Two panels side by side: the same curves against time and against messages."""

    label: str
    unit: str
    curves: list
    tolerances: dict
    log: bool


def _power_row(trace):
    """Primal and dual residual, both in power units."""
    curves = [Curve("primal: the two ends disagree", trace.column("convergence", "primal"),
                    style.DARK, "-"),
              Curve("dual: trades still move", trace.column("convergence", "dual"),
                    style.MIDDLE, (0, (4, 1.5)))]
    tolerances = {"primal": trace.scalar("tolerance_primal"),
                  "dual": trace.scalar("tolerance_dual")}
    return Row("residual", trace.unit("convergence", "primal"), curves, tolerances, True)


def _price_row(trace):
    """The residual in price units."""
    curve = Curve("price: prices still move", trace.column("convergence", "price"),
                  style.DARK, "-")
    tolerances = {"price": trace.scalar("tolerance_price")}
    return Row("price residual", trace.unit("convergence", "price"), [curve], tolerances, True)


def _welfare_row(trace):
    """The distance to the reference or, where there is none, the welfare itself."""
    welfare = trace.column("convergence", "social_welfare")
    reference = trace.scalar("reference_welfare")
    if not np.isfinite(reference):
        curve = Curve("social welfare\n(no reference computed)", welfare, style.DARK, "-")
        unit = trace.unit("convergence", "social_welfare")
        return Row("social welfare", unit, [curve], {}, False)
    gap = np.abs(reference - welfare) / (abs(reference) or 1.0)
    curve = Curve("distance to the\ncentral optimum", gap, style.DARK, "-")
    return Row("|welfare gap|", "relative" if reference else "", [curve], {}, True)


def _is_known(values):
    """In bulk the price residual is looked at where the end may be, not all the way."""
    return values is not None and np.isfinite(values).sum() >= min(2, len(values))


def _rows(trace):
    """The rows that the trace has data for."""
    rows = [_power_row(trace)]
    if _is_known(trace.column("convergence", "price")):
        rows.append(_price_row(trace))
    rows.append(_welfare_row(trace))
    return rows


def _tolerance_lines(axes, tolerances, unit):
    """A dotted line per tolerance, one for several that are equal."""
    names = {}
    for name, value in tolerances.items():
        if value > 0:
            names.setdefault(value, []).append(name)
    for k, (value, which) in enumerate(names.items()):
        words = "tolerance" if len(names) == 1 else f"tolerance, {' and '.join(which)}"
        axes.axhline(value, color=style.MUTED, linewidth=1.1, linestyle=(":", "-.")[k % 2],
                     label=f"{words}: {style.quantity(value, unit)}")


def _panel(axes, where, row):
    """The curves of one row against one abscissa."""
    marker = "." if len(where) <= MARKERS_UP_TO else None
    width = 1.4 if len(where) < THIN_FROM else 0.8
    drawn = False
    for curve in row.curves:
        good = np.isfinite(curve.values) & ((curve.values > 0) | (not row.log))
        drawn |= bool(good.any())
        axes.plot(where[good], curve.values[good], color=curve.colour, linestyle=curve.dashes,
                  marker=marker, linewidth=width, label=curve.label)
    if row.log:
        axes.set_yscale("log")
    else:
        style.plain_ticks(axes.yaxis)
    if not drawn:
        zero = any((curve.values == 0).any() for curve in row.curves)
        axes.text(0.5, 0.8, "zero throughout" if zero else "no data", ha="center", va="center",
                  transform=axes.transAxes, color=style.MUTED,
                  bbox={"facecolor": "white", "edgecolor": "none"})
    _tolerance_lines(axes, row.tolerances, row.unit)
    axes.grid(True)


def _mark_converged(axes, position):
    """A vertical line where the stop criterion held for good."""
    if np.isfinite(position):
        axes.axvline(position, color=style.MUTED, linewidth=1.0, linestyle=(0, (6, 2, 1, 2)),
                     label="stop criterion\nholds from here")


def _abscissas(trace):
    """Time and messages: (values, label, position at which the run had converged)."""
    time = trace.column("convergence", "time")
    messages = trace.column("convergence", "messages").astype(float)
    converged = trace.scalar("convergence_time_s")
    factor, unit = style.time_scale(np.nanmax(time, initial=0.0))
    clock = f", {trace.clock} clock" if trace.clock else ""
    known = len(time) > 0 and np.isfinite(converged)
    at = np.interp(converged, time, messages) if known else np.nan
    millions = np.nanmax(messages, initial=0.0) >= MILLIONS_FROM
    share, words = (1e-6, "millions of messages") if millions else (1.0, "messages")
    return [(time * factor, f"time since the start{clock} [{unit}]", converged * factor),
            (messages * share, f"{words} sent by all agents", at * share)]


def _from_zero(axes, where, label):
    """An abscissa that starts at zero and has few, plain ticks."""
    longest = np.nanmax(where, initial=0.0)
    if longest > 0:
        axes.set_xlim(-0.02 * longest, 1.04 * longest)
    style.plain_ticks(axes.xaxis)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(label)


def draw(trace):
    """The whole picture."""
    rows = _rows(trace)
    figure = style.lay_out(WIDTH, style.HEADER_INCHES + 0.5 + ROW_HEIGHT * len(rows))
    style.header(figure, trace, "how the negotiation closed in")
    grid = figure.subplots(len(rows), 2, sharex="col", sharey="row", squeeze=False)
    for column, (where, label, converged) in enumerate(_abscissas(trace)):
        for row, axes in zip(rows, grid[:, column]):
            _panel(axes, where, row)
            _mark_converged(axes, converged)
        _from_zero(grid[-1, column], where, label)
    for row, axes in zip(rows, grid):
        axes[0].set_ylabel(style.with_unit(row.label, row.unit))
        axes[1].legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    figure.align_ylabels(grid[:, 0])
    return figure
