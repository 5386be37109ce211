//! Passes forwards and backwards over the rows of all tasks, and the way back through a step.

use std::borrow::Cow;

use pulp::Simd;

use super::{
    chunk::TaskRows,
    product::{AddProduct, InnerProducts, Left, filled},
};
use crate::{
    loss::Loss,
    models::{Activation, Chain},
};

/// The network at theta.
pub struct CompactNetwork<'a, S> {
    simd: S,
    sizes: &'a [usize],
    activation: Activation,
    loss: &'a dyn Loss,
    rate: f32,
    layers: Vec<Layer>,
}

/// A layer at theta, with I inputs and O outputs.
struct Layer {
    /// `[O, I]`.
    weight: Vec<f32>,
    /// `[I, O]`.
    transposed: Vec<f32>,
    /// `[O]`.
    bias: Vec<f32>,
}

/// One pass forwards and backwards.
pub struct Pass {
    /// Rows of a task.
    of_task: usize,
    /// What goes into each layer, `[T*R, I]`.
    inputs: Vec<Vec<f32>>,
    /// The gradient of each task's loss with respect to what comes out of each layer, `[T*R, O]`.
    slopes: Vec<Vec<f32>>,
    /// That with respect to what goes into each layer but the first.
    backwards: Vec<Vec<f32>>,
    /// The loss's link of the outputs, not filled up.
    linked: Vec<f32>,
    /// The sum over tasks of their losses.
    pub loss: f32,
}

/// A part of lambda: `scale * u^T v` for each layer's weight, and the sum over rows of `scale * u` for its bias.
pub struct Pairs<'a> {
    scale: f32,
    of_task: usize,
    /// `[T*R, O]` for each layer.
    u: Vec<Cow<'a, [f32]>>,
    /// `[T*R, I]` for each layer.
    v: Vec<Cow<'a, [f32]>>,
    /// Whether it is for biases too.
    bias: bool,
}

impl Pairs<'_> {
    /// The gradient of a pass.
    pub fn of_gradient(pass: Pass) -> Self {
        let own = |of: Vec<Vec<f32>>| of.into_iter().map(Cow::Owned).collect();
        Pairs { scale: 1.0, of_task: pass.of_task, u: own(pass.slopes), v: own(pass.inputs), bias: true }
    }
}

/// Some rows of each task, `[T*R, ...]`, that many of them.
#[derive(Clone, Copy)]
struct OfTasks<'a> {
    values: &'a [f32],
    of_task: usize,
}

impl<'a, S: Simd> CompactNetwork<'a, S> {
    /// From weights `[O, I]` and biases `[O]`, layer by layer.
    pub fn new(simd: S, chain: &'a Chain, loss: &'a dyn Loss, theta: &[&[f32]], rate: f32) -> Self {
        let layer = |(size, layer): (&[usize], &[&[f32]])| {
            let ([inputs, outputs], [weight, bias]) = ([size[0], size[1]], [layer[0], layer[1]]);
            let (wide, high) = (filled::<S>(inputs), filled::<S>(outputs));
            let mut made = Layer {
                weight: vec![0.0; outputs * wide],
                transposed: vec![0.0; inputs * high],
                bias: vec![0.0; high],
            };
            for (o, row) in weight.chunks_exact(inputs).enumerate() {
                made.weight[o * wide..][..inputs].copy_from_slice(row);
                row.iter().enumerate().for_each(|(i, w)| made.transposed[i * high + o] = *w);
            }
            made.bias[..outputs].copy_from_slice(bias);
            made
        };
        let layers = chain.sizes.windows(2).zip(theta.chunks_exact(2)).map(layer).collect();
        Self { simd, sizes: &chain.sizes, activation: chain.activation, loss, rate, layers }
    }

    /// The width of what goes into a layer, or comes out of the last, filled up.
    fn width(&self, layer: usize) -> usize {
        filled::<S>(self.sizes[layer])
    }

    fn add_product(&self, out: &mut [f32], scale: f32, left: Left, right: &[f32], sizes: [usize; 3]) {
        AddProduct { simd: self.simd, out, scale, left, right, sizes }.run();
    }

    /// `out += scale * (at v^T + add) u` for each task: what a part `u^T v` of a weight does to rows `at`.
    fn add_part(
        &self,
        out: &mut [f32],
        at: OfTasks,
        [v, u]: [OfTasks; 2],
        [inner, outer]: [usize; 2],
        [scale, add]: [f32; 2],
    ) {
        let (rows, others) = (at.of_task, v.of_task);
        let mut gram = vec![0.0; rows * others];
        let tasks = out.chunks_exact_mut(rows * outer).zip(at.values.chunks_exact(rows * inner));
        let parts = v.values.chunks_exact(others * inner).zip(u.values.chunks_exact(others * outer));
        for ((out, at), (v, u)) in tasks.zip(parts) {
            InnerProducts { simd: self.simd, out: &mut gram, a: at, b: v, width: inner, add }.run();
            self.add_product(out, scale, Left::rows(&gram, others), u, [rows, others, outer]);
        }
    }

