#!/bin/sh
# The ways to choose few peers, compared on random markets, against every choice there is, and over repetitions:
# about two minutes of one core. Prints the tables of docs/choosing.md and leaves them with the picture under
# build/figures; results that are there are only drawn and printed.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
bench=build/release/tests/bench/bench_choosing
mkdir -p "$out"
if [ ! -e "$out/choosing.csv" ]; then
    make --no-print-directory -C "$here/.." "$bench" >/dev/null
    "$here/../$bench" "$out/choosing.csv.part" >"$out/choosing.txt"
    mv "$out/choosing.csv.part" "$out/choosing.csv"
fi
cat "$out/choosing.txt"
exec "$here/python" "$here/figures/choosing.py" "$out/choosing.csv" -o "$out/choosing"
