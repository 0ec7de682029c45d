"""Soak: many launched runs of random markets, ranks, rates, networks; each must end, at the optimum.

Run by `make soak`; not part of `make check`. SOAK_LAUNCHES sets how many (default 40), SOAK_SEED which ones.
"""

import os
import pathlib
import random
import sys
import tempfile
import time

import program

HEAD = "agent,asset,p_min,p_max,a,b\n"
MOST_PRICE = 12  # of the assets' b


def random_assets(rng, agents):
    """Consumers, producers and prosumers, and a supplier who keeps the market feasible."""
    rows = []
    for agent in range(agents - 1):
        curvature = 0 if rng.random() < 0.1 else rng.uniform(0.02, 0.3)
        kind = rng.random()
        if kind < 0.5:
            rows.append((agent, "load", -rng.uniform(3, 15), -rng.uniform(0, 2), curvature, rng.uniform(6, MOST_PRICE)))
        else:
            rows.append((agent, "gen", 0, rng.uniform(3, 20), curvature, rng.uniform(1, 7)))
        if kind < 0.2:
            sun = rng.uniform(0, 5)
            rows.append((agent, "pv", sun, sun, 0, 0))
    rows.append((agents - 1, "supplier", -1000, 1000, 0.01, 6))
    return HEAD + "".join(",".join(str(cell) for cell in row) + "\n" for row in rows)


def random_links(rng):
    """A word for market.links that leaves everybody linked with the supplier."""
    return "all" if rng.random() < 0.7 else "sides"


def random_run(rng, folder):
    """Writes a case and returns it, the settings and the number of ranks."""
    agents = rng.randrange(2, 41)
    (folder / "assets.csv").write_text(random_assets(rng, agents))
    fee = rng.choice([0, 0, round(rng.uniform(0, 0.5), 3)])
    case = folder / "case.yaml"
    case.write_text("peerwatt: 1\nname: soak\nmarket:\n  assets: assets.csv\n"
                    f"  links: {random_links(rng)}\n  fee: {fee}\n")
    settings = {"negotiation.delta": round(rng.uniform(0.01, 1), 3) if rng.random() < 0.8 else 1,
                "negotiation.stiffness": rng.choice(["auto", "auto", 1, 4]),
                "negotiation.relaxation": rng.choice([0.5, 0.5, 0.7]),
                "network.delay.model": rng.choice(["none", "constant", "gaussian", "exponential"]),
                "network.delay.mean_s": 0.001, "network.delay.std_s": 0.0003, "network.delay.min_s": 0.0001,
                "network.loss": rng.choice([0, round(rng.uniform(0, 0.3), 3)]),
                "network.retransmit_s": 0.002, "run.seed": rng.randrange(10**6), "stop.tolerance": 1e-5}
    return case, settings, rng.randrange(1, 7)


def fault_of(result):
    """What is wrong with a finished run, or None."""
    if result.code != 0:
        return f"exit code {result.code}: {result.err[-300:]}"
    gap = result.json["welfare_gap"]
    scale = abs(result.json["reference_welfare"]) + 1
    allowed = MOST_PRICE * result.json["tolerance_primal"]  # all that there is where nothing is worth a trade
    if gap is None or abs(gap) * abs(result.json["reference_welfare"]) > 1e-3 * scale + allowed:
        return f"welfare gap {gap}"
    return None


def main():
    """Runs them all; exit code 1 if one went wrong."""
    runs, seed = int(os.environ.get("SOAK_LAUNCHES", "40")), int(os.environ.get("SOAK_SEED", str(time.time_ns())))
    rng, faults, started = random.Random(seed), 0, time.time()
    print(f"soak: {runs} launches, SOAK_SEED={seed}", flush=True)
    for number in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            case, settings, ranks = random_run(rng, pathlib.Path(folder))
            try:
                fault = fault_of(program.run("run", case, "--json", *program.words(settings), ranks=ranks, timeout=120))
            except Exception as error:  # a hang, or no JSON
                fault = repr(error)[:300]
        if fault:
            faults += 1
            print(f"run {number}, {ranks} ranks, {settings}: {fault}", flush=True)
        if (number + 1) % 50 == 0:
            print(f"  {number + 1} runs, {faults} faults, {time.time() - started:.0f} s", flush=True)
    print(f"soak: {runs - faults} of {runs} at the optimum")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
