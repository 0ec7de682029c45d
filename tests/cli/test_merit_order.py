"""Figure 1: the crossing of supply and demand is the optimum that the program finds by another way, on any pool."""

import os
import subprocess
import sys
import unittest

import program

SCRIPTS = program.ROOT / "run_scripts"
sys.path.insert(0, str(SCRIPTS / "figures"))
import fig1  # noqa: E402


class MeritOrder(program.InFolder):
    """Tables of assets, and what is drawn of them."""

    def reference(self, case, *words):
        """The optimum and the table of a case."""
        table = self.folder / "assets.csv"
        result = program.run("reference", case, "--json", "--force", "-o", table, *words)
        self.assertEqual(result.code, 0, result.err)
        return result.json, table

    def assert_crosses(self, case, *words):
        """The crossing is at the price and the power of the reference."""
        optimum, table = self.reference(case, *words)
        assets = fig1.read_assets(table)
        price = fig1.crossing(assets)
        self.assertAlmostEqual(price / optimum["price_mean"], 1, places=9)
        low, high = (fig1.sold_and_bought(assets, price * (1 + tiny), True)[0] for tiny in (-1e-9, 1e-9))
        self.assertLessEqual(low * (1 - 1e-6), optimum["power_injected"])
        self.assertGreaterEqual(high * (1 + 1e-6), optimum["power_injected"])

    def test_the_crossing_is_the_optimum(self):
        self.assert_crosses(program.CASES / "ieee39.yaml")
        for seed in range(1, 9):
            self.assert_crosses(program.CASES / "random.yaml", "-s", "market.links=sides", "-s",
                                f"market.generate.agents={5 * seed}", "-s", f"market.generate.seed={seed}")

    def test_linear_costs_cross_on_a_step(self):
        for name, text, price in (
                ("step", "0,\"sun, cheap\",0,3,0,1\n0,coal,0,9,0,2\n1,load,-5,-5,0,0\n", 2),
                ("drop", "0,gas,0,9,0,1\n1,keen,-4,0,0,8\n1,mild,-9,0,0,3\n", 3)):
            table = self.folder / f"{name}.csv"
            table.write_text("agent,asset,p_min,p_max,a,b\n" + text)
            self.assertEqual(fig1.crossing(fig1.read_assets(table)), price)

    def test_the_table_is_a_case_s(self):
        case = program.CASES / "street.yaml"
        optimum, table = self.reference(case)
        again = program.run("reference", case, "--json", "-s", f"market.assets={table}").json
        self.assertEqual(optimum, again)

    def test_draws_and_refuses(self):
        env = {**os.environ, "FIGURES": str(self.folder)}
        done = subprocess.run([SCRIPTS / "fig1.sh", program.CASES / "street.yaml"], env=env, check=False,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for kind in ("png", "svg"):
            self.assertGreater((self.folder / f"fig1.{kind}").stat().st_size, 5000)
        (self.folder / "bad.csv").write_text("agent,asset\n0,x\n")
        done = subprocess.run([SCRIPTS / "python", SCRIPTS / "figures" / "fig1.py", self.folder / "bad.csv",
                               self.folder / "fig1.json", "-o", self.folder / "x"], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1), done.stderr)

    def test_keeps_a_table_that_is_there(self):
        _, table = self.reference(program.CASES / "street.yaml")
        before = table.read_bytes()
        result = program.run("reference", program.CASES / "ieee39.yaml", "-o", table)
        self.assertEqual((result.code, table.read_bytes()), (5, before))
        self.assertIn("--force", result.err)


if __name__ == "__main__":
    unittest.main()
