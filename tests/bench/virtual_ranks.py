"""The virtual clock on two ranks beside one: 10 000 agents with 10 peers each, a network of jitter and losses.

Prints offers a second and the speed-up by ranks and placement, medians of runs by turns; run by `run_scripts/python
tests/bench/virtual_ranks.py [RUNS [AGENTS]]`.
"""

import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402

SETTINGS = {"market.links": "{peers: 10, among: sides}", "run.clock": "virtual", "run.reference": "no",
            "network.delay.model": "gaussian", "network.delay.mean_s": 1, "network.delay.std_s": 0.2,
            "network.delay.min_s": 0.5, "network.loss": 0.01, "network.retransmit_s": 2, "network.compute_s": 0.1,
            "stop.criterion": "global", "stop.tolerance": 1e-3}
WAYS = ((1, "blocks"), (2, "blocks"), (2, "graph"))  # ranks, and where agents live


def measure(ranks, placement, agents):
    """Offers and seconds of one run, without its set-up."""
    settings = SETTINGS | {"run.placement": placement}
    result = program.run("run", program.CASES / "random.yaml", "--json", "-s", f"market.generate.agents={agents}",
                         *program.words(settings), ranks=ranks)
    assert result.code == 0, result.err
    return result.json["messages_sent"], result.json["wall_s"]


def main():
    """A line for each way."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    agents = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    seconds = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            offers, wall_s = measure(*way, agents)
            seconds[way].append(wall_s)
    print(f"{'ranks':>5} {'placement':>9} {'offers':>9} {'seconds':>8} {'million/s':>9} {'speed-up':>8}")
    alone = statistics.median(seconds[WAYS[0]])
    for way in WAYS:
        middle = statistics.median(seconds[way])
        print(f"{way[0]:5} {way[1]:>9} {offers:9} {middle:8.2f} {offers / middle / 1e6:9.2f} {alone / middle:8.2f}")


if __name__ == "__main__":
    main()
