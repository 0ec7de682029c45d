"""Draws the pictures of one run from its trace and prints the paths of what it wrote."""

import argparse
import sys

import style
import trace
import agents
import convergence
import day
import prices
import trades

PICTURES = {"convergence": convergence.draw, "trades": trades.draw, "agents": agents.draw}


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="draw.py", description=__doc__)
    parser.add_argument("trace", metavar="TRACE.h5", help="trace of `peerwatt run`")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix",
                        help="write PREFIX-trades.png and so on (default: TRACE)")
    return parser.parse_args(arguments)


def pictures(path):
    """The names and figures of a trace: one market's, or those of a day of many slots."""
    if day.has_slots(path):
        yield "day", day.draw(path)
        return
    run = trace.read(path)
    for name, draw in PICTURES.items():
        yield name, draw(run)
    if prices.suits(run):
        yield "prices", prices.draw(run)


def main(arguments=None):
    """Reads the trace, draws every picture; returns the exit code."""
    options = parse(arguments)
    prefix = options.prefix or options.trace.removesuffix(".h5")
    style.apply()

    def paths():
        for name, figure in pictures(options.trace):
            yield from style.save(figure, f"{prefix}-{name}")

    return trace.deliver("draw.py", prefix, paths)


if __name__ == "__main__":
    sys.exit(main())
