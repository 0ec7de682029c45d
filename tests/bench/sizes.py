"""What size costs: memory of each rank, tables as CSV and as HDF5, traces, placement; a line for each, beside its size.

    run_scripts/python tests/bench/sizes.py [--agents 100000] [--ranks 1 2]
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PEERWATT", str(ROOT / "build" / "peerwatt"))
FEW = ("-s", "run.reference=no", "-s", "stop.max_rounds=20", "--progress", "none")


# What a rank runs as: the program, then its peak resident size to a file of its own. Small itself, as a child starts at that.
# It ends well even where the market has not cleared in so few rounds: else the launcher would kill the others.
RANK = f"""#!{sys.executable}
import os, pathlib, resource, subprocess, sys
subprocess.call([{PROGRAM!r}, *sys.argv[1:]])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
(pathlib.Path(__file__).parent / f"{{os.getpid()}}.kB").write_text(str(peak))
"""


def run_and_weigh(words, ranks=1):
    """The summary as JSON, stderr, and the peaks of all ranks in bytes, least first."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrapper = folder / "rank"
        wrapper.write_text(RANK)
        wrapper.chmod(0o755)
        launch = [ROOT / "run_scripts" / "mpirun.sh", str(ranks)] if ranks > 1 else [wrapper]
        done = subprocess.run([*launch, *map(str, words)], env={**os.environ, "PEERWATT": str(wrapper)},
                              capture_output=True, text=True, check=False)
        peaks = sorted(1024 * int(file.read_text()) for file in folder.glob("*.kB"))
    return json.loads(done.stdout.splitlines()[-1]), done.stderr, peaks


def run(words, ranks=1):
    """The summary as JSON, and stderr."""
    return run_and_weigh(words, ranks)[:2]


def phase(err, name):
    """Mean seconds of a phase of --log-view."""
    return float(re.search(rf"^{name} +[0-9.]+ +([0-9.]+)", err, re.M)[1])


def memory(agents, ranks):
    """Peak of each rank, in bulk and agent by agent."""
    for bulk in ("auto", "no"):
        for n in ranks:
            summary, _, peaks = run_and_weigh(["run", ROOT / "configs/cases/random.yaml", "-s", f"market.generate.agents={agents}",
                                "-s", "market.links={peers: 10, among: sides}", "-s", f"run.bulk={bulk}", "--json", *FEW], n)
            print(f"memory, run.bulk={bulk}, {n} ranks, {summary['trades']} links: "
                  + ", ".join(f"{peak / 1e6:.0f} MB ({peak / summary['trades']:.0f} bytes a link)" for peak in peaks), flush=True)


def write_tables(folder, agents):
    """The same market as CSV and as HDF5, with places on a square; agents are numbered at random."""
    draw = np.random.default_rng(2)
    number = np.arange(agents)
    sells = draw.random(agents) < 0.5
    assets = {"agent": number, "asset": np.full(agents, b"x"),
              "p_min": np.where(sells, 0, -draw.uniform(5, 15, agents)), "p_max": np.where(sells, draw.uniform(5, 20, agents), -1),
              "a": draw.uniform(0.05, 0.15, agents), "b": np.where(sells, draw.uniform(1, 5, agents), draw.uniform(8, 12, agents))}
    pairs = np.unique(np.sort(draw.integers(0, agents, (10 * agents, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    tables = {"assets": assets, "links": {"agent_a": pairs[:, 0], "agent_b": pairs[:, 1]},
              "agents": {"agent": number, "name": np.full(agents, b"x"), "x": draw.uniform(0, 1000, agents),
                         "y": draw.uniform(0, 1000, agents)}}
    with h5py.File(folder / "tables.h5", "w") as file:
        for group, columns in tables.items():
            rows = [[value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]
                    for values in columns.values()]
            (folder / f"{group}.csv").write_text("\n".join([",".join(columns), *map(",".join, zip(*rows))]) + "\n")
            for name, values in columns.items():
                file[f"{group}/{name}"] = values
    return len(pairs)


def tables(agents):
    """Reading, and what a trace takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        links = write_tables(folder, agents)
        for kind, files in (("CSV", ("assets.csv", "links.csv")), ("HDF5", ("tables.h5", "tables.h5"))):
            (folder / "case.yaml").write_text("peerwatt: 1\nmarket: {assets: %s, links: %s}\n" % files)
            _, err = run(["run", folder / "case.yaml", "--log-view", "--json", "-o", folder / "t.h5", "--force", *FEW])
            print(f"tables as {kind}: assets {phase(err, 'read or generate the case') / agents * 1e6:.2f} us each, links "
                  f"{phase(err, 'link the agents, set fees') / links * 1e6:.2f} us each", flush=True)
        print(f"trace: {(folder / 't.h5').stat().st_size / links:.0f} bytes and "
              f"{phase(err, 'write trace and bills') / links * 1e6:.2f} us a link", flush=True)


def placement(agents):
    """Agents with their ten nearest: links between two ranks, and rounds agent by agent in the same time."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_tables(folder, agents)
        (folder / "case.yaml").write_text("peerwatt: 1\nmarket: {assets: tables.h5, agents: tables.h5, links: {nearest: 10}}\n")
        for way in ("blocks", "graph"):
            words = [folder / "case.yaml", "--json", "-s", f"run.placement={way}"]
            cut = run(["check", *words])[0]["placement"][0]["links_between_ranks"]
            summary, err = run(["run", *words, "-s", "run.reference=no", "-s", "run.bulk=no", "-s", "stop.max_time_s=8",
                                "--progress", "none", "--log-view"], 2)
            print(f"placement by {way}, {agents} agents with their 10 nearest: {100 * cut:.2f} % of the links between two "
                  f"ranks, {summary['iterations_mean']:.0f} local solves an agent in 8 s, links made in "
                  f"{2 * phase(err, 'link the agents, set fees'):.2f} s", flush=True)


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="sizes.py", description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=100000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    memory(options.agents, options.ranks)
    tables(options.agents)
    placement(options.agents // 5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
