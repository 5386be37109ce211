//! What the matrix products of a workload would take alone, at the speed of this machine's largest.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::workload::{INPUTS, Workload};
use crate::inner::Order;

/// Floating-point operations of the matrix products of one step, in the implicit form with hand-written derivatives: a product
/// of `[m, k]` and `[k, n]` counts `2 m k n`.
pub fn operations(workload: &Workload, order: Order) -> f64 {
    let (support, query) = workload.rows();
    let (s, q) = (support as f64, query as f64);
    let input = INPUTS as f64;
    let first = workload.hidden.first().copied().unwrap_or(workload.size.ways) as f64;
    // Weights of the layers behind the first.
    let widths: Vec<f64> = workload.hidden.iter().chain([&workload.size.ways]).map(|&w| w as f64).collect();
    let body: f64 = widths.windows(2).map(|w| w[0] * w[1]).sum();
    let steps = workload.steps as f64;
    // The input layer at theta and the gradient of its weight; the Gram matrix.
    let shared = 2.0 * (s + q) * input * first + s * (s + q) * input;
    // Forwards; gradients of inputs and of weights.
    let pass = |rows: f64| 3.0 * rows * body;
    // A step: its pass, K C, and on the way back a Hessian-vector product (two products forwards, two backwards, two for the
    // weights) and K^T u.
    let step = match order {
        Order::Second => pass(s) + 6.0 * s * body + 2.0 * s * s * first,
        _ => pass(s) + s * s * first,
    };
    // The queries: their pass, K C and K^T u.
    let queries = pass(q) + 2.0 * q * s * first;
    2.0 * workload.tasks as f64 * (shared + steps * step + queries)
}

/// Operations per second of a large f32 matrix product on each of `threads` threads at once, the best of several tries.
pub fn peak(threads: usize, device: Device) -> f64 {
    const SIZE: i64 = 1024;
    const TRIES: usize = 12; // the first are slower: pages and clocks
    let best = || {
        tch::set_num_threads(1);
        let a = Tensor::ones([SIZE, SIZE], (Kind::Float, device));
        let mut rates = (0..TRIES).map(|_| {
            let start = Instant::now();
            let corner = a.matmul(&a).double_value(&[0, 0]); // waits for the device
            debug_assert_eq!(corner, SIZE as f64);
            2.0 * (SIZE as f64).powi(3) / start.elapsed().as_secs_f64()
        });
        let first = rates.next().unwrap_or(0.0);
        rates.fold(first, f64::max)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(best)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_layer_dominates_w1() {
        let w1 = Workload::find("w1").expect("w1");
        let layer = 2.0 * 2.0 * 32.0 * 80.0 * 784.0 * 64.0;
        let all = operations(&w1, Order::Second);
        assert!(layer < all && all < 1.5 * layer, "{all}");
        assert!(operations(&w1, Order::First) < all);
    }
}
