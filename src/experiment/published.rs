//! Published values beside what was measured.

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    expect::{ExpectedAt, Mark, PublishedValue},
    spec::Experiment,
};
use crate::{measures::Quantity, summary::SummaryRow};

/// A published value, and ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The method's name in the experiment file.
    pub method: String,
    /// The number of shots; none for the whole data set, or where nothing was measured.
    pub shots: Option<usize>,
    /// The number of adaptation steps.
    pub step: usize,
    /// What was measured.
    pub quantity: Quantity,
    /// The published value, shares in per cent.
    pub value: PublishedValue,
    /// Whether it is known to have been published.
    pub mark: Mark,
    /// Where.
    pub source: Option<String>,
    /// Our mean and the half-width of its 95 % interval, if we have one; shares in per cent too.
    pub ours: Option<(f64, Option<f64>)>,
}

/// What our mean is beside the published value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Our interval holds the published value.
    Within,
    /// Ours is better, and its interval does not hold the published value.
    Better,
    /// Ours is worse, and its interval does not hold the published value.
    Worse,
    /// There is no mean of ours.
    Missing,
}

/// What the experiment expects, method by method, beside what these rows have of it.
pub fn published(experiment: &Experiment, rows: &[SummaryRow]) -> Vec<Published> {
    let quantities = experiment.quantities();
    let tested = experiment.test_shots();
    let mut all = Vec::new();
    for (method, expected) in &experiment.expect {
        for ExpectedAt { measure, shots, step, value } in expected.places() {
            let Some(quantity) = quantities.iter().copied().find(|known| known.name == measure) else {
                continue;
            };
            let is_it = |row: &&SummaryRow| {
                row.method == *method && row.step == step && shots.is_none_or(|shots| row.shots == shots)
            };
            let row = rows.iter().find(is_it);
            let measured = row.and_then(|row| row.measured(measure)).filter(|of| of.mean.is_finite());
            all.push(Published {
                method: method.clone(),
                shots: row.map(|row| row.shots).or(shots).or_else(|| tested.first().copied()),
                step,
                quantity,
                value,
                mark: expected.mark,
                source: expected.source.clone(),
                ours: measured
                    .map(|of| (quantity.shown(of.mean), of.interval.map(|half| quantity.shown(half)))),
            });
        }
    }
    all
}

impl Published {
    /// What our mean is beside it.
    pub fn verdict(&self) -> Verdict {
        match self.ours {
            None => Verdict::Missing,
            Some((ours, half)) if (ours - self.value.mean).abs() <= half.unwrap_or(0.0) => Verdict::Within,
            Some((ours, _)) if self.quantity.better.is_better(ours, self.value.mean) => Verdict::Better,
            Some(_) => Verdict::Worse,
        }
    }

    /// "published", or "unconfirmed" where that is not known.
    pub fn word(&self) -> &'static str {
        match self.mark {
            Mark::Confirmed => "published",
            Mark::Unconfirmed => "unconfirmed",
        }
    }

    /// For a cell below ours: "0.67 ± 0.05, ours better".
    pub fn cell(&self) -> String {
        let PublishedValue { mean, half_width } = self.value;
        let half = half_width.map(|half| format!(" ± {half}")).unwrap_or_default();
        let verdict = match self.verdict() {
            Verdict::Within => ", within",
            Verdict::Better => ", ours better",
            Verdict::Worse => ", ours worse",
            Verdict::Missing => "",
        };
        format!("{mean}{half}{verdict}")
    }
}

/// The values of a table, method by method.
pub fn of_table<'a>(
    all: &'a [Published],
    quantity: Quantity,
    shots: usize,
    method: &str,
) -> Vec<&'a Published> {
    let is_there = |of: &&Published| (of.quantity, of.shots, &*of.method) == (quantity, Some(shots), method);
    all.iter().filter(is_there).collect()
}

/// How the lines of published values in a table are to be read, with their sources; nothing where there are none.
pub fn legend<'a>(shown: impl Iterator<Item = &'a Published>) -> Option<String> {
    let mut sources: Vec<String> = Vec::new();
    let mut unconfirmed = false;
    for of in shown {
        let source = format!("{}: {}", of.method, of.source.as_deref().unwrap_or("no source is named"));
        if !sources.contains(&source) {
            sources.push(source);
        }
        unconfirmed |= of.mark == Mark::Unconfirmed;
    }
    let warning = if unconfirmed { "; what is unconfirmed may not have been published" } else { "" };
    (!sources.is_empty()).then(|| {
        format!(
            "published values ({}): within the 95 % interval of ours, or ours is better or worse{warning}",
            sources.join("; ")
        )
    })
}

