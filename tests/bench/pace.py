"""Ranks in step and at their own pace: a mesh of 1000 agents, in bulk at several deltas and agent by agent.

Prints rounds and seconds of the negotiation, medians of runs by turns, and how many times as fast bulk is; run by
`run_scripts/python tests/bench/pace.py [RUNS]`.
"""

import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402

SETTINGS = {"market.generate.agents": 1000, "market.links": "{random: 1, among: sides}", "run.reference": "no"}
RANKS, DELTAS = (1, 2, 3), (1, 0.7, 0.3)


def measure(ranks, delta, bulk):
    """Mean rounds of an agent, and seconds of one run without its set-up."""
    settings = {**SETTINGS, "negotiation.delta": delta, "run.bulk": bulk}
    result = program.run("run", program.CASES / "random.yaml", "--json", *program.words(settings), ranks=ranks)
    assert result.code == 0, result.err
    return result.json["iterations_mean"], result.json["wall_s"]


def main():
    """A line for each number of ranks and delta."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{'ranks':>5} {'delta':>5} {'rounds':>7} {'seconds':>8}   one by one: {'rounds':>7} {'seconds':>8} {'ratio':>6}")
    for ranks in RANKS:
        for delta in DELTAS:
            found = {bulk: [] for bulk in ("yes", "no")}
            for _ in range(runs):
                for bulk, figures in found.items():
                    figures.append(measure(ranks, delta, bulk))
            rounds, seconds = ({bulk: statistics.median(figure[i] for figure in figures) for bulk, figures in found.items()}
                               for i in (0, 1))
            print(f"{ranks:5} {delta:5g} {rounds['yes']:7.0f} {seconds['yes']:8.3f}   {'':11} {rounds['no']:7.0f} "
                  f"{seconds['no']:8.2f} {seconds['no'] / seconds['yes']:6.1f}", flush=True)


if __name__ == "__main__":
    main()
