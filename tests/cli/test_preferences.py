"""Fees by kind and preferences as a user meets them: the shipped case, its trace and picture, what is refused."""

import csv
import os
import shutil
import subprocess
import unittest

import h5py
import numpy as np

import program

GREEN = program.CASES / "green.yaml"
KINDS = ("base", "table", "distance", "zone", "community", "preference")


class Preferences(program.InFolder):
    """The case `green`."""

    def green(self, **files):
        """A copy of the case with some of its files in other words."""
        for path in program.CASES.glob("green*"):
            shutil.copy(path, self.folder)
        for name, text in files.items():
            (self.folder / f"green_{name}.csv").write_text(text)
        return self.folder / "green.yaml"

    def test_every_cent_is_accounted_for(self):
        out, bills = self.folder / "g.h5", self.folder / "bills.csv"
        result = program.run("run", GREEN, "--json", "-o", out, "--bills", bills)
        self.assertEqual((result.code, result.err), (0, ""))
        kinds = [result.json[f"fees_{kind}"] for kind in KINDS]
        self.assertAlmostEqual(sum(kinds) / result.json["fees_collected"], 1, delta=1e-12)
        self.assertEqual([kind > 0 for kind in kinds], [True, False, True, True, False, True])
        with open(bills, encoding="utf-8") as table:
            rows = [row for row in csv.DictReader(table) if row["agent"] != "sum"]
        total = {name: sum(float(row[name]) for row in rows) for name in ("paid", "received", "fees", "balance")}
        self.assertAlmostEqual(total["paid"] / total["received"], 1, delta=1e-9)
        self.assertAlmostEqual(total["balance"] / -total["fees"], 1, delta=1e-9)
        self.assertAlmostEqual(total["fees"] / result.json["fees_collected"], 1, delta=1e-9)
        with h5py.File(out) as file:
            trades = {name: item[()] for name, item in file["trades"].items()}
            money = np.abs(trades["power"]) * (trades["fee_a"] + trades["fee_b"])
            self.assertAlmostEqual(money.sum() / result.json["fees_collected"], 1, delta=1e-9)
            self.assertEqual([file[f"fees_{kind}"][()] for kind in KINDS], kinds)
            classes = [bytes(text).rstrip(b"\0") for text in file["agents/class"][()]]
        seller, price = trades["agent_a"], trades["price_a"]
        used = trades["power"] > 0.05
        green = np.array([classes[agent] == b"green" for agent in seller])
        self.assertGreater(price[used & green].min(), price[used & ~green].max() + 0.02)

    def test_more_for_the_crossing_of_zones_means_less_of_it(self):
        money = [program.run("run", GREEN, "--json", "-s", f"market.fees.zone={fee}").json["fees_zone"] / fee
                 for fee in (0.002, 0.008, 0.05)]
        self.assertGreater(money[0], money[1])
        self.assertGreater(money[1], money[2])

    def test_a_sweep_takes_fees_for_an_axis(self):
        study = self.folder / "study.yaml"
        study.write_text(f"peerwatt: 1\nname: fees\ncase: {os.path.relpath(GREEN, self.folder)}\n"
                         "set: {run.clock: wall}\nreplicates: 1\naxes:\n  - name: zone\n"
                         "    setting: market.fees.zone\n    values: [0, 0.01]\n")
        result = program.run("sweep", study, "-o", self.folder / "s.h5", "--json")
        self.assertEqual((result.code, result.json["converged"]), (0, 2), result.err)

    def assert_refused(self, case, *words):
        result = program.run("run", case)
        self.assertEqual(result.code, 2, result.err)
        for word in words:
            self.assertIn(word, result.err)

    def test_refusals(self):
        self.assert_refused(self.green(preferences="agent,peer,fee\nclass:kean,*,1\n"), "green_preferences.csv:2",
                            'did you mean "keen"')
        self.assert_refused(self.green(preferences="agent,peer,fee\n*,class:green,1\n*,zone:north,2\n"), ":3:",
                            "line 2")
        plain = (program.CASES / "green_agents.csv").read_text().replace("zone", "bus")
        self.assert_refused(self.green(agents=plain.replace("north", "1").replace("south", "2")),
                            "market.fees.zone", "a column zone is needed")

    def test_a_row_for_nobody_is_told(self):
        case = self.green(preferences="agent,peer,fee\nclass:grey,class:grey,1\n")
        result = program.run("run", case)
        self.assertEqual(result.code, 0)
        self.assertIn("market.preferences: line 2 speaks of no two agents that are linked", result.err)

    def test_the_picture(self):
        out = self.folder / "g.h5"
        self.assertEqual(program.run("run", GREEN, "-q", "-o", out).code, 0)
        done = subprocess.run([program.ROOT / "run_scripts" / "python", program.ROOT / "run_scripts/figures/draw.py",
                               out], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("g-prices.png", done.stdout)
        self.assertGreater((self.folder / "g-prices.png").stat().st_size, 10000)


if __name__ == "__main__":
    unittest.main()
