//! Layers for all tasks at once.

use tch::Tensor;

/// `x W^T + b` for `x` `[T, R, I]`, with weights shared by all tasks (`[O, I]`, `[O]`) or one per task (`[T, O, I]`, `[T, O]`).
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Tensor {
    if weight.dim() == 2 {
        x.linear(weight, Some(bias)) // [T, R, O]
    } else if weight.size()[0] == 1 {
        // One large task: a batched product would not use all threads.
        x.linear(&weight.squeeze_dim(0), Some(&bias.squeeze_dim(0)))
    } else {
        bias.unsqueeze(1).baddbmm(x, &weight.transpose(1, 2), 1.0, 1.0) // [T, R, O]
    }
}

/// A parameter of one per task that is the same for all, as one that they share: a product with it is one for all tasks.
pub fn shared(parameter: &Tensor) -> Tensor {
    if parameter.stride().first() == Some(&0) { parameter.select(0, 0) } else { parameter.shallow_clone() }
}

/// The gradient of [`linear`] with respect to weights of one per task: `g^T x` `[T, O, I]` for `g` `[T, R, O]`, `x` `[T, R, I]`.
pub fn weight_gradient(g: &Tensor, x: &Tensor) -> Tensor {
    if g.size()[0] == 1 {
        g.squeeze_dim(0).transpose(0, 1).matmul(&x.squeeze_dim(0)).unsqueeze(0)
    } else {
        g.transpose(1, 2).bmm(x)
    }
}

/// The gradient of weight `[H, D]` and bias `[H]` that all tasks share: the mean over tasks of `g^T x` and the sum of g, for `g`
/// `[T, R, H]` and `x` `[T, R, D]`.
pub fn shared_gradient(g: &Tensor, x: &Tensor) -> [Tensor; 2] {
    let tasks = g.size()[0] as f64;
    let g = g.flatten(0, 1) / tasks; // [T*R, H]
    let weight = g.transpose(0, 1).matmul(&x.flatten(0, 1));
    [weight, g.sum_dim_intlist(0, false, None)]
}

/// One step of gradient descent on a weight `[T, O, I]`: `weight - rate * g^T x`, in one pass over it.
pub fn descend_weight(weight: &Tensor, g: &Tensor, x: &Tensor, rate: f64) -> Tensor {
    if g.size()[0] == 1 {
        let g = g.squeeze_dim(0).transpose(0, 1) * -rate;
        weight.squeeze_dim(0).addmm(&g, &x.squeeze_dim(0)).unsqueeze(0)
    } else {
        weight.baddbmm(&g.transpose(1, 2), x, 1.0, -rate)
    }
}

/// Batch normalisation with the statistics of each task's current rows, at test time too (transductive): `z` `[T, R, H]`,
/// `scale` and `shift` `[H]` or `[T, H]`; `weight` `[T, R]` is the share of each row in the statistics, without it all count alike.
/// Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithm 1.
pub fn batch_norm(z: &Tensor, scale: &Tensor, shift: &Tensor, weight: Option<&Tensor>) -> Tensor {
    let mean = |t: &Tensor| match weight {
        None => t.mean_dim(1, true, None),
        Some(weight) => (t * weight.unsqueeze(-1)).sum_dim_intlist(1, true, None),
    }; // [T, 1, H]
    let centred = z - mean(z);
    let variance = mean(&centred.square());
    centred * (variance + 1e-5).rsqrt() * scale.unsqueeze(-2) + shift.unsqueeze(-2)
}
