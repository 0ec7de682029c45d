#!/bin/sh
# Figure 5: imbalance against messages for all stop criteria, and what penalty and criterion cost; 207 000 runs on all
# cores, about twenty minutes of one. Prints the numbers as tables.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
for study in fig5 fig5-penalty fig5-off; do
    if [ ! -e "$out/$study.h5" ]; then
        "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/$study.yaml" -o "$out/$study.h5" "$@"
    fi
done
exec "$here/python" "$here/figures/fig5.py" "$out/fig5.h5" "$out/fig5-penalty.h5" "$out/fig5-off.h5" -o "$out/fig5"
