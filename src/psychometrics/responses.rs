//! Who answered what.

use tch::{Device, Kind, Tensor};

use crate::tasks::Episode;

/// The answers of U students to I items.
#[derive(Debug)]
pub struct Responses {
    /// How often each student answered each item right, `[U, I]`, f64.
    pub right: Tensor,
    /// How often each student answered each item, `[U, I]`, f64.
    pub seen: Tensor,
}

impl Responses {
    /// The queries of all episodes, a student per task, on the CPU; `None` where there are no episodes. The first `items` inputs of a row
    /// are the shares that items have in it, and its target is 1 or 0; rows of weight 0 count for nothing, all others once.
    pub fn of_queries(episodes: impl Iterator<Item = Episode>, items: usize) -> Option<Self> {
        let (right, seen): (Vec<_>, Vec<_>) = episodes
            .map(|episode| {
                // In f32, as x is, since that may be long: sums of ones are exact.
                let shares = episode.query_x().narrow(2, 0, items as i64);
                let total = |counts: &Tensor| {
                    let counts = counts.to_kind(shares.kind()).unsqueeze(1);
                    counts.bmm(&shares).squeeze_dim(1).to_kind(Kind::Double).to_device(Device::Cpu)
                };
                let seen = counted(episode.query_weight(), &shares);
                (total(&(&seen * rights(&episode.query_y()))), total(&seen))
            })
            .unzip();
        (!seen.is_empty()).then(|| Self { right: Tensor::cat(&right, 0), seen: Tensor::cat(&seen, 0) })
    }

    /// The share of right answers among those to each item, `[I]`, as if there had been one answer more, half right.
    pub fn item_means(&self) -> Tensor {
        let total = |counts: &Tensor| counts.sum_dim_intlist(0, false, None);
        (total(&self.right) + 0.5) / (total(&self.seen) + 1.0)
    }

    /// How many answers there are.
    pub fn answers(&self) -> f64 {
        self.seen.sum(Kind::Double).double_value(&[])
    }

    /// How many answers each student gave right, and how many in all, `[U]` each.
    pub fn totals(&self) -> [Vec<f64>; 2] {
        [&self.right, &self.seen].map(|counts| {
            let totals = counts.sum_dim_intlist(1, false, None);
            Vec::try_from(totals).unwrap_or_default() // a vector of f64, which the conversion takes
        })
    }
}

/// What items share in rows `[T, R, D]`: `[T, R, I]`, f64.
pub(super) fn shares(x: &Tensor, items: usize) -> Tensor {
    x.narrow(2, 0, items as i64).to_kind(Kind::Double)
}

/// Whether answers `[T, R, 1]` are right: `[T, R]`, f64.
pub(super) fn rights(y: &Tensor) -> Tensor {
    y.squeeze_dim(2).to_kind(Kind::Double)
}

/// Whether rows count, `[T, R]`, f64: those whose weight is not 0.
pub(super) fn counted(weight: Option<Tensor>, shares: &Tensor) -> Tensor {
    match weight {
        Some(weight) => weight.not_equal(0.0).to_kind(Kind::Double),
        None => Tensor::ones(&shares.size()[..2], (Kind::Double, shares.device())),
    }
}

/// How many support answers of each task are right, and how many there are, `[T]` each, f64.
pub fn support_totals(episode: &Episode) -> [Tensor; 2] {
    let right = rights(&episode.support_y());
    let seen = counted(episode.support_weight(), &right);
    [(&seen * right), seen].map(|counts| counts.sum_dim_intlist(1, false, None))
}
