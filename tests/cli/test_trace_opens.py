"""A trace as an analyst meets it: it opens with the usual readers, says what everything is, and adds up.

Run by `run_scripts/python tests/cli/test_trace_opens.py`.
"""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np
import program

STREET = program.CASES / "street.yaml"
NEW_NAMES = {"no2-pv": "Königsallee 2", "no7-pv": "屋根", "no9-flat": "", "supplier": "Électricité, réseau"}
GUIDE = program.ROOT / "docs" / "trace.md"
GROUPS = {
    "agents": ("agent", "power", "price", "remainder", "cost", "fees", "welfare", "peers", "iterations", "wait_time",
               "compute_time", "messages_sent", "name_length", "name"),
    "trades": ("trade", "agent_a", "agent_b", "power", "price_a", "price_b", "fee_a", "fee_b", "penalty", "rounds", "messages",
               "settled_time"),
    "bills": ("agent", "energy_bought", "energy_sold", "energy_remainder", "paid", "received", "fees", "balance",
              "price_bought", "price_sold"),
    "convergence": ("time", "primal", "dual", "price", "social_welfare", "messages", "active_trades"),
}
FLAGS = {"status": "converged limit infeasible interrupted", "clock": "wall virtual"}
LAUNCH = {"ranks", "wall_s", "total_s", "trace"}
RENAMED = {"agents": "n_agents", "trades": "n_trades", "slots": "n_slots"}
NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable."
PLAIN_TYPES = ("int8", "int32", "int64", "float64")


def needs(*modules):
    """Skips a test, saying why, where a module is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def datasets(file):
    """All variables by their path, those of the root first."""
    found = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
    for group in GROUPS:
        found.update({f"{group}/{name}": item for name, item in file[group].items()})
    return found


def text(value):
    """A text of a fixed width as a str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def same(ours, theirs):
    """Equal values, unknown ones and texts included."""
    ours, theirs = np.asarray(ours), np.ma.filled(theirs, np.nan)
    if ours.dtype.kind == "U":
        return list(ours) == list(theirs)
    return np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")


def write_street(folder):
    """Writes the street with other names, some beyond ASCII, one empty; returns the case and all names."""
    rows = [row.split(",") for row in (program.CASES / "street_agents.csv").read_text().splitlines()]
    names = [NEW_NAMES.get(name, name) for _, name, *_ in rows]
    lines = (",".join([number, f'"{name}"', *place]) for (number, _, *place), name in zip(rows, names))
    (folder / "street_agents.csv").write_text("\n".join(lines) + "\n")
    for name in ("street.yaml", "street_assets.csv"):
        shutil.copy(program.CASES / name, folder)
    return folder / "street.yaml", names[1:]


class WithTrace(unittest.TestCase):
    """Tests that read one trace of a converged run."""

    @classmethod
    def setUpClass(cls):
        """Runs the program once."""
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder = pathlib.Path(holder.name)
        cls.path = cls.folder / "run.h5"
        case, cls.names = write_street(cls.folder)
        result = program.run("run", case, "-o", cls.path, "--progress", "none", "--json")
        assert result.code == 0, result.err
        cls.summary = result.json
        cls.file = h5py.File(cls.path)
        cls.addClassCleanup(cls.file.close)

    def scalar(self, name):
        """A number of the root."""
        return self.file[name][()]

    def columns(self, group, *names):
        """Whole variables of a group."""
        return [self.file[group][name][()] for name in names]


