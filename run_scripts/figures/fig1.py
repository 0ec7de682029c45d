"""Draws the merit order: what all assets would sell and buy at every price, and the price at which both meet."""

import argparse
import csv
import json
import sys

import numpy as np

import style
import trace
from trace import TraceError

WIDTH, HEIGHT = 9.0, 5.6


def read_assets(path):
    """Columns p_min, p_max, a, b of the table, as arrays."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        columns = {name: np.array([float(row[name]) for row in rows]) for name in ("p_min", "p_max", "a", "b")}
    except (KeyError, TypeError, ValueError) as error:
        raise TraceError(f"{path}: no table of assets as `peerwatt reference -o` writes it") from error
    if not rows:
        raise TraceError(f"{path}: no asset")
    return columns


def power_at(assets, price, highest):
    """Of each asset at a price: b + a p = price between its limits. At the very price of a linear asset any power is
    right: the highest, or the lowest."""
    margin = price - assets["b"]
    steep = np.where(assets["a"] > 0, assets["a"], 1.0)
    step = np.where((margin > 0) | ((margin == 0) & highest), np.inf, -np.inf)
    return np.clip(np.where(assets["a"] > 0, margin / steep, step), assets["p_min"], assets["p_max"])


def sold_and_bought(assets, price, highest):
    """Power that all would inject, and that all would consume, at a price."""
    power = power_at(assets, price, highest)
    return power[power > 0].sum(), -power[power < 0].sum()


def break_prices(assets):
    """Prices at which some asset reaches a limit or turns from buying to selling: between them all is straight."""
    ends = [assets["b"] + assets["a"] * assets[name] for name in ("p_min", "p_max")]
    return np.unique(np.concatenate([*ends, assets["b"]]))


def crossing(assets):
    """The price at which as much is sold as bought, by bisection over the breaks and then along the straight."""
    prices = break_prices(assets)
    excess = np.array([np.subtract(*sold_and_bought(assets, price, True)) for price in prices])
    above = int(np.argmax(excess >= 0))
    if excess[above] < 0:
        raise TraceError("what is bought exceeds what is sold at every price")
    least = np.subtract(*sold_and_bought(assets, prices[above], False))
    if least <= 0 or above == 0:
        return prices[above]
    below = excess[above - 1]
    return prices[above - 1] + (prices[above] - prices[above - 1]) * below / (below - least)


def _curve(assets, prices, side):
    """Points of the curve of what is sold (0) or bought (1): both ends of every step."""
    points = [(sold_and_bought(assets, price, highest)[side], price) for price in prices for highest in (False, True)]
    return np.array(points).T


def draw(assets, optimum):
    """The figure."""
    price = crossing(assets)
    prices = break_prices(assets)
    room = 0.05 * (prices[-1] - prices[0]) or 1.0
    prices = np.concatenate([[prices[0] - room], prices, [prices[-1] + room]])
    sold, bought = (sold_and_bought(assets, price, True), sold_and_bought(assets, price, False))
    power = min(max(sold[0], bought[0]), max(sold[1], bought[1]))
    unit, money = optimum["power_unit"], optimum["money_unit"]
    per_energy = f"{money}/{unit}h"
    figure = style.lay_out(WIDTH, HEIGHT)
    axes = figure.subplots()
    axes.plot(*_curve(assets, prices, 0), color=style.DARK, linewidth=1.8, label="supply: what all would inject")
    axes.plot(*_curve(assets, prices, 1), color=style.MIDDLE, linewidth=1.8, linestyle="--",
              label="demand: what all would consume")
    axes.plot([power], [price], "o", color=style.INK, markersize=7, zorder=5,
              label=f"the pool clears at {style.quantity(price, per_energy)}")
    axes.set_ylim(*axes.get_ylim())
    axes.plot([0, power, power], [price, price, axes.get_ylim()[0]], color=style.MUTED, linewidth=0.8, linestyle=":")
    market = optimum["price_mean"]
    if market is not None and abs(market - price) > 1e-4 * max(abs(price), abs(market)):
        axes.axhline(market, color=style.LIGHT, linewidth=1.4,
                     label=f"mean price with the case's fees and links: {style.quantity(market, per_energy)}")
    axes.set_xlim(left=0)
    axes.set_xlabel(style.with_unit("power", unit))
    axes.set_ylabel(style.with_unit("price", per_energy))
    axes.grid(True)
    axes.legend(loc="best")
    style.title(figure, f"Merit order of {optimum['name']}",
                [f"{len(assets['a'])} assets", f"{style.quantity(power, unit)} produced and consumed at the crossing"])
    return figure


def main(arguments=None):
    """Reads the table and the optimum, draws; returns the exit code."""
    parser = argparse.ArgumentParser(prog="fig1.py", description=__doc__)
    parser.add_argument("assets", metavar="ASSETS.csv", help="of `peerwatt reference -o ASSETS.csv`")
    parser.add_argument("optimum", metavar="OPTIMUM.json", help="what `peerwatt reference --json` printed")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", required=True, help="write PREFIX.png and PREFIX.svg")
    options = parser.parse_args(arguments)
    style.apply()

    def paths():
        try:
            with open(options.optimum, encoding="utf-8") as file:
                optimum = json.load(file)
        except ValueError as error:
            raise TraceError(f"{options.optimum}: not what `peerwatt reference --json` printed: {error}") from error
        return style.save(draw(read_assets(options.assets), optimum), options.prefix)

    return trace.deliver("fig1.py", options.prefix, paths)


if __name__ == "__main__":
    sys.exit(main())
