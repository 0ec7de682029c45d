#!/bin/sh
# Figure 1: the merit order of a case, demand against supply, with the price at the crossing. Takes a case (default: the
# 39-bus market) and options of peerwatt reference; leaves assets, optimum and picture under build/figures.
set -eu
here=$(dirname "$0")
program=${PEERWATT:-$here/../build/peerwatt}
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
if [ $# -eq 0 ]; then
    set -- "$here/../configs/cases/ieee39.yaml"
fi
"$program" reference "$@" --json --force -o "$out/fig1.csv" >"$out/fig1.json"
exec "$here/python" "$here/figures/fig1.py" "$out/fig1.csv" "$out/fig1.json" -o "$out/fig1"
