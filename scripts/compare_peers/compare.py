"""Quickstudy, JAX, torch.func and the loop over tasks on the same work: one table, one figure.

    python3 scripts/compare_peers/compare.py                 # all workloads, about 10 minutes
    python3 scripts/compare_peers/compare.py w1 --rounds 5   # one of them

Makes its own environment with pip, checks that everyone starts from the same loss, then times everyone in turn, round after round, and
writes peers.csv, peers.md and peers.svg to results/paper/speed. A time is the median over rounds of a process's median step.
"""

import argparse
import csv
import datetime
import statistics
import sys
import tempfile
from pathlib import Path

import environment

OURS = "quickstudy"
PEERS = ("jax", "jaxscan", "torchfunc", "loop")
NAMES = {OURS: "Quickstudy", "jax": "JAX jit+vmap", "jaxscan": "JAX scan", "torchfunc": "torch.func vmap", "loop": "PyTorch loop"}
# The loop is many times slower: once is enough to know it, and one workload to know that. Many steps in one call gain where a step is short.
ONLY = {"loop": "w1", "jaxscan": "s1"}
COLUMNS = ("workload", "order", "peer", "ms", "fastest_ms", "slowest_ms", "tasks_per_s", "times_slower", "peak_mb",
           "floor_ms", "initial_loss", "version")  # fmt: skip


def command(who, workload, order, count, inputs):
    if who == OURS:
        return [environment.PROGRAM, "bench", workload, "--order", order, "--count", count, "--inputs", inputs]
    return [sys.executable, environment.HERE / "peers.py", who, workload, "--order", order, "--count", count]


def runs(who, workload):
    """How many are timed in a process, so that it takes a second or some."""
    if workload == "s1":
        return {"jaxscan": 20, "torchfunc": 200}.get(who, 2000)
    return 60 if who == OURS else 15


def compare(workload, order, rounds, folder):
    """A row per peer."""
    from safetensors.numpy import save_file
    from workloads import WORKLOADS, inputs

    file = Path(folder) / f"{workload}.safetensors"
    save_file(inputs(WORKLOADS[workload]), file)
    peers = [OURS, *(peer for peer in PEERS if ONLY.get(peer, workload) == workload)]
    lines = {who: [] for who in peers}
    for _ in range(rounds):
        for who in peers:
            lines[who].append(environment.measure(command(who, workload, order, runs(who, workload), file)))
            loss, expected = lines[who][-1]["initial_loss"], lines[OURS][0]["initial_loss"]
            if abs(loss - expected) > 2e-4 * abs(expected):  # four digits; where adaptation overshoots, rounding takes the rest
                sys.exit(f"{who} starts {workload} from the loss {loss}, Quickstudy from {expected}: not the same work")
    rows = []
    ours = statistics.median(line["ms"] for line in lines[OURS])
    for who in peers:
        times = [line["ms"] for line in lines[who]]
        ms = statistics.median(times)
        rows.append({
            "workload": workload, "order": order, "peer": who, "ms": ms, "fastest_ms": min(times), "slowest_ms": max(times),
            "tasks_per_s": WORKLOADS[workload].tasks / ms * 1e3, "times_slower": ms / ours,
            "peak_mb": max(line["peak_mb"] for line in lines[who]),
            "floor_ms": statistics.median(line["floor_ms"] for line in lines[who]) if who == OURS else "",
            "initial_loss": lines[who][0]["initial_loss"],
            "version": lines[who][0].get("version", "this program"),
        })  # fmt: skip
        print(f"{workload} order {order} {NAMES[who]:>16}: {ms:8.3f} ms, {ms / ours:5.1f}x", file=sys.stderr)
    return rows


def short(ms):
    return f"{ms:.1f}" if ms >= 1 else f"{ms:.3f}"


def markdown(rows):
    versions = sorted({row["version"] for row in rows if row["peer"] != OURS})
    lines = [
        "# One MAML meta-training step",
        "",
        f"{environment.machine()}; {', '.join(versions)}; {datetime.date.today()}. Milliseconds (tasks per second; peak memory of the "
        "process), and how many times slower than Quickstudy. *JAX scan*: many steps in one call. *Floor*: what the matrix products alone "
        "would take at the speed of this machine's largest, measured in the same sitting. Everyone computes on the same numbers and "
        "starts from the same loss.",
        "",
        f"| workload | order | Quickstudy | floor | {' | '.join(NAMES[peer] for peer in PEERS)} |",
        "|---|---|---|---|" + "---|" * len(PEERS),
    ]
    for workload, order in sorted({(row["workload"], row["order"]) for row in rows}):
        of = {row["peer"]: row for row in rows if (row["workload"], row["order"]) == (workload, order)}

        def cell(who):
            if who not in of:
                return ""
            row = of[who]
            times = "" if who == OURS else f", **{row['times_slower']:.1f}x**"
            return f"{short(row['ms'])} ms ({row['tasks_per_s']:.0f}/s; {row['peak_mb']:.0f} MB){times}"

        floor = of[OURS]["floor_ms"]
        floor = f"{short(floor)} ms, {of[OURS]['ms'] / floor:.1f}x"
        lines.append(f"| {workload} | {order} | {cell(OURS)} | {floor} | {' | '.join(map(cell, PEERS))} |")
    return "\n".join(lines) + "\n"


def figure(rows, path):
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "quickstudy"
    second = [row for row in rows if row["order"] == 2]
    workloads = sorted({row["workload"] for row in second})
    _, axes = plt.subplots(figsize=(8, 4))
    bars = {peer: {} for peer in (OURS, *PEERS)}  # places and heights
    for middle, workload in enumerate(workloads):
        of = {row["peer"]: row["ms"] for row in second if row["workload"] == workload}
        present = [peer for peer in bars if peer in of]
        for i, peer in enumerate(present):
            bars[peer][middle + (i - (len(present) - 1) / 2) * 0.2] = of[peer]
    for i, (peer, heights) in enumerate(bars.items()):
        if not heights:
            continue
        drawn = axes.bar(heights.keys(), heights.values(), 0.19, color=f"C{i}", label=NAMES[peer])
        axes.bar_label(drawn, fmt=lambda ms: f"{ms:.0f}" if ms >= 1 else f"{ms:.2f}", fontsize=7)
    axes.set_yscale("log")
    axes.set_xticks(range(len(workloads)), workloads)
    axes.set_ylabel("milliseconds per step, second order (log scale)")
    axes.set_title(f"One MAML meta-training step on {environment.machine()}", fontsize=9)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    plt.tight_layout()
    plt.savefig(path, metadata={"Date": None})


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workloads", nargs="*", default=["w1", "w2", "w3", "w4", "w5", "w6", "s1"])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--out", type=Path, default=environment.RESULTS)
    arguments = arguments.parse_args()
    environment.enter()
    environment.build()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for workload in arguments.workloads:
            for order in (2, 1):
                rows += compare(workload, order, arguments.rounds, folder)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with open(arguments.out / "peers.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (arguments.out / "peers.md").write_text(markdown(rows))
    figure(rows, arguments.out / "peers.svg")
    print(markdown(rows))


if __name__ == "__main__":
    main()
