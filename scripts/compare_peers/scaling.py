"""How time and memory of a meta-training step grow: over tasks, inner steps, shots, width and threads.

    python3 scripts/compare_peers/scaling.py        # about a minute

Writes scaling.csv and scaling.svg to results/paper/speed. Each point is a process of its own, `quickstudy bench w1` with one size changed.
"""

import argparse
import csv
from pathlib import Path

import environment

AXES = {
    "tasks": ([1, 4, 16, 64, 256, 1024, 4096], []),
    "steps": ([1, 2, 5, 10, 20, 50], []),
    "shots": ([1, 2, 5, 10, 20, 50], []),
    "width": ([32, 64, 128, 256, 512, 1024], []),
    "threads": ([1, 2], []),
    "recompute": ([1, 5, 14, 50, 200], ["--steps", "200"]),
}
LABELS = {
    "tasks": "tasks in a meta-batch",
    "steps": "inner steps",
    "shots": "shots",
    "width": "width of both hidden layers",
    "threads": "threads",
    "recompute": "keep every n-th of 200 inner steps",
}


def points():
    for axis, (values, more) in AXES.items():
        for value in values:
            heavy = (axis, value) in {("tasks", 4096), ("tasks", 1024)} or axis in ("width", "shots", "recompute")
            count = 5 if heavy else 30
            command = [environment.PROGRAM, "bench", "w1", f"--{axis}", value, "--count", count, *more]
            line = environment.measure(command)
            yield {"axis": axis, "value": value, "ms": line["ms"], "floor_ms": line["floor_ms"], "peak_mb": line["peak_mb"]}
            print(f"{axis} {value}: {line['ms']:.1f} ms, {line['peak_mb']:.0f} MB", flush=True)


def figure(rows, path):
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "quickstudy"
    whole, grid = plt.subplots(2, 3, figsize=(11, 6.5))
    for axes, axis in zip(grid.flat, AXES):
        of = [row for row in rows if row["axis"] == axis]
        values = [row["value"] for row in of]
        axes.plot(values, [row["ms"] for row in of], "o-", label="step")
        axes.plot(values, [row["floor_ms"] for row in of], ":", color="C0", label="matrix products alone, at peak")
        axes.set(xscale="log", yscale="log", xlabel=LABELS[axis], ylabel="milliseconds")
        axes.set_xticks(values, values, fontsize=8)
        axes.minorticks_off()
        decades = [10.0 ** exponent for exponent in range(-2, 4)]
        lowest, highest = min(row["floor_ms"] for row in of), max(row["ms"] for row in of)
        axes.set_ylim(max(d for d in decades if d <= lowest), min(d for d in decades if d >= highest))
        memory = axes.twinx()
        memory.plot(values, [row["peak_mb"] for row in of], "s--", color="C1", label="peak memory")
        memory.set_ylabel("MB", color="C1")
        memory.set_ylim(0, max(1.2 * max(row["peak_mb"] for row in of), 300))
    handles = [*grid.flat[0].get_lines(), memory.get_lines()[0]]
    plt.suptitle(f"w1 with one size changed, second order, {environment.machine()}", fontsize=10)
    plt.tight_layout(rect=(0, 0.05, 1, 1))
    whole.legend(handles, [handle.get_label() for handle in handles], loc="lower center", ncol=3, frameon=False)
    plt.savefig(path, metadata={"Date": None})


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, default=environment.RESULTS)
    arguments = arguments.parse_args()
    environment.enter()
    environment.build()
    rows = list(points())
    arguments.out.mkdir(parents=True, exist_ok=True)
    with open(arguments.out / "scaling.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    figure(rows, arguments.out / "scaling.svg")


if __name__ == "__main__":
    main()
