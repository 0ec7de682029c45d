"""Who trades with whom: a network for few agents, a map for more, a map of groups for many."""

from typing import NamedTuple

import numpy as np

import network
import style

NETWORK_UP_TO = 40
MATRIX_UP_TO = 240
GROUPS = 40
LABELS_UP_TO = 60
LABEL_WIDTH = 18
SIZE = 10.0


class Flows(NamedTuple):
    """Agreed trades that are not zero, from the seller's position to the buyer's."""

    seller: np.ndarray
    buyer: np.ndarray
    power: np.ndarray


class Side(NamedTuple):
    """One side of the map: which cell an agent belongs to, the sum of each cell, labels."""

    cell: np.ndarray
    total: np.ndarray
    agents: np.ndarray
    per_cell: float


def flows_of(trace):
    """The trades of the trace; agents by their position in /agents."""
    ids = trace.column("agents", "agent")
    order = np.argsort(ids)
    first, second = (order[np.searchsorted(ids, trace.column("trades", name), sorter=order)]
                     for name in ("agent_a", "agent_b"))
    power = np.nan_to_num(trace.column("trades", "power"))
    forward = power > 0
    keep = power != 0
    return Flows(np.where(forward, first, second)[keep], np.where(forward, second, first)[keep],
                 np.abs(power)[keep])


def _side(who, flows, count):
    """Agents of one side, largest first, in at most as many cells as can be told apart."""
    total = np.bincount(who, weights=flows.power, minlength=count)
    order = np.argsort(-total, kind="stable")[:np.count_nonzero(total)]
    cells = len(order) if count <= MATRIX_UP_TO else min(len(order), GROUPS)
    cell = np.full(count, -1)
    for k, members in enumerate(np.array_split(order, max(cells, 1))):
        cell[members] = k
    sums = np.bincount(cell[order], weights=total[order], minlength=cells)
    return Side(cell, sums, order, len(order) / max(cells, 1))


def _named(side):
    """Whether there is room for a name at each cell."""
    return side.per_cell == 1 and len(side.agents) <= LABELS_UP_TO


def _label_axis(axis, side, words, names):
    """Names where there is room, otherwise ranks, and what they mean."""
    if _named(side):
        texts = [style.plain(style.short_name(names[n], LABEL_WIDTH)) for n in side.agents]
        axis.set_ticks(range(1, len(texts) + 1), texts)
        axis.set_tick_params(labelsize=8.5 if len(texts) <= 40 else 7)
        axis.set_label_text(f"{words}, largest first")
    elif side.per_cell == 1:
        axis.set_label_text(f"rank among {style.number(len(side.agents))} {words}, largest first")
    else:
        sizes = sorted({f"{np.floor(side.per_cell):.0f}", f"{np.ceil(side.per_cell):.0f}"}, key=int)
        axis.set_label_text(f"{style.number(len(side.agents))} {words}, largest first, "
                            f"in groups of {' or '.join(sizes)}")


def _extent(rows, columns):
    """Cell k of each side sits at k, counted from one, the first row on top."""
    return 0.5, len(columns.total) + 0.5, len(rows.total) + 0.5, 0.5


def _draw_map(trace, flows):
    """Sellers as rows, buyers as columns, power as shade; sums along the edges."""
    count = len(trace.column("agents", "agent"))
    rows, columns = (_side(who, flows, count) for who in (flows.seller, flows.buyer))
    power = np.zeros((len(rows.total), len(columns.total)))
    np.add.at(power, (rows.cell[flows.seller], columns.cell[flows.buyer]), flows.power)
    figure = style.lay_out(SIZE, SIZE)
    grid = figure.subplots(2, 2, height_ratios=(1, 6), width_ratios=(6, 1))
    ((top, corner), (axes, right)) = grid
    corner.set_axis_off()
    image = axes.imshow(np.ma.masked_equal(power, 0), cmap=style.HEAT, vmin=0, aspect="auto",
                        interpolation="nearest", extent=_extent(rows, columns))
    unit = trace.unit("trades", "power")
    figure.colorbar(image, ax=grid, location="bottom", pad=0.01, shrink=0.5, aspect=40,
                    label=style.with_unit("power traded, white: none", unit))
    _margins(top, right, rows, columns, unit)
    names = trace.names()
    _label_axis(axes.yaxis, rows, "sellers", names)
    _label_axis(axes.xaxis, columns, "buyers", names)
    axes.tick_params(axis="x", rotation=90 if _named(columns) else 0)
    return figure


def _margins(top, right, rows, columns, unit):
    """What each column buys and each row sells in all."""
    top.bar(1 + np.arange(len(columns.total)), columns.total, 0.9, color=style.LIGHT)
    right.barh(1 + np.arange(len(rows.total)), rows.total, 0.9, color=style.DARK)
    left, right_end, bottom, upper = _extent(rows, columns)
    top.set_xlim(left, right_end)
    right.set_ylim(bottom, upper)
    top.set_ylabel(style.with_unit("bought", unit))
    right.set_xlabel(style.with_unit("sold", unit))
    top.tick_params(axis="x", labelbottom=False, length=0)
    right.tick_params(axis="y", labelleft=False, length=0)
    style.plain_ticks(top.yaxis)
    style.plain_ticks(right.xaxis)
    right.locator_params(axis="x", nbins=3)


def _draw_nothing():
    """A picture that says that there is nothing to see."""
    figure = style.lay_out(SIZE, 3.0)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no trade was agreed", ha="center", va="center", size=12,
              color=style.MUTED)
    return figure


def draw(trace):
    """The whole picture."""
    flows = flows_of(trace)
    if len(trace.column("agents", "agent")) <= NETWORK_UP_TO:
        figure = network.draw(trace, flows)
    elif len(flows.power):
        figure = _draw_map(trace, flows)
    else:
        figure = _draw_nothing()
    style.header(figure, trace, "who sells to whom")
    return figure
