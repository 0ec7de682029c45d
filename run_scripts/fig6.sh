#!/bin/sh
# Figure 6: price, welfare and rounds against the sparsity of the links; 38 000 runs on all cores, about three
# minutes of one.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
if [ ! -e "$out/fig6.h5" ]; then
    "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/fig6.yaml" -o "$out/fig6.h5" "$@"
fi
exec "$here/python" "$here/figures/fig6.py" "$out/fig6.h5" -o "$out/fig6"
