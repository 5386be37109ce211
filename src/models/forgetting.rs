//! A forgetting curve: the last input of a row is the time since something was last seen, and what the other inputs say decides how it is
//! forgotten.
//!
//! ```text
//!     h = silu(W_l ... silu(W_1 x + C c + b_1) ... + b_l)               x all inputs but the last, c the context of the task
//!     p = a(h) sum_m w_m(h) (1 + t / s_m(h))^-d_m(h)                    t >= 0, a and w shares, the w sum to 1
//!     the output is the logit of p
//! ```
//!
//! A mixture of power curves, which falls with time whatever the weights are: forgetting follows a power law (Wixted & Ebbesen 1991,
//! https://doi.org/10.1111/j.1467-9280.1991.tb00175.x), and mixtures of fast and slow ones do better than one
//! (the LSTM of https://github.com/open-spaced-repetition/srs-benchmark has three). Where only the context adapts it is CAVIA (Zintgraf et
//! al. 2019, https://arxiv.org/abs/1810.03642).

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Architecture, Initial, Model, Parameter, Params, Role, layers, pytorch::Module};
use crate::misuse::misuse;

/// A forgetting curve for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Forgetting {
    /// Widths of the hidden layers, 1 to 8192 each.
    #[garde(length(min = 1, max = 32), inner(range(min = 1, max = 8192)))]
    pub hidden: Vec<usize>,
    /// Power curves that are mixed.
    #[garde(range(min = 1, max = 64))]
    pub curves: usize,
    /// Numbers of the context, which is the same for all rows of a task and adapts.
    #[garde(range(min = 1, max = 8192))]
    pub context: usize,
}

impl Default for Forgetting {
    fn default() -> Self {
        Self { hidden: vec![64, 64], curves: 3, context: 8 }
    }
}

impl Architecture for Forgetting {
    fn build(&self, inputs: usize, outputs: usize) -> Box<dyn Model> {
        let widths = [inputs.saturating_sub(1)].into_iter().chain(self.hidden.iter().copied());
        let of_output = 3 * self.curves + 1;
        Box::new(Curves {
            sizes: widths.chain([outputs * of_output]).map(|size| size as i64).collect(),
            curves: self.curves as i64,
            outputs: outputs as i64,
            context: self.context as i64,
        })
    }

    fn needs_time(&self) -> bool {
        true
    }

    fn modules(&self, _: &Params) -> Result<Vec<Module>> {
        misuse!(
            "an export is a list of modules for nn.Sequential, which has no context parameters: read checkpoint.safetensors instead"
        );
    }
}

struct Curves {
    /// Inputs but the time, hidden layers, numbers of the curves of all outputs.
    sizes: Vec<i64>,
    /// M.
    curves: i64,
    /// O.
    outputs: i64,
    /// Numbers of the context.
    context: i64,
}

/// Natural logarithms of seconds between which the stabilities start: a minute and a year.
const STABILITIES: [f64; 2] = [4.1, 17.3];
/// Where decays start.
const DECAY: f64 = 0.3;
/// The logit at which the probability of recalling at once starts.
const AT_ONCE: f64 = 2.0;
/// Probabilities of 1 and 0 are this far away.
const LEAST: f64 = 1e-6;

impl Model for Curves {
    fn parameters(&self) -> Vec<Parameter> {
        let parameter =
            |name: String, shape, initial, layer, role| Parameter { name, shape, initial, layer, role };
        let first = self.sizes[1];
        let context = [
            parameter("context".into(), vec![self.context], Initial::Constant(0.0), 0, Role::Context),
            parameter(
                "context.weight".into(),
                vec![first, self.context],
                Initial::Normal { std: (1.0 / self.context as f64).sqrt() },
                0,
                Role::Weight,
            ),
        ];
        let layers = self.sizes.windows(2).enumerate().flat_map(|(layer, size)| {
            let last = layer + 2 == self.sizes.len();
            // All rows start with about the same curve.
            let gain = if last { 0.1 } else { 1.0 };
            let weight = Initial::Normal { std: gain / (size[0].max(1) as f64).sqrt() };
            [
                parameter(
                    format!("layer{layer}.weight"),
                    vec![size[1], size[0]],
                    weight,
                    layer,
                    Role::Weight,
                ),
                parameter(
                    format!("layer{layer}.bias"),
                    vec![size[1]],
                    Initial::Constant(0.0),
                    layer,
                    Role::Bias,
                ),
            ]
        });
        context.into_iter().chain(layers).collect()
    }

    fn has_linear_input(&self) -> bool {
        false
    }

    fn activations_per_row(&self) -> usize {
        self.sizes[1..].iter().sum::<i64>() as usize + self.outputs as usize
    }

    fn body(&self, params: &[Tensor], x: &Tensor, _: Option<&Tensor>) -> Tensor {
        let [context, of_context, layers @ ..] = params else { return x.narrow(-1, 0, self.outputs) };
        let seen = x.narrow(-1, 0, self.sizes[0]);
        let context = context.reshape([-1, 1, self.context]); // [T, 1, C], or [1, 1, C] where tasks share it
        let of_task = context.matmul(&layers::shared(of_context).transpose(-1, -2)); // [T, 1, H]
        let mut z = seen; // [T, R, I]
        for (i, layer) in layers.chunks_exact(2).enumerate() {
            let of_rows = |input: &Tensor| {
                layers::linear(input, &layers::shared(&layer[0]), &layers::shared(&layer[1]))
            };
            z = if i == 0 { of_rows(&z) + &of_task } else { of_rows(&z.silu()) }; // [T, R, H]
        }
        self.logits(&z, &x.narrow(-1, x.size()[2] - 1, 1))
    }
}

