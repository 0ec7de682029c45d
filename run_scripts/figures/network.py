"""Agents on a circle, sellers on the left, buyers on the right; an arrow for each trade."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

import roles
import style

WIDTH, FOOTER = 10.0, 1.5
LARGEST_RADIUS, POINTS_PER_AGENT = 235.0, 30.0
UPRIGHT_UP_TO = 16
NAME_WIDTH = 18
POINTS_PER_CHARACTER = 5.6
GAP = np.radians(14)
SMALLEST_NODE, LARGEST_NODE = 6.0, 32.0
WIDEST = 7.0
FAINTEST_SHARE = 0.01


def _arc(middle, width, count):
    """`count` angles in the middles of equal parts of an arc."""
    return middle + width * ((np.arange(count) + 0.5) / max(count, 1) - 0.5)


def _positions(masks, power):
    """Angles: sellers on the left, buyers on the right, largest on top, the others below."""
    by_power = np.argsort(-np.nan_to_num(power), kind="stable")
    sellers, buyers, others = (by_power[masks[role][by_power]] for role in roles.ROLES)
    angle = np.empty(len(power))
    if len(others) == len(power):
        angle[others] = _arc(-np.pi / 2, 2 * np.pi, len(others))
        return angle
    below = 0.0
    if len(others):
        below = np.clip(2 * np.pi * len(others) / len(power), np.radians(16), np.radians(220))
    side = np.pi - below / 2 - GAP
    angle[sellers] = _arc(np.pi / 2 + GAP / 2 + side / 2, side, len(sellers))
    angle[buyers] = _arc(np.pi / 2 - GAP / 2 - side / 2, side, len(buyers))
    angle[others] = _arc(-np.pi / 2, below, len(others))
    return angle


def _node_points(power, angle, radius):
    """Diameters in points: area by |power|, neighbours on the circle do not touch."""
    ring = np.sort(np.mod(angle, 2 * np.pi))
    closest = np.min(np.diff(ring, append=ring[:1] + 2 * np.pi), initial=np.pi)
    largest = np.clip(0.75 * radius * closest, SMALLEST_NODE + 2, LARGEST_NODE)
    size = np.abs(np.nan_to_num(power))
    share = np.sqrt(size / (np.max(size, initial=0.0) or 1.0))
    return SMALLEST_NODE + (largest - SMALLEST_NODE) * share, largest


def _label(axes, angle, text, offset, upright):
    """A name outside the circle, upright while there is room, along the radius otherwise."""
    x, y = np.cos(angle), np.sin(angle)
    left = x < -1e-9
    where = {"ha": "right" if left else "left", "va": "center"}
    if upright and abs(x) < 0.1:
        where = {"ha": "center", "va": "bottom" if y > 0 else "top"}
    rotation = 0 if upright else np.degrees(angle) + (180 if left else 0)
    axes.annotate(text, (x, y), (offset * x, offset * y), textcoords="offset points", size=9,
                  rotation=rotation, rotation_mode="anchor", **where)


def _nodes(axes, masks, angle, diameter, names):
    """A shape for each agent and its name."""
    for role, mask in masks.items():
        axes.scatter(np.cos(angle[mask]), np.sin(angle[mask]), s=diameter[mask] ** 2,
                     marker=role.marker, color=role.colour, edgecolor=style.INK, linewidth=0.9,
                     zorder=3)
    for n, name in enumerate(names):
        _label(axes, angle[n], name, 0.6 * diameter[n] + 7, len(names) <= UPRIGHT_UP_TO)


def _shade(share):
    """Grey by share of the largest trade: the more power, the darker."""
    return str(0.72 - 0.6 * share)


def _width(share):
    """Line width in points by share of the largest trade."""
    return 0.5 + (WIDEST - 0.5) * share


def _bend(start, end):
    """Curvature that pulls a line towards the centre, most where its ends are close."""
    turn = (end - start + np.pi) % (2 * np.pi) - np.pi
    return -np.sign(turn) * 0.4 * (1 - abs(turn) / np.pi)


def _arrow(axes, angles, share, shrink):
    """One trade, from the seller to the buyer."""
    start, end = angles
    width = _width(share)
    head = 3.2 + 1.15 * width
    axes.add_patch(FancyArrowPatch(
        (np.cos(start), np.sin(start)), (np.cos(end), np.sin(end)),
        connectionstyle=f"arc3,rad={_bend(start, end)}", shrinkA=shrink[0], shrinkB=shrink[1],
        arrowstyle=f"simple,tail_width={width},head_width={head + width},head_length={head}",
        linewidth=0, facecolor=_shade(share), zorder=1 + share))


def _arrows(axes, flows, angle, diameter):
    """Every trade that can be seen, the small ones below; returns what is left out."""
    largest = np.max(flows.power, initial=0.0)
    shares = flows.power / (largest or 1.0)
    for k in np.argsort(shares, kind="stable"):
        if shares[k] >= FAINTEST_SHARE:
            ends = flows.seller[k], flows.buyer[k]
            _arrow(axes, [angle[n] for n in ends], shares[k],
                   [diameter[n] / 2 + 1.5 for n in ends])
    return flows.power[shares < FAINTEST_SHARE]


def _samples(largest):
    """Three round values up to the largest, for a legend, with their shares of it."""
    top = style.round_below(largest)
    return [(value, value / largest) for value in (top / 10, top / 2, top)] if top else []


def _key(axes, x, title, rows):
    """One column of the legend: (Line2D keywords, height in points, text) for each row."""
    axes.text(x, 72 * FOOTER - 12, title, ha="left", va="center", size=9)
    y = 72 * FOOTER - 24
    for keywords, height, text in rows:
        y -= height / 2
        axes.add_line(Line2D([x, x + 16, x + 32], [y, y, y], markevery=[1], **keywords))
        axes.text(x + 42, y, text, ha="left", va="center", size=8.5)
        y -= height / 2


def _shape_rows(masks):
    """The roles that occur."""
    return [({"linestyle": "", "marker": role.marker, "markersize": 9, "color": style.INK,
              "markerfacecolor": role.colour}, 17, role.label)
            for role, mask in masks.items() if mask.any()]


def _size_rows(power, largest_node, unit):
    """Node sizes."""
    rows = []
    for value, share in _samples(np.max(np.abs(np.nan_to_num(power)), initial=0.0)):
        size = SMALLEST_NODE + (largest_node - SMALLEST_NODE) * np.sqrt(share)
        rows.append(({"linestyle": "", "marker": "o", "markersize": size, "color": style.INK,
                      "markerfacecolor": "white"}, max(size + 1, 17),
                     style.quantity(value, unit)))
    return rows


def _width_rows(flows, unit):
    """Line widths."""
    return [({"linewidth": _width(share), "color": _shade(share), "solid_capstyle": "butt"}, 17,
             style.quantity(value, unit))
            for value, share in _samples(np.max(flows.power, initial=0.0))]


def _legend(figure, columns):
    """The columns of the legend that have rows, below the circle."""
    axes = figure.add_axes([0, 0, 1, FOOTER / figure.get_figheight()])
    axes.set(xlim=(0, 72 * WIDTH), ylim=(0, 72 * FOOTER))
    axes.set_axis_off()
    columns = [column for column in columns if column[1]]
    for k, (title, rows) in enumerate(columns):
        _key(axes, 72 * WIDTH * (k + 0.5) / len(columns) - 50, title, rows)


def _note(figure, flows, hidden, unit):
    """Says what the picture leaves out."""
    if not len(flows.power):
        figure.axes[0].text(0, 0, "no trade was agreed", ha="center", va="center",
                            color=style.MUTED, size=12)
    elif len(hidden):
        drop = f"{style.number(len(hidden))} trade{'s'[:len(hidden) != 1]}"
        text = (f"Not drawn: {drop} below {FAINTEST_SHARE:.0%} of the largest, "
                f"{style.quantity(hidden.sum(), unit, 2)} in all.")
        figure.text(0.5, (FOOTER + 0.04) / figure.get_figheight(), text, ha="center",
                    va="bottom", size=8, color=style.MUTED)


def _canvas(names):
    """A figure with axes around a unit circle, room for the names, the radius in points."""
    longest = POINTS_PER_CHARACTER * max((len(name) for name in names), default=0)
    around = LARGEST_NODE + 10
    above = around + (14 if len(names) <= UPRIGHT_UP_TO else longest)
    radius = min(36 * WIDTH - around - longest, LARGEST_RADIUS,
                 50 + POINTS_PER_AGENT * len(names))
    side = 2 * (radius + above) / 72
    height = style.HEADER_INCHES + side + 0.2 + FOOTER
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes([0, (FOOTER + 0.2) / height, 1, side / height])
    axes.set(xlim=(-36 * WIDTH / radius, 36 * WIDTH / radius),
             ylim=(-36 * side / radius, 36 * side / radius))
    axes.set_axis_off()
    return figure, axes, radius


def draw(trace, flows):
    """The network of all agents."""
    power = trace.column("agents", "power")
    unit = trace.unit("trades", "power")
    masks = roles.of_agents(trace)
    names = [style.plain(style.short_name(name, NAME_WIDTH)) for name in trace.names()]
    figure, axes, radius = _canvas(names)
    angle = _positions(masks, power)
    diameter, largest = _node_points(power, angle, radius)
    hidden = _arrows(axes, flows, angle, diameter)
    _nodes(axes, masks, angle, diameter, names)
    _note(figure, flows, hidden, unit)
    _legend(figure, (("agent", _shape_rows(masks)),
                     ("net power of an agent", _size_rows(power, largest, unit)),
                     ("trade, from seller to buyer", _width_rows(flows, unit))))
    return figure
