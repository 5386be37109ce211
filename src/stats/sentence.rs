//! What a comparison found, in plain words.

use super::comparison::{Comparison, Contestant};

/// More test episodes than anybody will run.
const TOO_MANY: usize = 1_000_000;

impl Comparison {
    /// What was found, in a sentence without a full stop, the better method first.
    ///
    /// Where the two cannot be told apart it says so, and how many episodes would be needed.
    pub fn sentence(&self) -> String {
        let (better, worse, interval) = if self.difference < 0.0 {
            (&self.b, &self.a, (-self.interval.1, -self.interval.0))
        } else {
            (&self.a, &self.b, self.interval)
        };
        let (better, worse, after) = if better.step == worse.step {
            (better.method.clone(), worse.method.clone(), format!(" {}", after(better.step)))
        } else {
            let name = |c: &Contestant| format!("{} {}", c.method, after(c.step));
            (name(better), name(worse), String::new())
        };
        let episodes = self.episodes;
        if episodes < 2 {
            return format!("one test episode cannot tell {better} and {worse} apart{after}");
        }
        let size = points(self.difference.abs());
        let seeds = if self.seeds == 1 { ", one seed" } else { "" };
        let span = format!("95 % interval {} to {}{seeds}", points(interval.0), points(interval.1));
        if self.is_significant() && interval.0 > 0.0 {
            return format!("{better} is better than {worse} by {size} points ({span}){after}");
        }
        if self.is_significant() {
            return format!(
                "{better} did better than {worse} by {size} points{after} in these runs, but others might say the \
                 opposite: the {span} includes zero"
            );
        }
        let apart = format!("{better} and {worse} cannot be told apart{after}");
        match self.episodes_needed {
            None => format!("{apart}: no difference on {episodes} episodes ({span})"),
            Some(needed) if needed <= episodes => format!(
                "{apart}: {better} is {size} points ahead ({span}), which may be chance among these comparisons; a test \
                 of these two alone, on about {} new episodes, would settle it if the difference is real",
                two_digits(needed)
            ),
            Some(needed) => {
                let needed = match needed {
                    0..=TOO_MANY => format!("about {} episodes", two_digits(needed)),
                    _ => "more than a million episodes".to_owned(),
                };
                format!(
                    "{apart}: {better} is {size} points ahead ({span}) on {episodes} episodes; to confirm a difference \
                     of that size, {needed} would be needed"
                )
            }
        }
    }
}

/// "after 5 steps".
fn after(step: usize) -> String {
    match step {
        0 => "before adaptation".to_owned(),
        1 => "after 1 step".to_owned(),
        steps => format!("after {steps} steps"),
    }
}

/// An accuracy in percent to one decimal; never "-0.0".
fn points(accuracy: f64) -> String {
    format!("{:.1}", (1000.0 * accuracy).round() / 10.0 + 0.0)
}

/// A number rounded up to two digits that count.
fn two_digits(number: usize) -> usize {
    let unit = 10usize.pow(number.max(1).ilog10().saturating_sub(1));
    number.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let contestant = |method: &str| Contestant { method: method.to_owned(), step: 5 };
        Comparison {
            shots: 1,
            a: contestant("maml"),
            b: contestant("adam"),
            difference: 0.0721,
            interval: (0.061, 0.083),
            p: 1e-9,
            p_holm: 1e-8,
            effect: 0.8,
            episodes: 600,
            seeds: 3,
            episodes_needed: Some(40),
        }
    }

    fn undecided() -> Comparison {
        let interval = (-0.00041, 0.021);
        Comparison {
            difference: 0.01,
            interval,
            p: 0.07,
            p_holm: 0.3,
            episodes_needed: Some(1832),
            ..comparison()
        }
    }

    #[test]
    fn the_better_comes_first() {
        let said = "maml is better than adam by 7.2 points (95 % interval 6.1 to 8.3) after 5 steps";
        assert_eq!(comparison().sentence(), said);
        let Comparison { a, b, .. } = comparison();
        let swapped =
            Comparison { a: b, b: a, difference: -0.0721, interval: (-0.083, -0.061), ..comparison() };
        assert_eq!(swapped.sentence(), said);
    }

    #[test]
    fn steps_are_named_where_they_differ() {
        let a = Contestant { method: "maml".to_owned(), step: 1 };
        let b = Contestant { method: "maml".to_owned(), step: 0 };
        assert_eq!(
            Comparison { a, b, seeds: 1, ..comparison() }.sentence(),
            "maml after 1 step is better than maml before adaptation by 7.2 points (95 % interval 6.1 to 8.3, one seed)"
        );
    }

    #[test]
    fn what_cannot_be_told_apart_says_how_many_episodes_would_tell() {
        assert_eq!(
            undecided().sentence(),
            "maml and adam cannot be told apart after 5 steps: maml is 1.0 points ahead (95 % interval 0.0 to 2.1) on \
             600 episodes; to confirm a difference of that size, about 1900 episodes would be needed"
        );
        let cases = [
            (Some(usize::MAX), "more than a million episodes would be needed"),
            (
                Some(412),
                "a test of these two alone, on about 420 new episodes, would settle it if the difference is real",
            ),
            (None, "no difference on 600 episodes"),
        ];
        for (episodes_needed, words) in cases {
            let sentence = Comparison { episodes_needed, ..undecided() }.sentence();
            assert!(sentence.contains("cannot be told apart") && sentence.contains(words), "{sentence}");
        }
    }

    #[test]
    fn an_interval_over_zero_and_a_single_episode_are_no_victory() {
        let shaky = Comparison { interval: (-0.02, 0.16), ..comparison() };
        assert_eq!(
            shaky.sentence(),
            "maml did better than adam by 7.2 points after 5 steps in these runs, but others might say the opposite: the \
             95 % interval -2.0 to 16.0 includes zero"
        );
        let single = Comparison { episodes: 1, interval: (f64::NAN, f64::NAN), p_holm: 1.0, ..comparison() };
        assert_eq!(single.sentence(), "one test episode cannot tell maml and adam apart after 5 steps");
    }
}
