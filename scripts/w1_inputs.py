"""Writes w1.safetensors: the weights and episodes of workload w1, as the peers' benchmark draws them with numpy.

    python3 scripts/w1_inputs.py && cargo bench --bench meta_step -- w1.safetensors

With them the first step's loss must be the peers' (28.47), so that what is timed is the same work. Needs numpy.
"""

import json
import struct

import numpy as np

WAYS, SHOTS, QUERIES, SIZES, TASKS = 5, 1, 15, (784, 64, 64, 5), 32

data = np.random.default_rng(0)
tensors = {}
for part, count in (("support", SHOTS), ("query", QUERIES)):
    tensors[f"{part}_x"] = data.random((TASKS, WAYS * count, SIZES[0]), dtype=np.float32)
    tensors[f"{part}_y"] = np.tile(np.repeat(np.arange(WAYS, dtype=np.int64), count), (TASKS, 1))

weights = np.random.default_rng(1)
for layer, (fan_in, out) in enumerate(zip(SIZES, SIZES[1:])):
    weight = weights.standard_normal((out, fan_in)) * np.sqrt(2 / fan_in)
    tensors[f"layer{layer}.weight"] = weight.astype(np.float32)
    tensors[f"layer{layer}.bias"] = np.zeros(out, np.float32)

header, body = {}, b""
for name, values in tensors.items():
    values = np.ascontiguousarray(values)
    end = len(body) + values.nbytes
    kind = {"float32": "F32", "int64": "I64"}[values.dtype.name]
    header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": [len(body), end]}
    body += values.tobytes()
head = json.dumps(header).encode()
with open("w1.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(head)) + head + body)
