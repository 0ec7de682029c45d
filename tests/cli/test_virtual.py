"""The virtual clock as a user runs it: the same bytes on any number of ranks, errors, signals."""

import hashlib
import signal
import time
import unittest

import program

IEEE39 = program.CASES / "ieee39.yaml"
RANDOM = program.CASES / "random.yaml"
STREET = program.CASES / "street.yaml"
POOL = program.CASES / "pool.yaml"
CLOCK = ("-s", "run.clock=virtual", "-s", "network.compute_s=0.1", "-s", "network.delay.mean_s=1")
LOSSY = ("-s", "network.loss=0.1", "-s", "network.retransmit_s=2", "-s", "run.timeline=yes")
MODELS = {"constant": (), "exponential": ("-s", "network.delay.min_s=0.1"),
          "gaussian": ("-s", "network.delay.std_s=0.2", "-s", "network.delay.min_s=0.1")}


class Virtual(program.InFolder):
    """Traces are identical byte for byte."""

    def digest(self, case, ranks, *words):
        """The trace of one run, as a digest."""
        trace = self.folder / "t.h5"
        result = program.run("run", case, "-q", "-o", trace, "--force", *words, ranks=ranks)
        self.assertEqual(result.code, 0, result.err)
        return hashlib.sha256(trace.read_bytes()).hexdigest()

    def test_the_same_bytes_on_any_number_of_ranks(self):
        for model, words in MODELS.items():
            for delta in ("1", "0.4"):
                settings = (*CLOCK, *LOSSY, *words, "-s", f"network.delay.model={model}", "-s",
                            f"negotiation.delta={delta}")
                digests = {self.digest(STREET, ranks, *settings) for ranks in (0, 1, 2, 3, 5)}
                self.assertEqual(len(digests), 1, (model, delta))

    def test_the_same_bytes_wherever_agents_live(self):
        words = ("-s", "market.generate.agents=60", "-s", "market.links={peers: 4}", "-s", "network.delay.model=gamma",
                 "-s", "network.delay.mean_s=1", "-s", "network.delay.std_s=0.5", "-s", "network.compute_s=0.2", "-s",
                 "network.stragglers=0.3", "-s", "network.straggler_factor=3", "-s", "run.placement=graph")
        for exchange in ("paired", "latest"):
            settings = (*CLOCK, *LOSSY, *words, "-s", f"negotiation.exchange={exchange}", "-s", "stop.max_rounds=300")
            digests = {self.digest(RANDOM, ranks, *settings) for ranks in (0, 2, 3)}
            self.assertEqual(len(digests), 1, exchange)

    def test_a_market_so_large_that_ranks_host_by_their_speed(self):
        words = ("-s", "market.generate.agents=2200", "-s", "market.links={peers: 10, among: sides}", "-s",
                 "network.delay.model=gaussian", "-s", "network.delay.mean_s=1", "-s", "network.delay.std_s=0.2", "-s",
                 "network.delay.min_s=0.4", "-s", "run.reference=no", "-s", "stop.tolerance=1e-2")
        result = program.run("check", RANDOM, "--json", *words)
        self.assertGreaterEqual(result.json["trades"], 20000)
        digests = {self.digest(RANDOM, ranks, *CLOCK, *words) for ranks in (0, 2)}
        self.assertEqual(len(digests), 1)

    def test_a_course_that_is_followed(self):
        settings = ("-s", "market.generate.agents=400", "-s", "market.links={peers: 10}", "-s", "run.reference=no", "-s",
                    "network.delay.model=gaussian", "-s", "network.delay.std_s=0.2", "-s", "network.delay.min_s=0.1",
                    "-s", "network.compute_spread=3", "-s", "stop.criterion=global")
        for tolerance, others in (("1e-2", (2,)), ("1e-3", (2, 3))):
            words = (*CLOCK, *settings, "-s", f"stop.tolerance={tolerance}")
            digests = {self.digest(RANDOM, ranks, *words) for ranks in (0, *others)}
            self.assertEqual(len(digests), 1, tolerance)

    def test_other_algorithms_too(self):
        for case, exchange in ((STREET, "innovation"), (POOL, "pool"), (POOL, "innovation")):
            settings = (*CLOCK, *LOSSY, *MODELS["gaussian"], "-s", "network.delay.model=gaussian", "-s",
                        f"negotiation.exchange={exchange}", "-s", "stop.tolerance=1e-2", "-s",
                        "stop.max_time_s=1e6", "-s", "run.timeline=no")
            digests = {self.digest(case, ranks, *settings) for ranks in (0, 1, 3)}
            self.assertEqual(len(digests), 1, (case, exchange))

    def test_old_and_new_offers_in_one_instant(self):
        settings = ("-s", "market.generate.agents=11", "-s", "market.generate.seed=1052", "-s",
                    "market.links={random: 0.3}", "-s", "network.delay.model=constant", "-s", "negotiation.delta=0.8",
                    "-s", "negotiation.exchange=latest", "-s", "stop.criterion=global", "-s", "stop.max_rounds=2000",
                    "-s", "stop.max_time_s=1e6")
        digests = {self.digest(RANDOM, ranks, *CLOCK, *LOSSY, *settings) for ranks in (0, 2, 3)}
        self.assertEqual(len(digests), 1)

    def test_a_lookahead_of_next_to_nothing(self):
        words = ("-s", "run.clock=virtual", "-s", "network.delay.model=exponential", "-s",
                 "network.delay.mean_s=1", "-s", "market.generate.agents=5", "-s", "market.links=all")
        self.assertEqual(self.digest(RANDOM, 0, *words), self.digest(RANDOM, 2, *words))
        result = program.run("run", RANDOM, *words, ranks=2)
        self.assertIn("lookahead", result.err)

    def test_seeds_differ(self):
        words = (*CLOCK, *LOSSY, "-s", "network.delay.model=exponential")
        one, two = (self.digest(STREET, 0, *words, "-s", f"run.seed={seed}") for seed in (1, 2))
        self.assertNotEqual(one, two)

    def test_the_optimum(self):
        for delta in ("1", "0.5", "0.1"):
            summary = program.run("run", IEEE39, "--json", *CLOCK, "-s", "network.delay.model=exponential",
                                  "-s", f"negotiation.delta={delta}", ranks=2).json
            self.assertEqual(summary["clock"], "virtual")
            self.assertAlmostEqual(summary["price_mean"], 57.2343, delta=1e-3)
            self.assertLess(abs(summary["welfare_gap"]), 1e-5)
            self.assertLessEqual(summary["convergence_time_s"], summary["end_time_s"])

    def test_nothing_takes_time(self):
        result = program.run("run", STREET, "-s", "run.clock=virtual")
        self.assertEqual(result.code, 2)
        self.assertIn("something must take time", result.err)

    def test_a_signal_ends_it(self):
        for ranks in (0, 2):
            process = program.start("run", IEEE39, "--json", *CLOCK, "-s", "network.delay.model=exponential",
                                    "-s", "stop.primal=1e-30", "-s", "stop.max_rounds=2000000000", "-s",
                                    "stop.max_time_s=1e9", ranks=ranks)
            self.addCleanup(lambda p=process: p.poll() is None and p.kill())
            time.sleep(1.5)
            process.send_signal(signal.SIGUSR1)
            result = program.finish(process)
            self.assertEqual((result.code, result.json["status"]), (75, "interrupted"), result.err)


if __name__ == "__main__":
    unittest.main()
