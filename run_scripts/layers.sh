#!/bin/sh
# The rules of docs/architecture.md on who may include what, checked on every source file.
set -u
bad=0

# forbid WHY PATTERN FILE ...: no #include of these files may match the pattern.
forbid() {
    why=$1
    pattern=$2
    shift 2
    if found=$(grep -n -E "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" /dev/null); then
        printf '%s\n' "$found" | sed "s|\$|   <- $why|"
        bad=1
    fi
}

# files FOLDER ...: all C sources and headers under the folders.
files() {
    find "$@" -name '*.[ch]'
}

# all_but FOLDERS... -- FILES...: sources without those named.
only_in() {
    allowed=$1
    shift
    files "$@" | grep -v -x -E "$allowed"
}

# shellcheck disable=SC2046 # file names have no blanks
{
    forbid "mpi.h belongs to the MPI transport alone" 'mpi\.h' \
        $(only_in 'coordinator/transport_mpi\.c|tests/mpi/.*' agent common coordinator net_models tests)
    forbid "metis.h belongs to the partition alone" 'metis\.h' \
        $(only_in 'coordinator/partition\.c' agent common coordinator net_models tests)
    forbid "hdf5.h belongs to the trace's file alone" 'hdf5.*\.h' \
        $(only_in 'common/(trace|table)_h5\.c|tests/unit/(test_trace|trace_).*' agent common coordinator net_models tests)
    forbid "agents know neither ranks, clocks, files nor random numbers" \
        '(coordinator|net_models)/|common/(random|file|csv|yaml_tree|case|settings|tables|trace|codec)|time\.h|stdio\.h|unistd\.h|sys/' \
        $(files agent)
    forbid "network models do not know what a message means" '(agent|coordinator)/|common/(market|case|settings|codec|trace)|time\.h' \
        $(files net_models)
    forbid "common knows neither agents nor the program" '(agent|coordinator)/' $(files common)
    forbid "time of day is an argument" 'time\.h|sys/time\.h' \
        $(only_in 'coordinator/clock\.c' agent common net_models coordinator)
    forbid "tests are not part of the program" 'tests/' $(files agent common net_models coordinator)
}

if found=$(grep -n -E '\bMPI_[A-Z][a-z]' -r agent common coordinator net_models --include='*.[ch]' |
    grep -v '^coordinator/transport_mpi\.c:'); then
    printf '%s   <- MPI is spoken in the transport alone\n' "$found"
    bad=1
fi

# Sizes: .c files under 500 lines, headers under 150.
for file in $(files agent common coordinator net_models tests); do
    most=500
    case $file in
    *.h) most=150 ;;
    esac
    lines=$(wc -l <"$file")
    if [ "$lines" -ge "$most" ]; then
        echo "$file: $lines lines, under $most are wanted"
        bad=1
    fi
done
exit "$bad"
