#!/bin/sh
# Starts peerwatt on N ranks of this machine: run_scripts/mpirun.sh N COMMAND ... (as for build/peerwatt).
# Knows what Open MPI and MPICH want of a laptop or a container: more ranks than cores, no binding, root.
# Variables: MPIEXEC (default mpirun), MPIEXEC_FLAGS (in place of the flags below), PEERWATT (the program).
set -eu

if [ $# -lt 2 ]; then
    echo "usage: run_scripts/mpirun.sh RANKS COMMAND ..., for example: run_scripts/mpirun.sh 8 run CASE.yaml" >&2
    exit 2
fi
ranks=$1
shift

here=$(cd "$(dirname "$0")/.." && pwd)
program=${PEERWATT:-$here/build/peerwatt}
launcher=${MPIEXEC:-mpirun}
if ! command -v "$launcher" >/dev/null 2>&1; then
    echo "mpirun.sh: $launcher is missing: make deps installs it, MPIEXEC names another" >&2
    exit 6
fi

if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

if [ -n "${MPIEXEC_FLAGS+set}" ]; then
    flags=$MPIEXEC_FLAGS
elif "$launcher" --version 2>/dev/null | grep -q -i -E 'open ?mpi|open-mpi|openrte|prrte'; then
    flags="--oversubscribe --bind-to none"
else
    flags=""
fi
# shellcheck disable=SC2086 # flags are several words
exec "$launcher" $flags -n "$ranks" "$program" "$@"
