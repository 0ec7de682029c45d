"""The wall clock beside the virtual one: the same 25-agent markets and network, 26 ranks, delays of 50 ms, loss 0.05.

Prints the convergence times of both clocks and their ratio; run by `run_scripts/python
tests/bench/wall_against_virtual.py [SEEDS]`.
"""

import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402

NETWORK = {"market.generate.agents": 25, "market.links": "sides", "network.delay.model": "gaussian",
           "network.delay.mean_s": 0.05, "network.delay.std_s": 0.01, "network.delay.min_s": 0.005,
           "network.loss": 0.05, "network.retransmit_s": 0.1}


def convergence_time(ranks, **settings):
    """Of one run, in seconds."""
    result = program.run("run", program.CASES / "random.yaml", "--json", *program.words({**NETWORK, **settings}), ranks=ranks)
    assert result.code == 0, result.err
    return result.json["convergence_time_s"]


def main():
    """A line for each delta."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{'delta':>6} {'virtual s':>10} {'wall s':>10} {'ratio, median':>14} {'least':>7} {'most':>7}")
    for delta in (1, 0.4):
        virtual, wall = [], []
        for seed in range(1, seeds + 1):
            given = {"negotiation.delta": delta, "run.seed": seed}
            virtual.append(convergence_time(0, **given, **{"run.clock": "virtual"}))
            wall.append(convergence_time(26, **given))
        ratios = sorted(w / v for w, v in zip(wall, virtual))
        print(f"{delta:6g} {statistics.median(virtual):10.3f} {statistics.median(wall):10.3f} "
              f"{statistics.median(ratios):14.3f} {ratios[0]:7.3f} {ratios[-1]:7.3f}")


if __name__ == "__main__":
    main()
