"""What each agent ends up with: its net power and the price at which it stands."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import roles
import style

NAMED_UP_TO = 50
BARS_UP_TO = 300
NAME_WIDTH = 24
WIDTH = 10.0
FOOTER = 0.62
PRICE_LABEL = "marginal price of the agent,\nits fee counted"


def _order(power):
    """Agents from the largest seller to the largest buyer."""
    return np.argsort(-np.nan_to_num(power), kind="stable")


def _price_limits(prices, mean):
    """Limits for the price axis around everything that is drawn."""
    values = np.append(prices, mean)
    values = values[np.isfinite(values)]
    return style.centred_limits(values.min(), values.max()) if len(values) else (-1.0, 1.0)


def _legend(figure, masks, trace, mean, hatched):
    """Bars, dots and the line explained once, below the panels."""
    price = trace.column("agents", "price")
    mean_text = style.quantity(mean, trace.unit("", "price_mean"), 6)
    handles = []
    for role, mask in masks.items():
        if mask.any() and role is not roles.NEITHER:
            handles.append(Patch(facecolor=role.colour, hatch=role.hatch if hatched else "",
                                 edgecolor=style.INK, linewidth=0.6, label=f"power: {role.label}"))
        if np.isfinite(price[mask]).any():
            handles.append(Line2D([], [], linestyle="", marker=role.marker, color=style.INK,
                                  markerfacecolor=role.colour, markeredgewidth=0.7,
                                  markersize=6, label=f"price: {role.label}"))
    if np.isfinite(mean):
        handles.append(Line2D([], [], color=style.MUTED, linestyle="--",
                              label=f"mean price of the trades: {mean_text}"))
    figure.legend(handles=handles, loc="lower center", ncol=3, columnspacing=2.5)


def _bars(axes, masks, order, power, horizontal):
    """One bar per agent, in the colour of its role."""
    draw = axes.barh if horizontal else axes.bar
    for role, mask in masks.items():
        rank = np.flatnonzero(mask[order])
        draw(rank + 1, power[order][rank], 0.72, color=role.colour, edgecolor=style.INK,
             linewidth=0.5 if horizontal else 0.2, hatch=role.hatch if horizontal else "")


def _area(axes, masks, order, power):
    """Where bars would be thinner than a line: a filled curve."""
    rank = np.arange(len(order)) + 1
    for role, mask in masks.items():
        axes.fill_between(rank, power[order], 0, where=mask[order], step="mid",
                          color=role.colour, edgecolor=style.INK, linewidth=0.3)


def _bar_values(axes, order, power):
    """The power in figures at the end of each bar."""
    for rank, value in enumerate(style.without_dust(power[order]), 1):
        if np.isfinite(value):
            axes.annotate(style.number(value, 3), (value, rank), (4 if value >= 0 else -4, 0),
                          textcoords="offset points", va="center", size=7.5,
                          ha="left" if value >= 0 else "right")
    axes.margins(x=0.14)


def _dots(axes, masks, order, price, horizontal):
    """One dot per agent with a known price."""
    size = 30 if horizontal else np.clip(6000 / max(len(order), 1), 4, 22)
    for role, mask in masks.items():
        rank = np.flatnonzero(mask[order] & np.isfinite(price[order]))
        where = (price[order][rank], rank + 1) if horizontal else (rank + 1, price[order][rank])
        axes.scatter(*where, s=size, marker=role.marker, color=role.colour,
                     edgecolor=style.INK, linewidth=0.6 if size > 8 else 0.2, zorder=3)


def _price_axis(axes, horizontal, price, mean):
    """Limits, mean line and grid of the prices."""
    if not np.isfinite(price).any():
        axes.text(0.5, 0.5, "no price known", ha="center", va="center", color=style.MUTED,
                  transform=axes.transAxes, bbox={"facecolor": "white", "edgecolor": "none"})
    low, high = _price_limits(price, mean)
    if horizontal:
        axes.set_xlim(low, high)
        axes.locator_params(axis="x", nbins=5)
    else:
        axes.set_ylim(low, high)
    if np.isfinite(mean):
        (axes.axvline if horizontal else axes.axhline)(mean, color=style.MUTED, linestyle="--",
                                                       linewidth=1.1, zorder=2)
    style.plain_ticks(axes.xaxis if horizontal else axes.yaxis)


def _draw_named(trace, masks, order, mean):
    """Few agents: a line each, with its name."""
    count = len(order)
    figure = style.lay_out(WIDTH, max(3.3, 1.95 + 0.205 * count), FOOTER)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    power, price = trace.column("agents", "power"), trace.column("agents", "price")
    _bars(left, masks, order, power, True)
    _bar_values(left, order, power)
    _dots(right, masks, order, price, True)
    _price_axis(right, True, price, mean)
    names = trace.names()
    left.set_yticks(range(1, count + 1),
                    [style.plain(style.short_name(names[n], NAME_WIDTH)) for n in order])
    left.set_ylim(count + 0.6, 0.4)
    left.axvline(0, color=style.INK, linewidth=0.8)
    style.plain_ticks(left.xaxis)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.grid(True)
    left.set_xlabel(style.with_unit("net power, injection > 0", trace.unit("agents", "power")))
    right.set_xlabel(style.with_unit(PRICE_LABEL, trace.unit("agents", "price")))
    return figure


def _draw_many(trace, masks, order, mean):
    """Many agents: sorted profiles without names."""
    figure = style.lay_out(WIDTH, 6.6, FOOTER)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    power, price = trace.column("agents", "power"), trace.column("agents", "price")
    if len(order) <= BARS_UP_TO:
        _bars(top, masks, order, power, False)
    else:
        _area(top, masks, order, power)
    _dots(bottom, masks, order, price, False)
    _price_axis(bottom, False, price, mean)
    top.axhline(0, color=style.INK, linewidth=0.8)
    top.set_xlim(-0.01 * len(order), 1.01 * len(order) + 1)
    style.plain_ticks(top.yaxis)
    style.plain_ticks(bottom.xaxis)
    for axes in (top, bottom):
        axes.grid(True, axis="y")
    top.set_ylabel(style.with_unit("net power, injection > 0", trace.unit("agents", "power")))
    bottom.set_ylabel(style.with_unit(PRICE_LABEL, trace.unit("agents", "price")))
    bottom.set_xlabel("agents, from the largest seller to the largest buyer")
    figure.align_ylabels()
    return figure


def draw(trace):
    """The whole picture."""
    order = _order(trace.column("agents", "power"))
    masks = roles.of_agents(trace)
    mean = trace.scalar("price_mean")
    named = len(order) <= NAMED_UP_TO
    figure = (_draw_named if named else _draw_many)(trace, masks, order, mean)
    style.header(figure, trace, "powers and prices of the agents")
    _legend(figure, masks, trace, mean, named)
    return figure
