#!/bin/sh
# How runs end with the exchanges paired, latest and stale: 3 750 runs on all cores, some minutes.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
if [ ! -e "$out/stale.h5" ]; then
    "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/stale.yaml" -o "$out/stale.h5" "$@"
fi
exec "$here/python" "$here/figures/exchanges.py" "$out/stale.h5" -o "$out/stale"
