"""Runs on many ranks: the same market wherever the agents live, and how a run ends before its time."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

import h5py
import program

IEEE39 = program.CASES / "ieee39.yaml"
NETWORK = ("-s", "network.delay.model=gaussian", "-s", "network.delay.mean_s=0.004", "-s",
           "network.delay.std_s=0.001", "-s", "network.delay.min_s=0.0005", "-s", "network.loss=0.1",
           "-s", "network.retransmit_s=0.008")
# A run that would take minutes.
ENDLESS = ("-s", "network.delay.model=constant", "-s", "network.delay.mean_s=0.3", "-s",
           "stop.primal=1e-9", "-s", "stop.dual=1e-9", "-s", "stop.price=1e-9")
# One on the virtual clock.
SIMULATED = ("-s", "run.clock=virtual", "-s", "stop.criterion=global", "-s", "stop.primal=1e-30", "-s",
             "stop.max_rounds=2000000000", "-s", "stop.max_time_s=1e9")


class SameMarket(program.InFolder):
    """The optimum does not depend on the launch."""

    def clear(self, ranks, *words):
        """One run at the known optimum."""
        trace = self.folder / "t.h5"
        result = program.run("run", IEEE39, "--json", "-o", trace, "--force", *words, ranks=ranks)
        self.assertEqual(result.code, 0, result.err)
        summary = result.json
        self.assertEqual(summary["ranks"], ranks)
        self.assertAlmostEqual(summary["price_mean"], 57.2343, delta=1e-3)
        self.assertAlmostEqual(summary["power_injected"] / 3893.349, 1, delta=5e-4)
        self.assertLess(abs(summary["welfare_gap"]), 1e-5)
        self.assertLess(summary["price_mismatch_max"], 1e-3)
        with h5py.File(trace) as file:
            self.assertEqual(file["trades/power"].shape, (465,))

    def test_where_the_time_went(self):
        """One table of all ranks on stderr, whatever makes the run; its parts add up, on each rank to the same time."""
        ways = {"bulk": (), "wall": ("-s", "run.bulk=no"), "virtual": ("-s", "run.clock=virtual", "-s", "network.compute_s=0.1")}
        for ranks in (1, 2):
            for name, words in ways.items():
                with self.subTest(ranks=ranks, way=name):
                    result = program.run("run", IEEE39, "--json", "--log-view", "--progress", "none", *words,
                                         ranks=ranks)
                    self.assertEqual(result.code, 0, result.err)
                    self.assertEqual(result.json["ranks"], ranks)
                    self.assertIn(f"of {ranks} rank", result.err)
                    rows = {line[:27].strip(): line[27:].split() for line in result.err.splitlines()
                            if len(line[27:].split()) in (4, 7) and line[27:].split()[-1].isdigit()}
                    total = rows.pop("total")
                    means = sum(float(row[1]) for row in rows.values())
                    self.assertAlmostEqual(means, float(total[0]), delta=1e-3)
                    for row in rows.values():
                        self.assertLessEqual(float(row[0]), float(row[1]))
                        self.assertLessEqual(float(row[1]), float(row[2]))
                    self.assertEqual(sum(int(row[5]) for row in rows.values()), int(total[2]))
                    self.assertEqual(int(total[2]) > 0, ranks > 1)
                    self.assertGreaterEqual(int(rows["solve and exchange"][4]), 1)
                    self.assertRegex(result.err, r"took [0-9.]+ ns for each of")

    def test_placement_changes_no_market(self):
        """Agents in another order on the ranks, slots with warm starts among them: results in the case's own order."""
        day = program.CASES / "day.yaml"
        slots = ("-s", "slots.first=20", "-s", "slots.last=22", "-s", "stop.tolerance=1e-6", "-s", "run.reference=no")
        found = {}
        for way, words in {"alone": (), "blocks": ("-s", "run.placement=blocks"), "graph": ("-s", "run.placement=graph"),
                           "one by one": ("-s", "run.placement=graph", "-s", "run.bulk=no")}.items():
            trace = self.folder / f"{way}.h5"
            result = program.run("run", day, "-o", trace, "-v", *slots, *words, ranks=1 if way == "alone" else 3)
            self.assertEqual(result.code, 0, result.err)
            if way != "alone":
                self.assertIn("in blocks" if way == "blocks" else "by the graph", result.err)
            with h5py.File(trace) as file:
                found[way] = {name: file[f"agents/{name}"][()] for name in ("power", "price", "cost", "welfare", "peers")}
        for way, agents in found.items():
            for name, values in agents.items():
                scale = 1e-4 * abs(found["alone"][name]).max()
                self.assertLess(abs(values - found["alone"][name]).max(), scale, f"{way}: {name}")

    def test_ranks_draw_their_parts(self):
        """Markets that all ranks make, each its own links: the rounds and trades of one that has them all."""
        for links in ("sides", "{peers: 4}", "{random: 0.3, among: sides}"):
            found = {}
            for ranks in (1, 3):
                trace = self.folder / f"{ranks}.h5"
                result = program.run("run", program.CASES / "random.yaml", "--json", "-o", trace, "--force", "-s",
                                     "market.generate.agents=60", "-s", f"market.links={links}", ranks=ranks)
                self.assertEqual(result.code, 0, result.err)
                self.assertLess(abs(result.json["welfare_gap"]), 1e-3, links)
                with h5py.File(trace) as file:
                    found[ranks] = {name: file[f"trades/{name}"][()] for name in ("power", "penalty", "rounds")}
            for name, alone in found[1].items():
                self.assertLess(abs(found[3][name] - alone).max(), 1e-6 * abs(alone).max(), f"{links}: {name}")

    def test_few_ranks(self):
        for delta in ("1", "0.5", "0.1"):
            self.clear(5, "-s", f"negotiation.delta={delta}")
        self.clear(3, "-s", "negotiation.delta=0.5", "-s", "run.bulk=no")
        self.clear(5, "-s", "negotiation.delta=0.1", *NETWORK)
        self.clear(2, *NETWORK)

    def test_more_ranks_than_rank_0_hears(self):
        """In bulk rank 0 hears 32 ranks itself, of the others through those."""
        for delta in ("1", "0.5"):
            result = program.run("run", program.CASES / "random.yaml", "--json", "-s", "market.generate.agents=120", "-s",
                                 "market.links=sides", "-s", f"negotiation.delta={delta}", ranks=40)
            self.assertEqual(result.code, 0, result.err)
            self.assertEqual(result.json["ranks"], 40)
            self.assertLess(abs(result.json["welfare_gap"]), 1e-4)

    def test_one_agent_per_rank(self):
        self.clear(32, "-s", "negotiation.delta=0.5", *NETWORK)

    def test_more_ranks_than_agents(self):
        result = program.run("run", program.CASES / "random.yaml", "--json", "-s",
                             "market.generate.agents=3", "-s", "market.links=all", ranks=6)
        self.assertEqual(result.code, 0, result.err)
        self.assertLess(abs(result.json["welfare_gap"]), 1e-3)


