//! From outputs to probabilities.

use super::predictions::AnsweredQuery;

/// The logarithm of the probability that softmax gives the class.
pub fn log_softmax(outputs: &[f32], class: usize) -> f64 {
    let highest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = outputs.iter().map(|output| f64::from(output - highest).exp()).sum();
    outputs.get(class).map_or(f64::NAN, |output| f64::from(output - highest) - sum.ln())
}

/// The logarithm of the probability of a yes, or with `-z` of a no.
pub fn log_logistic(z: f64) -> f64 {
    -(-z).max(0.0) - (-z.abs()).exp().ln_1p()
}

/// Every answer of a row as a yes or no: its probability of a yes, and whether it is one. Each class of a label is one of its own.
pub fn yes_or_no(row: AnsweredQuery<'_>, labelled: bool) -> impl Iterator<Item = (f64, bool)> {
    (0..row.outputs.len()).map(move |place| {
        if labelled {
            (log_softmax(row.outputs, place).exp(), row.targets[0] as usize == place)
        } else {
            (log_logistic(f64::from(row.outputs[place])).exp(), row.targets[place] > 0.5)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_to_one_and_large_logits_do_not_overflow() {
        let sum: f64 = (0..3).map(|class| log_softmax(&[1.0, -2.0, 500.0], class).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        for z in [-800.0, -1.5, 0.0, 2.0, 800.0] {
            let sum = log_logistic(z).exp() + log_logistic(-z).exp();
            assert!((sum - 1.0).abs() < 1e-12 && log_logistic(z).is_finite(), "{z}: {sum}");
        }
        assert_eq!(log_logistic(-800.0), -800.0);
    }
}
