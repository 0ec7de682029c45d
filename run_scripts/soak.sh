#!/bin/sh
# The soak: random runs on 1 to 8 ranks, most of them inside one launch for each number of ranks, then launches of the
# program itself, then random schedules of the exchange. Called by `make soak`, which builds what BUILD_DIR and
# PEERWATT name. Everything follows from SOAK_SEED (default: the time); SOAK_RUNS for each number of ranks (default
# 125), SOAK_LAUNCHES (default 40), SOAK_SCHEDULES (default 2500 times 40). Exit code 0 if nothing failed, else 1.
set -u
here=$(dirname "$0")
export SOAK_SEED="${SOAK_SEED:-$(date +%s)}"
failed=0
echo "soak: SOAK_SEED=$SOAK_SEED"
for ranks in 1 2 3 4 5 6 7 8; do
    PEERWATT="$BUILD_DIR/tests/mpi/soak_mpi" "$here/mpirun.sh" "$ranks" "${SOAK_RUNS:-125}" \
        $((SOAK_SEED + ranks * 1000000)) || failed=1
done
"$here/python" tests/cli/soak.py || failed=1
PEERWATT_SCHEDULES="${SOAK_SCHEDULES:-2500}" "$BUILD_DIR/tests/unit/unit" paired || failed=1
exit $failed
