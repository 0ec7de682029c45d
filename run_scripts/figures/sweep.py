"""Reading the results of a sweep, an HDF5 file, nothing else is looked at; and the command that draws them."""

import argparse
from dataclasses import dataclass, field

import h5py
import numpy as np

import style
import trace
from trace import TraceError

CONVENTION = "peerwatt-sweep"


@dataclass
class Sweep:
    """Axes by name, and variables over all of them, the replicate last; the texts of axes that are no numbers.

    The case is the effective one of the first run, as YAML.
    """

    path: str
    title: str = ""
    case: str = ""
    axes: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    order: tuple = ()

    def over(self, name, *axes):
        """A variable with exactly these axes and the replicate, in that order."""
        if name not in self.variables:
            raise TraceError(f"{self.path}: it has no variable {name}: the study does not record it")
        if set(self.order) != {*axes, "replicate"}:
            raise TraceError(f"{self.path}: the axes {', '.join(axes)} are wanted, "
                             f"it has {', '.join(self.order[:-1])}")
        return np.transpose(self.variables[name], [self.order.index(a) for a in (*axes, "replicate")])


def _text(value):
    """An attribute as a str."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _fill(file, sweep):
    """Takes the axes and variables over."""
    for name, item in file.items():
        if not isinstance(item, h5py.Dataset):
            continue
        if _text(item.attrs.get("CLASS", "")) == "DIMENSION_SCALE":
            sweep.axes[name] = item[()]
            continue
        if name.endswith("_text"):
            sweep.texts[name.removesuffix("_text")] = [_text(row.tobytes()).rstrip("\0") for row in item[()]]
            continue
        order = tuple(dimension[0].name.lstrip("/") for dimension in item.dims)
        if order and order[-1] == "replicate":
            sweep.variables[name], sweep.order = item[()], order


def read(path):
    """Reads a whole sweep; a TraceError says in one line why it cannot be done."""
    sweep = Sweep(str(path))
    try:
        with h5py.File(path, "r") as file:
            if CONVENTION not in _text(file.attrs.get("Conventions", "")):
                raise TraceError(f"{path}: not the results of a sweep (attribute Conventions)")
            sweep.title = _text(file.attrs.get("title", ""))
            sweep.case = _text(file["provenance"].attrs["case"])
            _fill(file, sweep)
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except (OSError, RuntimeError, ValueError, IndexError, KeyError) as error:
        raise TraceError(f"{path}: not the results of a sweep ({error})") from error
    return sweep


def _options(script, purpose, inputs, arguments):
    """What the command line says: `inputs` are pairs of a name and of what it is."""
    parser = argparse.ArgumentParser(prog=script, description=purpose)
    for name, words in inputs:
        parser.add_argument(name, metavar=f"{name.upper()}.h5", help=words)
    parser.add_argument("-o", metavar="PREFIX", dest="prefix", help="write PREFIX.png and .svg")
    options = vars(parser.parse_args(arguments))
    paths = [options[name] for name, _ in inputs]
    return paths, options["prefix"] or paths[0].removesuffix(".h5")


def command(script, purpose, inputs, draw, report=lambda *sweeps: (), arguments=None):
    """Reads one sweep for each of the inputs, draws them all, prints the lines of the report and the paths.

    Returns the exit code.
    """
    sources, prefix = _options(script, purpose, inputs, arguments)
    style.apply()

    def lines():
        sweeps = [read(path) for path in sources]
        paths = style.save(draw(*sweeps), prefix)
        return [*report(*sweeps), *paths]

    return trace.deliver(script, prefix, lines)
