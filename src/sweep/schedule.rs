//! What a sweep does next: goes on with the trials that a pruner lets go on, then begins new ones.

use std::collections::BTreeMap;

use super::{
    pruner::Judged,
    sampler::Told,
    spec::Sweep,
    trial::{Job, Trial},
};

/// All trials of a study by number.
pub type Trials = BTreeMap<usize, Trial>;

impl Sweep {
    /// The parts of its training after which a trial is judged, ascending to 1.
    pub fn rungs(&self, number: usize) -> Vec<f64> {
        self.pruner.as_ref().map_or_else(|| vec![1.0], |pruner| pruner.rungs(pruner.bracket(number)))
    }

    /// Whether a trial is trained to the end.
    pub fn is_complete(&self, trial: &Trial) -> bool {
        trial.rungs.len() >= self.rungs(trial.number).len()
    }

    /// What there is to draw of a trial, iterations and scores: at rungs what it was judged by; without a pruner, when it is judged but
    /// once, its validations while it trained.
    pub fn curve(&self, trial: &Trial) -> Vec<(usize, f64)> {
        match self.pruner {
            Some(_) => trial.rungs.iter().map(|rung| (rung.iterations, rung.score)).collect(),
            None => trial.curve.clone(),
        }
    }

    /// The best trial, the first of equals: of those that are complete, otherwise of those that have come furthest.
    pub fn best<'a>(&self, trials: &'a Trials) -> Option<&'a Trial> {
        let place = |trial: &Trial| {
            let left = self.rungs(trial.number).len().saturating_sub(trial.rungs.len());
            trial.score().map(|score| (std::cmp::Reverse(left), score))
        };
        trials.values().filter(|trial| trial.score().is_some() && trial.error.is_none()).reduce(
            |best, next| {
                if place(next) > place(best) { next } else { best }
            },
        )
    }

    /// At most so many trials, the best first.
    pub fn best_first<'a>(&self, trials: &'a Trials, most: usize) -> Vec<&'a Trial> {
        let mut left = trials.clone();
        let next = || {
            let number = self.best(&left)?.number;
            left.remove(&number);
            trials.get(&number)
        };
        std::iter::from_fn(next).take(most).collect()
    }

    /// What a sampler is told.
    pub fn told(&self, trials: &Trials) -> Vec<Told> {
        let scores = |trial: &Trial| {
            let reached = trial.rungs.iter().map(|rung| rung.score);
            self.rungs(trial.number).into_iter().zip(reached).collect()
        };
        let told = |trial: &Trial| Told { point: trial.point.clone(), scores: scores(trial) };
        trials.values().filter(|trial| trial.score().is_some() || trial.error.is_some()).map(told).collect()
    }

    /// The stretches of begun trials that are worth training, those that have come furthest first, the best of them first.
    pub fn promoted(&self, trials: &Trials, running: impl Fn(usize) -> bool) -> Vec<Job> {
        let waits =
            |trial: &Trial| trial.error.is_none() && !self.is_complete(trial) && !running(trial.number);
        // Begun, but not yet at a rung: what was under way when a sweep was killed.
        let begun = trials.values().filter(|trial| trial.rungs.is_empty() && waits(trial));
        let begun = begun.map(|trial| Job { trial: trial.number, rung: 0 });
        let Some(pruner) = &self.pruner else { return begun.collect() };

        // By rungs still to go, so that those who have come furthest are first.
        let mut groups: BTreeMap<(usize, usize), Vec<&Trial>> = BTreeMap::new();
        for trial in trials.values() {
            let bracket = pruner.bracket(trial.number);
            let last = pruner.rungs(bracket).len() - 1;
            for rung in 0..trial.rungs.len().min(last) {
                groups.entry((last - rung, bracket)).or_default().push(trial);
            }
        }
        let mut promoted: Vec<Job> = Vec::new();
        for ((left, bracket), reached) in groups {
            let rung = pruner.rungs(bracket).len() - 1 - left;
            let judged: Vec<Judged> = reached
                .iter()
                .map(|trial| Judged {
                    score: trial.rungs[rung].score,
                    episodes: trial.episodes.get(rung).map_or(&[], Vec::as_slice),
                })
                .collect();
            let mut here: Vec<&Trial> = reached
                .iter()
                .zip(pruner.survivors(&judged))
                .filter(|(trial, survives)| *survives && trial.rungs.len() == rung + 1 && waits(trial))
                .map(|(trial, _)| *trial)
                .collect();
            here.sort_by(|a, b| b.rungs[rung].score.total_cmp(&a.rungs[rung].score));
            promoted.extend(here.iter().map(|trial| Job { trial: trial.number, rung: rung + 1 }));
        }
        promoted.extend(begun);
        promoted
    }

    /// When nothing is left to do but no trial was trained to the end, as with few trials: the next stretch of the best.
    pub fn last(&self, trials: &Trials) -> Option<Job> {
        let best = self.best(trials).filter(|best| !self.is_complete(best))?;
        Some(Job { trial: best.number, rung: best.rungs.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::trial::Rung;

    fn sweep(pruner: &str) -> Sweep {
        let text = format!(
            "{{name: a, base: b, space: {{x: {{uniform: [0, 1]}}}}, budget: {{trials: 99}}, pruner: {pruner}}}"
        );
        serde_saphyr::from_str(&text).expect("a sweep")
    }

    fn trials(scores: &[&[f64]]) -> Trials {
        let trial = |(number, scores): (usize, &&[f64])| Trial {
            number,
            point: vec![],
            values: vec![],
            rungs: scores.iter().map(|&score| Rung { iterations: 1, score, seconds: 1.0 }).collect(),
            curve: vec![],
            error: None,
            episodes: vec![],
        };
        scores.iter().enumerate().map(trial).map(|trial| (trial.number, trial)).collect()
    }

    fn promoted(sweep: &Sweep, trials: &Trials, running: &[usize]) -> Vec<(usize, usize)> {
        let jobs = sweep.promoted(trials, |number| running.contains(&number));
        jobs.iter().map(|job| (job.trial, job.rung)).collect()
    }

    #[test]
    fn who_has_come_furthest_goes_on_first_and_begun_ones_before_new_ones() {
        let asha = sweep("{asha: {reduction: 3}}");
        let six: &[&[f64]] = &[&[0.1], &[0.6, 0.5], &[0.5, 0.6], &[0.4, 0.7], &[0.9], &[]];
        assert_eq!(promoted(&asha, &trials(six), &[]), [(3, 2), (4, 1), (5, 0)], "a third of each rung");
        let six: &[&[f64]] = &[&[0.1], &[0.6, 0.5], &[0.2], &[0.3], &[0.55], &[]];
        assert_eq!(
            promoted(&asha, &trials(six), &[]),
            [(5, 0)],
            "a third of five is one, and it is on already"
        );
        let six: &[&[f64]] = &[&[0.1], &[0.6, 0.5], &[0.2], &[0.3], &[0.55], &[0.0]];
        assert_eq!(promoted(&asha, &trials(six), &[]), [(4, 1)]);
        assert_eq!(promoted(&asha, &trials(six), &[4]), [], "it runs");
    }

    #[test]
    fn the_best_is_complete_and_if_none_is_it_is_made_so() {
        let asha = sweep("{asha: {reduction: 3}}");
        let some = trials(&[&[0.9], &[0.3, 0.4, 0.5], &[0.3, 0.4, 0.5], &[0.3, 0.8]]);
        assert_eq!(asha.best(&some).map(|trial| trial.number), Some(1));
        assert_eq!(asha.last(&some), None);
        let none = trials(&[&[0.9], &[0.3, 0.4], &[0.3, 0.8], &[]]);
        assert_eq!(asha.last(&none), Some(Job { trial: 2, rung: 2 }));
    }

    #[test]
    fn brackets_are_apart() {
        let hyperband = sweep("{hyperband: {}}");
        // Trials 0 to 8 are of the first bracket, 9 to 13 of the second, 14 to 16 are trained at once to the end.
        let mut scores: Vec<&[f64]> = vec![&[0.1]; 9];
        scores.extend([&[0.5][..], &[0.6], &[0.7]]);
        assert_eq!(promoted(&hyperband, &trials(&scores), &[]), [(11, 1), (0, 1), (1, 1), (2, 1)]);
        scores.extend([&[0.1][..], &[0.1], &[0.9]]);
        assert_eq!(hyperband.best(&trials(&scores)).map(|trial| trial.number), Some(14));
    }

    #[test]
    fn what_is_drawn_of_a_trial_is_what_it_was_judged_by() {
        let mut trial = trials(&[&[0.3, 0.7]])[&0].clone();
        trial.curve = vec![(0, 0.55)];
        assert_eq!(sweep("{asha: {}}").curve(&trial), [(1, 0.3), (1, 0.7)]);
        assert_eq!(sweep("null").curve(&trial), [(0, 0.55)]);
    }

    #[test]
    fn without_a_pruner_a_trial_is_one_stretch() {
        let plain = sweep("null");
        assert_eq!(promoted(&plain, &trials(&[&[0.5], &[], &[]]), &[2]), [(1, 0)]);
    }
}
