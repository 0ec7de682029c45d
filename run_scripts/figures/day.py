"""Draws a run of many time slots over the day: prices, trades, and what each agent makes of it."""

import h5py
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

import style
import trace

WIDTH, PRICE, TRADES, ROW = 7.6, 1.7, 1.7, 0.19
MOST_NAMES = 40
NAME_WIDTH = 18
NET = LinearSegmentedColormap.from_list("net", (style.MIDDLE, "#f4dcdb", "#ffffff", "#d9e3ee", style.DARK))


def has_slots(path):
    """Whether the file is the trace of a run of many slots; False also where it is none at all."""
    try:
        with h5py.File(path, "r") as file:
            return "slots" in file
    except OSError:
        return False


def read(path):
    """The columns that the picture needs, as a dictionary; a TraceError says what is wrong."""
    try:
        with h5py.File(path, "r") as file:
            columns = {f"{group}/{name}": file[group][name][()] for group, name in (
                ("slots", "start"), ("slots", "price_mean"), ("slots", "power_traded"), ("agents", "power"),
                ("agents", "price"), ("trades", "power"), ("trades", "agent_a"), ("trades", "agent_b"))}
            columns["names"] = [b"".join(row).decode("utf-8", "replace").strip("\0 ") or str(n)
                                for n, row in enumerate(file["agents/name"][()])]
            columns["units"] = {name: trace.text(file[name].attrs["units"])
                                for name in ("agents/power", "agents/price")}
            columns["title"] = trace.text(file.attrs["title"])
            columns["gap"] = float(file["welfare_gap"][()])
            columns["iterations"] = float(file["iterations_mean"][()])
    except (OSError, KeyError, ValueError) as error:
        raise trace.TraceError(f"{path}: not the trace of a run of many slots, or one without agents and trades (run.record) ({error})") from error
    return columns


def edges(start):
    """Where slots begin, and where the last one ends [hours]."""
    length = start[1] - start[0] if len(start) > 1 else 1.0
    return np.append(start, start[-1] + length)


def with_agent(run, agent):
    """The sum of |trades| of one agent, by slot."""
    mine = (run["trades/agent_a"] == agent) | (run["trades/agent_b"] == agent)
    return np.abs(run["trades/power"][:, mine]).sum(axis=1)


def draw_prices(axes, run, hours):
    """The mean price, and what agents pay and get on the margin."""
    prices = run["agents/price"]
    axes.stairs(prices.max(axis=1), hours, baseline=prices.min(axis=1), fill=True, color=style.LIGHT, alpha=0.6,
                label="from the lowest to the highest agent")
    axes.stairs(run["slots/price_mean"], hours, baseline=None, color=style.DARK, linewidth=1.6,
                label="mean of the trades")
    axes.set_ylabel(style.with_unit("price", run["units"]["agents/price"]))
    axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.2))


def draw_trades(axes, run, hours):
    """All trades, and the part of the agent that trades most."""
    busiest = max(range(len(run["names"])), key=lambda n: with_agent(run, n).sum())
    part = with_agent(run, busiest)
    axes.stairs(run["slots/power_traded"], hours, fill=True, color=style.DARK, label="among the others")
    axes.stairs(part, hours, fill=True, color=style.LIGHT,
                label=f"with {style.short_name(run['names'][busiest], NAME_WIDTH)}")
    axes.set_ylabel(style.with_unit("traded", run["units"]["agents/power"]))
    axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.2))


def draw_powers(figure, axes, run, hours):
    """Each agent's net power: a row each, the colour says how much. The largest agent would drown the others."""
    powers = run["agents/power"].T
    limit = float(np.sort(np.abs(powers).max(axis=1))[-2:].min()) or 1.0
    rows = np.arange(len(powers) + 1)
    mesh = axes.pcolormesh(hours, rows, powers, cmap=NET, vmin=-limit, vmax=limit)
    axes.invert_yaxis()
    if len(powers) <= MOST_NAMES:
        axes.set_yticks(rows[:-1] + 0.5, [style.plain(style.short_name(name, NAME_WIDTH)) for name in run["names"]])
        axes.tick_params(axis="y", length=0)
    else:
        axes.set_ylabel("agent")
    axes.set_xlabel("time of the day [h]")
    bar = figure.colorbar(mesh, ax=axes, extend="both", aspect=30)
    bar.set_label(style.with_unit("injection − consumption", run["units"]["agents/power"]))


def draw(path):
    """The figure of the trace at `path`."""
    run = read(path)
    hours = edges(run["slots/start"])
    rows = min(max(len(run["names"]), 8), MOST_NAMES)
    figure = style.lay_out(WIDTH, style.HEADER_INCHES + PRICE + TRADES + ROW * rows + 0.7)
    axes = figure.subplots(3, 1, sharex=True, height_ratios=(PRICE, TRADES, ROW * rows))
    draw_prices(axes[0], run, hours)
    draw_trades(axes[1], run, hours)
    draw_powers(figure, axes[2], run, hours)
    axes[2].set_xlim(hours[0], hours[-1])
    axes[2].set_xticks(np.arange(hours[0], hours[-1] + 1e-9, 3 if hours[-1] - hours[0] > 12 else 1))
    facts = [f"{len(hours) - 1} slots", f"{len(run['names'])} agents",
             f"{style.number(run['iterations'] / (len(hours) - 1), 3)} local solves per agent and slot"]
    if np.isfinite(run["gap"]):
        facts.append(f"welfare gap {style.number(run['gap'], 2)}")
    style.title(figure, f"{run['title']}: prices, trades and powers over the day", facts)
    return figure
