"""One MAML meta-training step in JAX, in torch.func and in a loop over tasks, timed: one line of JSON.

    python peers.py jax w1 --order 2

Everyone does the same work on the same numbers: adapt T tasks by gradient descent, differentiate the mean query loss with respect to
the initialisation, take one Adam step at 0.001.
"""

import argparse
import json
import resource
import statistics
import time
from importlib.metadata import version

from workloads import WORKLOADS, inputs, parameters

EPISODE = ("support_x", "support_y", "query_x", "query_y")
SCANNED = 100


def jax_parts(workload, order):
    """A step from (params, state) on an episode, and where it starts."""
    import jax
    import jax.numpy as jnp
    import optax

    def loss(params, x, y):
        layers = list(zip(params[::2], params[1::2]))
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(x @ weight.T + bias)
        weight, bias = layers[-1]
        x = x @ weight.T + bias
        if workload.is_regression:
            return jnp.square(x - y).mean()
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()

    def query_loss(params, support_x, support_y, query_x, query_y):
        for _ in range(workload.steps):
            gradient = jax.grad(loss)(params, support_x, support_y)
            if order == 1:
                gradient = jax.lax.stop_gradient(gradient)
            params = [p - workload.rate * g for p, g in zip(params, gradient)]
        return loss(params, query_x, query_y)

    def mean_loss(params, episode):
        return jax.vmap(lambda *task: query_loss(params, *task))(*episode).mean()

    adam = optax.adam(1e-3)

    def step(carry, episode):
        params, state = carry
        value, gradient = jax.value_and_grad(mean_loss)(params, episode)
        updates, state = adam.update(gradient, state)
        return (optax.apply_updates(params, updates), state), value

    tensors = inputs(workload)
    params = [jnp.asarray(p) for p in parameters(tensors)]
    episode = [jnp.asarray(tensors[name]) for name in EPISODE]
    return step, (params, adam.init(params)), episode


def jax_step(workload, order):
    """`jit` of `vmap` over tasks."""
    import jax

    step, carry, episode = jax_parts(workload, order)
    step = jax.jit(step)

    def run():
        nonlocal carry
        carry, value = step(carry, episode)
        return float(value)

    return run


def jax_scan_step(workload, order):
    """The same, many steps in one call: what training gains that never looks back at Python."""
    import jax

    step, carry, episode = jax_parts(workload, order)
    steps = jax.jit(lambda carry, episode: jax.lax.scan(lambda c, _: step(c, episode), carry, length=SCANNED))

    def run():
        nonlocal carry
        carry, values = steps(carry, episode)
        return float(values[0])

    return run


def torch_loss(params, x, y):
    from torch.nn.functional import cross_entropy, linear, mse_loss, relu

    layers = list(zip(params[::2], params[1::2]))
    for weight, bias in layers[:-1]:
        x = relu(linear(x, weight, bias))
    x = linear(x, *layers[-1])
    return mse_loss(x, y) if y.is_floating_point() else cross_entropy(x, y)


def torch_step(workload, backward):
    """A step whose `backward(params, episode)` leaves gradients and gives the loss."""
    import torch

    tensors = inputs(workload)
    params = [torch.tensor(p, requires_grad=True) for p in parameters(tensors)]
    episode = [torch.tensor(tensors[name]) for name in EPISODE]
    adam = torch.optim.Adam(params, lr=1e-3)

    def run():
        adam.zero_grad()
        value = backward(params, episode)
        adam.step()
        return value

    return run


def torchfunc_step(workload, order):
    """torch.func: `vmap` over tasks of `grad`."""
    from torch.func import grad, vmap

    def query_loss(params, support_x, support_y, query_x, query_y):
        for _ in range(workload.steps):
            gradient = grad(torch_loss)(params, support_x, support_y)
            if order == 1:
                gradient = [g.detach() for g in gradient]
            params = [p - workload.rate * g for p, g in zip(params, gradient)]
        return torch_loss(params, query_x, query_y)

    def backward(params, episode):
        loss = vmap(query_loss, (None, 0, 0, 0, 0))(params, *episode).mean()
        loss.backward()
        return loss.item()

    return torch_step(workload, backward)


def loop_step(workload, order):
    """One task after the other with torch.autograd, as learn2learn, higher and most published code do."""
    import torch

    def backward(params, episode):
        total = 0.0
        for support_x, support_y, query_x, query_y in zip(*episode):
            fast = params
            for _ in range(workload.steps):
                loss = torch_loss(fast, support_x, support_y)
                gradient = torch.autograd.grad(loss, fast, create_graph=order == 2)
                fast = [p - workload.rate * g for p, g in zip(fast, gradient)]
            loss = torch_loss(fast, query_x, query_y) / workload.tasks
            loss.backward()
            total += loss.item()
        return total

    return torch_step(workload, backward)


# Who, in which package, and how many steps a run takes.
PEERS = {
    "jax": (jax_step, "jax", 1),
    "jaxscan": (jax_scan_step, "jax", SCANNED),
    "torchfunc": (torchfunc_step, "torch", 1),
    "loop": (loop_step, "torch", 1),
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("peer", choices=PEERS)
    arguments.add_argument("workload", choices=WORKLOADS)
    arguments.add_argument("--order", type=int, default=2, choices=(1, 2))
    arguments.add_argument("--count", type=int, default=20, help="runs to time, after three that are not")
    arguments = arguments.parse_args()
    workload = WORKLOADS[arguments.workload]
    build, package, steps = PEERS[arguments.peer]
    run = build(workload, arguments.order)
    initial_loss, times = run(), []
    for i in range(2 + arguments.count):
        start = time.perf_counter()
        run()
        if i >= 2:
            times.append((time.perf_counter() - start) / steps)
    ms = statistics.median(times) * 1e3
    line = {"peer": arguments.peer, "workload": arguments.workload, "order": arguments.order, "ms": ms}
    line |= {"tasks_per_s": workload.tasks / ms * 1e3, "initial_loss": initial_loss}
    line |= {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}
    print(json.dumps(line | {"version": f"{package} {version(package)}"}))


if __name__ == "__main__":
    main()
