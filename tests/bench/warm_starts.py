"""Warm starts on the shipped day, by a model of the negotiation of its own (NumPy, all agents in step, bisection).

Prints the rounds of all 48 half-hours cold and warm, beside the program's; how warm compares with cold by how much has
changed, over random pairs of half-hours; price calls, in the day as it is and where a third of the links are missing; and
what else was tried: a filter of the edge variables over three rounds, and a Newton step from slopes and shortages that
agents would tell each other at the start of a slot.

    run_scripts/python tests/bench/warm_starts.py
"""

import csv
import json
import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "configs" / "cases"
AGENTS, SLOTS, FEE, ALPHA = 17, 48, 0.005, 0.6
TOO_MUCH, MARGIN = 0.4, 0.05  # of coordinator/horizon.c and start.c


def read_slots():
    """Assets of each half-hour: {(agent, asset): [p_min, p_max, a, b]}."""
    with open(CASES / "day_assets.csv", encoding="utf-8") as file:
        table = {(int(row["agent"]), row["asset"]): [float(row[k]) for k in ("p_min", "p_max", "a", "b")]
                 for row in csv.DictReader(file)}
    with open(CASES / "day_profiles.csv", encoding="utf-8") as file:
        changes = {(int(row["time"][:2]) * 2 + int(row["time"][3:]) // 30, int(row["agent"]), row["asset"]): row
                   for row in csv.DictReader(file)}
    now, slots = dict(table), []
    for slot in range(SLOTS):
        for key, kept in table.items():
            row = changes.get((slot, *key))
            if row:
                now[key] = [float(row[k]) if row.get(k) else kept[i] for i, k in enumerate(("p_min", "p_max", "a", "b"))]
        slots.append(dict(now))
    return slots


class Market:
    """One half-hour; every agent may trade with every other."""

    def __init__(self, assets, linked=None):
        rows = [[v for (n, _), v in sorted(assets.items()) if n == agent] for agent in range(AGENTS)]
        padded = np.array([r + [[0.0, 0.0, 1.0, 0.0]] * (4 - len(r)) for r in rows])
        self.p_min, self.p_max, self.a, self.b = np.moveaxis(padded, 2, 0)
        self.a = np.maximum(self.a, 1e-9)
        free = self.p_max > self.p_min
        self.span = (self.b + self.a * self.p_max)[free].max() - (self.b + self.a * self.p_min)[free].min()
        self.size = np.maximum(abs(self.p_min.sum(1)), abs(self.p_max.sum(1)))
        share = self.size / (AGENTS - 1)
        pair = np.sqrt(np.outer(share, share))
        for n in np.flatnonzero(share == 0):
            pair[n, :] = pair[:, n] = share
        self.penalty = 0.25 * self.span / np.where(pair > 0, pair, 1)
        self.linked = ~np.eye(AGENTS, dtype=bool) if linked is None else linked

    def supply(self, price):
        """Power of all assets of each agent at its price."""
        return np.clip((price[:, None] - self.b) / self.a, self.p_min, self.p_max).sum(1)

    def slope(self, price):
        """How each agent's power answers its price."""
        power = (price[:, None] - self.b) / self.a
        return np.where((power > self.p_min) & (power < self.p_max), 1 / self.a, 0).sum(1)

    def trades(self, s, rho, price):
        """All ends' trades at their agents' prices."""
        wish = s - price[:, None] / rho
        return np.where(self.linked, np.sign(wish) * np.maximum(abs(wish) - FEE / rho, 0), 0)

    def solve(self, s, rho):
        """All local problems, by bisection."""
        low, high = np.full(AGENTS, -3.0), np.full(AGENTS, 3.0)
        for _ in range(52):
            price = (low + high) / 2
            lacks = self.supply(price) < self.trades(s, rho, price).sum(1)
            low, high = np.where(lacks, price, low), np.where(lacks, high, price)
        return self.trades(s, rho, (low + high) / 2), (low + high) / 2


def balance(gap2, move2, k, ratio):
    """agent/balance.h."""
    most = min(4.0, 1 + 64 / k)
    with np.errstate(all="ignore"):
        share = np.sqrt(np.sqrt(move2 / gap2))
    share = np.where(np.isnan(share), 1, np.clip(share, 1 / most, most))
    following = np.clip(ratio * share, 1e-4, 1e2)
    return following / ratio, following


def negotiate(market, start=None, tolerance=1e-4, filtered=False):
    """Rounds until the residuals and the worst mismatch are within the tolerance; and the end, for the next start."""
    rho = market.penalty.copy() if start is None else start["rho"].copy()
    s = np.zeros((AGENTS, AGENTS)) if start is None else start["agreed"] + start["price"] / rho
    ratio, gap2, move2 = (np.full((AGENTS, AGENTS), x) for x in (1.0, 0.0, 0.0))
    power = tolerance * np.median(market.size) * np.sqrt(AGENTS)
    before = agreed_before = None
    past = [s]
    for k in range(1, 401):
        t, price = market.solve(s, rho)
        gap, agreed, seen = t + t.T, (t - t.T) / 2, rho * (s - t)
        if before is not None:
            move = t - before
            small = (np.sqrt((gap ** 2).sum() / 2) <= power and np.sqrt((move ** 2).sum()) <= power
                     and np.sqrt(((rho * move)[market.linked] ** 2).mean()) <= tolerance * market.span
                     and abs(seen - seen.T)[market.linked].max() <= 2 * tolerance * market.span)
            if small:
                break
        following = (1 - ALPHA) * s - ALPHA * (2 * t - s).T
        if filtered and k % 4 == 0 and len(past) > 1:  # what turns by a right angle in a round vanishes
            following = (following - 2 * (1 - ALPHA) * s + ((1 - ALPHA) ** 2 + ALPHA ** 2) * past[-2]) / (2 * ALPHA ** 2)
        if before is not None and not 0 < k % 8 <= 4:
            gap2, move2 = gap2 + gap ** 2 / 4, move2 + (agreed - agreed_before) ** 2
            if k % 8 == 0:
                share, ratio = balance(gap2, move2, k, ratio)
                gap2, move2, rho = np.zeros_like(gap2), np.zeros_like(gap2), rho / share
                following, past = agreed + share * (following - agreed), []
        s, before, agreed_before = following, t, agreed
        past.append(s)
    return k, {"agreed": agreed, "price": (seen + seen.T) / 2, "rho": rho, "own": price}


def misfit(end, market):
    """pw_start_misfit()."""
    power = end["agreed"].sum(1)
    low, high = (market.supply(end["own"] + way * MARGIN * market.span) for way in (-1, 1))
    return np.maximum(np.maximum(low - power, power - high), 0).sum() / abs(power).sum()


def newton(end, market):
    """The start after one Newton step of the pool's price, each agent's shortage shared out by its peers' slopes."""
    slope = market.slope(end["own"])
    shift = (end["agreed"].sum(1) - market.supply(end["own"])) / max(slope.sum(), 1e-9)
    moved = (np.outer(slope, shift) - np.outer(shift, slope)) * market.linked
    return {**end, "agreed": end["agreed"] + moved, "price": end["price"] + shift.sum()}


def call(end, market):
    """coordinator/opening.c: a start from price calls, and how many. Each agent hears its peers, or, here, all."""
    def net(price):
        sells, buys = market.supply(np.full(AGENTS, price - FEE)), market.supply(np.full(AGENTS, price + FEE))
        return np.where(sells > 0, sells, np.where(buys < 0, buys, 0))

    traded = abs(end["agreed"])
    price = (traded * end["price"]).sum() / traded.sum()
    low, high = -np.inf, np.inf
    for count, width in enumerate((0.05, 0.01, 0.003, 0.003, 0.003, 0.003), 1):
        power = net(price)
        if abs(power.sum()) <= 1e-4 * np.median(market.size) or count == 6:
            break
        slope = (net(price + width * market.span) - net(price - width * market.span)).sum() / (2 * width * market.span)
        low, high = (price, high) if power.sum() < 0 else (low, price)
        longest = 0.3 * market.span
        moved = price + np.clip(-power.sum() / slope if slope > 0 else -np.sign(power.sum()) * np.inf, -longest, longest)
        price = moved if low < moved < high or np.isinf(high - low) else (low + high) / 2
    sold = np.outer(np.maximum(power, 0), np.maximum(-power, 0)) * market.linked
    by_buyer = sold * (np.maximum(-power, 0) / np.maximum(sold.sum(0), 1e-12))  # so that all buyers have what they take
    agreed = by_buyer - by_buyer.T
    return {**end, "agreed": agreed, "price": np.full((AGENTS, AGENTS), price)}, count


def day_of_calls(markets, price=None):
    """Rounds over all half-hours, the calls counted; from a price of its own in place of that of the slot before."""
    rounds, end = 0, None
    for market in markets:
        if price is not None:
            end = {"agreed": np.ones((AGENTS, AGENTS)), "price": np.full((AGENTS, AGENTS), price), "rho": market.penalty}
        start, count = (None, 0) if end is None else call(end, market)
        k, end = negotiate(market, start)
        rounds += k + count
    return rounds


def day(markets, warm=True, restarts=True, step=None, filtered=False):
    """Rounds over all half-hours."""
    rounds, end = 0, None
    for market in markets:
        start = end if warm else None
        if start is not None and restarts and misfit(start, market) > TOO_MUCH:
            start = None
        k, end = negotiate(market, step(start, market) if step and start is not None else start, filtered=filtered)
        rounds += k
    return rounds


def program(warm):
    """The same by the program, in bulk."""
    done = subprocess.run([ROOT / "build" / "peerwatt", "run", CASES / "day.yaml", "--json", "-s", f"slots.warm_start={warm}"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["iterations_mean"]


def pairs(markets, count=150):
    """Warm and cold from one half-hour to another, by what has changed."""
    draw, found = np.random.default_rng(1), []
    ends = [negotiate(market, tolerance=1e-8)[1] for market in markets]
    for _ in range(count):
        i = int(draw.integers(0, SLOTS - 1))
        j = int(draw.integers(0, SLOTS)) if draw.random() < 0.5 else min(SLOTS - 1, i + int(draw.integers(1, 5)))
        found.append((misfit(ends[i], markets[j]), negotiate(markets[j], ends[i])[0] / negotiate(markets[j])[0]))
    found = np.array(found)
    for low, high in ((0, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1), (1, 2.5), (2.5, np.inf)):
        some = found[(found[:, 0] >= low) & (found[:, 0] < high), 1]
        if len(some):
            print(f"  misfit {low:g} to {high:g}: warm takes {np.median(some):.2f} of the rounds of cold (median of {len(some)})")


def main():
    """All of it; about a minute."""
    markets = [Market(assets) for assets in read_slots()]
    cold = day(markets, warm=False)
    print(f"rounds of the day: program cold {program('no'):.0f}, warm {program('trades'):.0f}, with price calls "
          f"{program('yes'):.0f}; model cold {cold}")
    for name, words in (("warm, always", {"restarts": False}), ("warm, or from nothing", {}),
                        ("the same, filtered", {"filtered": True}), ("the same, a Newton step before", {"step": newton}),
                        ("the same, both", {"step": newton, "filtered": True}), ("cold, filtered", {"warm": False, "filtered": True})):
        rounds = day(markets, **words)
        print(f"  {name}: {rounds}, {100 * (1 - rounds / cold):.0f} % saved", flush=True)
    rounds = day_of_calls(markets, 0.2)
    print(f"  with price calls, each slot from 0.2 EUR/kWh and no more: {rounds}, {100 * (1 - rounds / cold):.0f} % saved", flush=True)
    missing = np.triu(np.random.default_rng(1).random((AGENTS, AGENTS)) < 1 / 3, 1)
    missing[:, -1] = False  # all keep the supplier
    sparse = [Market(assets, ~(missing | missing.T | np.eye(AGENTS, dtype=bool))) for assets in read_slots()]
    for name, some in (("with price calls", markets), ("with price calls, a third of the links missing", sparse),
                       ("without, a third of the links missing", sparse)):
        rounds, nothing = (day_of_calls if "with " in name else day)(some), day(some, warm=False)
        print(f"  {name}: {rounds}, {100 * (1 - rounds / nothing):.0f} % of {nothing} saved", flush=True)
    print("pairs of half-hours:")
    pairs(markets)


if __name__ == "__main__":
    main()
