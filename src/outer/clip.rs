//! Gradients that are too long are shortened (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, algorithm 1).

use tch::{Kind, Tensor, no_grad};

/// The gradient of all parameters together, no longer than `longest` in the Euclidean norm; its direction stays.
pub fn clipped(gradient: &[Tensor], longest: f64) -> Vec<Tensor> {
    no_grad(|| {
        let norm = gradient
            .iter()
            .map(|g| g.to_kind(Kind::Double).square().sum(None).double_value(&[]))
            .sum::<f64>()
            .sqrt();
        let factor = if norm > longest { longest / norm } else { 1.0 };
        gradient.iter().map(|g| g * factor).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_shortened() {
        let gradient = [Tensor::from_slice(&[3.0]), Tensor::from_slice(&[4.0])];
        let lengths = |longest: f64| -> Vec<f64> {
            clipped(&gradient, longest).iter().map(|g| g.double_value(&[0])).collect()
        };
        assert_eq!(lengths(10.0), [3.0, 4.0]);
        let short = lengths(1.0);
        let huge = clipped(&[Tensor::from_slice(&[3e30f32, 4e30])], 10.0);
        assert!((huge[0].double_value(&[1]) - 8.0).abs() < 1e-5, "no overflow");
        assert!((short[0] - 0.6).abs() < 1e-12 && (short[1] - 0.8).abs() < 1e-12, "{short:?}");
    }
}