impl Curves {
    /// The logits `[T, R, O]` after times of which `log_time` `[T, R, 1]` is ln(1 + seconds), of curves with numbers `z`.
    fn logits(&self, z: &Tensor, log_time: &Tensor) -> Tensor {
        let m = self.curves;
        let mut shape = z.size();
        shape.pop();
        shape.extend([self.outputs, 3 * m + 1]);
        let z = z.reshape(&shape); // [T, R, O, 3 M + 1]
        let starts = Tensor::linspace(STABILITIES[0], STABILITIES[1], m, (z.kind(), z.device()));
        let log_share = z.narrow(-1, 0, m).log_softmax(-1, None::<Kind>);
        let log_stability = z.narrow(-1, m, m) + starts;
        let decay = z.narrow(-1, 2 * m, m).clamp(-10.0, 10.0).exp() * DECAY;
        // ln(1 + t / s) = softplus(ln t - ln s), which overflows nowhere; no time at all is next to none.
        let time = log_time.clamp_min(0.0).expm1().clamp_min(LEAST).log().unsqueeze(-1); // [T, R, 1, 1]
        let log_curve = log_share - decay * (time - log_stability).softplus();
        let at_once = (z.narrow(-1, 3 * m, 1) + AT_ONCE).log_sigmoid().squeeze_dim(-1); // [T, R, O]
        let log_p = (at_once + log_curve.logsumexp([-1], false)).clamp(LEAST.ln(), -LEAST);
        &log_p - (-log_p.expm1()).log()
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::random::{Purpose, stream};

    fn model() -> Box<dyn Model> {
        Forgetting { hidden: vec![6], curves: 2, context: 3 }.build(5, 1)
    }

    /// Numbers that look random.
    fn wave(shape: &[i64], frequency: f64) -> Tensor {
        let at = Tensor::arange(shape.iter().product::<i64>(), (Kind::Float, Device::Cpu)) + 1.0;
        (at * frequency).sin().reshape(shape)
    }

    /// Parameters far from where they start, so that curves differ.
    fn theta(draw: u64) -> Vec<Tensor> {
        let theta = model().init(&mut stream(draw, Purpose::Init, 0)).tensors;
        theta.iter().map(|t| t * 3.0 + wave(&t.size(), 12.9898 + draw as f64)).collect()
    }

    /// Rows that are alike but for the time, which grows from nothing to a century.
    fn rows() -> Tensor {
        let times = Tensor::linspace(0.0, 22.0, 200, (Kind::Float, Device::Cpu)); // ln(1 + s)
        let others = wave(&[3, 1, 4], 7.7).repeat([1, 200, 1]);
        Tensor::cat(&[&others, &times.reshape([1, -1, 1]).repeat([3, 1, 1])], -1)
    }

    #[test]
    fn what_was_seen_is_forgotten_with_time_whatever_the_weights_are() {
        for draw in 0..50 {
            let logits = model().forward(&theta(draw), &rows()).squeeze_dim(-1); // [3, 200]
            assert!(bool::try_from(logits.isfinite().all()).expect("one"));
            let steps = logits.sigmoid().diff(1, 1, None::<Tensor>, None::<Tensor>);
            assert!(steps.max().double_value(&[]) <= 1e-6, "{steps}"); // what rounding leaves
        }
    }

    /// One curve, all of whose numbers are where they start: s is a minute, d 0.3, and sigma(2) is recalled at once.
    #[test]
    fn the_curve_is_a_power_law() {
        let model = Forgetting { hidden: vec![4], curves: 1, context: 1 }.build(2, 1);
        let mut theta = model.init(&mut stream(0, Purpose::Init, 0)).tensors;
        theta[4] = theta[4].zeros_like(); // the last layer's weight
        for seconds in [0.0f64, 10.0, 3600.0, 1e8] {
            let x = Tensor::from_slice(&[0.4f32, seconds.ln_1p() as f32]).reshape([1, 1, 2]);
            let p = model.forward(&theta, &x).sigmoid().double_value(&[0, 0, 0]);
            let expected = (1.0 + seconds / STABILITIES[0].exp()).powf(-DECAY) / (1.0 + (-AT_ONCE).exp());
            assert!((p - expected).abs() < 1e-5, "{seconds}: {p} {expected}");
        }
    }

    #[test]
    fn a_context_changes_how_a_task_forgets() {
        let (model, theta) = (model(), theta(0));
        let mut of_tasks: Vec<Tensor> =
            theta.iter().map(|p| p.expand([&[3], p.size().as_slice()].concat(), true)).collect();
        let x = rows();
        assert!(model.forward(&theta, &x).allclose(&model.forward(&of_tasks, &x), 1e-4, 1e-5, false));
        of_tasks[0] = &of_tasks[0] + Tensor::from_slice(&[0.0f32, 1.0, 2.0]).unsqueeze(1);
        let changed = model.forward(&of_tasks, &x) - model.forward(&theta, &x);
        assert!(changed.get(0).abs().max().double_value(&[]) < 1e-4);
        assert!(changed.get(1).abs().max().double_value(&[]) > 1e-2);
    }
}
