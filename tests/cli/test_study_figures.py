"""The studies of the stiffness and of the exchanges: valid as shipped, drawn from small versions of them."""

import os
import subprocess
import unittest

import h5py
import numpy as np
import program

SCRIPTS = program.ROOT / "run_scripts"
STUDIES = program.ROOT / "configs" / "studies"


class Studies(program.InFolder):
    """Small versions, by replacing words of the studies that ship."""

    def sweep(self, name, runs, words):
        """The results of a small version; the number of runs is that of the study as it ships."""
        path = STUDIES / f"{name}.yaml"
        self.assertEqual(program.run("check", path, "--json").json["runs"], runs)
        text = path.read_text().replace("../cases", str(program.CASES))
        for old, new in words.items():
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        small, out = self.folder / f"{name}.yaml", self.folder / f"{name}.h5"
        small.write_text(text)
        result = program.run("sweep", small, "-q", "-o", out)
        self.assertEqual(result.code, 0, result.err)
        return out

    def drawn(self, script, picture):
        """What a launcher draws of results that are there."""
        done = subprocess.run([SCRIPTS / script], env={**os.environ, "FIGURES": str(self.folder)}, check=False,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for kind in ("png", "svg"):
            self.assertGreater((self.folder / f"{picture}.{kind}").stat().st_size, 5000)

    def refused(self, script, *words):
        """One line and exit code 5."""
        done = subprocess.run([SCRIPTS / "python", SCRIPTS / "figures" / script, *words], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1), done.stderr)
        return done.stderr

    def test_stiffness(self):
        less = {"replicates: 30": "replicates: 2", "[0, 0.05, 0.2]": "[0, 0.2]",
                "[0.05, 0.2, 0.5, 0.75, 1]": "[0.1, 1]", "[auto, 1, 2, 3, 4, 8, 32]": "[auto, 4, 32]"}
        dense = self.sweep("stiffness", 12600, {**less, "[6, 12, 24, 48]": "[6, 12]"})
        sparse = self.sweep("stiffness-sparse", 12600, {**less, "agents: 48": "agents: 16",
                                                        "{peers: 6, among: sides}, {peers: 12, among: sides}": "all"})
        self.drawn("stiffness.sh", "stiffness")
        with h5py.File(sparse) as file:
            time = np.where(file["status"][()] == 0, file["convergence_time"][()], file["end_time"][()])
        self.assertLess(time[0, 0, :, 0].mean(), 0.7 * time[0, 0, :, 2].mean())  # few links, few answers: 32 crawls
        np.testing.assert_array_equal(time[:, 1, :, 0], time[:, 1, :, 2])  # delta = 1: nothing waits
        self.assertIn("links", self.refused("stiffness.py", dense, dense, "-o", self.folder / "x"))

    def test_choosing(self):
        with h5py.File(self.sweep("choosing", 550, {"replicates: 50": "replicates: 4"})) as file:
            self.assertFalse(file["status"][()].any())
            self.assertLess(np.abs(file["welfare_gap"][()]).max(), 1e-3)
            kept = file["social_welfare"][()] / file["social_welfare"][0]
            np.testing.assert_array_less(file["n_trades"][1:4], 101)  # 40 agents, 5 peers each
        np.testing.assert_array_less(0.999, kept[1:4])
        self.assertLess(kept[7].mean() + 0.01, kept[9].mean())  # two at random, two by a plan

    def test_choosing_is_drawn(self):
        rows = ["table,market,way,peers,slot,replicate,share"]
        for market, peers in (("even", (1, 2, 3)), ("few", (4, 5))):
            for k in peers:
                rows += [f"compare,{market},{way},{k},30,{m},{1 - 0.1 ** k + 0.001 * m}"
                         for way in ("random", "greedy", "uncapped") for m in range(3)]
                rows += [f"repeated,{market},adaptive,{k},{slot},0,{1 - 0.5 / (slot + k)}" for slot in range(4)]
                rows += [f"small,even,{way},{k},0,{m},0.9{m}" for way in ("random", "best") for m in range(3)]
        rows.append("compare,few,uncapped,6,30,0,nan")
        (self.folder / "choosing.csv").write_text("\n".join(rows) + "\n")
        (self.folder / "choosing.txt").write_text("| the tables |\n")
        self.drawn("choosing.sh", "choosing")
        (self.folder / "x.csv").write_text("a,b\n1,2\n")
        self.assertIn("bench_choosing", self.refused("choosing.py", self.folder / "x.csv", "-o", self.folder / "x"))
        self.refused("choosing.py", self.folder / "none.csv", "-o", self.folder / "x")

    def test_exchanges(self):
        out = self.sweep("stale", 3750, {"replicates: 50": "replicates: 2", "[0.1, 0.3, 0.5, 0.75, 1]": "[0.3, 1]",
                                         "[0, 0.01, 0.1, 0.3, 1]": "[0, 1]", "max_time_s: 6000": "max_time_s: 600"})
        self.drawn("exchanges.sh", "stale")
        with h5py.File(out) as file:
            status, gap = file["status"][()], np.abs(file["welfare_gap"][()])
        self.assertTrue((status[0] == 0).all())  # paired
        self.assertTrue((status[2, :, 0] == 0).all())  # stale, nobody is late
        self.assertTrue((status[2, 0, 1] == 1).all())  # stale, delta 0.3, delays spread: never the optimum
        self.assertGreater(gap[2, 0, 1].max(), 0.01)
        self.assertLess(gap[0].max(), 1e-3)
        other = self.folder / "t.h5"
        program.run("run", program.CASES / "trio.yaml", "-q", "-o", other)
        self.assertIn("not the results of a sweep", self.refused("exchanges.py", other))


if __name__ == "__main__":
    unittest.main()
