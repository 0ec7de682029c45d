"""Reading the trace of one market run: an HDF5 file, nothing else is looked at."""

import sys
from dataclasses import dataclass, field

import h5py
import numpy as np

CONVENTION = "peerwatt-trace"
REQUIRED = {
    "agents": ("agent", "power", "price"),
    "trades": ("trade", "agent_a", "agent_b", "power"),
    "convergence": ("time", "primal", "dual", "social_welfare", "messages"),
}


class TraceError(Exception):
    """The file cannot be read as a trace; the text is one line for the user."""


EXIT_IO = 5


def deliver(script, prefix, lines):
    """Prints the lines as lines() makes them; what cannot be read or written becomes one line on stderr.

    Returns the exit code.
    """
    try:
        for line in lines():
            print(line, flush=True)
    except TraceError as error:
        print(f"{script}: {error}", file=sys.stderr)
        return EXIT_IO
    except OSError as error:
        print(f"{script}: {error.filename or prefix}: {error.strerror or error}", file=sys.stderr)
        return EXIT_IO
    return 0


@dataclass
class Trace:
    """A trace in memory: root scalars, and one dictionary of columns for each group."""

    path: str
    title: str = ""
    status: str = ""
    clock: str = ""
    scalars: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    units: dict = field(default_factory=dict)

    def scalar(self, name):
        """The root scalar, NaN where the trace does not have it or holds no number."""
        return self.scalars.get(name, np.nan)

    def column(self, group, name):
        """The column of a group as an array, None where the trace does not have it."""
        return self.groups[group].get(name)

    def unit(self, group, name):
        """The unit of a column or, with group "", of a root scalar; "" where it has none."""
        return self.units.get((group, name), "")

    def names(self):
        """One label per agent: its name or, without one, its number."""
        numbers = [str(n) for n in self.groups["agents"]["agent"]]
        given = self.column("agents", "name")
        if given is None:
            return numbers
        texts = [text(name).strip() for name in given]
        return [given or number for given, number in zip(texts, numbers)]


def text(value):
    """An HDF5 text as a str that fits on one line."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(str(value).replace("\0", "").split())


def _flag(dataset):
    """The meaning of an int8 flag after the CF attributes flag_values and flag_meanings."""
    values = list(np.atleast_1d(dataset.attrs.get("flag_values", [])))
    meanings = text(dataset.attrs.get("flag_meanings", "")).split()
    value = dataset[()]
    return meanings[values.index(value)] if value in values[:len(meanings)] else ""


def _unit(dataset):
    """The unit to print beside a label: none for pure numbers."""
    unit = text(dataset.attrs.get("units", ""))
    return "" if unit == "1" else unit


def _column(dataset):
    """All values. Rows of single bytes are texts."""
    values = dataset[()]
    texts = values.dtype == "S1" and values.ndim == 2
    return values.view(f"S{values.shape[1]}").ravel() if texts else values


def _read_root(file, trace):
    """Fills the title, the flags and the scalars."""
    trace.title = text(file.attrs.get("title", ""))
    for name, item in file.items():
        if not isinstance(item, h5py.Dataset) or item.shape != ():
            continue
        trace.units["", name] = _unit(item)
        if name in ("status", "clock"):
            setattr(trace, name, _flag(item))
        elif item.dtype.kind in "iuf":
            trace.scalars[name] = float(item[()])


def _conventions(file):
    """What the file says it is, as text."""
    words = file.attrs.get("Conventions", b"")
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)


def _read_group(file, trace, group, required):
    """Fills the columns of one group and checks that they belong together."""
    if not isinstance(file.get(group), h5py.Group):
        less = " (run.record leaves it out)" if "peerwatt-trace" in _conventions(file) else ""
        raise TraceError(f"{trace.path}: not the trace of a run with all that this draws: it has no group /{group}{less}")
    items = {k: v for k, v in file[group].items() if isinstance(v, h5py.Dataset)}
    for name in required:
        if name not in items:
            raise TraceError(f"{trace.path}: /{group}/{name} is missing")
    shape = items[required[0]].shape
    for name in required:
        if len(shape) != 1 or items[name].shape != shape:
            raise TraceError(f"{trace.path}: /{group}/{name} must have one value "
                             f"per {required[0]}, but has shape {items[name].shape}")
    columns = {k: _column(v) for k, v in items.items()}
    trace.groups[group] = {k: v for k, v in columns.items() if v.shape == shape}
    for name, item in items.items():
        trace.units[group, name] = _unit(item)


def _check_agents(trace):
    """Refuses trades of agents that the trace does not have."""
    known = trace.groups["agents"]["agent"]
    for name in ("agent_a", "agent_b"):
        if not np.isin(trace.groups["trades"][name], known).all():
            raise TraceError(f"{trace.path}: /trades/{name} names an agent "
                             "that is not in /agents/agent")


def read(path):
    """Reads a whole trace; a TraceError says in one line why it cannot be done."""
    trace = Trace(str(path))
    try:
        with h5py.File(path, "r") as file:
            if CONVENTION not in text(file.attrs.get("Conventions", "")):
                sweep = "peerwatt-sweep" in text(file.attrs.get("Conventions", ""))
                hint = ": the results of a sweep are drawn by run_scripts/figures/fig8.py" if sweep else ""
                raise TraceError(f"{path}: not a peerwatt trace (attribute Conventions){hint}")
            _read_root(file, trace)
            for group, required in REQUIRED.items():
                _read_group(file, trace, group, required)
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = text(error) or "unreadable"
        raise TraceError(f"{path}: not a peerwatt trace ({reason})") from error
    _check_agents(trace)
    return trace
