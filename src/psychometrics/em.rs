//! Expectation and maximisation (Dempster, Laird & Rubin 1977): the parameters of a mixture that are most probable, given responses.

use super::{
    kinds::{Expected, Kinds},
    responses::Responses,
};

/// A mixture of kinds of students whose parameters can be improved.
pub trait Mixture: Sized {
    /// The kinds.
    fn kinds(&self) -> Kinds;

    /// The logarithm of the parameters' prior density, up to a constant.
    fn log_prior(&self) -> f64;

    /// The parameters that make what is expected, and the prior, more probable: at best most probable.
    fn improved(&self, expected: &Expected) -> Self;
}

/// What was fitted.
#[derive(Debug)]
pub struct Fit<M> {
    /// The mixture.
    pub mixture: M,
    /// Log evidence plus log prior after each step, which never falls.
    pub trace: Vec<f64>,
}

impl<M> Fit<M> {
    /// Where the trace ends.
    pub fn height(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// A gain for each answer below which no further step is taken.
const TOLERANCE: f64 = 1e-7;

/// Improves a mixture until it gains next to nothing.
pub fn maximise<M: Mixture>(start: M, responses: &Responses) -> Fit<M> {
    let least = TOLERANCE * responses.answers();
    let mut fit = Fit { mixture: start, trace: Vec::new() };
    loop {
        let (expected, evidence) = fit.mixture.kinds().expect(responses);
        let (before, now) = (fit.height(), evidence + fit.mixture.log_prior());
        fit.trace.push(now);
        if now - before <= least || now.is_nan() {
            return fit;
        }
        fit.mixture = fit.mixture.improved(&expected);
    }
}

/// Fits of simulated students, for the tests of mixtures.
#[cfg(test)]
pub(super) mod tests {
    use rand::RngExt;
    use rand_distr::StandardNormal;
    use tch::{Kind, Tensor};

    use super::*;
    use crate::random::{Purpose, stream};

    /// The items of a test.
    pub struct Simulated {
        /// `[I]`.
        pub intercepts: Tensor,
        /// `[I]`.
        pub slopes: Tensor,
        /// What students answered.
        pub responses: Responses,
    }

    /// So many students whose abilities are standard normal, each of thirty items answered with this probability; slopes are `exp(.3 n)` for
    /// a standard normal n, or all the same.
    pub fn simulated(students: i64, answered: f64, slope: Option<f64>) -> Simulated {
        let mut stream = stream(7, Purpose::Test, 0);
        let mut normal = |shape: &[i64]| {
            let values: Vec<f64> =
                (0..shape.iter().product()).map(|_: i64| stream.sample(StandardNormal)).collect();
            Tensor::from_slice(&values).reshape(shape)
        };
        let (intercepts, slopes) = (normal(&[30]), (normal(&[30]) * 0.3).exp());
        let slopes =
            slope.map_or(slopes, |slope| Tensor::full([30], slope, (Kind::Double, tch::Device::Cpu)));
        let logits = normal(&[students, 1]) * &slopes + &intercepts;
        let mut below = |p: &Tensor| {
            let draws: Vec<f64> = (0..p.numel()).map(|_| stream.random()).collect();
            Tensor::from_slice(&draws).reshape(p.size()).less_tensor(p).to_kind(Kind::Double)
        };
        let seen = below(&Tensor::full_like(&logits, answered));
        let right = below(&logits.sigmoid()) * &seen;
        Simulated { intercepts, slopes, responses: Responses { right, seen } }
    }

    /// Says that no step lost anything but to rounding, and that there were steps.
    pub fn never_falls<M>(fit: &Fit<M>) {
        let tolerance = 1e-10 * fit.trace[0].abs();
        assert!(fit.trace.len() > 2 && fit.height() > fit.trace[0], "{:?}", fit.trace);
        assert!(fit.trace.windows(2).all(|two| two[1] >= two[0] - tolerance), "{:?}", fit.trace);
    }
}
