"""Sweeps: the same bytes whatever ranks, kills and shards; wrong studies; the claim of figure 8 in small."""

import os
import pathlib
import signal
import time
import unittest

import h5py
import numpy as np
import program

CASE = program.CASES / "random.yaml"
NETWORK = """  network:
    delay: {model: gaussian, mean_s: 1, std_s: 0.2, min_s: 0.1}
    retransmit_s: 2
    compute_s: 0.1
"""
HEAD = f"""peerwatt: 1
name: small
case: {CASE}
set:
  market.generate.agents: 10
  market.links: sides
{NETWORK}"""
STUDY = HEAD + """axes:
  - {name: delta, setting: negotiation.delta, values: [1, 0.5, 0.1]}
  - {name: sigma, setting: network.loss, values: [0, 0.1]}
replicates: 4
seed: 1
"""
N_RUNS = 24

# Line 11 is the first after HEAD. name: (study, where in the message, what in the message)
AXES = "axes:\n  - {name: delta, setting: negotiation.delta, values: [1, 0.5]}\n"
WRONG = {
    "empty": ("", "study.yaml:1", "peerwatt: 1"),
    "version": (HEAD.replace(": 1", ": 2", 1), "study.yaml:1", "peerwatt"),
    "no name": (HEAD.replace("name: small\n", ""), "study.yaml:1", "name"),
    "no case": (HEAD.replace("case:", "# case:"), "study.yaml:1", "case"),
    "unknown key": (HEAD + "replicate: 3\n", "study.yaml:11", 'did you mean "replicates"'),
    "unknown setting": (HEAD.replace("compute_s", "compute"), "study.yaml:10", "network.compute"),
    "unknown section": (HEAD + "axes:\n  - {setting: negotation.delta, values: [1]}\n", "study.yaml:12",
                        'did you mean "negotiation"'),
    "bad value set": (HEAD.replace("agents: 10", "agents: 1"), "study.yaml:5", "market.generate.agents"),
    "bad value of an axis": (HEAD + "axes:\n  negotiation.delta:\n    - 1\n    - 1.5\n", "study.yaml:14",
                             "negotiation.delta"),
    "value twice": (HEAD + "axes:\n  negotiation.delta: [0.5, 0.50]\n", "study.yaml:12", "twice"),
    "no values": (HEAD + "axes:\n  negotiation.delta: []\n", "study.yaml:12", "values"),
    "half a range": (HEAD + "axes:\n  d: {setting: negotiation.delta, from: 0.1, steps: 3}\n",
                     "study.yaml:12", "from"),
    "steps": (HEAD + "axes:\n  d: {setting: negotiation.delta, from: 0.1, to: 1, steps: 1}\n",
              "study.yaml:12", "steps"),
    "range and values": (HEAD + "axes:\n  d: {setting: negotiation.delta, from: 0.1, values: [1]}\n",
                         "study.yaml:12", "either"),
    "log range from zero": (HEAD + "axes:\n  d: {setting: network.loss, from: 0, to: 0.5, steps: 3, "
                            "spacing: log}\n", "study.yaml:12", "log"),
    "reserved name": (HEAD + "axes:\n  status: {setting: network.loss, values: [0]}\n", "study.yaml:12",
                      "status"),
    "name twice": (HEAD + AXES + "  - {name: delta, setting: network.loss, values: [0]}\n", "study.yaml:13",
                   "delta"),
    "setting twice": (HEAD + AXES + "  - {name: d, setting: negotiation.delta, values: [0.3]}\n",
                      "study.yaml:13", "twice"),
    "seed as an axis": (HEAD + "axes:\n  run.seed: [1, 2]\n", "study.yaml:12", "seed"),
    "replicates": (HEAD + "replicates: 0\n", "study.yaml:11", "replicates"),
    "record": (HEAD + "record: [convergence_tim]\n", "study.yaml:11", 'did you mean "convergence_time"'),
    "values that do not fit together": (
        HEAD + "axes:\n  network.delay.min_s:\n    - 0.1\n    - 2\n", "study.yaml:8", "min_s 2"),
    "no such case": (HEAD.replace("random.yaml", "none.yaml"), "none.yaml", "cannot be opened"),
    "not YAML": ("{[", "study.yaml:1", ""),
}


