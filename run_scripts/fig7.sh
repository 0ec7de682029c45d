#!/bin/sh
# Figure 7: the messages of three agents, synchronous above asynchronous. Leaves traces and pictures under
# build/figures. An argument replaces the asynchronous rate 0.5.
set -eu
here=$(dirname "$0")
program=${PEERWATT:-$here/../build/peerwatt}
case=$here/../configs/cases/trio.yaml
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
"$program" run "$case" -q --force -s run.timeline=yes -s negotiation.delta=1 -o "$out/fig7-synchronous.h5"
"$program" run "$case" -q --force -s run.timeline=yes -s negotiation.delta="${1:-0.5}" \
    -o "$out/fig7-asynchronous.h5"
exec "$here/python" "$here/figures/fig7.py" "$out/fig7-synchronous.h5" "$out/fig7-asynchronous.h5" -o "$out/fig7"
