//! What the matrix products of a workload would take alone, at the speed of this machine's largest.

use std::{
    sync::{Barrier, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tch::{Device, Kind, Tensor};

use super::workload::Workload;
use crate::{inner::Order, tasks::Extent};

/// Floating-point operations of the matrix products of one step, in the form that it takes and with hand-written derivatives: a product
/// of `[m, k]` and `[k, n]` counts `2 m k n`.
pub fn operations(workload: &Workload, order: Order) -> f64 {
    let Extent { support, queries, .. } = workload.extent();
    let (s, q) = (support as f64, queries as f64);
    let input = workload.inputs as f64;
    let first = workload.hidden.first().copied().unwrap_or(workload.size.ways) as f64;
    // Weights of the layers behind the first.
    let widths: Vec<f64> = workload.hidden.iter().chain([&workload.size.ways]).map(|&w| w as f64).collect();
    let body: f64 = widths.windows(2).map(|w| w[0] * w[1]).sum();
    let steps = workload.steps as f64;
    // Forwards; gradients of inputs and of weights.
    let pass = |rows: f64| 3.0 * rows * body;
    let second = order == Order::Second;
    // On the way back of a step a Hessian-vector product: two products forwards, two backwards, two for the weights.
    let step = pass(s) + if second { 6.0 * s * body } else { 0.0 };
    let input_layer = if support <= workload.inputs {
        // Implicit: at theta and the gradient of its weight; the Gram matrix; K C in every step and for the queries; K^T u on the way back.
        let shared = 2.0 * (s + q) * input * first + s * (s + q) * input;
        shared + (if second { 2.0 } else { 1.0 }) * steps * s * s * first + 2.0 * q * s * first
    } else {
        // Explicit: outputs and the gradient of the weight in every step and for the queries, and the same again on the way back.
        2.0 * input * first * ((if second { 2.0 } else { 1.0 }) * steps * s + q)
    };
    2.0 * workload.tasks as f64 * (input_layer + steps * step + pass(q))
}

/// Operations per second of large f32 matrix products, one on each of `threads` threads at once, in the best of several rounds.
pub fn peak(threads: usize, device: Device) -> f64 {
    const SIZE: i64 = 1024;
    const ROUNDS: usize = 12; // the first are slower: pages and clocks
    let threads = threads.max(1);
    let (together, start) = (Barrier::new(threads), Mutex::new(Instant::now()));
    let rounds = || {
        tch::set_num_threads(1);
        let a = Tensor::ones([SIZE, SIZE], (Kind::Float, device));
        let round = |_| {
            if together.wait().is_leader() {
                *lock(&start) = Instant::now(); // the last to come, so that nobody has begun before
            }
            let corner = a.matmul(&a).double_value(&[0, 0]); // waits for the device
            debug_assert_eq!(corner, SIZE as f64);
            together.wait();
            lock(&start).elapsed().as_secs_f64()
        };
        (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
    };
    let shortest = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(rounds)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).fold(f64::INFINITY, f64::min)
    });
    2.0 * (SIZE as f64).powi(3) * threads as f64 / shortest
}

fn lock(start: &Mutex<Instant>) -> MutexGuard<'_, Instant> {
    start.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn many_shots_cost_less_than_their_gram_matrix() {
        let mut w1 = Workload::find("w1").expect("w1");
        let growth = |workload: &mut Workload, shots| {
            workload.size.shots = shots;
            operations(workload, Order::Second)
        };
        let (below, above) = (growth(&mut w1, 156), growth(&mut w1, 312));
        assert!(above < 8.0 * below, "{below} {above}");
    }
}