/// `published.csv`: shares in per cent, as they were published.
///
/// # Errors
/// None that these values can cause.
pub fn csv(all: &[Published]) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Line<'a> {
        method: &'a str,
        shots: Option<usize>,
        step: usize,
        measure: &'a str,
        published: f64,
        published_half_width: Option<f64>,
        mark: Mark,
        ours: Option<f64>,
        half_width: Option<f64>,
        verdict: Verdict,
        source: Option<&'a str>,
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for of in all {
        writer.serialize(Line {
            method: &of.method,
            shots: of.shots,
            step: of.step,
            measure: of.quantity.name,
            published: of.value.mean,
            published_half_width: of.value.half_width,
            mark: of.mark,
            ours: of.ours.map(|(mean, _)| mean),
            half_width: of.ours.and_then(|(_, half)| half),
            verdict: of.verdict(),
            source: of.source.as_deref(),
        })?;
    }
    writer.into_inner().context("cannot format CSV")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{experiment::read::parse, records::TaskKind, summary::Measured};

    fn row(method: &str, shots: usize, step: usize, measured: Measured) -> SummaryRow {
        let (method, measured) = (method.to_owned(), vec![measured]);
        let (episodes, seeds, folds, left_out) = (10, 2, 1, 0);
        let (task, loss) = (TaskKind::FewShot, 1.0);
        SummaryRow { method, task, shots, step, measured, loss, episodes, seeds, folds, left_out }
    }

    fn mean(name: &'static str, mean: f64, interval: Option<f64>) -> Measured {
        Measured { name, mean, interval, seed_std: None }
    }

    #[test]
    fn ours_is_within_or_better_or_worse_in_the_direction_of_the_measure() {
        let expect = "{maml: {mse: {0: [4], 1: [0.67], 5: [0.38, 0.05], 10: [0.35]}, source: 'a, b'}}";
        let text = format!(
            "{{name: a, task: {{sinusoid: {{}}}}, methods: {{maml: {{maml: {{}}}}}}, evaluate: {{steps: [0, 1, 5, 10]}}, expect: {expect}}}"
        );
        let experiment = parse(&text, "it").expect("sound");
        let rows = [
            row("maml", 5, 0, mean("mse", f64::NAN, None)),
            row("maml", 5, 1, mean("mse", 0.69, Some(0.03))),
            row("maml", 5, 5, mean("mse", 0.3, Some(0.01))),
            row("maml", 5, 10, mean("mse", 0.36, None)),
        ];
        let all = published(&experiment, &rows);
        let verdicts: Vec<Verdict> = all.iter().map(Published::verdict).collect();
        assert_eq!(verdicts, [Verdict::Missing, Verdict::Within, Verdict::Better, Verdict::Worse]);
        let cells: Vec<String> = all.iter().map(Published::cell).collect();
        assert_eq!(cells, ["4", "0.67, within", "0.38 ± 0.05, ours better", "0.35, ours worse"]);
        let expected = "method,shots,step,measure,published,published_half_width,mark,ours,half_width,verdict,source\n\
                        maml,5,0,mse,4.0,,confirmed,,,missing,\"a, b\"\n\
                        maml,5,1,mse,0.67,,confirmed,0.69,0.03,within,\"a, b\"\n\
                        maml,5,5,mse,0.38,0.05,confirmed,0.3,0.01,better,\"a, b\"\n\
                        maml,5,10,mse,0.35,,confirmed,0.36,,worse,\"a, b\"\n";
        assert_eq!(String::from_utf8(csv(&all).expect("CSV")).expect("text"), expected);
        let told = legend(all.iter()).expect("something");
        assert!(told.contains("(maml: a, b)") && !told.contains("unconfirmed"), "{told}");
        assert_eq!(legend(std::iter::empty()), None);
    }

    #[test]
    fn shares_are_compared_in_per_cent_and_each_with_its_shots() {
        let text = "{name: a, task: {dataset: mnist, ways: 3, shots: 1, classes: {train: [0, 1, 2], test: [5, 6, 7]}}, \
                    methods: {maml: {maml: {}}}, train: {validate: null}, evaluate: {steps: [3], shots: [1, 5]}, \
                    expect: {maml: {accuracy: {1: {3: [95.8, 0.3]}, 5: {3: [98.9]}}, mark: unconfirmed}}}";
        let experiment = parse(text, "it").expect("sound");
        let rows = [
            row("maml", 1, 3, mean("accuracy", 0.955, Some(0.004))),
            row("maml", 5, 3, mean("accuracy", 0.9, Some(0.01))),
        ];
        let all = published(&experiment, &rows);
        let cells: Vec<_> = all.iter().map(|of| (of.shots, of.word(), of.cell())).collect();
        assert_eq!(
            cells,
            [
                (Some(1), "unconfirmed", "95.8 ± 0.3, within".to_owned()),
                (Some(5), "unconfirmed", "98.9, ours worse".to_owned())
            ]
        );
        assert!(legend(all.iter()).expect("something").contains("may not have been published"));
        assert_eq!(of_table(&all, all[0].quantity, 5, "maml"), [&all[1]]);
    }
}
