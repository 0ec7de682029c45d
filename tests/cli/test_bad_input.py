"""Wrong input: one clear error at the user's file and line, exit code 2 or 4, nothing started, no file left."""

import unittest

import program

HEAD = "agent,asset,p_min,p_max,a,b\n"
ASSETS = HEAD + "0,load,-10,-1,0.1,9\n1,gen,0,20,0.1,2\n"
CASE = "peerwatt: 1\nname: x\nmarket:\n  assets: assets.csv\n  links: all\n"
TABLE = CASE.replace("links: all", "links: links.csv")
PEOPLE = CASE + "  agents: agents.csv\n"

# name: (yaml, assets, where in the message, what in the message)
WRONG = {
    "unknown key": (CASE + "negotiation:\n  delte: 0.5\n", ASSETS, "case.yaml:7", 'did you mean "delta"'),
    "unknown section": (CASE + "negotation:\n  delta: 0.5\n", ASSETS, "case.yaml:6", "did you mean"),
    "delta 0": (CASE + "negotiation:\n  delta: 0\n", ASSETS, "case.yaml:7", "delta"),
    "delta over 1": (CASE + "negotiation:\n  delta: 1.01\n", ASSETS, "case.yaml:7", "delta"),
    "relaxation 1": (CASE + "negotiation:\n  relaxation: 1\n", ASSETS, "case.yaml:7", "relaxation"),
    "stiffness below 1": (CASE + "negotiation:\n  stiffness: 0.5\n", ASSETS, "case.yaml:7", "stiffness"),
    "penalty 0": (CASE + "negotiation:\n  penalty: 0\n", ASSETS, "case.yaml:7", "penalty"),
    "exchange": (CASE + "negotiation:\n  exchange: pared\n", ASSETS, "case.yaml:7", "paired"),
    "unit": (CASE + "stop:\n  primal: 1.5kW\n", ASSETS, "case.yaml:7", "1.5kW"),
    "nan": (CASE + "stop:\n  primal: .nan\n", ASSETS, "case.yaml:7", "primal"),
    "infinity": (CASE + "stop:\n  dual: .inf\n", ASSETS, "case.yaml:7", "dual"),
    "octal": (CASE + "run:\n  seed: 010\n", ASSETS, "case.yaml:7", "010"),
    "fraction for whole": (CASE + "run:\n  seed: 1.5\n", ASSETS, "case.yaml:7", "seed"),
    "twice": (CASE + "stop:\n  primal: 1\n  primal: 2\n", ASSETS, "case.yaml:8", "primal"),
    "no version": (CASE[12:], ASSETS, "case.yaml:1", "peerwatt: 1"),
    "version 9": (CASE.replace(": 1", ": 9", 1), ASSETS, "case.yaml:1", "peerwatt"),
    "tab": ("peerwatt: 1\n\tname: x\n", ASSETS, "case.yaml:2", ""),
    "empty file": ("", ASSETS, "case.yaml", ""),
    "not YAML": ("{[", ASSETS, "case.yaml:1", ""),
    "binary": (b"\x00\x01", ASSETS, "case.yaml", ""),
    "list for section": (CASE + "stop: [1, 2]\n", ASSETS, "case.yaml:6", "stop"),
    "section for value": (CASE + "run:\n  seed: {a: 1}\n", ASSETS, "case.yaml:7", "seed"),
    "missing table": (CASE.replace("assets.csv", "none.csv"), ASSETS, "case.yaml:4", "none.csv"),
    "no market": ("peerwatt: 1\nname: x\n", ASSETS, "case.yaml:1", "market.assets"),
    "assets and recipe": (CASE + "  generate: {agents: 4}\n", ASSETS, "case.yaml:6", "either"),
    "loss 1": (CASE + "network:\n  loss: 1.0\n", ASSETS, "case.yaml:7", "loss"),
    "bad model": (CASE + "network:\n  delay: {model: gausian}\n", ASSETS, "case.yaml:7", "gaussian"),
    "constant without mean": (CASE + "network:\n  delay: {model: gaussian, mean_s: -1}\n", ASSETS,
                              "case.yaml:7", "mean_s"),
    "links word": (CASE.replace("links: all", "links: everyone"), ASSETS, "case.yaml:5", "everyone"),
    "density 2": (CASE.replace("links: all", "links: {random: 2}"), ASSETS, "case.yaml:5", ""),
    "nearest without places": (CASE.replace("links: all", "links: {nearest: 1}"), ASSETS, "case.yaml:5", ""),
    "empty table": (CASE, "", "assets.csv:1", ""),
    "header only": (CASE, HEAD, "assets.csv", ""),
    "unknown column": (CASE, ASSETS.replace("p_min", "pmin"), "assets.csv:1", "pmin"),
    "few cells": (CASE, ASSETS + "2,load,-1\n", "assets.csv:4", ""),
    "many cells": (CASE, ASSETS + "2,load,-5,0,0.1,3,7\n", "assets.csv:4", ""),
    "min over max": (CASE, ASSETS + "2,load,5,-5,0.1,3\n", "assets.csv:4", "p_min"),
    "concave": (CASE, ASSETS + "2,load,-5,0,-0.1,3\n", "assets.csv:4", ""),
    "nan cell": (CASE, ASSETS + "2,load,nan,0,0.1,3\n", "assets.csv:4", "nan"),
    "hexadecimal": (CASE, ASSETS + "2,load,-0x10,0,0.1,3\n", "assets.csv:4", "-0x10"),
    "text cell": (CASE, ASSETS + "2,load,-5,0,abc,3\n", "assets.csv:4", "abc"),
    "empty cell": (CASE, ASSETS + "2,load,,0,0.1,3\n", "assets.csv:4", "p_min"),
    "infinite cell": (CASE, ASSETS + "2,load,-inf,0,0.1,3\n", "assets.csv:4", "-inf"),
    "gap in ids": (CASE, ASSETS + "7,load,-5,0,0.1,3\n", "assets.csv", ""),
    "negative id": (CASE, ASSETS + "-1,load,-5,0,0.1,3\n", "assets.csv:4", "-1"),
    "open quote": (CASE, ASSETS + '2,"load,-5,0,0.1,3\n', "assets.csv:4", ""),
    "binary table": (CASE, b"\x00\x01\x02\n", "assets.csv", ""),
}

