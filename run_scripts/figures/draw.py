"""Draws the pictures of one run from its trace and prints the paths of what it wrote."""

import argparse
import sys

import style
import trace
import agents
import convergence
import trades

PICTURES = {"convergence": convergence.draw, "trades": trades.draw, "agents": agents.draw}
EXIT_IO = 5


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="draw.py", description=__doc__)
    parser.add_argument("trace", metavar="TRACE.h5", help="trace of `peerwatt run`")
    parser.add_argument("-o", metavar="PREFIX", dest="prefix",
                        help="write PREFIX-trades.png and so on (default: TRACE)")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Reads the trace, draws every picture; returns the exit code."""
    options = parse(arguments)
    prefix = options.prefix or options.trace.removesuffix(".h5")
    style.apply()
    try:
        run = trace.read(options.trace)
        for name, draw in PICTURES.items():
            for path in style.save(draw(run), f"{prefix}-{name}"):
                print(path, flush=True)
    except trace.TraceError as error:
        print(f"draw.py: {error}", file=sys.stderr)
        return EXIT_IO
    except OSError as error:
        print(f"draw.py: {error.filename or prefix}: {error.strerror or error}", file=sys.stderr)
        return EXIT_IO
    return 0


if __name__ == "__main__":
    sys.exit(main())
