"""The workloads of `quickstudy bench`, and the weights and episodes on which everyone computes."""

from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """N ways of K shots and Q queries, to be told apart by cross-entropy; of one way, sine waves by squared error."""

    ways: int
    shots: int
    queries: int  # per class
    sizes: tuple  # of the layers, input first
    tasks: int
    steps: int  # inner
    rate: float  # inner

    @property
    def is_regression(self):
        return self.ways == 1


WORKLOADS = {
    "w1": Workload(5, 1, 15, (784, 64, 64, 5), 32, 5, 0.4),
    "w2": Workload(5, 5, 15, (784, 64, 64, 5), 32, 5, 0.4),
    "w3": Workload(20, 1, 5, (784, 64, 64, 20), 16, 5, 0.1),
    "w4": Workload(5, 1, 1, (784, 256, 128, 64, 64, 5), 32, 1, 0.4),
    "w5": Workload(5, 1, 15, (784, 64, 64, 5), 32, 20, 0.1),
    "w6": Workload(5, 1, 15, (784, 64, 64, 5), 512, 5, 0.4),
    "s1": Workload(1, 10, 10, (1, 40, 40, 1), 25, 1, 0.01),
}


def inputs(workload):
    """Tensors by name, from fixed seeds: support_x [T, N*K, D], support_y [T, N*K] or [T, N*K, 1], query_x, query_y, layer0.weight [H, D], ..."""
    draw = np.random.default_rng(0)
    tensors = waves(workload, draw) if workload.is_regression else images(workload, draw)
    draw = np.random.default_rng(1)
    for layer, (fan_in, out) in enumerate(zip(workload.sizes, workload.sizes[1:])):
        weight = draw.standard_normal((out, fan_in)) * np.sqrt(2 / fan_in)
        tensors[f"layer{layer}.weight"] = weight.astype(np.float32)
        tensors[f"layer{layer}.bias"] = np.zeros(out, np.float32)
    return tensors


def images(workload, draw):
    tensors = {}
    for part, count in (("support", workload.shots), ("query", workload.queries)):
        shape = (workload.tasks, workload.ways * count, workload.sizes[0])
        tensors[f"{part}_x"] = draw.random(shape, dtype=np.float32)
        labels = np.repeat(np.arange(workload.ways, dtype=np.int64), count)
        tensors[f"{part}_y"] = np.tile(labels, (workload.tasks, 1))
    return tensors


def waves(workload, draw):
    """Sines of amplitude 0.1 to 5 and phase 0 to pi on -5 to 5 (Finn et al. 2017, section 5.1)."""
    tensors = {}
    amplitude, phase = (draw.uniform(*span, (workload.tasks, 1, 1)) for span in ((0.1, 5), (0, np.pi)))
    for part, count in (("support", workload.shots), ("query", workload.queries)):
        x = draw.uniform(-5, 5, (workload.tasks, count, workload.sizes[0]))
        tensors[f"{part}_x"] = x.astype(np.float32)
        tensors[f"{part}_y"] = (amplitude * np.sin(x - phase)).astype(np.float32)
    return tensors


def parameters(tensors):
    """The weights among them, in the network's order: weight, bias, weight, ..."""
    layers = sum(name.startswith("layer") for name in tensors) // 2
    return [tensors[f"layer{layer}.{kind}"] for layer in range(layers) for kind in ("weight", "bias")]
