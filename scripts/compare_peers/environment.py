"""What every script here begins with: an environment of its own, the program, and a way to run it."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "results" / "paper" / "speed"
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
PROGRAM = ROOT / "target" / "release" / "quickstudy"


def enter():
    """Goes on in .venv, made with pip on first use."""
    if Path(sys.prefix) == VENV:
        return
    requirements = HERE / "requirements.txt"
    made = VENV / "requirements.txt"
    if not made.exists() or made.read_text() != requirements.read_text():
        print("making an environment for the peers (PyTorch and JAX, some minutes)", file=sys.stderr)
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        made.write_text(requirements.read_text())
    os.execv(PYTHON, [PYTHON, *sys.argv])


def build():
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)


def measure(command):
    """The line of JSON that a benchmark prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def machine():
    """Processor and number of cores."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {len(os.sched_getaffinity(0))} cores"