class Launch(unittest.TestCase):
    """A launcher that the MPI library does not understand."""

    def test_many_lone_processes_are_refused(self):
        env = {**program.environment(), "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"}
        done = subprocess.run([program.PROGRAM, "run", IEEE39, "-q"], env=env, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("started 4 processes, but MPI sees one", done.stderr)


class Ending(program.InFolder):
    """Signals, silent ranks, dead ranks."""

    def start(self, ranks, *words, case=IEEE39):
        """A run that is under way."""
        trace = self.folder / "t.h5"
        process = program.start("run", case, "--json", "-o", trace, *ENDLESS, *words, ranks=ranks)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        time.sleep(1.5 if ranks else 0.7)
        self.assertIsNone(process.poll())
        return process, trace

    def check_interrupted(self, process, trace):
        """Exit code 75 and a complete trace."""
        result = program.finish(process)
        self.assertEqual(result.code, 75, result.err)
        self.assertEqual(result.json["status"], "interrupted")
        with h5py.File(trace) as file:
            self.assertEqual(file["status"][()], 3)
            self.assertEqual(file["agents/power"].shape, (31,))

    def test_a_lone_process_takes_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            with self.subTest(number):
                process, trace = self.start(0)
                process.send_signal(number)
                self.check_interrupted(process, trace)
                trace.unlink()

    def test_a_signal_counts_from_the_start(self):
        words = ("-s", "market.generate.agents=1500", "-s", "market.links=sides")
        process = program.start("run", program.CASES / "random.yaml", "--json", *words, *ENDLESS)
        time.sleep(0.1)
        process.send_signal(signal.SIGUSR1)
        result = program.finish(process)
        self.assertEqual((result.code, result.json["status"]), (75, "interrupted"), result.err)

    def test_a_suspended_run_goes_on(self):
        process, trace = self.start(0, "-s", "stop.stall_s=2")
        for _ in range(2):
            process.send_signal(signal.SIGSTOP)
            time.sleep(2.5)
            process.send_signal(signal.SIGCONT)
            time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.check_interrupted(process, trace)

    def test_usr1_through_mpirun(self):
        process, trace = self.start(3)
        process.send_signal(signal.SIGUSR1)
        self.check_interrupted(process, trace)

    def test_term_to_mpirun_leaves_no_broken_file(self):
        process, trace = self.start(3)
        process.send_signal(signal.SIGTERM)
        self.assertNotEqual(program.finish(process).code, 0)
        if trace.exists():
            with h5py.File(trace) as file:
                self.assertEqual(file["agents/power"].shape, (31,))

    @staticmethod
    def ranks_of(process):
        """Process ids of the ranks that a launch started, in the order of their ranks."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                variables = dict(word.split("=", 1) for word in
                                 (folder / "environ").read_text().split("\0") if "=" in word)
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError, UnicodeDecodeError):
                continue
            rank = variables.get("OMPI_COMM_WORLD_RANK", variables.get("PMI_RANK"))
            if rank is not None and (parent == process.pid or variables.get("PMI_RANK")):
                found.append((int(rank), int(folder.name)))
        return [pid for _, pid in sorted(found)]

    def after_a_rank_hangs(self, rank, *words, case=IEEE39):
        """What a run on 3 ranks says that ends because of it, and leaves no trace."""
        process, trace = self.start(3, "-s", "stop.stall_s=2", *words, case=case)
        pids = self.ranks_of(process)
        self.assertEqual(len(pids), 3)
        signal_process(pids[rank], signal.SIGSTOP)
        try:
            result = program.finish(process)
        finally:
            signal_process(pids[rank], signal.SIGKILL)
        self.assertEqual(result.code, 6, result.err)
        self.assertFalse(trace.exists())
        return result.err

    def test_a_rank_that_hangs_is_named(self):
        said = self.after_a_rank_hangs(1)
        self.assertIn("rank 1 has been silent", said)
        self.assertRegex(said, r"agent \d+ waits for \d+")

    def test_a_rank_that_hangs_is_named_on_the_virtual_clock(self):
        said = self.after_a_rank_hangs(1, *SIMULATED)
        self.assertRegex(said, "waited 2 s for .*: (rank 1 hangs|one of ranks 1, 2 hangs)")

    def test_a_rank_that_hangs_is_named_though_its_neighbour_waits_for_it(self):
        assets = "".join(f"{n},x,{'0,12,.3,2' if n % 2 else '-8,-1,.3,8'}\n" for n in range(60))
        links = "".join(f"{n},{n + 1}\n" for n in range(59))
        case = self.write_case("peerwatt: 1\nmarket: {assets: assets.csv, links: links.csv}\n",
                               assets="agent,asset,p_min,p_max,a,b\n" + assets, links="agent_a,agent_b\n" + links)
        said = self.after_a_rank_hangs(2, *SIMULATED, "-s", "network.delay.model=gaussian", "-s",
                                       "network.delay.std_s=0.05", "-s", "network.delay.min_s=0.1", case=case)
        self.assertRegex(said, "waited 2 s for .*: (rank 2 hangs|one of ranks 1, 2 hangs)")

    def test_a_rank_that_dies_ends_the_run(self):
        process, trace = self.start(3)
        signal_process(self.ranks_of(process)[2], signal.SIGKILL)
        self.assertNotEqual(program.finish(process).code, 0)
        self.assertFalse(trace.exists())


def signal_process(pid, number):
    """Sends a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    unittest.main()
