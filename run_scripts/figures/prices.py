"""Several prices in one market: what each buyer pays whom, by the seller's class, and what fees come to."""

import numpy as np

import style

KINDS = ("base", "table", "distance", "zone", "community", "preference")
LOOKS = ((style.DARK, "o"), (style.LIGHT, "s"), (style.MIDDLE, "^"), (style.MUTED, "D"))
BUYERS_UP_TO = 60
WIDTH, HEIGHT = 10.0, 4.6
LARGEST_MARK, SMALLEST_MARK = 160.0, 14.0
LEAST_SHARE = 1e-3


def suits(run):
    """Whether the trace tells classes (or zones) apart and prices differ by who trades with whom."""
    return label_of(run) is not None and run.scalar("fees_collected") > 0


def label_of(run):
    """The column that sellers are told apart by: class or, without, zone."""
    return next((name for name in ("class", "zone") if run.column("agents", name) is not None), None)


def texts(run, name):
    """The labels of all agents as str."""
    return np.array([value.decode("utf-8", "replace").rstrip("\0") for value in run.column("agents", name)])


def sales(run):
    """Seller, buyer, power, mean price of both ends, and the buyer's fee of every trade that is not nothing."""
    column = {name: run.column("trades", name)
              for name in ("agent_a", "agent_b", "power", "price_a", "price_b", "fee_a", "fee_b")}
    power = column["power"]
    sells = power > 0
    keep = np.abs(power) > LEAST_SHARE * max(np.abs(power).max(initial=0.0), 1e-300)
    seller = np.where(sells, column["agent_a"], column["agent_b"])
    buyer = np.where(sells, column["agent_b"], column["agent_a"])
    fee = np.where(sells, column["fee_b"], column["fee_a"])
    price = (column["price_a"] + column["price_b"]) / 2
    return tuple(values[keep] for values in (seller, buyer, np.abs(power), price, fee))


def draw_prices(axes, run):
    """A mark for each trade over its buyer, as large as the trade; a dash where the buyer's fee is added."""
    seller, buyer, power, price, fee = sales(run)
    label = label_of(run)
    group = texts(run, label)
    names = run.names()
    buyers = sorted(set(buyer), key=lambda n: (group[n], n))[:BUYERS_UP_TO]
    place = {n: k for k, n in enumerate(buyers)}
    shown = np.isin(buyer, buyers)
    at = np.array([place.get(n, 0) for n in buyer], dtype=float)
    size = SMALLEST_MARK + (LARGEST_MARK - SMALLEST_MARK) * power / power.max(initial=1e-300)
    for k, name in enumerate(sorted(set(group[seller]))):
        chosen = shown & (group[seller] == name)
        colour, marker = LOOKS[k % len(LOOKS)]
        mean = np.average(price[chosen], weights=power[chosen]) if chosen.any() else np.nan
        axes.scatter(at[chosen], price[chosen], s=size[chosen], color=colour, marker=marker, edgecolors="white",
                     linewidths=0.6, zorder=3,
                     label=f"from {name or 'no ' + label}: {style.number(mean, 3)} in the mean")
    axes.hlines((price + fee)[shown], at[shown] - 0.22, at[shown] + 0.22, color=style.INK, linewidth=1.0, zorder=2,
                label="with the buyer's fees and reluctance")
    axes.vlines(at[shown], price[shown], (price + fee)[shown], color=style.RULE, linewidth=1.0, zorder=1)
    axes.set_xticks(range(len(buyers)), [style.plain(style.short_name(names[n], 14)) for n in buyers],
                    rotation=45, ha="right")
    axes.set_ylabel(style.with_unit("price of the trade", run.unit("trades", "price_a")))
    axes.set_xlabel("buyers; marks are as large as the trade")
    axes.grid(axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.22), ncols=2)


def draw_fees(axes, run):
    """What each kind of fee comes to."""
    kinds = [kind for kind in KINDS if run.scalar(f"fees_{kind}") > 0]
    money = [run.scalar(f"fees_{kind}") for kind in kinds]
    bars = axes.barh(range(len(kinds)), money, 0.6,
                     color=[style.LIGHT if kind == "preference" else style.DARK for kind in kinds])
    axes.bar_label(bars, [style.number(value, 3) for value in style.without_dust(money)], padding=3)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_xlabel(style.with_unit("fees by kind", run.unit("", "fees_collected")))
    if "preference" in kinds:
        axes.set_title("a preference is felt, not collected", size=9, color=style.MUTED)


def draw(run):
    """The whole picture."""
    figure = style.lay_out(WIDTH, HEIGHT)
    prices, fees = figure.subplots(1, 2, width_ratios=(3, 1))
    draw_prices(prices, run)
    draw_fees(fees, run)
    style.header(figure, run, "prices by whom power is bought from")
    return figure
