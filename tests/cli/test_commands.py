"""The commands as a user types them: help, results, exit codes, files."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import program

STREET = program.CASES / "street.yaml"
IEEE39 = program.CASES / "ieee39.yaml"
RANDOM = program.CASES / "random.yaml"
SUMMARY = """status clock agents trades ranks delta loss seed convergence_time_s end_time_s iterations_mean
    messages_sent messages_retransmitted messages_duplicate messages_lost primal_residual dual_residual
    social_welfare reference_welfare welfare_gap price_mean power_injected power_traded fees_collected
    fees_base fees_table fees_distance fees_zone fees_community fees_preference
    price_mismatch_max balance_max imbalance wall_s total_s trace""".split()


class Help(unittest.TestCase):
    """Every command explains itself."""

    def test_every_command(self):
        for command in ("run", "sweep", "merge", "check", "reference", "info"):
            result = program.run(command, "--help")
            self.assertEqual((result.code, result.err), (0, ""))
            self.assertIn(f"usage: peerwatt {command}", result.out)
            self.assertIn("Exit codes:", result.out)
            self.assertTrue(all(len(line) <= 120 for line in result.out.splitlines()), command)

    def test_overview_and_version(self):
        for words in (("--help",), ("help",)):
            result = program.run(*words)
            self.assertEqual(result.code, 0)
            self.assertIn("reference", result.out)
        self.assertRegex(program.run("--version").out, r"^peerwatt \d+\.\d+\.\d+\n$")

    def test_once_under_mpirun(self):
        result = program.run("run", "--help", ranks=3)
        self.assertEqual(result.code, 0)
        self.assertEqual(result.out.count("usage:"), 1)

    def test_settings_are_listed(self):
        out = program.run("run", "--help").out
        for setting in ("negotiation.delta", "network.delay.mean_s", "stop.price", "run.seed"):
            self.assertIn(setting, out)


class Choosing(program.InFolder):
    """At most so many peers for every agent."""

    def links(self, *words):
        return "-s", "market.links={" + ", ".join(words) + "}"

    def test_run_reaches_the_optimum_on_few_links(self):
        trace = self.folder / "t.h5"
        for way in ("random", "greedy", "planned", "adaptive"):
            words = (RANDOM, "-s", "market.generate.agents=40", *self.links(f"choose: {way}", "peers: 4", "among: sides"))
            self.assertIn("the case is valid", program.run("check", *words).out)
            summary = program.run("run", *words, "--json", "--force", "-o", trace).json
            self.assertEqual((summary["status"], summary["agents"]), ("converged", 40))
            self.assertLess(abs(summary["welfare_gap"]), 1e-3)
            with h5py.File(trace) as file:
                peers = file["agents/peers"][()]
                said = file["provenance"].attrs["case"].decode()
            self.assertIn(f"choose: {way}, peers: 4, among: sides, seed: 1", said)
            self.assertEqual(peers.sum(), 2 * summary["trades"])
            self.assertTrue((peers <= 4).all() and peers.mean() > 3.5, peers)

    def test_what_cannot_be_served_is_refused(self):
        words = ("-s", "market.generate.consumers=0.8", *self.links("choose: greedy", "peers: 3", "among: sides"))
        result = program.run("check", RANDOM, *words)
        self.assertEqual(result.code, 4)
        self.assertIn("no feasible solution", result.err)

    def test_wrong_words(self):
        for wrong, says in ((("choose: gready", "peers: 3"), 'did you mean "greedy"'), (("choose: greedy",), "needs peers"),
                            (("choose: nearest", "peers: 3"), "needs the columns x and y")):
            result = program.run("check", RANDOM, *self.links(*wrong))
            self.assertEqual(result.code, 2)
            self.assertIn("market.links", result.err)
            self.assertIn(says, result.err)


class Run(program.InFolder):
    """One market, alone."""

    def test_json(self):
        trace = self.folder / "t.h5"
        result = program.run("run", STREET, "--json", "-o", trace, "-s", "run.seed=7")
        summary = result.json
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertFalse([name for name in SUMMARY if name not in summary])
        self.assertEqual((summary["status"], summary["seed"]), ("converged", 7))
        self.assertEqual((summary["agents"], summary["trades"], summary["ranks"]), (13, 78, 1))
        self.assertEqual(summary["trace"], str(trace))
        self.assertLess(abs(summary["welfare_gap"]), 1e-4)
        self.assertEqual(self.files(), ["t.h5"])

    def test_text(self):
        result = program.run("run", STREET)
        self.assertEqual((result.code, result.err), (0, ""))
        for word in ("cleared", "price", "EUR/kWh", "welfare", "gap", "offers", "1 rank"):
            self.assertIn(word, result.out)

    def test_quiet(self):
        result = program.run("run", STREET, "-q")
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))

    def test_verbose_prints_a_case_that_can_be_read_back(self):
        result = program.run("run", RANDOM, "-v", "-q", "-s", "negotiation.delta=0.7")
        text = result.err[result.err.index("peerwatt: 1"):]
        again = program.run("run", self.write_case(text), "--json")
        self.assertEqual((again.code, again.json["delta"]), (0, 0.7))

    def test_a_setting_that_is_not_used_is_warned_about(self):
        result = program.run("run", STREET, "-s", "network.delay.std_s=1")
        self.assertEqual(result.code, 0)
        self.assertIn("warning: network.delay.std_s", result.err)
        self.assertEqual(len(result.err.splitlines()), 1)
        quiet = program.run("run", STREET, "-q", "-s", "network.delay.std_s=1")
        self.assertEqual((quiet.code, quiet.out, quiet.err), (0, "", ""))

    def test_what_is_read_is_not_replaced(self):
        case = self.write_case("peerwatt: 1\nmarket: {assets: a.csv, links: l.csv}\n")
        rows = {"a.csv": "agent,asset,p_min,p_max,a,b\n0,,-2,-1,0,1\n1,,0,3,0.1,0\n",
                "l.csv": "agent_a,agent_b\n0,1\n"}
        for name, text in rows.items():
            (case.parent / name).write_text(text)
        for option, name in (("-o", case.name), ("-o", "a.csv"), ("--bills", "l.csv"), ("-o", "./a.csv")):
            before = (case.parent / name).read_text()
            result = program.run("run", case, option, case.parent / name, "--force")
            self.assertEqual((result.code, (case.parent / name).read_text()), (2, before), result.err)
            self.assertIn("is an input of this run", result.err)
        out = case.parent / "new.h5"
        result = program.run("run", case, "-o", out, "--bills", case.parent / "." / "new.h5", "--force")
        self.assertEqual((result.code, out.exists()), (2, False))
        self.assertIn("name the same file", result.err)

    def test_what_cannot_be_printed_is_an_error(self):
        for command in (("reference", STREET), ("check", STREET), ("run", STREET), ("--help",), ("--version",), ("run", "--help"),
                        ("help", "sweep")):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run(program.command_line(command, 0), stdout=full, stderr=subprocess.PIPE,
                                      text=True, check=False)
            self.assertEqual(done.returncode, 5, command)
            self.assertIn("standard output takes no more", done.stderr)

    def test_the_limit_that_was_met_is_named(self):
        for setting, name in (("stop.max_rounds=5", "stop.max_rounds"), ("stop.max_time_s=1e-6", "stop.max_time_s")):
            for bulk in ("auto", "no"):
                result = program.run("run", STREET, "-q", "-s", setting, "-s", f"run.bulk={bulk}")
                self.assertEqual(result.code, 3)
                self.assertIn(f"({name}", result.err)

    def test_help_of_a_command(self):
        self.assertEqual(program.run("help", "run").out, program.run("run", "--help").out)
        self.assertEqual(program.run("help", "rnu").code, 2)

    def test_an_existing_trace_stays(self):
        trace = self.folder / "t.h5"
        trace.write_text("precious")
        result = program.run("run", STREET, "-o", trace)
        self.assertEqual((result.code, trace.read_text()), (5, "precious"))
        self.assertIn("--force", result.err)
        self.assertEqual(program.run("run", STREET, "-q", "-o", trace, "--force").code, 0)
        with h5py.File(trace) as file:
            self.assertEqual(file["n_agents"][()], 13)

    def test_a_trace_that_cannot_be_written(self):
        for path in (self.folder / "none" / "t.h5", self.folder, "/dev/full/t.h5"):
            result = program.run("run", STREET, "-o", path)
            self.assertEqual((result.code, len(result.err.splitlines())), (5, 1), result.err)
        self.assertEqual(self.files(), [])

    def test_limits(self):
        trace = self.folder / "t.h5"
        slow = ("-s", "network.delay.model=constant", "-s", "network.delay.mean_s=0.05")
        for limit in (("-s", "stop.max_rounds=3"), ("-s", "stop.max_time_s=0.2"), ("--max-time", "0.3")):
            result = program.run("run", STREET, "--json", "-o", trace, "--force", *slow, *limit)
            self.assertEqual((result.code, result.json["status"]), (3, "limit"), limit)
            self.assertIsNone(result.json["convergence_time_s"])
            self.assertIn("not converged", result.err)
            with h5py.File(trace) as file:
                self.assertEqual(file["status"][()], 1)

    def test_a_limit_of_rounds_in_bulk(self):
        words = ("-s", "run.bulk=yes", "-s", "market.generate.agents=150", "-s", "market.links={peers: 4}", "-s",
                 "stop.criterion=global", "-s", "stop.tolerance=1e-6")
        for rounds in (1, 2, 7, 40, 60, 64):
            result = program.run("run", program.CASES / "random.yaml", "--json", *words, "-s",
                                 f"stop.max_rounds={rounds}")
            self.assertEqual((result.code, result.json["status"]), (3, "limit"), rounds)
            self.assertAlmostEqual(result.json["iterations_mean"], rounds, delta=1e-9)

    def test_bulk_does_not_miss_an_end_that_lasts_a_round_or_two(self):
        for agents, *words in ((9, "negotiation.penalty=4.8"), (17, "stop.tolerance=0.045"),
                               (17, "stop.primal=255", "negotiation.penalty=7.15")):
            settings = [word for setting in (f"market.generate.agents={agents}", "market.links=sides",
                                             "stop.criterion=global", *words) for word in ("-s", setting)]
            bulk, single = (program.run("run", program.CASES / "random.yaml", "--json", "-s", f"run.bulk={bulk}", *settings)
                            for bulk in ("yes", "no"))
            self.assertEqual((bulk.code, single.code), (0, 0))
            self.assertLessEqual(bulk.json["iterations_mean"], single.json["iterations_mean"] + 2, words)

    def test_a_market_in_which_nothing_is_worth_a_trade(self):
        (self.folder / "assets.csv").write_text("agent,asset,p_min,p_max,a,b\n0,gen,0,4,0.14,6.9\n1,supplier,-1000,1000,"
                                                "0.01,6\n")
        case = self.folder / "case.yaml"
        case.write_text("peerwatt: 1\nmarket: {assets: assets.csv, links: all}\n")
        result = program.run("run", case)
        self.assertEqual(result.code, 0, result.err)
        self.assertRegex(result.out, r"optimum \S+ \((gap 0\.0e\+00|\S+ short) of it\)")

    def test_progress_is_lines_where_asked_for(self):
        slow = ("-s", "network.delay.model=constant", "-s", "network.delay.mean_s=0.08")
        result = program.run("run", STREET, "--progress", "plain", *slow)
        self.assertEqual(result.code, 0)
        self.assertRegex(result.err, r"round \d+ +\d+ messages")
        self.assertNotIn("\x1b", result.err)
        self.assertNotIn("\r", result.err)

    def test_a_result_that_cannot_be_printed(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([program.PROGRAM, "run", STREET, "--json"], stdout=full, check=False,
                                  stderr=subprocess.PIPE, env=program.environment(), timeout=60)
        self.assertEqual(done.returncode, 5, done.stderr)

    def test_no_optimum_unless_wanted(self):
        result = program.run("run", STREET, "--json", "-s", "run.reference=no")
        self.assertEqual((result.code, result.json["welfare_gap"]), (0, None))


class Market(unittest.TestCase):
    """The shipped cases clear where an independent method says."""

    def test_ieee39(self):
        for words in ((), ("-s", "negotiation.delta=0.1"),
                      ("-s", "network.loss=0.1", "-s", "network.retransmit_s=0.002")):
            summary = program.run("run", IEEE39, "--json", *words).json
            self.assertAlmostEqual(summary["price_mean"], 57.2343, delta=1e-3)
            self.assertAlmostEqual(summary["power_injected"] / 3893.349, 1, delta=5e-4)
            self.assertLess(abs(summary["welfare_gap"]), 1e-5)
            self.assertLess(summary["price_mismatch_max"], 1e-3)

    def test_every_shipped_case(self):
        for case in sorted(program.CASES.glob("*.yaml")):
            self.assertEqual(program.run("check", case, "-q").code, 0)
            reference = program.run("reference", case, "--json").json
            run = program.run("run", case, "--json")
            self.assertEqual(run.code, 0, case)
            self.assertLess(reference["kkt_residual"], 1e-6)
            self.assertAlmostEqual(run.json["social_welfare"] / reference["social_welfare"], 1, delta=1e-4)

    def test_a_penalty_far_off_never_ends_wrong(self):
        optimum = program.run("reference", IEEE39, "--json").json["social_welfare"]
        for penalty in ("3e-5", "30", "300"):
            result = program.run("run", IEEE39, "--json", "-s", f"negotiation.penalty={penalty}",
                                 "-s", "stop.max_rounds=20000")
            self.assertIn(result.code, (0, 3))
            if result.code == 0:
                self.assertAlmostEqual(result.json["social_welfare"] / optimum, 1, delta=1e-4)

    def test_generated_markets_of_any_size(self):
        for agents in (2, 3, 7, 400):
            result = program.run("run", RANDOM, "--json", "-s", f"market.generate.agents={agents}",
                                 "-s", "market.links=sides")
            self.assertEqual((result.code, result.json["agents"]), (0, agents), result.err)
            self.assertLess(abs(result.json["welfare_gap"]), 1e-3)


class OtherCommands(unittest.TestCase):
    """check, reference, info."""

    def test_check(self):
        result = program.run("check", IEEE39, "--json")
        self.assertEqual((result.json["agents"], result.json["trades"], result.json["ranks_wanted"]),
                         (31, 465, 32))
        text = program.run("check", IEEE39).out
        for word in ("valid", "mpirun -n 32", "memory", "messages"):
            self.assertIn(word, text)

    def test_check_shows_the_placement(self):
        """Two villages that meet at one link, numbered in turn: blocks cut half of all links, the graph one of them."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            agents = range(40)
            (folder / "assets.csv").write_text("agent,asset,p_min,p_max,a,b\n" + "".join(
                f"{n},x,{-1 - n % 3},{2 + n % 5},0.1,{n % 7}\n" for n in agents))
            links = [(i, j) for i in agents for j in agents if i < j and i % 2 == j % 2] + [(0, 1)]
            (folder / "links.csv").write_text("agent_a,agent_b\n" + "".join(f"{i},{j}\n" for i, j in links))
            case = folder / "case.yaml"
            case.write_text("peerwatt: 1\nmarket: {assets: assets.csv, links: links.csv}\n")
            one_by_one = ("-s", "run.bulk=no")
            by_graph = program.run("check", case, "--json", *one_by_one).json["placement"][0]
            self.assertEqual((by_graph["ranks"], by_graph["by"]), (2, "graph"))
            self.assertAlmostEqual(by_graph["links_between_ranks"], 1 / len(links))
            blocks = program.run("check", case, "--json", "-s", "run.placement=blocks").json["placement"][0]
            crossing = sum((i < 20) != (j < 20) for i, j in links) / len(links)
            self.assertEqual(blocks["by"], "blocks")
            self.assertAlmostEqual(blocks["links_between_ranks"], crossing)
            self.assertIn("(by the graph)", program.run("check", case, *one_by_one).out)
            self.assertIn("(in blocks)", program.run("check", case).out)  # in bulk messages are small

    def test_reference(self):
        result = program.run("reference", IEEE39, "--json")
        self.assertAlmostEqual(result.json["price_mean"], 57.2343, delta=1e-4)
        self.assertAlmostEqual(result.json["social_welfare"], 92547.875, delta=1e-2)

    def test_info(self):
        info = program.run("info", "--json").json
        for library in ("MPI", "HDF5", "libyaml", "jansson"):
            self.assertIn(library, info["libraries"])
        self.assertIn("gaussian", program.run("info").out)

    def test_one_answer_under_mpirun(self):
        result = program.run("reference", IEEE39, "--json", ranks=2)
        self.assertEqual(result.code, 0)
        self.assertIn("method", json.loads(result.out))


if __name__ == "__main__":
    unittest.main()
