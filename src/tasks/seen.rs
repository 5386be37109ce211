//! How much is seen of a person in meta-training: few things and many, so that one theta learns to do with either.

use rand::RngExt;

use crate::random::Stream;

/// Draws a number from `least` to `most`: each alike often for half of the people, by equal ratios for the others, so that small ones come
/// more often.
pub fn drawn(least: usize, most: usize, stream: &mut Stream) -> usize {
    if stream.random() {
        return stream.random_range(least..=most);
    }
    let log = |number: usize| (number as f64).ln();
    let drawn = stream.random_range(log(least)..=log(most + 1)).exp() as usize;
    drawn.clamp(least, most)
}

/// A range of such numbers, if any is given.
pub fn ascending(range: &Option<[usize; 2]>, _: &()) -> garde::Result {
    match range {
        Some([low, high]) if *low < 1 || high < low || *high > 10_000 => Err(garde::Error::new(format!(
            "must be two numbers from 1 to 10000, the lower one first, not [{low}, {high}]"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn every_number_comes_and_small_ones_more_often() {
        let mut draw = stream(0, Purpose::Train, 0);
        let mut times = [0; 11];
        (0..4000).for_each(|_| times[drawn(1, 10, &mut draw)] += 1);
        assert!(times[0] == 0 && times[1..].iter().all(|times| *times > 30), "{times:?}");
        assert!(times[1] > 2 * times[9] && times[1] > times[5], "{times:?}");
        assert_eq!(drawn(3, 3, &mut draw), 3);
    }
}
