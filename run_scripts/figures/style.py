"""One place for the looks: fonts, colours that stay apart in grey, sizes, numbers, saving."""

import math
import os
import warnings

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

DARK = "#17375e"
MIDDLE = "#c0504d"
LIGHT = "#f0b660"
INK = "#222222"
MUTED = "#5f5f5f"
RULE = "#d0d0d0"
HEAT = LinearSegmentedColormap.from_list("power", ("#d9e3ee", "#7d9fc6", DARK, "#071426"))
HEADER_INCHES = 0.72
TITLE_CHARS_PER_INCH = 8.5
NOTE_CHARS_PER_INCH = 13.0
FORMATS = ("png", "svg")
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "peerwatt",
    "savefig.dpi": 150,
}


def apply():
    """The same settings everywhere, whatever the user's own matplotlibrc says."""
    matplotlib.use("Agg")
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(SETTINGS)
    warnings.filterwarnings("ignore", message="Glyph .* missing from")  # names in any script: boxes, not noise


def without_dust(values):
    """What is nothing beside the largest, as 0: for figures written beside bars."""
    values = np.asarray(values, dtype=float)
    largest = np.nanmax(np.abs(values), initial=0.0)
    return np.where(np.abs(values) < 5e-5 * largest, 0.0, values)


def plain(text):
    """The text as it is: a dollar sign is a dollar sign and not the start of a formula."""
    return text.replace("$", r"\$")


def shorten(text, width):
    """The text, cut with an ellipsis where it has more than `width` characters."""
    return text if len(text) <= width else text[:max(width - 1, 1)].rstrip() + "…"


def short_name(text, width):
    """A name, cut in the middle: its end often tells it from others."""
    tail = width // 2
    return text if len(text) <= width else text[:width - tail - 1] + "…" + text[-tail:]


def number(value, digits=4):
    """A number for people: few digits, no exponent while it stays readable."""
    if not math.isfinite(value):
        return "unknown"
    size = abs(value)
    if size and not 1e-4 <= size < 1e7:
        mantissa, exponent = f"{value:.{min(digits, 3) - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    else:
        decimals = digits - 1 - math.floor(math.log10(size)) if size else 0
        text = f"{value:,.{max(decimals, 0)}f}".replace(",", THIN_SPACE)
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def round_below(value):
    """The largest of 1, 2, 5, 10, 20 ... that is not above the value; 0 for 0."""
    if not value > 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (0.5, 1, 2, 5) if step * power <= value)


def with_unit(label, unit):
    """A label and, in brackets, its unit."""
    return plain(f"{label} [{unit}]") if unit else plain(label)


def quantity(value, unit, digits=4):
    """A number and its unit."""
    return plain(f"{number(value, digits)} {unit}".rstrip())


def time_scale(longest):
    """The unit in which a time axis up to `longest` seconds reads well: (factor, name)."""
    if not longest > 0:
        return 1.0, "s"
    for limit, factor, name in ((2e-6, 1e9, "ns"), (2e-3, 1e6, "µs"), (2.0, 1e3, "ms"),
                                (300.0, 1.0, "s"), (7200.0, 1 / 60, "min"),
                                (172800.0, 1 / 3600, "h")):
        if longest < limit:
            return factor, name
    return 1 / 86400, "days"


def plain_ticks(axis):
    """Tick labels without offsets and exponents as long as they stay short."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 6)))


def centred_limits(low, high, share=0.01):
    """Axis limits that do not blow up the last digits of nearly equal values."""
    middle, half = (low + high) / 2, (high - low) / 2
    half = max(1.1 * half, share * abs(middle), 1e-9)
    return middle - half, middle + half


def lay_out(width, height, footer=0.0):
    """A new figure of this size in inches; its axes stay clear of the header and the footer."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(
        rect=(0, footer / height, 1, 1 - (HEADER_INCHES + footer) / height),
        w_pad=0.08, h_pad=0.08)
    return figure


def header(figure, trace, subject):
    """The two lines on top: whose market, what is shown; how the run ended."""
    room = int(figure.get_size_inches()[0] * TITLE_CHARS_PER_INCH) - len(subject) - 2
    words = f"{shorten(trace.title, room)}: {subject}" if trace.title else subject
    title(figure, words, _facts(trace))


def title(figure, words, facts):
    """Two lines on top: what it is about, and as many of the facts as fit."""
    width, height = figure.get_size_inches()
    figure.text(0.12 / width, 1 - 0.12 / height, ha="left", va="top", size=12.5, weight="bold",
                s=plain(words))
    figure.text(0.12 / width, 1 - 0.43 / height, ha="left", va="top", size=8.5, color=MUTED,
                s=plain(_fit(facts, int(width * NOTE_CHARS_PER_INCH))))


def _fit(facts, width):
    """As many of the facts as fit on the line."""
    line = facts[0]
    for fact in facts[1:]:
        if len(line) + 3 + len(fact) > width:
            break
        line = f"{line} · {fact}"
    return line


def _facts(trace):
    """What a reader wants to know first of a run, most important first."""
    agents, trades = len(trace.groups["agents"]["agent"]), len(trace.groups["trades"]["trade"])
    status = {"limit": "stopped at a limit, not converged"}.get(trace.status, trace.status)
    facts = [status] if status else []
    facts.append(f"{number(agents)} agent{'s'[:agents != 1]}")
    facts.append(f"{number(trades)} link{'s'[:trades != 1]}")
    for name, words in (("price_mean", "mean price"), ("power_traded", "traded"),
                        ("social_welfare", "social welfare")):
        if np.isfinite(trace.scalar(name)):
            facts.append(f"{words} {number(trace.scalar(name))} {trace.unit('', name)}".rstrip())
    return facts


def _settle(figure):
    """Lays the axes out once and keeps them there, to a millionth: the solver's last digits differ from run to run."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))


def save(figure, prefix):
    """Writes the figure in every format, the same bytes each time; returns the paths."""
    _settle(figure)
    paths = []
    for kind in FORMATS:
        path = f"{prefix}.{kind}"
        metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(f"{path}.part", format=kind, metadata=metadata)
        os.replace(f"{path}.part", path)
        paths.append(path)
    return paths
