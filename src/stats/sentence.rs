//! What a comparison found, in plain words.

use super::{
    comparison::{Comparison, LEVEL},
    pairing::Contestant,
    settle::Settling,
};

/// Fewer seeds than this say next to nothing of how far trainings differ.
const FEW_SEEDS: usize = 3;

impl Comparison {
    /// What was found, in a sentence without a full stop, the better method first.
    ///
    /// Where the two cannot be told apart it says so, and what would settle it; where other trainings were not tested, or hardly, it says
    /// what cannot be known.
    pub fn sentence(&self) -> String {
        let (better, worse) = self.ranked();
        let (low, high) = self.interval;
        let interval = if self.difference < 0.0 { (-high, -low) } else { (low, high) };
        let (better, worse, after) = if better.step == worse.step {
            (better.method.clone(), worse.method.clone(), format!(" {}", after(better.step)))
        } else {
            let name = |c: &Contestant| format!("{} {}", c.method, after(c.step));
            (name(better), name(worse), String::new())
        };
        if self.episodes < 2 {
            return format!("one test episode cannot tell {better} and {worse} apart{after}");
        }
        let gap = |difference: f64| self.judge.gap(difference, self.difference);
        let size = self.judge.size(self.difference.abs());
        let span = format!("95 % interval {} to {}", gap(interval.0), gap(interval.1));
        if !self.shows_trainings() {
            return format!(
                "{better} is {size} ahead of {worse}{after} in the networks that were trained ({span} over episodes); whether \
                 other seeds would agree cannot be known from one"
            );
        }
        let caution = if self.folds.is_empty() && self.size.seeds < FEW_SEEDS {
            "; two seeds hardly show how far trainings differ: five or more would"
        } else {
            ""
        };
        if self.is_significant() {
            return format!("{better} is better than {worse} by {size} ({span}){after}");
        }
        let apart = format!("{better} and {worse} cannot be told apart{after}");
        if gap(self.difference.abs()) == gap(0.0) {
            return format!("{apart}: no difference on {} episodes ({span}){caution}", self.episodes);
        }
        if self.p < LEVEL {
            return format!(
                "{better} is {size} ahead of {worse}{after} ({span}), but among {} pairs that were compared this may be chance (p = \
                 {:.2} by Holm's method){}{caution}",
                self.family,
                self.p_holm,
                self.settled_by()
            );
        }
        format!("{apart}: {better} is {size} ahead ({span}){}{caution}", self.settled_by())
    }

    /// "; to confirm a difference of that size, about ... would be needed".
    fn settled_by(&self) -> String {
        let ways: Vec<String> = self.settling().iter().map(Settling::words).collect();
        if ways.is_empty() {
            return String::new();
        }
        format!("; to confirm a difference of that size, {} would be needed", ways.join(" or "))
    }
}

