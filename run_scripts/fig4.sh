#!/bin/sh
# Figure 4: rounds over the penalty, by hand and automatic; 2600 runs on all cores, about two minutes of one.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
if [ ! -e "$out/fig4.h5" ]; then
    "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/fig4.yaml" -o "$out/fig4.h5" "$@"
fi
exec "$here/python" "$here/figures/fig4.py" "$out/fig4.h5" -o "$out/fig4"
