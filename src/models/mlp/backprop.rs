//! Backpropagation by hand, once for the gradient and once more for the Hessian.

use tch::Tensor;

use super::{Activation, Network};
use crate::models::{
    closed_form::{Backprop, ClosedForm, Factors, Gradient},
    layers,
};

impl ClosedForm for Network {
    /// With activations `a_l = f(z_l)` and `z_{l+1} = a_l W_l^T + b_l`:
    ///
    /// ```text
    ///     g_L = (softmax(z_L) - onehot) / R
    ///     dL/dW_l = g_{l+1}^T a_l      dL/db_l = sum over rows of g_{l+1}      g_l = (g_{l+1} W_l) f'(z_l)
    /// ```
    fn backpropagate(&self, params: &[Tensor], z: &Tensor, onehot: &Tensor) -> Backprop {
        let mut outputs = z.shallow_clone(); // z_l [T, R, H_l]
        let mut activations = Vec::new(); // a_l [T, R, H_l]
        for layer in params.chunks_exact(2) {
            let a = self.activate(&outputs);
            outputs = layers::linear(&a, &layer[0], &layer[1]);
            activations.push(a);
        }
        let probabilities = outputs.softmax(-1, None); // [T, R, N]
        let mut g = (&probabilities - onehot) / z.size()[1] as f64;
        let mut factors = Vec::new();
        for (layer, a) in params.chunks_exact(2).zip(activations).rev() {
            let next = self.times_slope(&g.bmm(&layer[0]), &a); // [T, R, H_l]
            factors.push(Factors::new(g, a));
            g = next;
        }
        factors.reverse();
        Backprop { outputs, probabilities, gradient: Gradient { input: g, layers: factors } }
    }

    /// The derivative of every line of the gradient along the direction (Pearlmutter 1994, Fast exact multiplication by the
    /// Hessian, https://doi.org/10.1162/neco.1994.6.1.147). With `d` before what changes along it:
    ///
    /// ```text
    ///     da_l = f'(z_l) dz_l      dz_{l+1} = da_l W_l^T + a_l dW_l^T + db_l
    ///     dg_L = p (dz_L - sum over classes of p dz_L) / R      with p = softmax(z_L)
    ///     d(g_{l+1}^T a_l) = dg_{l+1}^T a_l + g_{l+1}^T da_l
    ///     dg_l = (dg_{l+1} W_l + g_{l+1} dW_l) f'(z_l) + (g_{l+1} W_l) f''(z_l) dz_l
    /// ```
    fn hessian_product(&self, params: &[Tensor], at: &Backprop, dz: &Tensor, dparams: &[Tensor]) -> Gradient {
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
        let p = &at.probabilities;
        // p (dz - sum over classes of p dz), the product of dz with the softmax's symmetric Jacobian
        let mut dg = Tensor::internal_softmax_backward_data(&dz, p, -1, p.kind()) / p.size()[1] as f64;
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
