#!/bin/sh
# Figure 8: convergence time over delta, for several loss probabilities; 10 500 runs on all cores, some minutes.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
if [ ! -e "$out/fig8.h5" ]; then
    "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/fig8.yaml" -o "$out/fig8.h5" "$@"
fi
exec "$here/python" "$here/figures/fig8.py" "$out/fig8.h5" -o "$out/fig8"
