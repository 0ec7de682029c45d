"""The pictures: made in both formats, the same bytes each time, from traces and nothing else.

Run by `run_scripts/python tests/cli/test_figures.py`.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAW = ROOT / "run_scripts" / "figures" / "draw.py"
PICTURES = [f"{name}.{kind}" for name in ("convergence", "trades", "agents")
            for kind in ("png", "svg")]
STATUS = ("converged", "limit", "infeasible", "interrupted")


def add(group, name, values, unit, *scales):
    """One variable with its attributes and axes."""
    dataset = group.create_dataset(name, data=values)
    dataset.attrs["units"] = np.bytes_(unit)
    dataset.attrs["long_name"] = np.bytes_(name)
    for dimension, scale in zip(dataset.dims, scales):
        dimension.attach_scale(group[scale])


def add_axis(group, name, values, unit="1"):
    """A dimension scale."""
    add(group, name, values, unit)
    group[name].make_scale(name)


def add_names(group, names):
    """The names of the agents, one byte in each element."""
    texts = np.array([name.encode() for name in names])
    add_axis(group, "name_length", np.arange(texts.itemsize, dtype="i4"))
    add(group, "name", texts.view("S1").reshape(len(names), -1), "1", "agent", "name_length")


def add_root(file, scalars, status):
    """Attributes and scalars of the root."""
    file.attrs["Conventions"] = np.bytes_("CF-1.10 peerwatt-trace-1")
    file.attrs["title"] = np.bytes_("a $mock_market")
    flag = file.create_dataset("status", data=np.int8(STATUS.index(status)))
    flag.attrs["flag_values"] = np.arange(len(STATUS), dtype="i1")
    flag.attrs["flag_meanings"] = np.bytes_(" ".join(STATUS))
    for name, value in scalars.items():
        add(file, name, np.float64(value), "1")


def make_trace(path, agents=6, trades=True, rows=30, names=None, status="converged", price=-0.02,
               **scalars):
    """A market in which the first half sells to the second half, each to one other."""
    half = agents // 2 if trades else 0
    power = np.zeros(agents)
    power[:half], power[half:2 * half] = np.arange(1, half + 1), -np.arange(1, half + 1)
    root = {"convergence_time_s": 0.002, "reference_welfare": 10.0, "social_welfare": 9.99,
            "price_mean": price, "power_traded": power[:half].sum(), "tolerance_primal": 1e-3,
            "tolerance_dual": 1e-4, "tolerance_price": 1e-5}
    with h5py.File(path, "w", track_order=True) as file:
        add_root(file, {**root, **scalars}, status)
        group = file.create_group("agents")
        add_axis(group, "agent", np.arange(agents, dtype="i4"))
        add(group, "power", power, "kW", "agent")
        add(group, "price", np.full(agents, price), "EUR/kWh", "agent")
        if names:
            add_names(group, names)
        group = file.create_group("trades")
        add_axis(group, "trade", np.arange(half, dtype="i4"))
        add(group, "agent_a", np.arange(half, 2 * half, dtype="i4"), "1", "trade")
        add(group, "agent_b", np.arange(half, dtype="i4"), "1", "trade")
        add(group, "power", power[half:2 * half], "kW", "trade")
        group = file.create_group("convergence")
        add_axis(group, "time", 1e-4 * np.arange(1, rows + 1), "s")
        for name, unit in (("primal", "kW"), ("dual", "kW"), ("price", "EUR/kWh")):
            add(group, name, 10.0 ** -np.linspace(0, 6, rows), unit, "time")
        add(group, "social_welfare", 10 - 10.0 ** -np.linspace(0, 6, rows), "EUR/h", "time")
        add(group, "messages", 12 * np.arange(rows, dtype="i8"), "1", "time")


class Figures(unittest.TestCase):
    """draw.py as a user runs it."""

    def setUp(self):
        """A directory of its own for each test."""
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.trace = self.folder / "run.h5"

    def draw(self, *arguments):
        """Runs draw.py with a strict Python and returns what came out."""
        command = [sys.executable, "-W", "error::UserWarning", str(DRAW), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def assert_drawn(self, prefix, *arguments):
        """All pictures are there, not empty, and are what stdout says."""
        done = self.draw(self.trace, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        paths = [f"{prefix}-{name}" for name in PICTURES]
        self.assertEqual(done.stdout.splitlines(), paths)
        for path in map(pathlib.Path, paths):
            self.assertGreater(path.stat().st_size, 5000, path)
            if path.suffix == ".svg":
                xml.etree.ElementTree.parse(path)
            else:
                self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        return [pathlib.Path(path).read_bytes() for path in paths]

    def assert_refused(self, *words):
        """Exit code 5, one line with these words, no picture."""
        done = self.draw(self.trace)
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in (str(self.trace), *words):
            self.assertIn(word, done.stderr)
        self.assertEqual(list(self.folder.glob("*.png")), [])

    def test_same_bytes_each_time(self):
        """A second run under another name gives the same files."""
        make_trace(self.trace, names=["roof", "café", "$x_1$", "c", "a" * 40, ""])
        first = self.assert_drawn(self.folder / "run")
        second = self.assert_drawn(self.folder / "again", "-o", self.folder / "again")
        self.assertEqual(first, second)
        for content in first:
            self.assertNotIn(b"<dc:date>", content)

    def test_many_agents(self):
        """The map and the map of groups."""
        for agents in (60, 400):
            with self.subTest(agents=agents):
                make_trace(self.trace, agents=agents)
                self.assert_drawn(self.folder / "run")

    def test_nobody_to_trade_with(self):
        """One agent, no trade, nothing known, a single row; then the same with 50 agents."""
        for agents in (1, 50):
            with self.subTest(agents=agents):
                make_trace(self.trace, agents=agents, trades=False, rows=1, price=np.nan,
                           status="limit", reference_welfare=np.nan, convergence_time_s=np.nan,
                           tolerance_price=np.nan)
                self.assert_drawn(self.folder / "run")

    def test_long_convergence_without_price(self):
        """Thousands of rows; a reference of zero; no price residual."""
        make_trace(self.trace, agents=2, rows=5000, reference_welfare=0.0)
        with h5py.File(self.trace, "a") as file:
            del file["convergence/price"]
        self.assert_drawn(self.folder / "run")

    def test_missing_file(self):
        """A path that leads nowhere."""
        self.assert_refused("no such file")

    def test_text_file(self):
        """Not HDF5 at all."""
        self.trace.write_text("peerwatt: 1\n")
        self.assert_refused("not a peerwatt trace")

    def test_foreign_hdf5(self):
        """HDF5 of another origin, and a trace that lacks a group."""
        h5py.File(self.trace, "w").close()
        self.assert_refused("not a peerwatt trace")
        make_trace(self.trace)
        with h5py.File(self.trace, "a") as file:
            del file["trades"]
        self.assert_refused("/trades")

    def test_unknown_agent(self):
        """A trade of an agent that is not in the market."""
        make_trace(self.trace)
        with h5py.File(self.trace, "a") as file:
            file["trades/agent_a"][0] = 99
        self.assert_refused("/trades/agent_a")

    def test_prefix_in_missing_folder(self):
        """Nowhere to write to: one line and exit code 5."""
        make_trace(self.trace)
        done = self.draw(self.trace, "-o", self.folder / "no" / "where")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1))


if __name__ == "__main__":
    unittest.main()
