"""Large markets by the whole program, beside what was hoped for: a mesh of 3000 agents, and 100 000 with 10 peers.

The mesh is solved to the default tolerances, and to what other solvers' times of it are told for: residuals of
0.01 kW, optimal welfare to 1e-4 of it. Prints medians of runs by turns; seconds of solving are those of the slower
rank. Two ranks are set beside what two cores' memories move over one's (either's, in the mean: cores that others share
are not alike), measured between the runs. `make build/release/tests/bench/bench_rows &&
run_scripts/python tests/bench/large.py [RUNS]`; with `million` instead of RUNS one run of a million agents, and its
peak of memory.
"""

import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402

BENCH = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "tests" / "bench" / "bench_rows"
PEERS = "{peers: 10, among: sides}"
AS_OTHERS = {"stop.primal": 0.01, "stop.dual": 0.01, "stop.price": 0.05}
MARKETS = {"mesh": (3000, "sides", {}), "mesh, 0.01 kW": (3000, "sides", AS_OTHERS),
           "sparse": (100000, PEERS, {}), "million": (1000000, PEERS, {})}
WAYS = (("mesh", 1), ("mesh", 2), ("mesh, 0.01 kW", 1), ("mesh, 0.01 kW", 2), ("sparse", 2))
WANTED = {("mesh", 1): (0.3, 2.0), ("mesh", 2): (0.18, 2.0), ("sparse", 2): (None, 10.0)}  # solving, the command
WANTED |= {("mesh, 0.01 kW", ranks): WANTED["mesh", ranks] for ranks in (1, 2)}
WORST_GAP = 1e-4  # of the optimal welfare
WANTED_SHARE = 0.85


def measure(market, ranks):
    """Seconds of solving and exchanging, of the slowest rank, and of the whole command; rounds."""
    agents, links, more = MARKETS[market]
    settings = {"market.generate.agents": agents, "market.links": links, **more}
    result = program.run("run", program.CASES / "random.yaml", "--json", "--log-view", *program.words(settings),
                         ranks=ranks)
    assert result.code == 0, result.err
    gap = result.json["welfare_gap"]  # none where the optimum would take too long
    assert gap is None or abs(gap) < WORST_GAP, result.json
    solve_s = float(re.search(r"^solve and exchange +\S+ +\S+ +(\S+)", result.err, re.M)[1])
    return solve_s, result.json["total_s"], result.json["iterations_mean"]


def bandwidth(cores):
    """GB a second that these cores move at once."""
    running = [subprocess.Popen(["taskset", "-c", str(core), BENCH, "1"], stdout=subprocess.PIPE, text=True)
               for core in cores]
    return sum(float(re.search(r"moves (\S+) GB/s", one.communicate()[0])[1]) for one in running)


def middle(figures):
    """Medians, place by place."""
    return [statistics.median(column) for column in zip(*figures)]


def million():
    """One run of a million agents."""
    solve_s, total_s, _ = measure("million", 1)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(f"a million agents, 10 peers each, 1 rank: solving {solve_s:.1f} s, the command {total_s:.1f} s (180), "
          f"at most {peak:.1f} GB (12)")


def main():
    """A line for each market and number of ranks, then two ranks over one."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds, speeds = {way: [] for way in WAYS}, []
    cores = sorted(os.sched_getaffinity(0))[:2]
    for _ in range(runs):
        for way in WAYS:
            seconds[way].append(measure(*way))
        speeds.append((statistics.mean(bandwidth([core]) for core in cores), bandwidth(cores)))
    print(f"{'market':>13} {'ranks':>5} {'rounds':>6} {'solving s':>9} {'wanted':>6} {'command s':>9} {'wanted':>6}")
    for way in WAYS:
        solve_s, total_s, rounds = middle(seconds[way])
        print(f"{way[0]:>13} {way[1]:5} {rounds:6.0f} {solve_s:9.2f} {WANTED[way][0] or '':>6} "
              f"{total_s:9.2f} {WANTED[way][1]:6}")
    one, two = middle(speeds)
    faster = middle(seconds[WAYS[0]])[0] / middle(seconds[WAYS[1]])[0]
    print(f"two ranks solve the mesh {faster:.2f} times as fast as one; two cores move {two:.1f} GB/s, one {one:.1f}: "
          f"{faster * one / two:.2f} of what that allows (wanted {WANTED_SHARE})")


if __name__ == "__main__":
    if sys.argv[1:] == ["million"]:
        million()
    else:
        main()
