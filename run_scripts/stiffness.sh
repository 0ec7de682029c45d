#!/bin/sh
# The study of the stiffness against delta, losses and numbers of peers: 25 200 runs on all cores, some minutes.
# Leaves the results and the picture under build/figures; started again after a kill it goes on where it was,
# and results that are there are only drawn. Arguments go to peerwatt sweep.
set -eu
here=$(dirname "$0")
out=${FIGURES:-$here/../build/figures}
mkdir -p "$out"
for study in stiffness stiffness-sparse; do
    if [ ! -e "$out/$study.h5" ]; then
        "$here/mpirun.sh" "$(nproc)" sweep "$here/../configs/studies/$study.yaml" -o "$out/$study.h5" "$@"
    fi
done
exec "$here/python" "$here/figures/stiffness.py" "$out/stiffness.h5" "$out/stiffness-sparse.h5" -o "$out/stiffness"
