"""A day of time slots as a user runs it: killed and resumed, on ranks, its bills, its errors."""

import csv
import pathlib
import random
import signal
import subprocess
import time
import unittest

import h5py
import numpy

import program

DAY = program.CASES / "day.yaml"
CLOCK = ("-s", "run.clock=virtual", "-s", "network.delay.model=exponential", "-s", "network.delay.mean_s=0.02",
         "-s", "network.delay.min_s=0.001", "-s", "network.loss=0.1")
SCRIPTS = program.ROOT / "run_scripts"
KILLS = 10


class Slots(program.InFolder):
    """A case of many slots."""

    def whole(self, *words, ranks=0):
        """The trace of a run that nobody disturbs, as bytes."""
        trace = self.folder / f"whole-{ranks}.h5"
        result = program.run("run", DAY, "-q", "-o", trace, *CLOCK, *words, ranks=ranks)
        self.assertEqual(result.code, 0, result.err)
        self.assertFalse(trace.with_name(trace.name + ".journal").exists())
        return trace.read_bytes()

    def test_killed_and_resumed_it_ends_with_the_same_bytes(self):
        began = time.monotonic()
        expected = self.whole()
        span = time.monotonic() - began
        trace = self.folder / "killed.h5"
        journal = trace.with_name("killed.h5.journal")
        draw = random.Random(5)
        sizes = set()
        for i in range(KILLS):
            process = program.start("run", DAY, "-q", "-o", trace, *CLOCK)
            time.sleep(draw.uniform(0.05, 0.25) * span)
            process.send_signal(signal.SIGKILL if i % 2 else signal.SIGTERM)
            program.finish(process)
            if trace.exists():
                break
            sizes.add(journal.stat().st_size if journal.exists() else 0)
        self.assertGreater(len(sizes), 1, "no kill met a run under way")
        if not trace.exists():
            result = program.run("run", DAY, "-q", "-o", trace, "--resume", journal, *CLOCK)
            self.assertEqual(result.code, 0, result.err)
        self.assertEqual(trace.read_bytes(), expected)
        self.assertFalse(journal.exists())

    def test_the_same_bytes_on_any_number_of_ranks(self):
        words = ("-s", "slots.last=5", "-s", "run.timeline=yes")
        traces = {self.whole(*words, ranks=ranks) for ranks in (0, 2, 3)}
        self.assertEqual(len(traces), 1)

    def test_a_limit_of_time_keeps_what_is_done(self):
        trace = self.folder / "cut.h5"
        result = program.run("run", DAY, "--json", "-o", trace, "--max-time", "0.05", *CLOCK)
        self.assertEqual(result.code, 3, result.err)
        self.assertIn("the same command goes on from", result.err)
        self.assertFalse(trace.exists())
        self.assertEqual(result.json["status"], "limit")
        result = program.run("run", DAY, "-q", "-o", trace, *CLOCK)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(trace.read_bytes(), self.whole())

    def test_peers_change_from_slot_to_slot(self):
        words = ("run", DAY, "-q", *CLOCK, "-s", "slots.last=15", "-s", "market.links={choose: adaptive, peers: 4}")
        trace, cut, two = (self.folder / name for name in ("whole.h5", "cut.h5", "two.h5"))
        self.assertEqual(program.run(*words, "-o", trace).code, 0)
        self.assertEqual(program.run(*words, "-o", two, ranks=2).code, 0)
        for _ in range(40):  # cut off again and again, until it is through
            result = program.run(*words, "-o", cut, "--max-time", "0.02")
            if cut.exists():
                break
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(trace.read_bytes(), two.read_bytes())
        self.assertEqual(trace.read_bytes(), cut.read_bytes())
        with h5py.File(trace) as file:
            sent, penalty, trade = (file[f"trades/{name}"][()] for name in ("messages", "penalty", "power"))
            ends = numpy.concatenate([file["trades/agent_a"][()], file["trades/agent_b"][()]])
        numpy.testing.assert_array_equal(sent > 0, ~numpy.isnan(penalty))
        self.assertEqual(abs(trade[sent == 0]).max(), 0)
        for slot in sent > 0:
            self.assertLessEqual(numpy.bincount(ends[numpy.tile(slot, 2)]).max(), 4)
        self.assertTrue((sent[0] > 0).tolist() != (sent[-1] > 0).tolist())

    def test_ranks_at_their_own_pace_over_many_slots(self):
        result = program.run("run", DAY, "--json", "-s", "negotiation.delta=0.2", "-s", "slots.last=15", "-s",
                             "slots.warm_start=trades", ranks=3)
        self.assertEqual(result.code, 0, result.err)
        self.assertLess(abs(result.json["welfare_gap"]), 1e-3)

    def test_another_runs_journal_is_refused(self):
        trace = self.folder / "cut.h5"
        program.run("run", DAY, "-q", "-o", trace, "--max-time", "0.05", *CLOCK)
        result = program.run("run", DAY, "-q", "-o", trace, *CLOCK, "-s", "run.seed=2")
        self.assertEqual(result.code, 5, result.err)
        self.assertIn("another study, case", result.err)

    def test_resume_without_a_journal(self):
        result = program.run("run", DAY, "--resume", self.folder / "no.journal")
        self.assertEqual(result.code, 5, result.err)
        self.assertIn("is not there", result.err)
        result = program.run("run", DAY, "-s", "slots.last=0", "--resume", self.folder / "no.journal")
        self.assertEqual(result.code, 2, result.err)

    def test_warm_starts_need_fewer_rounds_and_end_at_the_optimum(self):
        calls, trades, cold = (program.run("run", DAY, "--json", "-s", f"slots.warm_start={word}").json
                               for word in ("yes", "trades", "no"))
        self.assertLess(calls["iterations_mean"], 0.18 * cold["iterations_mean"])
        self.assertLess(trades["iterations_mean"], 0.85 * cold["iterations_mean"])
        for summary in (calls, trades, cold):
            self.assertEqual((summary["status"], summary["slots"]), ("converged", 48))
            self.assertLess(abs(summary["welfare_gap"]), 1e-4)

    def test_bills_add_up(self):
        bills = self.folder / "bills.csv"
        result = program.run("run", DAY, "--json", "--bills", bills)
        self.assertEqual(result.code, 0, result.err)
        with bills.open(encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        agents = [row for row in rows if row["agent"] != "sum"]
        self.assertEqual(len(agents), 17)

        def total(column):
            return sum(float(row[column]) for row in agents)

        self.assertAlmostEqual(total("paid") / total("received"), 1.0, delta=1e-9)
        self.assertAlmostEqual(total("fees") / (24 * result.json["fees_collected"]), 1.0, delta=1e-9)
        self.assertAlmostEqual(total("balance"), -total("fees"), delta=1e-9 * total("paid"))
        for row in agents:
            self.assertAlmostEqual(float(row["received"]) - float(row["paid"]) - float(row["fees"]),
                                   float(row["balance"]), delta=1e-9)

    def test_wrong_slots(self):
        for words, says in ((("-s", "slots.count=12"), "after the last slot"),
                            (("-s", "slots.length_h=0.4"), "no slot starts at"),
                            (("-s", "slots.first=48"), "slots.first"),
                            (("-s", "market.profiles=no.csv"), "no.csv")):
            result = program.run("check", DAY, *words)
            self.assertEqual(result.code, 2, words)
            self.assertIn(says, result.err)


class Pictures(program.InFolder):
    """What is drawn of a day, and of one market under five organisations."""

    def draw(self, *words):
        """Runs a script that draws; the pictures it says it wrote."""
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False,
                              env={**program.environment(), "FIGURES": str(self.folder)})
        self.assertEqual(done.returncode, 0, done.stderr)
        paths = [pathlib.Path(line) for line in done.stdout.split()]
        for path in paths:
            self.assertGreater(path.stat().st_size, 10000, path)
        return [path.name for path in paths]

    def test_a_day(self):
        trace = self.folder / "day.h5"
        program.run("run", DAY, "-q", "-o", trace, *CLOCK, "-s", "slots.last=12")
        self.assertEqual(self.draw(SCRIPTS / "python", SCRIPTS / "figures" / "draw.py", trace),
                         ["day-day.png", "day-day.svg"])

    def test_figure_2(self):
        self.assertEqual(self.draw(SCRIPTS / "fig2.sh", "-s", "stop.tolerance=1e-8"), ["fig2.png", "fig2.svg"])
        numbers = {}
        for name in ("pool", "communities", "hybrid", "sparse", "full"):
            with h5py.File(self.folder / f"fig2-{name}.h5") as file:
                numbers[name] = float(file["social_welfare"][()]), float(file["price_mean"][()])
        for name in ("pool", "communities", "hybrid"):
            for ours, full in zip(numbers[name], numbers["full"]):
                self.assertAlmostEqual(ours / full, 1.0, delta=1e-6)
        self.assertLess(numbers["sparse"][0], 0.99 * numbers["full"][0])


class Structures(unittest.TestCase):
    """The village as a pool, as communities, and as one mesh."""

    def test_they_agree_without_fees(self):
        village = program.CASES / "village.yaml"
        summaries = [program.run("run", village, "--json", "-s", f"market.links={links}", "-s",
                                 "stop.tolerance=1e-8").json for links in ("all", "pool", "communities")]
        for summary in summaries:
            self.assertEqual(summary["status"], "converged")
            for number in ("social_welfare", "price_mean"):
                self.assertAlmostEqual(summary[number] / summaries[0][number], 1.0, delta=1e-6)


if __name__ == "__main__":
    unittest.main()
