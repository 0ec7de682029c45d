#!/bin/sh
# Figure 2: one market under five organisations, from a pool to full P2P, with the trades of each. Takes options of
# peerwatt run, as -s market.fee=0.01; leaves traces and picture under build/figures.
set -eu
here=$(dirname "$0")
program=${PEERWATT:-$here/../build/peerwatt}
out=${FIGURES:-$here/../build/figures}
cases=$here/../configs/cases
mkdir -p "$out"
market() {
    name=$1
    links=$2
    shift 2
    "$program" run "$cases/village.yaml" -s "market.links=$links" "$@" -q --force -o "$out/fig2-$name.h5"
}
market pool pool "$@"
market communities communities "$@"
market hybrid "{communities: mesh, between: pool}" "$@"
market sparse "{nearest: 3}" "$@"
market full all "$@"
exec "$here/python" "$here/figures/fig2.py" "$cases/village_agents.csv" "$out/fig2-pool.h5:pool" \
    "$out/fig2-communities.h5:communities" "$out/fig2-hybrid.h5:hybrid" "$out/fig2-sparse.h5:sparse P2P" \
    "$out/fig2-full.h5:full P2P" -o "$out/fig2"
