#!/bin/sh
# Compares the algorithms on the same markets at equal accuracy, one core, and prints the tables of
# docs/algorithms.md; with --write it puts them there.
set -eu
cd "$(dirname "$0")/.."
bench=build/release/tests/bench/bench_algorithms
make --no-print-directory "$bench" >/dev/null
if [ "${1:-}" != --write ]; then
    exec "$bench"
fi
page=docs/algorithms.md
tables=$(mktemp)
trap 'rm -f "$tables" "$tables.page"' EXIT
"$bench" >"$tables"
awk -v tables="$tables" '
    /^<!-- end of the tables -->/ { skip = 0 }
    !skip { print }
    /^<!-- tables -->/ { skip = 1; while ((getline line < tables) > 0) print line; print "" }
' "$page" >"$tables.page"
cat "$tables.page" >"$page"
