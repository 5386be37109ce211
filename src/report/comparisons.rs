//! The pairs of methods of one number of shots: sentences and tables.

use std::collections::{BTreeMap, BTreeSet};

use super::table::Table;
use crate::{
    measures::{Quantity, Unit},
    stats::{comparison::Comparison, settle::Settling},
};

/// What the test with one number of shots says of each pair of methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparisons {
    /// What the test is called: "5-shot".
    pub test: String,
    /// What methods are judged by.
    pub judge: Quantity,
    /// All pairs, their p-values corrected for all pairs of the report.
    pub pairs: Vec<Comparison>,
}

impl Comparisons {
    /// Of methods that are not compared.
    pub fn none(test: String, judge: Quantity) -> Self {
        Self { test, judge, pairs: Vec::new() }
    }

    /// A sentence for each pair with the method that is ahead of all others.
    pub fn with_best(&self) -> Vec<String> {
        self.sentences(true)
    }

    /// A sentence for each pair without it.
    pub fn of_others(&self) -> Vec<String> {
        self.sentences(false)
    }

    fn sentences(&self, with_best: bool) -> Vec<String> {
        let best = self.best();
        let chosen =
            self.pairs.iter().filter(|pair| [&pair.a.method, &pair.b.method].contains(&&best) == with_best);
        let about = match self.judge.unit {
            Unit::Percent => self.test.clone(),
            Unit::Plain => format!("{}, {}", self.test, self.judge.title),
        };
        chosen.map(|pair| format!("{about}: {}", pair.sentence())).collect()
    }

    /// The method that is ahead of most others.
    fn best(&self) -> String {
        let mut wins: BTreeMap<String, usize> = BTreeMap::new();
        self.pairs.iter().for_each(|pair| *wins.entry(pair.ranked().0.method.clone()).or_default() += 1);
        wins.into_iter().max_by_key(|(_, count)| *count).map(|(method, _)| method).unwrap_or_default()
    }

    /// The differences, and those of every fold where there are folds.
    pub fn tables(&self) -> Vec<Table> {
        let differences = (!self.pairs.is_empty()).then(|| self.differences());
        let folds = self.pairs.iter().any(|pair| !pair.folds.is_empty()).then(|| self.folds());
        differences.into_iter().chain(folds).collect()
    }

    fn differences(&self) -> Table {
        let line = |c: &Comparison| {
            let settled = if c.is_significant() { Vec::new() } else { c.settling() };
            vec![
                name(c),
                self.judge.number(c.difference),
                self.span(c.interval, c.difference),
                p(c.p),
                p(c.p_holm),
                settled.iter().map(Settling::words).collect::<Vec<_>>().join(" or "),
                p(c.networks.p),
                format!("{:.2}", c.networks.effect),
            ]
        };
        let header = [
            "pair",
            "difference",
            "95 % interval",
            "p",
            "p (Holm)",
            "would settle it",
            "p of these networks",
            "effect",
        ];
        let family = self.pairs.first().map_or(0, |pair| pair.family);
        Table {
            name: format!("comparison-{}", stem(&self.test)),
            caption: format!(
                "Pairs of methods on the same {} test episodes, each method at its own number of steps (chosen on validation tasks, \
                 else the last): difference in {}. Interval and p are over {}; Holm's correction is for all {family} pairs of \
                 this report, of every number of shots. What would settle an undecided pair would do so in four cases of five, all these pairs counted. The last two columns \
                 speak of these networks only, not of other trainings: Wilcoxon's signed-rank test over episodes, and its effect size.{}",
                self.test,
                match self.judge.unit {
                    Unit::Percent => "percentage points".to_owned(),
                    Unit::Plain =>
                        format!("{}, of which {} is better", self.judge.title, self.judge.better.word()),
                },
                self.what_varies(),
                self.same_seeds()
            ),
            header: header.map(str::to_owned).to_vec(),
            rows: self.pairs.iter().map(line).collect(),
        }
    }

    /// The differences of every fold.
    fn folds(&self) -> Table {
        let folds: BTreeSet<usize> =
            self.pairs.iter().flat_map(|pair| &pair.folds).map(|of| of.fold).collect();
        let line = |c: &Comparison| {
            let of = |fold: &usize| {
                let found = c.folds.iter().find(|of| of.fold == *fold);
                found.map_or_else(String::new, |of| {
                    format!(
                        "{} ({})",
                        self.judge.number(of.difference),
                        self.span(of.interval, of.difference)
                    )
                })
            };
            [name(c)].into_iter().chain(folds.iter().map(of)).collect()
        };
        let header = ["pair".to_owned()].into_iter().chain(folds.iter().map(|fold| format!("fold {fold}")));
        Table {
            name: format!("folds-{}", stem(&self.test)),
            caption: format!(
                "The same differences in every fold, with 95 % intervals over the fold's own seeds and {} episodes. Folds hold out \
                 different classes: where they disagree, so will other classes.",
                self.test
            ),
            header: header.collect(),
            rows: self.pairs.iter().map(line).collect(),
        }
    }

    fn span(&self, (low, high): (f64, f64), difference: f64) -> String {
        let end = |end: f64| self.judge.number_beside(end, difference);
        format!("{} to {}", end(low), end(high))
    }

    fn what_varies(&self) -> &'static str {
        let any = |of: fn(&Comparison) -> bool| self.pairs.iter().any(of);
        if any(|pair| !pair.folds.is_empty()) {
            return "folds (each holds out other classes, with trainings and episodes of its own)";
        }
        match (any(|pair| pair.size.seeds > 1), any(|pair| pair.size.seeds == 1)) {
            (true, false) => "seeds (other trainings) and episodes (other test tasks)",
            (true, true) => {
                "seeds (other trainings) and episodes (other test tasks), but over episodes only where one of the two has a single seed"
            }
            _ => "episodes only, since a single seed cannot show what another training would change",
        }
    }

    fn same_seeds(&self) -> &'static str {
        if self.pairs.iter().any(|pair| pair.size.seeds > 1) {
            " Methods are paired by seed where they have the same seeds: seed k of each starts from the same random streams."
        } else {
            ""
        }
    }
}

fn name(c: &Comparison) -> String {
    format!("{} - {}", c.a.method, c.b.method)
}

/// What a test is called, as a part of a file's name.
pub fn stem(test: &str) -> String {
    test.replace(' ', "-")
}

fn p(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}
