"""The virtual clock on two ranks beside one: 10 000 agents with 10 peers each, a network of jitter and losses.

Prints offers a second and the speed-up by ranks and placement, medians of runs by turns, and the share of what two cores
do more than one at that time: two programs of one rank side by side. Run by `run_scripts/python
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


def start(ranks, placement, agents):
    """One run, under way."""
    settings = SETTINGS | {"run.placement": placement, "market.generate.agents": agents}
    return program.start("run", program.CASES / "random.yaml", "--json", *program.words(settings), ranks=ranks)


def finish(process):
    """Offers and seconds of a run, without its set-up."""
    result = program.finish(process, timeout=120)
    assert result.code == 0, result.err
    return result.json["messages_sent"], result.json["wall_s"]


def side_by_side(agents):
    """Runs of one rank a second that two cores make at once."""
    return sum(1.0 / finish(process)[1] for process in [start(*WAYS[0], agents) for _ in range(2)])


def main():
    """A line for each way."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    agents = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    seconds, of_both = {way: [] for way in WAYS}, []
    for _ in range(runs):
        for way in WAYS:
            offers, wall_s = finish(start(*way, agents))
            seconds[way].append(wall_s)
        of_both.append(side_by_side(agents))
    alone = statistics.median(seconds[WAYS[0]])
    most = alone * statistics.median(of_both)
    print(f"{'ranks':>5} {'placement':>9} {'offers':>9} {'seconds':>8} {'million/s':>9} {'speed-up':>8} {'of cores':>8}")
    for way in WAYS:
        middle = statistics.median(seconds[way])
        share = alone / middle / most if way[0] > 1 else 1.0
        print(f"{way[0]:5} {way[1]:>9} {offers:9} {middle:8.2f} {offers / middle / 1e6:9.2f} {alone / middle:8.2f} {share:8.2f}")
    print(f"two programs of one rank side by side do {most:.2f} times the work of one alone")


if __name__ == "__main__":
    main()
