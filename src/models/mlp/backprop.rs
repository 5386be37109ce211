//! Backpropagation by hand, once for the gradient and once more for the Hessian.

use tch::Tensor;

use super::{Activation, Perceptron};
use crate::models::{
    closed_form::{Backprop, ClosedForm, Expectation, Factors, Gradient},
    layers,
};

impl ClosedForm for Perceptron {
    /// With activations `a_l = f(z_l)` and `z_{l+1} = a_l W_l^T + b_l`:
    ///
    /// ```text
    ///     g_L = the slope of the mean loss at z_L
    ///     dL/dW_l = g_{l+1}^T a_l      dL/db_l = sum over rows of g_{l+1}      g_l = (g_{l+1} W_l) f'(z_l)
    /// ```
    fn backpropagate(&self, params: &[Tensor], z: &Tensor, goal: &Expectation) -> Backprop {
        let mut outputs = z.shallow_clone(); // z_l [T, R, H_l]
        let mut activations = Vec::new(); // a_l [T, R, H_l]
        for layer in params.chunks_exact(2) {
            let a = self.activation.of(&outputs);
            outputs = layers::linear(&a, &layer[0], &layer[1]);
            activations.push(a);
        }
        let linked = goal.loss.link(&outputs); // [T, R, O]
        let mut g = goal.slope(&linked);
        let mut factors = Vec::new();
        for (layer, a) in params.chunks_exact(2).zip(activations).rev() {
            let next = self.times_slope(&g.bmm(&layer[0]), &a); // [T, R, H_l]
            factors.push(Factors::new(g, a));
            g = next;
        }
        factors.reverse();
        Backprop { outputs, linked, gradient: Gradient { input: g, layers: factors } }
    }

    /// The derivative of every line of the gradient along the direction (Pearlmutter 1994, Fast exact multiplication by the
    /// Hessian, https://doi.org/10.1162/neco.1994.6.1.147). With `d` before what changes along it:
    ///
    /// ```text
    ///     da_l = f'(z_l) dz_l      dz_{l+1} = da_l W_l^T + a_l dW_l^T + db_l
    ///     dg_L = the curvature of the mean loss at z_L times dz_L
    ///     d(g_{l+1}^T a_l) = dg_{l+1}^T a_l + g_{l+1}^T da_l
    ///     dg_l = (dg_{l+1} W_l + g_{l+1} dW_l) f'(z_l) + (g_{l+1} W_l) f''(z_l) dz_l
    /// ```
    fn hessian_product(
        &self,
        params: &[Tensor],
        at: &Backprop,
        dz: &Tensor,
        dparams: &[Tensor],
        goal: &Expectation,
    ) -> Gradient {
        let layers = params.chunks_exact(2).zip(dparams.chunks_exact(2));
        let factors = &at.gradient.layers;
        let mut dz = dz.shallow_clone(); // [T, R, H_l]
        let mut da = Vec::new();
        for (l, (layer, dlayer)) in layers.clone().enumerate() {
            let da_l = self.times_slope(&dz, &factors[l].a);
            let moved = layers::linear(&factors[l].a, &dlayer[0], &dlayer[1]);
            dz = moved.baddbmm(&da_l, &layer[0].transpose(1, 2), 1.0, 1.0);
            da.push(da_l);
        }
        let mut dg = goal.curvature(&at.linked, &dz);
        let mut products = Vec::new();
        for (l, (layer, dlayer)) in layers.enumerate().rev() {
            let Factors { g, a, .. } = &factors[l];
            let mut next = self.times_slope(&dg.bmm(&layer[0]).baddbmm(g, &dlayer[0], 1.0, 1.0), a);
            if self.activation == Activation::Tanh {
                next += g.bmm(&layer[0]) * a * &da[l] * -2.0; // f'' dz = -2 f f' dz = -2 a da
            }
            products.push(Factors {
                bias: dg.sum_dim_intlist(1, false, None),
                g: Tensor::cat(&[&dg, g], 1),
                a: Tensor::cat(&[a, &da[l]], 1),
            });
            dg = next;
        }
        products.reverse();
        Gradient { input: dg, layers: products }
    }
}
