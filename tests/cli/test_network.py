"""Network models as users meet them: a simulation's bytes on any number of ranks, and what is recorded."""

import shutil
import unittest

import h5py
import program

# Every kind of delay from files and coordinates, losses in bursts, agents that differ and pause.
DELAYS = ("{model: gamma, mean_s: 0.1, std_s: 0.05, min_s: 0.02, links: links.csv}",
          "{model: distance, speed: 5000, hop_length: 50, hop_s: 0.01, jitter_s: 0.01, links: links.csv}",
          "{model: empirical, file: delays.csv}")
REST = ("loss: 0.05, burst_length: 4, burst_loss: 0.8, retransmit: doubling, compute_s: 0.02, "
        "compute_spread: 2, stragglers: 0.2, pause_every_s: 2, pause_s: 0.1")


class Simulated(program.InFolder):
    """A case with its network's tables beside it."""

    def setUp(self):
        super().setUp()
        for name in ("street.yaml", "street_agents.csv", "street_assets.csv"):
            shutil.copy(program.CASES / name, self.folder)
        (self.folder / "links.csv").write_text("agent_a,agent_b,min_s,loss\n0,1,0.005,0.2\n5,2,0.05,\n")
        (self.folder / "delays.csv").write_text("delay_s\n" + "".join(f"{0.02 + i / 3000}\n" for i in range(500)))

    def trace(self, delay, ranks):
        """The bytes of a run's trace."""
        path = self.folder / "t.h5"
        result = program.run("run", self.folder / "street.yaml", "-q", "-o", path, "--force", "-s",
                             "run.clock=virtual", "-s", f"network={{delay: {delay}, {REST}}}", ranks=ranks)
        self.assertEqual(result.code, 0, result.err)
        with h5py.File(path) as file:
            inputs = file["provenance"].attrs["inputs"]
        self.assertIn("delays.csv" if "empirical" in delay else "links.csv", str(inputs))
        return path.read_bytes()

    def test_the_same_bytes_on_any_number_of_ranks(self):
        for delay in DELAYS:
            alone = self.trace(delay, 1)
            for ranks in (2, 3):
                self.assertEqual(self.trace(delay, ranks), alone, f"{ranks} ranks, {delay}")

    def test_a_wrong_table_is_named_once(self):
        (self.folder / "links.csv").write_text("agent_a,agent_b,loss\n0,1,0.2\n1,0,0.2\n")
        result = program.run("run", self.folder / "street.yaml", "-s", "network.delay.links=links.csv", ranks=2)
        self.assertEqual(result.code, 2)
        self.assertEqual(result.err.count("links.csv:3: agents 1 and 0 are given twice"), 1, result.err)


if __name__ == "__main__":
    unittest.main()