class Form(WithTrace):
    """Names, types, units, axes."""

    def test_groups_and_variables(self):
        self.assertEqual(set(self.file), {*GROUPS, "provenance"} | self.root_names())
        for group, names in GROUPS.items():
            self.assertEqual(set(self.file[group]), set(names), group)
        self.assertEqual(len(self.file["provenance"]), 0)

    def root_names(self):
        """What the root has: the summary without what depends on the launch."""
        return {RENAMED.get(name, name) for name in set(self.summary) - LAUNCH}

    def test_root_is_the_summary(self):
        for name, value in self.summary.items():
            if name in LAUNCH or name in FLAGS:
                continue
            stored = self.scalar(RENAMED.get(name, name))
            self.assertTrue(same(stored, np.nan if value is None else value), f"{name} is {stored}")

    def test_flags_are_words(self):
        for name, words in FLAGS.items():
            attributes = self.file[name].attrs
            self.assertEqual(text(attributes["flag_meanings"]), words)
            self.assertEqual(list(attributes["flag_values"]), list(range(len(words.split()))))
            self.assertEqual(attributes["flag_values"].dtype, self.file[name].dtype)
            self.assertEqual(words.split()[self.scalar(name)], self.summary[name])

    def test_root_says_what_it_is(self):
        attributes = {name: text(value) for name, value in self.file.attrs.items()}
        self.assertEqual(attributes["Conventions"], "CF-1.10 peerwatt-trace-1")
        self.assertEqual(attributes["title"], "street")
        self.assertEqual(set(attributes), {"Conventions", "title", "history", "references"})

    def test_every_variable_has_units_and_a_name(self):
        for name, item in datasets(self.file).items():
            self.assertTrue(text(item.attrs["units"]), name)
            self.assertGreater(len(text(item.attrs["long_name"])), 4, name)

    def test_units_are_those_of_the_case(self):
        for name, units in (("agents/power", "kW"), ("trades/price_a", "EUR/kWh"), ("agents/peers", "1"),
                            ("social_welfare", "EUR/h"), ("convergence/time", "s"),
                            ("convergence/primal", "kW")):
            self.assertEqual(text(self.file[name].attrs["units"]), units, name)

    def test_types_are_plain(self):
        for name, item in datasets(self.file).items():
            string = h5py.check_string_dtype(item.dtype)
            if string is None:
                self.assertIn(item.dtype.name, PLAIN_TYPES, name)
                self.assertNotEqual(item.dtype.byteorder, ">", name)
            else:
                self.assertEqual((name, *string), ("agents/name", "utf-8", 1))

    def test_every_axis_has_its_scale_in_the_group(self):
        for group, (axis, *names) in GROUPS.items():
            scale = self.file[group][axis]
            self.assertTrue(h5py.h5ds.is_scale(scale.id), group)
            for name in set(names) - {"name", "name_length"}:
                dimensions = self.file[group][name].dims
                self.assertEqual([list(d.values()) for d in dimensions], [[scale]], f"{group}/{name}")
        self.assertTrue(all(self.file[name].shape == () for name in self.root_names()))

    def test_names(self):
        name, length = self.file["agents/name"], self.file["agents/name_length"]
        self.assertEqual(name.dtype, "S1")
        self.assertEqual([b"".join(row).decode().rstrip("\0") for row in name], self.names)
        self.assertEqual(text(name.attrs["_Encoding"]), "utf-8")
        self.assertEqual([list(d.values()) for d in name.dims], [[self.file["agents/agent"]], [length]])
        self.assertEqual(list(length), list(range(name.shape[1])))
        self.assertTrue(h5py.h5ds.get_scale_name(length.id).startswith(NO_VARIABLE))

    def test_order_of_creation_is_kept(self):
        wanted = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
        for group in ("/", *GROUPS, "provenance"):
            self.assertEqual(self.file[group].id.get_create_plist().get_link_creation_order(), wanted, group)

    def test_unknown_is_nan(self):
        for name, item in datasets(self.file).items():
            if item.dtype.kind == "f" and not h5py.h5ds.is_scale(item.id):
                self.assertTrue(np.isnan(item.attrs["_FillValue"]).all(), name)
                self.assertTrue(np.isnan(item.fillvalue), name)

    def test_the_last_trade_to_settle_ends_the_market(self):
        settled = self.file["trades/settled_time"][()]
        self.assertTrue(np.isfinite(settled).all())
        self.assertAlmostEqual(settled.max(), self.file["convergence_time_s"][()], places=9)
        self.assertEqual(self.file["convergence/active_trades"][-1], 0)

    def test_provenance(self):
        attributes = {name: text(value) for name, value in self.file["provenance"].attrs.items()}
        self.assertIn("street_assets.csv", attributes["inputs"])
        self.assertIn(str(self.path), attributes["argv"])
        self.assertEqual((attributes["seed"], attributes["ranks"]), ("1", "1"))
        case = self.folder / "again.yaml"
        case.write_text(attributes["case"])
        again = program.run("run", case, "--json", "--progress", "none").json
        self.assertAlmostEqual(again["social_welfare"], self.summary["social_welfare"], 6)


