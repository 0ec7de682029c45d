#!/bin/sh
# Static checks: format, compiler warnings as errors, cppcheck, shell scripts, Python. Missing tools are named
# and skipped, unless STRICT=1 (as in CI) makes that an error.
set -u
bad=0

# have TOOL: true if it is installed.
have() {
    if command -v "$1" >/dev/null 2>&1; then
        return 0
    fi
    echo "lint: $1 is not installed (run_scripts/install_deps.sh --checks installs it)"
    if [ "${STRICT:-0}" = 1 ]; then
        bad=1
    fi
    return 1
}

sources=$(find agent common coordinator net_models tests -name '*.[ch]')
if have clang-format; then
    # shellcheck disable=SC2086 # file names have no blanks
    clang-format --dry-run --Werror --style=file $sources || bad=1
fi
make --no-print-directory BUILD=debug WERROR=-Werror \
    build/debug/peerwatt build/debug/tests/unit/unit >/dev/null || bad=1
if have cppcheck; then
    cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -I. -Ibuild/debug \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        --suppress=normalCheckLevelMaxBranches agent common coordinator net_models || bad=1
fi
if have shellcheck; then
    shellcheck run_scripts/*.sh run_scripts/slurm/*.sbatch run_scripts/python .ci/run || bad=1
fi
run_scripts/python -m compileall -q run_scripts/figures tests/cli || bad=1
find run_scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
exit "$bad"
