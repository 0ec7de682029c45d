#!/bin/sh
# How the program scales: strong (one market on more ranks) and weak (a market that grows with the ranks), in bulk,
# agent by agent and on the virtual clock. Run it here, or in a job of a cluster (run_scripts/slurm/scaling.sbatch):
#   run_scripts/scaling.sh [RANKS ...]      # by default 1, 2, 4, .. up to the processors here, or the tasks of the job
# Results are lines of build/figures/scaling.jsonl, one a run; started again it makes only those that are not there, and
# draws the picture and prints the table. A run with more ranks than processors measures the processors, not the program.
# Variables: REPEATS (3), SHRINK (1; 100 makes all markets a hundredth as large), FIGURES, and what mpirun.sh knows.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${FIGURES:-$here/../build/figures}
results=$out/scaling.jsonl
shrink=${SHRINK:-1}
repeats=${REPEATS:-3}
mkdir -p "$out"
touch "$results"

# double_up RANKS: 1, 2, 4, .. below it, and itself.
double_up() {
    n=1
    while [ "$n" -lt "$1" ]; do
        echo "$n"
        n=$((2 * n))
    done
    echo "$1"
}

# measure STUDY RANKS AGENTS WORDS ...: runs it as often as wanted and notes each result. What is noted is not run again.
measure() {
    study=$1
    ranks=$2
    agents=$(($3 / shrink))
    shift 3
    repeat=1
    while [ "$repeat" -le "$repeats" ]; do
        key="{\"study\":\"$study\",\"wanted_ranks\":$ranks,\"wanted_agents\":$agents,\"repeat\":$repeat,"
        if ! grep -q -F "$key" "$results"; then
            echo "$study: $agents agents on $ranks ranks, $repeat of $repeats" >&2
            summary=$("$here/mpirun.sh" "$ranks" run "$here/../configs/cases/random.yaml" --json --progress none \
                -s run.reference=no -s "market.generate.agents=$agents" "$@")
            echo "$key${summary#?}" >>"$results"
        fi
        repeat=$((repeat + 1))
    done
}

# shellcheck disable=SC2046 # numbers have no blanks
if [ $# -eq 0 ]; then
    set -- $(double_up "${SLURM_NTASKS:-$(nproc)}")
fi
peers="market.links={peers: 10, among: sides}"
for ranks in "$@"; do
    measure "mesh, strong" "$ranks" 3000 -s market.links=sides
    measure "10 peers, strong" "$ranks" 100000 -s "$peers"
    measure "10 peers, weak" "$ranks" $((50000 * ranks)) -s "$peers"
    measure "agent by agent, strong" "$ranks" 10000 -s "$peers" -s run.bulk=no
    measure "virtual clock, strong" "$ranks" 10000 -s "$peers" -s run.clock=virtual \
        -s "network.delay={model: gaussian, mean_s: 1, std_s: 0.2, min_s: 0.5}" -s network.compute_s=0.1
done
exec "$here/python" "$here/figures/scaling.py" "$results" -o "$out/scaling"
