"""Figures 4, 5, 7 and 8: drawn from the program's own files, the same bytes each time."""

import re
import subprocess
import sys
import unittest

import h5py
import numpy as np
import program

SCRIPTS = program.ROOT / "run_scripts"
STUDIES = program.ROOT / "configs" / "studies"
sys.path.insert(0, str(SCRIPTS / "figures"))
import settling  # noqa: E402


class Figures(program.InFolder):
    """The commands that a user types, with results in a folder of the test."""

    def command(self, *words):
        """One that must succeed; returns what it printed."""
        env = {**program.environment(), "FIGURES": str(self.folder)}
        done = subprocess.run([str(word) for word in words], env=env, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assert_drawn(self, name):
        """Both formats, not empty; returns the bytes."""
        for kind in ("png", "svg"):
            self.assertGreater((self.folder / f"{name}.{kind}").stat().st_size, 5000)
        return (self.folder / f"{name}.svg").read_bytes()

    def refused(self, script, *words):
        """One line and exit code 5."""
        done = subprocess.run([SCRIPTS / "python", SCRIPTS / "figures" / script, *words], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1), done.stderr)
        return done.stderr

    def small(self, study, *changes):
        """The results of a shipped study with these replacements in its text."""
        text = (STUDIES / f"{study}.yaml").read_text().replace("../cases", str(program.CASES))
        for pattern, words in changes:
            text, count = re.subn(pattern, words, text, flags=re.DOTALL)
            self.assertEqual(count, 1, pattern)
        (self.folder / "small.yaml").write_text(text)
        self.command(program.PROGRAM, "sweep", self.folder / "small.yaml", "-q", "-o", self.folder / f"{study}.h5")

    def test_figure_4(self):
        self.small("fig4", (r"values: \[.*?\]", "values: [auto, 0.1, 1, 10]"),
                   ("replicates: 100", "replicates: 3"), ("tolerance: 1e-6", "tolerance: 1e-5"))
        with h5py.File(self.folder / "fig4.h5") as file:
            self.assertFalse(file["status"][()].any())
            automatic, soft, middle, stiff = file["convergence_time"][()]
            self.assertLess(np.abs(file["welfare_gap"][()]).max(), 1e-4)
        self.assertTrue((soft > middle).all() and (stiff > middle).all())  # a U
        self.assertTrue((automatic <= 1.5 * middle).all())
        self.command(SCRIPTS / "fig4.sh")  # results that are there are only drawn
        first = self.assert_drawn("fig4")
        self.command(SCRIPTS / "fig4.sh")
        self.assertEqual(self.assert_drawn("fig4"), first)

    def test_figure_4_without_the_automatic_penalty(self):
        self.small("fig4", (r"values: \[.*?\]", "values: [1, 10, 100]"), ("replicates: 100", "replicates: 1"))
        self.assertIn("an axis rho with auto", self.refused("fig4.py", self.folder / "fig4.h5"))

    def test_figure_6(self):
        few = "[{random: 1, among: sides}, {random: 0.6, among: sides}, {random: 0.2, among: sides}]"
        self.small("fig6", (r"values: \[\{random.*?\}\]", f"values: {few}"), ("replicates: 1000", "replicates: 20"))
        with h5py.File(self.folder / "fig6.h5") as file:
            status, welfare, gap = (file[name][()] for name in ("status", "social_welfare", "welfare_gap"))
            rounds = file["iterations"][()]
        self.assertEqual(set(np.unique(status)), {0, 2})  # draws without a solution are counted
        self.assertFalse(status[:2].any())
        self.assertLess(np.nanmax(np.abs(gap)), 1e-5)  # all links: the optimum of the pool
        with np.errstate(invalid="ignore"):
            self.assertFalse((np.diff(welfare, axis=0) > 1e-5 * welfare[:1]).any())  # fewer links, no more welfare
        self.assertLess(np.nanmean(welfare[2] / welfare[0]), 0.97)
        fixed = rounds[:, 1].mean(axis=-1)
        self.assertLess(fixed[1], 0.95 * fixed[0])  # a minimum at moderate sparsity
        self.assertLess(fixed[1], 0.95 * np.mean(rounds[2, 1][status[2, 1] == 0]))
        self.command(SCRIPTS / "fig6.sh")
        self.assert_drawn("fig6")

    def test_figure_6_without_all_links(self):
        self.small("fig6", (r"values: \[\{random.*?\}\]", "values: [{random: 0.9}, {random: 0.8}]"),
                   ("replicates: 1000", "replicates: 1"))
        self.assertIn("must fall from 1", self.refused("fig6.py", self.folder / "fig6.h5"))

    def test_figure_5(self):
        few = "replicates: 3"
        self.small("fig5", ("replicates: 1000", few))
        self.small("fig5-penalty", ("replicates: 1000", few))
        self.small("fig5-off", (r"values: \[0.1, 0.316, 31.6, 100\]", "values: [0.316, 31.6]"),
                   ("replicates: 100", few))
        with h5py.File(self.folder / "fig5.h5") as file:
            texts = [b"".join(row).decode().rstrip("\0") for row in file["stop_text"]]
            for tolerance in ("0.01", "0.001", "0.0001"):
                i = texts.index(f"{{criterion: trade, tolerance: {tolerance}}}")
                self.assertFalse(file["status"][0, i].any())
                self.assertLess(np.abs(file["welfare_gap"][0, i]).max(), float(tolerance))
        words = self.command(SCRIPTS / "fig5.sh")  # results that are there are only drawn, and told
        best, below = map(float, re.search(r"within 0.001: ([0-9.]+) .*, ([0-9.]+) / [0-9.]+ of a decade below",
                                           words).groups())
        self.assertLess(best, 1.3)
        self.assertLess(below, 0.2)
        first = self.assert_drawn("fig5")
        self.assertEqual(self.command(SCRIPTS / "fig5.sh"), words)
        self.assertEqual(self.assert_drawn("fig5"), first)
        self.assertIn("automatic penalty", self.refused("fig5.py", *[self.folder / "fig5-off.h5"] * 3))

    def test_figure_7(self):
        self.command(SCRIPTS / "fig7.sh")
        first = self.assert_drawn("fig7")
        self.command(SCRIPTS / "fig7.sh")
        self.assertEqual(self.assert_drawn("fig7"), first)
        rate = []  # who clears first is a matter of the draw where each has but two peers; who waits is not
        for name in ("synchronous", "asynchronous"):
            with h5py.File(self.folder / f"fig7-{name}.h5") as file:
                rate.append(file["iterations_mean"][()] / file["end_time_s"][()])
                self.assertIn(3, file["timeline/kind"][()])  # a lost message is in the picture
        self.assertGreater(rate[1], 1.2 * rate[0])

    def test_figure_8(self):
        self.small("fig8", ("steps: 21", "steps: 3"), ("replicates: 100", "replicates: 2"))
        self.command(SCRIPTS / "fig8.sh")  # results that are there are only drawn
        first = self.assert_drawn("fig8")
        self.command(SCRIPTS / "fig8.sh")
        self.assertEqual(self.assert_drawn("fig8"), first)
        self.assertIn("not the trace", self.refused("fig7.py", self.folder / "fig8.h5")
                      .replace("not a peerwatt trace", "not the trace"))

    def test_what_cannot_be_drawn(self):
        self.assertIn("no such file", self.refused("fig8.py", self.folder / "none.h5"))
        trace = self.folder / "t.h5"
        self.command(program.PROGRAM, "run", program.CASES / "trio.yaml", "-q", "-o", trace)
        self.assertIn("timeline", self.refused("fig7.py", trace))
        self.assertIn("not the results of a sweep", self.refused("fig8.py", trace))


