#!/bin/sh
# The demonstration: the 39-bus market on 32 MPI ranks, one agent each, over a network that delays messages by
# 4 ms +- 1 ms and loses every twentieth. Leaves a trace and pictures under build/demo.
set -eu
here=$(dirname "$0")
out=build/demo
mkdir -p "$out"

echo "31 agents negotiate in processes of their own; delta 0.5: each answers once half its peers have."
"$here/mpirun.sh" 32 run configs/cases/ieee39.yaml -o "$out/ieee39.h5" --force \
    -s negotiation.delta=0.5 \
    -s network.delay.model=gaussian -s network.delay.mean_s=0.004 -s network.delay.std_s=0.001 \
    -s network.delay.min_s=0.001 -s network.loss=0.05 -s network.retransmit_s=0.01 "$@"
"$here/python" "$here/figures/draw.py" "$out/ieee39.h5" -o "$out/ieee39"