LINKS = {"itself": ("0,0", 2), "twice": ("0,1\n1,0", 3), "stranger": ("0,99", 2), "text": ("0,x", 2),
         "one cell": ("0", 2)}
AGENTS = {"stranger": ("0,home\n9,house", 3), "twice": ("0,home\n0,house", 3), "missing": ("0,home", 1),
          "one coordinate": ("0,home\n1,house", 1)}


class BadInput(program.InFolder):
    """Each wrong input alone."""

    def refuse(self, case, where, what, code=2):
        """The one error at its place; no trace."""
        result = program.run("run", case, "-o", self.folder / "out.h5", "--progress", "none")
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(result.out, "")
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        self.assertIn(where, result.err)
        self.assertIn(what, result.err)
        self.assertFalse([name for name in self.files() if "h5" in name])

    def test_cases_and_assets(self):
        for name, (yaml, assets, where, what) in WRONG.items():
            with self.subTest(name):
                self.refuse(self.write_case(yaml, assets=assets), where, what)

    def test_links(self):
        for name, (rows, line) in LINKS.items():
            with self.subTest(name):
                case = self.write_case(TABLE, assets=ASSETS, links="agent_a,agent_b\n" + rows + "\n")
                self.refuse(case, f"links.csv:{line}", "")

    def test_agents(self):
        for name, (rows, line) in AGENTS.items():
            with self.subTest(name):
                head = "agent,name,x\n" if name == "one coordinate" else "agent,name\n"
                case = self.write_case(PEOPLE, assets=ASSETS, agents=head + rows + "\n")
                self.refuse(case, "agents.csv" + (f":{line}" if line > 1 else ""), "")

    def test_infeasible_names_the_agents(self):
        assets = HEAD + "0,load,-10,-8,0.1,9\n1,gen,0,5,0.1,2\n"
        self.refuse(self.write_case(CASE, assets=assets), "case.yaml", "0", code=4)
        result = program.run("run", self.folder / "case.yaml", "--json")
        self.assertEqual((result.code, result.json["status"]), (4, "infeasible"))

    def test_overrides(self):
        case = self.write_case(CASE, assets=ASSETS)
        for word in ("negotiation.delta=2", "negotiation.delte=0.5", "delta=1", "run.seed", "run.seed=",
                     "stop.primal=1kW", "network.delay.model=warp", "=3"):
            with self.subTest(word):
                result = program.run("run", case, "-s", word)
                self.assertEqual((result.code, len(result.err.splitlines())), (2, 1), result.err)
                self.assertIn("-s", result.err)

    def test_one_message_from_many_ranks(self):
        case = self.write_case(CASE + "stop: 3\n", assets=ASSETS)
        result = program.run("run", case, "-o", self.folder / "out.h5", ranks=3)
        self.assertEqual(result.code, 2)
        self.assertEqual(len(program.ours(result.err)), 1, result.err)
        self.assertNotIn("out.h5", self.files())


class BadCommandLine(program.InFolder):
    """What stands on the command line."""

    def test_usage(self):
        street = program.CASES / "street.yaml"
        lines = {(): "usage", ("rnu", street): 'did you mean "run"', ("run",): "case file is missing",
                 ("run", street, street): "one case file", ("run", "none.yaml"): "none.yaml",
                 ("run", street, "--jsn"): 'did you mean "--json"', ("run", street, "-x"): "-x",
                 ("run", street, "--json=1"): "takes no value", ("run", street, "-o"): "missing",
                 ("run", street, "--max-time", "soon"): "soon", ("run", street, "--max-time", "0"): "> 0",
                 ("run", street, "--progress", "loud"): "auto, plain or none",
                 ("check", street, "-o", "x.h5"): "no such option", ("info", street): "takes no file",
                 ("run", self.folder): "is a folder"}
        for words, what in lines.items():
            with self.subTest(words):
                result = program.run(*words)
                self.assertEqual((result.code, result.out), (2, ""), result.err)
                self.assertIn(what, result.err)


if __name__ == "__main__":
    unittest.main()