    /// Rows `at` through a layer's weight as it is after some steps, `[T*R, O]`; with `bias`, through all of the layer.
    fn forwards(&self, layer: usize, at: OfTasks, taken: &[Pass], bias: bool) -> Vec<f32> {
        let [inner, outer] = [self.width(layer), self.width(layer + 1)];
        let rows = at.values.len() / inner;
        let Layer { transposed, bias: start, .. } = &self.layers[layer];
        let mut out = vec![0.0; rows * outer];
        if bias {
            out.chunks_exact_mut(outer).for_each(|row| row.copy_from_slice(start));
        }
        let sizes = [rows, self.sizes[layer], outer];
        self.add_product(&mut out, 1.0, Left::rows(at.values, inner), transposed, sizes);
        for pass in taken {
            let v = OfTasks { values: &pass.inputs[layer], of_task: pass.of_task };
            let u = OfTasks { values: &pass.slopes[layer], of_task: pass.of_task };
            let add = if bias { 1.0 } else { 0.0 };
            self.add_part(&mut out, at, [v, u], [inner, outer], [-self.rate, add]);
        }
        out
    }

    /// Rows `at` back through a layer's weight as it is after some steps, `[T*R, I]`.
    fn backwards(&self, layer: usize, at: OfTasks, taken: &[Pass]) -> Vec<f32> {
        let [inner, outer] = [self.width(layer), self.width(layer + 1)];
        let rows = at.values.len() / outer;
        let mut out = vec![0.0; rows * inner];
        let sizes = [rows, self.sizes[layer + 1], inner];
        self.add_product(&mut out, 1.0, Left::rows(at.values, outer), &self.layers[layer].weight, sizes);
        for pass in taken {
            let v = OfTasks { values: &pass.inputs[layer], of_task: pass.of_task };
            let u = OfTasks { values: &pass.slopes[layer], of_task: pass.of_task };
            self.add_part(&mut out, at, [u, v], [outer, inner], [-self.rate, 0.0]);
        }
        out
    }

    /// A pass at the weights after some steps.
    pub fn pass(&self, rows: TaskRows, taken: &[Pass]) -> Pass {
        let TaskRows { x, y, of_task } = rows;
        let layers = self.layers.len();
        let (mut inputs, mut at) = (Vec::with_capacity(layers), x);
        for layer in 0..layers {
            if layer > 0 {
                self.activate(&mut at);
            }
            let out = self.forwards(layer, OfTasks { values: &at, of_task }, taken, true);
            inputs.push(std::mem::replace(&mut at, out));
        }
        let (loss, linked, slope) = self.compare(&at, &y, of_task);
        let mut pass = Pass { of_task, inputs, slopes: vec![slope], backwards: vec![], linked, loss };
        for layer in (1..layers).rev() {
            let values = &pass.slopes[pass.slopes.len() - 1];
            let mut slope = self.backwards(layer, OfTasks { values, of_task }, taken);
            pass.backwards.push(if self.activation == Activation::Tanh { slope.clone() } else { vec![] });
            self.times_slope(&mut slope, &pass.inputs[layer]);
            pass.slopes.push(slope);
        }
        pass.slopes.reverse();
        pass.backwards.reverse();
        pass
    }

    /// The sum over tasks of the losses of outputs, their link, and their slope.
    fn compare(&self, outputs: &[f32], expected: &[f32], of_task: usize) -> (f32, Vec<f32>, Vec<f32>) {
        let (count, width) = (self.sizes[self.layers.len()], self.width(self.layers.len()));
        let (mut sum, mut linked, mut slopes) = (0.0, vec![0.0; expected.len()], vec![0.0; outputs.len()]);
        let rows = outputs.chunks_exact(width).zip(slopes.chunks_exact_mut(width));
        let targets = expected.chunks_exact(count).zip(linked.chunks_exact_mut(count));
        let share = 1.0 / of_task as f32;
        for ((output, slope), (expected, linked)) in rows.zip(targets) {
            sum += self.loss.of_row(&output[..count], expected, linked);
            self.loss.slope_of_row(linked, expected, &mut slope[..count]);
            slope[..count].iter_mut().for_each(|slope| *slope *= share);
        }
        (sum * share, linked, slopes)
    }

