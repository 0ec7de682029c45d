"""Two builds by turns on the virtual clock: the market of virtual_ranks.py, alone and on two ranks.

Each folder is a checkout of the project with its program built, and is started by its own mpirun.sh. Prints medians and
least seconds of the negotiation, and medians of what the slower rank spends on judging (`--log-view`); run by
`run_scripts/python tests/bench/turns.py FOLDER FOLDER [RUNS]`.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import virtual_ranks  # noqa: E402
from virtual_ranks import program  # noqa: E402


def measure(folder, ranks, placement):
    """Seconds of one run, and of its judging."""
    settings = virtual_ranks.SETTINGS | {"run.placement": placement, "market.generate.agents": 10000}
    launch = [folder / "run_scripts" / "mpirun.sh", ranks] if ranks > 1 else [folder / "build" / "peerwatt"]
    words = [*launch, "run", program.CASES / "random.yaml", "--json", "--log-view", *program.words(settings)]
    env = {name: value for name, value in os.environ.items() if name != "PEERWATT"}  # each its own
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, env=env)
    return json.loads(done.stdout)["wall_s"], float(re.search(r"^judge +\S+ +\S+ +(\S+)", done.stderr, re.M)[1])


def main():
    """A line for each way and folder."""
    folders = [pathlib.Path(word).resolve() for word in sys.argv[1:3]]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    figures = {(way, folder): [] for way in virtual_ranks.WAYS for folder in folders}
    for _ in range(runs):
        for way, folder in figures:
            figures[way, folder].append(measure(folder, *way))
    print(f"{'ranks':>5} {'placement':>9} {'median s':>8} {'least s':>7} {'judge s':>7}  folder")
    for (way, folder), results in figures.items():
        seconds, judging = zip(*results)
        print(f"{way[0]:5} {way[1]:>9} {statistics.median(seconds):8.2f} {min(seconds):7.2f} "
              f"{statistics.median(judging):7.3f}  {folder}")


if __name__ == "__main__":
    main()