class Sweep(program.InFolder):
    """A study of 3 x 2 points and 4 replicates."""

    def setUp(self):
        super().setUp()
        self.study = self.write(STUDY)

    def write(self, text):
        """The path of a study with this text."""
        path = self.folder / "study.yaml"
        path.write_text(text)
        return path

    def sweep(self, name, *words, ranks=0):
        """Sweeps to NAME; returns the JSON and the bytes."""
        out = self.folder / name
        result = program.run("sweep", self.study, "-o", out, "--json", *words, ranks=ranks)
        self.assertEqual(result.code, 0, result.err)
        return result.json, out.read_bytes() if out.exists() else b""

    def test_peers_that_cannot_balance_are_a_result(self):
        study, out = self.folder / "peers.yaml", self.folder / "peers.h5"
        for peers, status in ((1, 2), (6, 0)):
            study.write_text(f"""peerwatt: 1
name: peers
case: {program.CASES / "day.yaml"}
set:
  run.clock: virtual
  network: {{delay: {{model: constant, mean_s: 1}}}}
  slots.last: 1
  market.links: {{choose: adaptive, peers: {peers}}}
axes:
  - {{name: delta, setting: negotiation.delta, values: [1, 0.5]}}
""", encoding="utf-8")
            result = program.run("sweep", study, "-q", "-o", out, "--force")
            self.assertEqual(result.code, 0, result.err)
            with h5py.File(out) as file:
                self.assertEqual(file["status"][()].ravel().tolist(), [status, status])

    def test_any_number_of_ranks(self):
        summary, alone = self.sweep("a.h5")
        self.assertEqual((summary["runs"], summary["converged"]), (N_RUNS, N_RUNS))
        self.assertEqual(summary["out"], str(self.folder / "a.h5"))
        for ranks in (1, 2, 3):
            self.assertEqual(self.sweep("b.h5", "--force", ranks=ranks)[1], alone)
        self.assertEqual(self.files(), ["a.h5", "b.h5", "study.yaml"])

    def test_the_file(self):
        self.sweep("a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            time_ = file["convergence_time"]
            self.assertEqual(time_.shape, (3, 2, 4))
            self.assertEqual([d.label or d[0].name for d in time_.dims], ["/delta", "/sigma", "/replicate"])
            self.assertEqual(list(file["delta"]), [1, 0.5, 0.1])
            self.assertEqual(time_.attrs["units"], b"s")
            self.assertTrue((file["status"][()] == 0).all())
            self.assertLess(np.abs(file["welfare_gap"]).max(), 1e-4)
            # The same markets at every point, another one for each replicate.
            self.assertLess(np.ptp(file["price_mean"][()], axis=(0, 1)).max(), 0.01)
            self.assertGreater(np.ptp(file["price_mean"][0, 0]), 0.05)
            for name in ("study", "case", "inputs", "versions", "revision"):
                self.assertIn(name, file["provenance"].attrs)
        run = program.run("run", CASE, "--json", "-s", "run.clock=virtual", "-s", "market.generate.agents=10",
                          "-s", "market.links=sides", "-s", "network.delay={model: gaussian, mean_s: 1, "
                          "std_s: 0.2, min_s: 0.1}", "-s", "network.retransmit_s=2", "-s",
                          "network.compute_s=0.1", "-s", "negotiation.delta=0.5", "-s", "network.loss=0.1",
                          "-s", "run.seed=3", "-s", "market.generate.seed=3").json
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(file["convergence_time"][1, 1, 2], run["convergence_time_s"])
            self.assertEqual(file["messages"][1, 1, 2], run["messages_sent"])
            self.assertEqual(file["welfare_gap"][1, 1, 2], run["welfare_gap"])

    def test_axes_that_are_no_numbers_and_a_choice_of_variables(self):
        self.write(HEAD + "axes:\n  links: {setting: market.links, values: [all, {random: 0.9, among: "
                   "sides}]}\nrecord: [status, messages]\nreplicates: 2\n")
        self.sweep("a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(file["messages"].shape, (2, 2))
            self.assertNotIn("end_time", file)
            texts = [b"".join(row).decode().rstrip("\0") for row in file["links_text"]]
            self.assertEqual(texts, ["all", "{random: 0.9, among: sides}"])

    def test_markets_without_solution_are_counted(self):
        self.write(HEAD.replace("links: sides", "links: {random: 0.2, among: sides}") + "replicates: 30\n")
        result = program.run("sweep", self.study, "-o", self.folder / "a.h5", "--json")
        self.assertEqual((result.code, result.err), (0, ""))
        summary = result.json
        self.assertEqual(program.run("check", self.study).err, "")
        self.assertEqual(summary["converged"] + summary["infeasible"], 30)
        self.assertGreater(summary["infeasible"], 0)
        with h5py.File(self.folder / "a.h5") as file:
            lacking = file["status"][()] == 2
            self.assertEqual(lacking.sum(), summary["infeasible"])
            self.assertTrue(np.isnan(file["social_welfare"][()][lacking]).all())

    def slow_study(self):
        """One whose runs take a while."""
        self.write(STUDY.replace("agents: 10", "agents: 60").replace("replicates: 4", "replicates: 8"))

    def begin(self, *words, ranks=0):
        """A sweep to k.h5 that has done some runs by now."""
        process = program.start("sweep", self.study, "-o", self.folder / "k.h5", "--json", *words,
                                ranks=ranks)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        journals = ()
        end = time.monotonic() + 60
        while not any(p.stat().st_size > 500 for p in journals) and time.monotonic() < end:
            time.sleep(0.005)
            journals = list(self.folder.glob("k.h5*.journal"))
        self.assertIsNone(process.poll(), "the study is too short for this test")
        return process

    def kill(self, process):
        """Kills a launch and its ranks at once: those of a dead mpirun would go on for a while."""
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in (process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        process.communicate()

    def test_killed_and_run_again(self):
        self.slow_study()
        _, whole = self.sweep("a.h5")
        for ranks in (0, 2):
            process = self.begin(ranks=ranks)
            self.kill(process)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:  # a killed rank takes a moment to die
                result = program.run("sweep", self.study, "-o", self.folder / "k.h5", "--json", ranks=3)
                if result.code == 0:
                    break
                self.assertIn("another peerwatt is at work", result.err)
                time.sleep(0.2)
            self.assertGreater(result.json["done_before"], 0)
            self.assertEqual((self.folder / "k.h5").read_bytes(), whole)
            (self.folder / "k.h5").unlink()
        self.assertEqual(self.files(), ["a.h5", "study.yaml"])

    def test_interrupted(self):
        self.slow_study()
        _, whole = self.sweep("a.h5")
        for ranks in (0, 2):
            process = self.begin(ranks=ranks)
            process.send_signal(signal.SIGUSR1)
            result = program.finish(process)
            self.assertEqual(result.code, 75, result.err)
            self.assertIn("goes on", result.err)
            self.assertEqual(self.files(), ["a.h5", "k.h5.journal", "study.yaml"])
            self.assertEqual(self.sweep("k.h5")[1], whole)
            (self.folder / "k.h5").unlink()

    def test_time_limit(self):
        self.slow_study()
        result = program.run("sweep", self.study, "-o", self.folder / "k.h5", "--json", "--max-time", "0.2")
        self.assertEqual((result.code, result.json["status"]), (75, "interrupted"))
        self.assertIsNone(result.json["out"])

    def test_a_broken_journal(self):
        self.slow_study()
        _, whole = self.sweep("a.h5")
        process = self.begin()
        process.kill()
        process.communicate()
        journal = self.folder / "k.h5.journal"
        journal.write_bytes(journal.read_bytes()[:-7])
        result = program.run("sweep", self.study, "-o", self.folder / "k.h5")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("no whole record", result.err)
        self.assertEqual((self.folder / "k.h5").read_bytes(), whole)

    def test_a_journal_of_another_study(self):
        self.slow_study()
        process = self.begin()
        process.kill()
        process.communicate()
        self.write(STUDY)
        result = program.run("sweep", self.study, "-o", self.folder / "k.h5")
        self.assertEqual(result.code, 5)
        self.assertIn("another study", result.err)
        self.assertEqual(program.run("sweep", self.study, "-o", self.folder / "k.h5", "--force").code, 0)

    def test_shards(self):
        _, whole = self.sweep("a.h5")
        out = self.folder / "m.h5"
        for shard in (2, 0):
            summary, _ = self.sweep("m.h5", "--shard", f"{shard}/3")
            self.assertEqual((summary["runs"], summary["out"]), (8, f"{out}.shard-{shard}-of-3"))
        result = program.run("merge", self.study, "-o", out)
        self.assertEqual(result.code, 5)
        self.assertIn("shard-1-of-3", result.err)
        self.sweep("m.h5", "--shard", "1/3", ranks=2)
        self.assertEqual(self.sweep("m.h5", "--shard", "1/3")[0]["done_before"], 8)
        result = program.run("merge", self.study, "-o", out, "--json")
        self.assertEqual((result.code, result.json["runs"]), (0, N_RUNS), result.err)
        self.assertEqual(out.read_bytes(), whole)

    def test_results_stay(self):
        out = self.folder / "a.h5"
        out.write_text("precious")
        result = program.run("sweep", self.study, "-o", out)
        self.assertEqual((result.code, out.read_text()), (5, "precious"))
        self.assertEqual(self.files(), ["a.h5", "study.yaml"])

    def test_usage(self):
        for words, what in (((), "-o"), (("-o", "x.h5", "--shard", "3/3"), "0 <= i < n"),
                            (("-o", "x.h5", "-s", "negotiation.delta=1"), "varies"),
                            (("-o", "x.h5", "-s", "run.seed=1"), "seed"),
                            (("-o", "x.h5", "-s", "network.loss=1"), "network.loss")):
            result = program.run("sweep", self.study, *words, ranks=2 if "3/3" in words else 0)
            self.assertEqual(result.code, 2, words)
            self.assertEqual(len(program.ours(result.err)), 1)
            self.assertIn(what, result.err)

    def test_check(self):
        result = program.run("check", self.study, "--json")
        self.assertEqual((result.code, result.json["runs"]), (0, N_RUNS))
        self.assertGreater(result.json["run_s"], 0)
        self.assertIn("3 delta x 2 sigma x 4 replicates", program.run("check", self.study).out)

    def test_progress_is_lines_where_asked_for(self):
        self.write(STUDY.replace("agents: 10", "agents: 60").replace("replicates: 4", "replicates: 60"))
        result = program.run("sweep", self.study, "-o", self.folder / "a.h5", "--progress", "plain",
                             "--max-time", "3")
        self.assertRegex(result.err, rf"\d+ of {6 * 60} runs +about \d+ (s|min) to go")
        self.assertNotIn("\x1b", result.err)
        self.assertNotIn("\r", result.err)

    def test_wrong_studies(self):
        for name, (text, where, what) in WRONG.items():
            with self.subTest(name):
                self.write(text)
                for command in (("sweep", self.study, "-o", self.folder / "w.h5"), ("check", self.study)):
                    if name in ("empty", "not YAML", "no such case") and command[0] == "check":
                        continue  # nothing says that it is a study
                    result = program.run(*command)
                    self.assertEqual(result.code, 2, result.err)
                    self.assertEqual(len(result.err.splitlines()), 1, result.err)
                    self.assertIn(where, result.err)
                    self.assertIn(what, result.err)
                self.assertEqual(self.files(), ["study.yaml"])
        self.write(WRONG["unknown key"][0])
        result = program.run("sweep", self.study, "-o", self.folder / "w.h5", ranks=2)
        self.assertEqual((result.code, len(program.ours(result.err))), (2, 1))


class Figure8(program.InFolder):
    """The claim on a small version of the study that ships."""

    def test_less_waiting_is_faster_over_a_network_that_loses(self):
        path = program.ROOT / "configs" / "studies" / "fig8.yaml"
        self.assertEqual(program.run("check", path, "--json").json["runs"], 10500)
        text = path.read_text().replace("../cases", str(program.CASES))
        text = text.replace("steps: 21", "steps: 4").replace("replicates: 100", "replicates: 4")
        study = self.folder / "small.yaml"
        study.write_text(text)
        out = self.folder / "small.h5"
        result = program.run("sweep", study, "-o", out, "--json", ranks=2)
        self.assertEqual((result.code, result.json["converged"]), (0, 4 * 5 * 4), result.err)
        with h5py.File(out) as file:
            mean = file["convergence_time"][()].mean(axis=2)
            sigma = list(file["sigma"])
            self.assertLess(np.abs(file["welfare_gap"]).max(), 1e-4)
        best, waiting = mean[:-1].min(axis=0), mean[-1]
        self.assertLess(best[sigma.index(0.1)], 0.6 * waiting[sigma.index(0.1)])
        self.assertLess(best[sigma.index(0.01)], 0.75 * waiting[sigma.index(0.01)])
        growth, least = waiting[-1] / waiting[0] - 1, best[-1] / best[0] - 1
        self.assertGreater(growth, 2 * least)


if __name__ == "__main__":
    unittest.main()
