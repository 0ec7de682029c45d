#!/bin/sh
# Runs every test and adds up; the last line is "N passed, N failed". Called by `make check`, which builds what
# BUILD_DIR and PEERWATT name. Exit code 0 if nothing failed, else 1.
set -u
here=$(dirname "$0")
build=${BUILD_DIR:-build/release}
export PEERWATT="${PEERWATT:-build/peerwatt}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# count PASSED FAILED NAME SECONDS: adds one part to the sums; a part that failed shows what it printed.
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    printf '  %-34s %4d passed  %3d failed  %4d s\n' "$3" "$1" "$2" "$4"
    if [ "$2" -gt 0 ]; then
        cat "$log"
    fi
}

# checks NAME COMMAND ...: a program that reports as Check does: "100%: Checks: 4, Failures: 0, Errors: 0".
checks() {
    name=$1
    shift
    start=$(date +%s)
    "$@" >"$log" 2>&1
    code=$?
    sums=$(sed -n 's/.*Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$log" |
        awk '{n += $1; bad += $2 + $3} END {print n + 0, bad + 0}')
    total=${sums% *}
    bad=${sums#* }
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ] || [ "$total" -eq 0 ]; then
        total=$((total + 1))
        bad=$((bad + 1))
    fi
    count $((total - bad)) "$bad" "$name" $(($(date +%s) - start))
}

# scripts FILE: a Python test, which reports "Ran 7 tests" and "FAILED (failures=1, errors=2)".
scripts() {
    start=$(date +%s)
    "$here/python" "$1" >"$log" 2>&1
    code=$?
    total=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} .*/\1/p' "$log")
    total=${total:-0}
    bad=$(sed -n '/^FAILED (/p' "$log" | grep -o -E '(failures|errors)=[0-9]+' |
        awk -F= '{n += $2} END {print n + 0}')
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ] || [ "$total" -eq 0 ]; then
        total=$((total + 1))
        bad=$((bad + 1))
    fi
    if [ "$bad" -gt "$total" ]; then # one test may fail in several parts
        total=$bad
    fi
    count $((total - bad)) "$bad" "$1" $(($(date +%s) - start))
}

# whole NAME COMMAND ...: a program of which all is one test.
whole() {
    name=$1
    shift
    start=$(date +%s)
    if "$@" >"$log" 2>&1; then
        count 1 0 "$name" $(($(date +%s) - start))
    else
        count 0 1 "$name" $(($(date +%s) - start))
    fi
}

checks "unit tests" "$build/tests/unit/unit"
for ranks in 1 2 3 5; do
    checks "MPI tests on $ranks ranks" env PEERWATT="$build/tests/mpi/mpi" "$here/mpirun.sh" "$ranks" 40
done
whole "a short soak on 4 ranks" env PEERWATT="$build/tests/mpi/soak_mpi" "$here/mpirun.sh" 4 8 1
for target in "$build"/tests/fuzz/fuzz_*; do
    case $target in
    *.o | *.d | *'*') ;;
    *)
        name=$(basename "$target")
        whole "$name over its corpus" "$target" "tests/fuzz/corpus/${name#fuzz_}"
        ;;
    esac
done
for script in tests/cli/test_*.py; do
    scripts "$script"
done

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