class Sums(WithTrace):
    """The variables belong together."""

    def assert_near(self, value, expected):
        """Equal but for rounding."""
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9)

    def test_axes_count_up(self):
        for group, count in (("agents", self.scalar("n_agents")), ("trades", self.scalar("n_trades"))):
            self.assertEqual(list(self.file[group][GROUPS[group][0]]), list(range(count)))

    def test_power(self):
        power, = self.columns("agents", "power")
        traded, = self.columns("trades", "power")
        self.assert_near(np.maximum(power, 0).sum(), self.scalar("power_injected"))
        self.assert_near(np.abs(traded).sum(), self.scalar("power_traded"))

    def test_agents_deliver_what_they_trade(self):
        a, b, traded = self.columns("trades", "agent_a", "agent_b", "power")
        count = self.scalar("n_agents")
        net = np.bincount(a, traded, count) - np.bincount(b, traded, count)
        off = np.abs(self.file["agents/power"][()] - net).max()
        self.assertLessEqual(off, self.scalar("balance_max") + 1e-12)
        self.assertLessEqual(self.scalar("balance_max"), self.scalar("tolerance_primal"))
        self.assertGreaterEqual(self.scalar("imbalance"), self.scalar("balance_max"))
        self.assertLessEqual(self.scalar("imbalance"), count * self.scalar("balance_max"))

    def test_money(self):
        cost, fees, welfare = self.columns("agents", "cost", "fees", "welfare")
        self.assert_near(-(cost + fees).sum(), self.scalar("social_welfare"))
        self.assert_near(welfare.sum(), self.scalar("social_welfare"))
        self.assert_near(fees.sum(), self.scalar("fees_collected"))
        reference = self.scalar("reference_welfare")
        gap = (reference - self.scalar("social_welfare")) / abs(reference)
        self.assert_near(gap, self.scalar("welfare_gap"))

    def test_bills(self):
        """Each agent's welfare from its trades at the mean of both ends' prices."""
        a, b, traded, price_a, price_b = self.columns("trades", "agent_a", "agent_b", "power", "price_a",
                                                      "price_b")
        cost, fees, welfare = self.columns("agents", "cost", "fees", "welfare")
        paid = traded * (price_a + price_b) / 2
        sold = np.bincount(a, paid, len(cost)) - np.bincount(b, paid, len(cost))
        self.assert_near(welfare, sold - cost - fees)
        weights = np.abs(traded)
        self.assert_near(self.scalar("price_mean"), (weights * (price_a + price_b) / 2).sum() / weights.sum())

    def test_prices_lie_between_those_of_the_agents(self):
        """A trade's price is its seller's plus a fee, and its buyer's less a fee."""
        a, b, traded, price_a, price_b = self.columns("trades", "agent_a", "agent_b", "power", "price_a",
                                                      "price_b")
        price, = self.columns("agents", "price")
        slack = self.scalar("tolerance_price")
        trades = np.abs(traded) > self.scalar("tolerance_primal")
        self.assertGreater(trades.sum(), 5)
        mismatch = np.abs(price_a - price_b)[trades].max()
        self.assertLessEqual(mismatch, self.scalar("price_mismatch_max") + 1e-12)
        seller, buyer = np.where(traded > 0, a, b)[trades], np.where(traded > 0, b, a)[trades]
        for end in (price_a[trades], price_b[trades]):
            self.assertTrue((price[seller] - slack <= end).all() and (end <= price[buyer] + slack).all())
        self.assertTrue((0.05 < price).all() and (price < 0.31).all()) # what the supplier buys and sells for

    def test_counts(self):
        a, b, messages = self.columns("trades", "agent_a", "agent_b", "messages")
        peers, iterations, sent = self.columns("agents", "peers", "iterations", "messages_sent")
        ends = np.bincount(np.concatenate((a, b)), minlength=len(peers))
        self.assertEqual(list(peers), list(ends))
        self.assertEqual((messages.sum(), sent.sum()), (self.scalar("messages_sent"),) * 2)
        self.assert_near(iterations.mean(), self.scalar("iterations_mean"))

    def test_course(self):
        time, primal, dual, price, welfare, messages = self.columns("convergence", *GROUPS["convergence"][:6])
        self.assertGreater(len(time), 1)
        self.assertTrue((np.diff(time) > 0).all() and (np.diff(messages) >= 0).all())
        self.assertEqual(time[-1], self.scalar("end_time_s"))
        self.assertLessEqual(self.scalar("convergence_time_s"), time[-1])
        self.assertEqual(welfare[-1], self.scalar("social_welfare"))
        for name, column in (("primal", primal), ("dual", dual), ("price", price)):
            self.assertEqual(column[-1], self.scalar(f"{name}_residual"))
            self.assertLessEqual(column[-1], self.scalar(f"tolerance_{name}"))
        self.assertLessEqual(self.file["convergence/active_trades"][()].max(), self.scalar("n_trades"))


class Less(program.InFolder):
    """Traces that leave single trades and agents out."""

    def test_record(self):
        without = {"all": set(), "agents": {"trades"}, "totals": {"trades", "agents", "bills"}}
        traces = {}
        for record, left_out in without.items():
            traces[record] = self.folder / f"{record}.h5"
            words = ("-q", "-s", "run.clock=virtual", "-s", "network.compute_s=0.1", "-s", f"run.record={record}")
            result = program.run("run", program.CASES / "trio.yaml", "-o", traces[record], *words)
            self.assertEqual(result.code, 0, result.err)
            with h5py.File(traces[record]) as file, h5py.File(traces["all"]) as whole:
                self.assertEqual(set(whole) - set(file), left_out)
                for name in set(file) - {"provenance"}:
                    for data in file[name].values() if isinstance(file[name], h5py.Group) else [file[name]]:
                        np.testing.assert_array_equal(data[()], whole[data.name][()], data.name)
        drawing = [program.ROOT / "run_scripts" / "python", program.ROOT / "run_scripts" / "figures" / "draw.py"]
        done = subprocess.run([*drawing, traces["agents"], "-o", self.folder / "x"], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1), done.stderr)
        self.assertIn("run.record", done.stderr)


