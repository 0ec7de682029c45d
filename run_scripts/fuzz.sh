#!/bin/sh
# Fuzzes the readers of case files, tables and packets with libFuzzer under the address and undefined-behaviour
# sanitizers, each for FUZZ_SECONDS (60) starting from its corpus in tests/fuzz/corpus. What it finds stays under
# build/fuzz: new inputs in new/, inputs that fail as TARGET-crash-* and its like. Arguments choose targets:
# fuzz.sh yaml csv codec
set -eu
cd "$(dirname "$0")/.."
CLANG=${CLANG:-clang}
out=build/fuzz
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -fno-omit-frame-pointer -I."
sanitizers="address,undefined"

command -v "$CLANG" >/dev/null || {
    echo "fuzz.sh: $CLANG is missing (Debian: clang and libclang-rt-dev)" >&2
    exit 6
}

# What the targets are made of.
sources=
for file in common/*.c net_models/*.c; do
    sources="$sources $file"
done
hdf5=
for name in hdf5-serial hdf5 hdf5-openmpi hdf5-mpich; do
    if pkg-config --exists "$name" 2>/dev/null; then
        hdf5="$(pkg-config --cflags --libs-only-L "$name") -lhdf5_hl -lhdf5 $(pkg-config --cflags --libs libsodium)"
        break
    fi
done

mkdir -p "$out"
[ $# -gt 0 ] || set -- yaml csv codec
for target; do
    echo "== $target: ${FUZZ_SECONDS:-60} s"
    # shellcheck disable=SC2086 # lists of words
    "$CLANG" $flags -fsanitize=fuzzer,$sanitizers -fno-sanitize-recover=undefined \
        "tests/fuzz/fuzz_$target.c" $sources $hdf5 -lyaml -lm -o "$out/fuzz_$target"
    mkdir -p "$out/new/$target"
    if ! "$out/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/$target-" "$out/new/$target" "tests/fuzz/corpus/$target" \
        >"$out/$target.log" 2>&1; then
        tail -n 40 "$out/$target.log" >&2
        echo "fuzz.sh: $target fails on the input that the lines above name" >&2
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */runs: /p' "$out/$target.log"
    echo "$(find "$out/new/$target" -type f | wc -l) new inputs in $out/new/$target"
done