class Levels(unittest.TestCase):
    """Messages at equal imbalance and welfare gap."""

    def needed(self, gap, imbalance, ended=True):
        """Of one market with 100, 200, 300 messages at the three tolerances."""
        column = np.array([[100], [200], [300]])
        runs = settling.Runs(np.array([0.1, 0.01, 0.001]), column, np.reshape(gap, (3, 1)),
                             np.reshape(imbalance, (3, 1)), np.reshape(np.broadcast_to(ended, 3), (3, 1)))
        return runs.needed(1e-3)[0]

    def test_the_worse_of_both_counts_and_a_gap_of_either_sign(self):
        self.assertAlmostEqual(self.needed([1e-1, -1e-2, 1e-4], [1e-6] * 3), 250)
        self.assertAlmostEqual(self.needed([1e-6] * 3, [1e-1, 1e-2, 1e-4]), 250)

    def test_the_loosest_tolerance_that_keeps_the_level_counts(self):
        self.assertEqual(self.needed([1e-3, 1e-4, 1e-2], [0, 0, 0]), 100)

    def test_a_run_that_has_not_ended_does_not_count(self):
        self.assertEqual(self.needed([1e-1, 1e-2, 1e-2], [0, 0, 0]), np.inf)
        self.assertEqual(self.needed([1e-1, 1e-4, 1e-5], [0, 0, 0], [True, False, True]), 300)


if __name__ == "__main__":
    unittest.main()
