"""Tables in HDF5: the same market as from CSV, and one clear line for whatever is wrong with them."""

import random
import unittest

import h5py
import numpy as np
import program

ASSETS = {"agent": np.array([0, 1, 1, 2], dtype="i8"), "asset": np.array(["gen", "load", "pv", "load"], dtype="S"),
          "p_min": np.array([0, -8, 0, -6], dtype="f4"), "p_max": np.array([12.0, -1, 3, -1]),
          "a": np.array([0.3, 0.4, 0.1, 0.5]), "b": np.array([2, 9, 4, 8], dtype="i2")}
AGENTS = {"agent": np.array([2, 0, 1], dtype="u1"), "name": ["zwei", "Müller", "eins"], "x": np.array([0.0, 1, 2]),
          "y": np.array([0.0, 0, 1]), "zone": np.array(["n", "s", ""], dtype="S")}
LINKS = {"agent_a": np.array([0, 0, 2]), "agent_b": np.array([1, 2, 1]), "t_max": np.array([5.0, np.nan, np.nan]),
         "fee_a": np.array([0.1, np.nan, 0.2])}
CASE = """peerwatt: 1
name: tables
market: {assets: %s, agents: %s, links: %s, fee: 0.05}
"""


def write(path, tables):
    """A group for each table, a dataset for each column."""
    with h5py.File(path, "w") as file:
        for group, columns in tables.items():
            for name, values in columns.items():
                file[f"{group}/{name}"] = values


def as_text(value):
    """A cell as CSV has it."""
    if isinstance(value, bytes):
        return value.decode()
    return "" if isinstance(value, float) and np.isnan(value) else str(value)


class Tables(program.InFolder):
    """A market of three agents."""

    def setUp(self):
        super().setUp()
        self.case = self.folder / "case.yaml"
        self.case.write_text(CASE % (("m.h5",) * 3))
        self.market = {"assets": ASSETS, "agents": AGENTS, "links": LINKS}

    def test_the_same_as_csv(self):
        write(self.folder / "m.h5", self.market)
        for group, columns in self.market.items():
            rows = zip(*([as_text(x.item() if isinstance(x, np.generic) else x) for x in values]
                         for values in columns.values()))
            lines = [",".join(columns), *(",".join(row) for row in rows)]
            (self.folder / f"{group}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        text = self.folder / "text.yaml"
        text.write_text(CASE % ("assets.csv", "agents.csv", "links.csv"))
        found = {}
        for case in (self.case, text):
            trace = self.folder / f"{case.stem}.h5"
            result = program.run("run", case, "-o", trace, "-q")
            self.assertEqual(result.code, 0, result.err)
            with h5py.File(trace) as file:
                found[case] = {name: file[name][()] for name in (
                    "agents/power", "agents/name", "agents/zone", "trades/power", "trades/fee_a", "trades/price_a")}
        for name, values in found[self.case].items():
            np.testing.assert_array_equal(values, found[text][name], name)
        self.assertGreater(abs(found[text]["trades/power"]).max(), 1)

    def refused(self, tables, *words, code=2):
        """One line on stderr that says all the words."""
        write(self.folder / "m.h5", tables)
        result = program.run("check", self.case)
        self.assertEqual((result.code, result.err.count("\n")), (code, 1), result.err)
        for word in words:
            self.assertIn(word, result.err)

    def test_what_is_wrong_is_named(self):
        def changed(table, **columns):
            kept = {name: values for name, values in {**self.market[table], **columns}.items() if values is not None}
            return {**self.market, table: kept}

        self.refused(changed("assets", p_max=None), "m.h5:/assets/p_max", "missing")
        self.refused(changed("assets", pmax=np.zeros(4)), "m.h5:/assets/pmax", "not known", "p_max")
        self.refused(changed("assets", a=np.zeros((4, 1))), "m.h5:/assets/a", "one dimension")
        self.refused(changed("assets", a=np.zeros(3)), "m.h5:/assets/a", "3 rows", "4")
        self.refused(changed("assets", a=np.array(["1"] * 4, dtype="S")), "m.h5:/assets/a", "numbers")
        self.refused(changed("assets", asset=np.zeros(4)), "m.h5:/assets/asset", "texts")
        self.refused(changed("assets", b=np.array([1, np.nan, 1, 1])), "m.h5:/assets:1: b:", "not a number")
        self.refused(changed("assets", b=np.array([1, 1, np.inf, 1])), "m.h5:/assets:2: b:", "too large")
        self.refused(changed("assets", p_min=np.array([0, 0, 0, 0.0])), "m.h5:/assets:1:", "above p_max")
        self.refused(changed("assets", agent=np.array([0, 1, 1, 2.5])), "m.h5:/assets:3: agent:", "2.5")
        self.refused(changed("assets", agent=np.array([0, 1, 1, 3])), "m.h5:/assets:3: agent:", "without gaps")
        self.refused(changed("assets", agent=np.array([0, -1, 1, 2])), "m.h5:/assets:1: agent:", "-1")
        self.refused(changed("assets", **{name: values[:0] for name, values in ASSETS.items()}), "/assets", "no asset")
        self.refused(changed("agents", name=np.array(["a", "b\x01", "c"], dtype="S")), "m.h5:/agents:1: name:", "text")
        self.refused(changed("agents", y=None), "m.h5:/agents", "x and y")
        self.refused(changed("links", agent_b=np.array([1, 7, 1])), "m.h5:/links:1: agent_b:", "7")
        self.refused(changed("links", agent_b=np.array([1, 1, 1])), "m.h5:/links:1:", "twice")
        self.refused({"assets": ASSETS, "links": LINKS}, "m.h5:/agents", "no such group")
        self.refused({**self.market, "links": {"agent_a": LINKS["agent_a"], "agent_b/x": LINKS["agent_b"]}},
                     "m.h5:/links/agent_b")

    def test_broken_files_do_no_harm(self):
        """Cut off or with bytes changed: a market, or one line; never a crash."""
        write(self.folder / "m.h5", self.market)
        whole = (self.folder / "m.h5").read_bytes()
        draw = random.Random(5)
        for trial in range(120):
            broken = bytearray(whole if trial % 3 else whole[:draw.randrange(9, len(whole))])
            for _ in range(trial % 3 * 4):
                broken[draw.randrange(8, len(broken))] = draw.randrange(256)
            (self.folder / "m.h5").write_bytes(broken)
            result = program.run("check", self.case)
            self.assertIn(result.code, (0, 2, 4), f"trial {trial}: {result.err}")
            self.assertLessEqual(result.err.count("\n"), 1, result.err)


if __name__ == "__main__":
    unittest.main()