    /// Back through a step: what comes to `lambda`, at the pass of the step, after the steps before it.
    pub fn back<'p>(&self, pass: &'p Pass, before: &[Pass], lambda: &[Pairs]) -> [Pairs<'p>; 2] {
        let (layers, of_task) = (self.layers.len(), pass.of_task);
        fn rows(values: &[f32], of_task: usize) -> OfTasks<'_> {
            OfTasks { values, of_task }
        }
        // What changes along lambda: da goes into a layer, dz comes out of it.
        let (mut changes, mut dz): (Vec<Vec<f32>>, Vec<f32>) = (Vec::with_capacity(layers), Vec::new());
        for layer in 0..layers {
            let sizes = [self.width(layer), self.width(layer + 1)];
            let input = &pass.inputs[layer];
            let mut out = if layer == 0 {
                changes.push(vec![0.0; input.len()]);
                vec![0.0; input.len() / sizes[0] * sizes[1]]
            } else {
                self.times_slope(&mut dz, input);
                changes.push(std::mem::take(&mut dz));
                self.forwards(layer, rows(&changes[layer], of_task), before, false)
            };
            for part in lambda {
                let of = |values| OfTasks { values, of_task: part.of_task };
                let (u, v) = (of(&*part.u[layer]), of(&*part.v[layer]));
                let add = if part.bias { 1.0 } else { 0.0 };
                self.add_part(&mut out, rows(input, of_task), [v, u], sizes, [part.scale, add]);
            }
            dz = out;
        }
        let mut slopes = vec![self.curvature(&pass.linked, &dz, of_task)];
        for layer in (1..layers).rev() {
            let sizes = [self.width(layer + 1), self.width(layer)];
            let mut out = self.backwards(layer, rows(&slopes[slopes.len() - 1], of_task), before);
            for part in lambda {
                let of = |values| OfTasks { values, of_task: part.of_task };
                let (u, v) = (of(&*part.u[layer]), of(&*part.v[layer]));
                let at = rows(&pass.slopes[layer], of_task);
                self.add_part(&mut out, at, [u, v], sizes, [part.scale, 0.0]);
            }
            self.times_slope(&mut out, &pass.inputs[layer]);
            self.add_bend(&mut out, &pass.backwards[layer - 1], &pass.inputs[layer], &changes[layer]);
            slopes.push(out);
        }
        slopes.reverse();
        let lent = |of: &'p [Vec<f32>]| of.iter().map(|values| Cow::Borrowed(&values[..])).collect();
        let own = |of: Vec<Vec<f32>>| of.into_iter().map(Cow::Owned).collect();
        [
            Pairs { scale: -self.rate, of_task, u: own(slopes), v: lent(&pass.inputs), bias: true },
            Pairs { scale: -self.rate, of_task, u: lent(&pass.slopes), v: own(changes), bias: false },
        ]
    }

    /// The Hessian of each task's loss with respect to outputs with these linked values, times a direction.
    fn curvature(&self, linked: &[f32], direction: &[f32], of_task: usize) -> Vec<f32> {
        let (count, width) = (self.sizes[self.layers.len()], self.width(self.layers.len()));
        let mut out = vec![0.0; direction.len()];
        let rows = out.chunks_exact_mut(width).zip(direction.chunks_exact(width));
        let share = 1.0 / of_task as f32;
        for ((out, direction), linked) in rows.zip(linked.chunks_exact(count)) {
            self.loss.curvature_of_row(linked, &direction[..count], &mut out[..count]);
            out[..count].iter_mut().for_each(|value| *value *= share);
        }
        out
    }

    /// The mean over tasks of lambda, as weight `[O, I]` and bias `[O]` of each layer.
    pub fn gradient(&self, lambda: &[Pairs], tasks: usize) -> Vec<(Vec<f32>, Vec<f32>)> {
        let of_layer = |layer: usize| {
            let [inputs, outputs] = [self.sizes[layer], self.sizes[layer + 1]];
            let [wide, high] = [self.width(layer), self.width(layer + 1)];
            let (mut weight, mut bias) = (vec![0.0; outputs * wide], vec![0.0; outputs]);
            for part in lambda {
                let (u, v, scale) = (&*part.u[layer], &*part.v[layer], part.scale / tasks as f32);
                let sizes = [outputs, u.len() / high, wide];
                self.add_product(&mut weight, scale, Left::columns(u, high), v, sizes);
                if part.bias {
                    for row in u.chunks_exact(high) {
                        bias.iter_mut().zip(row).for_each(|(sum, u)| *sum += scale * u);
                    }
                }
            }
            let rows = weight.chunks_exact(wide);
            (rows.flat_map(|row| &row[..inputs]).copied().collect(), bias)
        };
        (0..self.layers.len()).map(of_layer).collect()
    }

    fn activate(&self, values: &mut [f32]) {
        match self.activation {
            Activation::Relu => self.simd.vectorize(|| values.iter_mut().for_each(|z| *z = z.max(0.0))),
            Activation::Tanh => values.iter_mut().for_each(|z| *z = z.tanh()),
        }
    }

    /// Times the derivative of the activation where its value is `a`.
    fn times_slope(&self, values: &mut [f32], a: &[f32]) {
        let each = values.iter_mut().zip(a);
        self.simd.vectorize(|| match self.activation {
            Activation::Relu => each.for_each(|(v, a)| *v = if *a > 0.0 { *v } else { 0.0 }),
            Activation::Tanh => each.for_each(|(v, a)| *v *= 1.0 - a * a),
        });
    }

    /// Adds `back` times the second derivative of the activation, times the change that became `da` behind it.
    fn add_bend(&self, out: &mut [f32], back: &[f32], a: &[f32], da: &[f32]) {
        if self.activation == Activation::Tanh {
            // f'' dz = -2 f f' dz = -2 a da
            let each = out.iter_mut().zip(back).zip(a.iter().zip(da));
            each.for_each(|((out, back), (a, da))| *out -= 2.0 * back * a * da);
        }
    }
}
