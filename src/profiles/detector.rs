//! A number per student as a detector of what is known of some of them.

/// How well a score tells positives from negatives: its receiver operating characteristic.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// False alarms and hits, each as a share, as the threshold falls: from (0, 0) to (1, 1).
    pub curve: Vec<(f64, f64)>,
    /// The area below: how often a positive has a higher score than a negative, ties counted half.
    pub area: f64,
    /// How many are positive.
    pub positives: usize,
}

impl Detector {
    /// Of scores, and whether each is of a positive; `None` unless there are both kinds. Scores that are no number do not count.
    pub fn of(mut scores: Vec<(f64, bool)>) -> Option<Self> {
        scores.retain(|(score, _)| score.is_finite());
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let positives = scores.iter().filter(|(_, is)| *is).count();
        let negatives = scores.len() - positives;
        if positives == 0 || negatives == 0 {
            return None;
        }
        let (mut alarms, mut hits) = (0, 0);
        let mut curve = vec![(0.0, 0.0)];
        for tied in scores.chunk_by(|a, b| a.0 == b.0) {
            let of_tied = tied.iter().filter(|(_, is)| *is).count();
            hits += of_tied;
            alarms += tied.len() - of_tied;
            curve.push((alarms as f64 / negatives as f64, hits as f64 / positives as f64));
        }
        let strip = |ends: &[(f64, f64)]| (ends[1].0 - ends[0].0) * 0.5 * (ends[0].1 + ends[1].1);
        let area = curve.windows(2).map(strip).sum();
        Some(Self { curve, area, positives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of six pairs of a positive and a negative four are in order and one is tied.
    #[test]
    fn the_area_counts_pairs_in_order_and_half_of_those_tied() {
        let scores =
            vec![(3.0, true), (2.0, false), (1.0, true), (1.0, false), (0.0, false), (f64::NAN, true)];
        let detector = Detector::of(scores).expect("both kinds");
        assert!((detector.area - 4.5 / 6.0).abs() < 1e-12, "{detector:?}");
        let third = 1.0 / 3.0;
        assert_eq!(detector.curve[..3], [(0.0, 0.0), (0.0, 0.5), (third, 0.5)]);
        assert_eq!(detector.curve.last(), Some(&(1.0, 1.0)));
        assert_eq!(detector.positives, 2);
    }

    #[test]
    fn one_kind_alone_cannot_be_told_from_another() {
        assert_eq!(Detector::of(vec![(1.0, true), (2.0, true)]), None);
        assert_eq!(Detector::of(vec![]), None);
    }
}