class Stopped(program.InFolder):
    """A run that came to no end."""

    def test_unknown_numbers_are_nan(self):
        path = self.folder / "t.h5"
        result = program.run("run", STREET, "-o", path, "--progress", "none", "-s", "stop.max_rounds=3", "-s",
                             "run.reference=no")
        self.assertEqual(result.code, 3)
        with h5py.File(path) as file:
            self.assertEqual(file["status"][()], FLAGS["status"].split().index("limit"))
            for name in ("convergence_time_s", "reference_welfare", "welfare_gap"):
                self.assertTrue(np.isnan(file[name][()]), name)
            self.assertGreater(file["primal_residual"][()], file["tolerance_primal"][()])


class Readers(WithTrace):
    """Other readers see what h5py sees, units and axes too."""

    def compare(self, group, variables):
        """`variables`: name to values, units and axes, as the reader has them."""
        ours = self.file[group] if group else self.file
        names = {name for name, item in ours.items() if isinstance(item, h5py.Dataset)}
        self.assertEqual(set(variables), names - {"name_length"})
        for name, (values, units, axes) in variables.items():
            expected = self.names if name == "name" else ours[name]
            self.assertTrue(same(expected, values), f"{group}/{name}: {values}")
            self.assertEqual(units, text(ours[name].attrs["units"]), f"{group}/{name}")
            self.assertEqual(axes, (GROUPS[group][0],) if group else (), f"{group}/{name}")

    def check_xarray(self, engine):
        """All groups, by one engine of xarray."""
        import xarray
        for group in ("", *GROUPS):
            with xarray.open_dataset(self.path, group=group or None, engine=engine) as opened:
                self.compare(group, {name: (item.values, item.attrs["units"], item.dims)
                                     for name, item in opened.variables.items()})
                self.assertEqual(set(opened.coords), set(GROUPS.get(group, ())[:1]))

    @needs("xarray", "h5netcdf")
    def test_xarray_by_h5netcdf(self):
        self.check_xarray("h5netcdf")

    @needs("xarray", "netCDF4")
    def test_xarray_by_netcdf4(self):
        self.check_xarray("netcdf4")

    @needs("netCDF4")
    def test_netcdf4(self):
        import netCDF4
        with netCDF4.Dataset(self.path) as opened:
            opened.set_auto_chartostring(False) # see docs/trace.md
            for group in ("", *GROUPS):
                variables = (opened[group] if group else opened).variables
                seen = {name: (item[...], item.units, item.dimensions) for name, item in variables.items()}
                if group == "agents":
                    letters, units, axes = seen["name"]
                    self.assertEqual(axes, ("agent", "name_length"))
                    texts = np.char.decode(netCDF4.chartostring(letters, encoding="bytes"), "utf-8")
                    seen["name"] = (texts, units, axes[:1])
                self.compare(group, seen)

    @needs("netCDF4")
    def test_netcdf4_makes_texts_of_names(self):
        """By itself; before 1.7.4 right where they are ASCII only."""
        import netCDF4
        path = self.folder / "ascii.h5"
        program.run("run", STREET, "-o", path, "--progress", "none")
        with netCDF4.Dataset(path) as opened:
            self.assertEqual(list(opened["agents"]["name"][:2]), ["no1-pv-ev", "no2-pv"])


class Guide(WithTrace):
    """docs/trace.md keeps its word."""

    def test_examples_run(self):
        examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        self.assertEqual(len(examples), 3)
        for code in examples:
            modules = re.findall(r"^import (\w+)", code, re.MULTILINE)
            with self.subTest(modules=modules):
                if any(importlib.util.find_spec(name) is None for name in (*modules, "h5netcdf")):
                    self.skipTest(f"not all installed: {', '.join(modules)}, h5netcdf")
                done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                      cwd=self.folder, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout)

    def test_tables_name_every_variable_and_no_other(self):
        """Each section's table lists the variables of its group."""
        sections = re.split(r"^## ", GUIDE.read_text(), flags=re.MULTILINE)
        for group in ("", *GROUPS):
            section, = [part for part in sections if part.startswith(f"`/{group}`")]
            rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
            listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
            ours = self.file[group] if group else self.file
            self.assertEqual(listed, {n for n, item in ours.items() if isinstance(item, h5py.Dataset)})


if __name__ == "__main__":
    unittest.main()