impl Settling {
    /// "about 14 seeds on the same episodes".
    pub fn words(&self) -> String {
        match *self {
            Self::Seeds(seeds) => format!("about {} seeds (on as many episodes)", two_digits(seeds)),
            Self::Episodes(episodes) => {
                format!("about {} episodes (with as many seeds)", two_digits(episodes))
            }
            Self::Both { seeds, episodes } => {
                format!("about {} seeds and {} episodes", two_digits(seeds), two_digits(episodes))
            }
            Self::Folds(folds) => format!("about {} folds", two_digits(folds)),
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

/// A number rounded up to two digits that count.
fn two_digits(number: usize) -> usize {
    let unit = 10usize.pow(number.max(1).ilog10().saturating_sub(1));
    number.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measures,
        stats::{
            comparison::{FoldDifference, Networks},
            settle::{Components, Size},
        },
    };

    fn comparison() -> Comparison {
        let contestant = |method: &str| Contestant { method: method.to_owned(), step: 5 };
        Comparison {
            judge: measures::find("accuracy").expect("registered").quantity(),
            shots: 1,
            a: contestant("maml"),
            b: contestant("adam"),
            difference: 0.0721,
            interval: (0.061, 0.083),
            p: 1e-9,
            p_holm: 1e-8,
            family: 10,
            networks: Networks { p: 1e-12, effect: 0.8 },
            folds: Vec::new(),
            episodes: 600,
            size: Size { folds: 1, seeds: 5, episodes: 600 },
            components: None,
        }
    }

    fn seeds(seeds: usize) -> Size {
        Size { seeds, ..comparison().size }
    }

    fn undecided() -> Comparison {
        // Only what is neither seed nor episode varies, and falls with either.
        let components = Components { fold: 0.0, seed: 0.0, episode: 0.0, rest: 0.05 };
        Comparison {
            difference: 0.01,
            interval: (-0.00041, 0.021),
            p: 0.07,
            p_holm: 0.3,
            components: Some(components),
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
    fn where_less_is_better_the_one_with_less_comes_first() {
        let judge = measures::find("mse").expect("registered").quantity();
        let of = |difference: f64, interval| Comparison { judge, difference, interval, ..comparison() };
        let said = "adam is better than maml by 0.0721 (95 % interval 0.0610 to 0.0830) after 5 steps";
        assert_eq!(of(0.0721, (0.061, 0.083)).sentence(), said);
        let said = "maml is better than adam by 1.50 (95 % interval 1.00 to 2.00) after 5 steps";
        assert_eq!(of(-1.5, (-2.0, -1.0)).sentence(), said);
    }

    #[test]
    fn steps_are_named_where_they_differ() {
        let a = Contestant { method: "maml".to_owned(), step: 1 };
        let b = Contestant { method: "maml".to_owned(), step: 0 };
        assert_eq!(
            Comparison { a, b, ..comparison() }.sentence(),
            "maml after 1 step is better than maml before adaptation by 7.2 points (95 % interval 6.1 to 8.3)"
        );
    }

    #[test]
    fn what_cannot_be_told_apart_says_what_would_settle_it() {
        assert_eq!(
            undecided().sentence(),
            "maml and adam cannot be told apart after 5 steps: maml is 1.0 points ahead (95 % interval 0.0 to 2.1); to \
             confirm a difference of that size, about 15 seeds (on as many episodes) or about 4200 episodes (with as many seeds) \
             would be needed"
        );
        let words = [
            (Settling::Both { seeds: 101, episodes: 7000 }, "about 110 seeds and 7000 episodes"),
            (Settling::Folds(31), "about 31 folds"),
        ];
        for (settling, words) in words {
            assert_eq!(settling.words(), words);
        }
        let nothing = Comparison { components: None, ..undecided() };
        assert!(nothing.sentence().ends_with("(95 % interval 0.0 to 2.1)"), "{}", nothing.sentence());
        let none = Comparison { difference: 0.0, ..undecided() };
        assert!(none.sentence().contains("no difference on 600 episodes"), "{}", none.sentence());
    }

    #[test]
    fn one_of_many_comparisons_may_be_chance() {
        let lucky = Comparison { interval: (0.001, 0.02), p: 0.03, p_holm: 0.3, ..undecided() };
        let sentence = lucky.sentence();
        let words = "maml is 1.0 points ahead of adam after 5 steps (95 % interval 0.1 to 2.0), but among 10 pairs that were compared this \
                     may be chance (p = 0.30 by Holm's method); to confirm a difference of that size, about";
        assert!(sentence.starts_with(words), "{sentence}");
    }

    #[test]
    fn few_trainings_say_what_cannot_be_known() {
        let single = Comparison { size: seeds(1), ..comparison() };
        assert_eq!(
            single.sentence(),
            "maml is 7.2 points ahead of adam after 5 steps in the networks that were trained (95 % interval 6.1 to 8.3 over \
             episodes); whether other seeds would agree cannot be known from one"
        );
        let two = Comparison { size: seeds(2), ..undecided() };
        assert!(
            two.sentence().ends_with("two seeds hardly show how far trainings differ: five or more would")
        );
        // In every fold of a cross-validation other networks were trained.
        let fold = FoldDifference { fold: 0, difference: 0.1, interval: (0.0, 0.2) };
        let folds = Comparison { size: Size { folds: 5, ..seeds(1) }, folds: vec![fold; 5], ..comparison() };
        assert!(folds.sentence().contains("is better than"), "{}", folds.sentence());
        let no_episodes = Comparison { episodes: 1, ..comparison() };
        assert_eq!(no_episodes.sentence(), "one test episode cannot tell maml and adam apart after 5 steps");
    }
}
