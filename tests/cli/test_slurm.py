"""The batch scripts, under stand-ins for the scheduler's commands."""

import json
import os
import signal
import subprocess
import time
import unittest

import program

SCRIPTS = program.ROOT / "run_scripts" / "slurm"
STUDY = f"""peerwatt: 1
name: small
case: {program.CASES / "random.yaml"}
set:
  market.generate.agents: AGENTS
  market.links: sides
  network.delay: {{model: gaussian, mean_s: 1, std_s: 0.2, min_s: 0.1}}
  network.compute_s: 0.1
axes:
  negotiation.delta: [1, 0.5, 0.25]
replicates: REPLICATES
"""
# srun drops its own flags and starts two ranks, or as many as -n says; it hands signals on as the real one does.
SRUN = """#!/bin/sh
ranks=2
while [ "${1#--}" != "$1" ]; do shift; done
if [ "$1" = -n ]; then ranks=$2; shift 2; fi
shift
unset MPIEXEC MPIEXEC_FLAGS
exec "$MPIRUN" "$ranks" "$@"
"""
SCONTROL = """#!/bin/sh
echo "$@" >>"$CALLS"
"""


class Slurm(program.InFolder):
    """Scripts in a folder with srun and scontrol of our own."""

    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        self.calls = self.folder / "calls"
        self.out = self.folder / "out.h5"

    def write_study(self, agents=10, replicates=4):
        """A study of 3 points."""
        path = self.folder / "study.yaml"
        path.write_text(STUDY.replace("AGENTS", str(agents)).replace("REPLICATES", str(replicates)))
        return path

    def environment(self, **more):
        """What a job would see."""
        return {**program.environment(), "PATH": f"{self.bin}:{os.environ['PATH']}",
                "MPIRUN": str(program.MPIRUN), "CALLS": str(self.calls), "OUT": str(self.out), **more}

    def job(self, script, *words, **more):
        """Runs a script to its end."""
        return subprocess.run(["sh", SCRIPTS / script, *words], env=self.environment(**more),
                              cwd=program.ROOT, capture_output=True, text=True, timeout=120, check=False)

    def task(self, study, shard, count=3):
        """One task of an array."""
        return self.job("array.sbatch", STUDY=str(study), SLURM_ARRAY_JOB_ID="7",
                        SLURM_ARRAY_TASK_ID=str(shard), SLURM_ARRAY_TASK_COUNT=str(count))

    def test_what_the_scheduler_is_asked_for(self):
        for script in ("run.sbatch", "array.sbatch", "scaling.sbatch"):
            text = (SCRIPTS / script).read_text()
            self.assertIn("#SBATCH --requeue\n", text)
            self.assertIn("USR1@120", text)
        self.assertIn("#SBATCH --array=", (SCRIPTS / "array.sbatch").read_text())

    def test_one_run(self):
        words = {"CASE": str(program.CASES / "ieee39.yaml")}
        first = self.job("run.sbatch", "-s", "run.seed=2", **words)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn('"seed":2', first.stdout)
        stamp = self.out.stat().st_mtime_ns
        second = self.job("run.sbatch", **words)
        self.assertEqual((second.returncode, self.out.stat().st_mtime_ns), (0, stamp))
        self.assertIn("already", second.stdout)
        self.assertFalse((self.folder / "out.h5.partial").exists())

    def test_a_run_that_fails_leaves_no_trace_of_that_name(self):
        done = self.job("run.sbatch", "-s", "stop.max_rounds=2", CASE=str(program.CASES / "ieee39.yaml"))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertFalse(self.out.exists())

    def test_an_array(self):
        study = self.write_study()
        whole = self.folder / "whole.h5"
        self.assertEqual(program.run("sweep", study, "-o", whole, "-q").code, 0)
        for shard in (1, 0, 1):  # task 1 is requeued after it has ended
            done = self.task(study, shard)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("others are not", done.stdout)
            self.assertFalse(self.out.exists())
        done = self.task(study, 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.out.read_bytes(), whole.read_bytes())
        self.assertIn("already", self.task(study, 0).stdout)
        self.assertFalse(self.calls.exists())

    def test_a_task_out_of_time_goes_back_into_the_queue(self):
        study = self.write_study(agents=60, replicates=20)
        env = self.environment(STUDY=str(study), SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="0",
                               SLURM_ARRAY_TASK_COUNT="1")
        process = subprocess.Popen(["sh", SCRIPTS / "array.sbatch"], env=env, cwd=program.ROOT,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        journal = self.folder / "out.h5.shard-0-of-1.journal"
        end = time.monotonic() + 60
        while not (journal.exists() and journal.stat().st_size > 500) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("back into the queue", out)
        self.assertEqual(self.calls.read_text(), "requeue 7_0\n")
        self.assertFalse(self.out.exists())
        done = self.task(study, 0, 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("runs are done already", done.stderr)
        self.assertTrue(self.out.exists())

    def test_scaling(self):
        small = {"FIGURES": str(self.folder), "SHRINK": "500", "REPEATS": "1", "SLURM_NTASKS": "3"}
        done = self.job("scaling.sbatch", **small)
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = [json.loads(line) for line in (self.folder / "scaling.jsonl").read_text().splitlines()]
        self.assertEqual(len(runs), 15)
        self.assertEqual({run["ranks"] for run in runs}, {1, 2, 3})
        for run in runs:
            self.assertEqual((run["ranks"], run["agents"], run["status"]),
                             (run["wanted_ranks"], run["wanted_agents"], "converged"))
        self.assertIn("| 10 peers, weak | 3 | 300 |", done.stdout)
        self.assertGreater((self.folder / "scaling.png").stat().st_size, 5000)
        again = self.job("scaling.sbatch", "1", "2", **small)  # all is there: only drawn
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        with open(self.folder / "scaling.jsonl", "a", encoding="utf-8") as file:
            file.write('{"study": "mesh"}\n')
        broken = self.job("scaling.sbatch", "1", **small)
        self.assertEqual(broken.returncode, 5)
        self.assertIn("scaling.jsonl:16: ", broken.stderr)

    def test_what_is_missing_is_named(self):
        for script, what in (("run.sbatch", "CASE="), ("array.sbatch", "STUDY="), ("scaling.sbatch", "sbatch --nodes")):
            done = self.job(script)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(what, done.stderr)


if __name__ == "__main__":
    unittest.main()
