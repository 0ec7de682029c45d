"""Runs peerwatt as a user does, alone or under mpirun; shared by the tests of this folder."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("PEERWATT", "build/peerwatt")
MPIRUN = ROOT / "run_scripts" / "mpirun.sh"
CASES = ROOT / "configs" / "cases"
LAUNCHER_SIGNS = ("OMPI_", "PMIX_", "PMI_", "SLURM_")


class Result:
    """What a finished command said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        """The one JSON object on stdout; nothing else may stand there."""
        lines = self.out.splitlines()
        assert len(lines) == 1, f"{len(lines)} lines on stdout: {self.out[:300]}"
        return json.loads(lines[0])


def command_line(arguments, ranks):
    """The words of a launch; ranks 0 means without mpirun."""
    launcher = [str(MPIRUN), str(ranks)] if ranks else [str(PROGRAM)]
    return launcher + [str(word) for word in arguments]


def words(settings):
    """Settings by name as the words of a command."""
    return [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]


def environment():
    """Ours without what a launcher would have set."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER_SIGNS)}
    env["PEERWATT"] = str(PROGRAM)
    return env


def run(*arguments, ranks=0, timeout=120, cwd=None):
    """Runs to the end; a hang is an error."""
    done = subprocess.run(command_line(arguments, ranks), capture_output=True, text=True,
                          timeout=timeout, env=environment(), cwd=cwd, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def start(*arguments, ranks=0):
    """Starts in a process group of its own, for tests that send signals."""
    return subprocess.Popen(command_line(arguments, ranks), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(),
                            start_new_session=True)


def finish(process, timeout=60):
    """The result of a started one."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        raise
    return Result(process.returncode, out, err)


def ours(err):
    """The lines of peerwatt itself among those of mpirun."""
    return [line for line in err.splitlines() if line.startswith("peerwatt:")]


class InFolder(unittest.TestCase):
    """A test with a folder of its own that is gone afterwards."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def files(self):
        """Names of all files in the folder, hidden ones too."""
        return sorted(p.name for p in self.folder.rglob("*") if p.is_file())

    def write_case(self, yaml, **tables):
        """Writes case.yaml and NAME.csv for each table; returns the case's path."""
        for name, text in tables.items():
            data = text if isinstance(text, bytes) else text.encode()
            (self.folder / f"{name}.csv").write_bytes(data)
        path = self.folder / "case.yaml"
        path.write_bytes(yaml if isinstance(yaml, bytes) else yaml.encode())
        return path
