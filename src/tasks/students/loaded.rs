//! The students of an experiment, divided into parts.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};
use tch::Device;

use super::{
    Students, example,
    inputs::Inputs,
    origin::Origin,
    pooled::Pooled,
    source::{Asked, StudentSource},
};
use crate::{
    data::{Source, answers::Answers},
    loss::Logistic,
    measures::Predictions,
    misuse::misuse,
    tasks::{
        Asks, Episode, Extent, Family, FreezableSource, Interface, Part, Pool, TaskSource, Tasks,
        cohort::Cohort,
        example::{Example, Profile},
        family::Show,
        frozen,
    },
};

/// The most columns of items; more would make every row of input too long.
const MOST_ITEMS: usize = 10_000;

/// A family loaded.
pub struct Loaded {
    pub(super) settings: Students,
    pub(super) asks: Asks,
    origin: Origin,
    pub(super) answers: Arc<Answers>,
    pub(super) folds: Vec<Fold>,
    notes: Vec<String>,
    pub(super) device: Device,
}

/// Who is in which part, and what is known of the items then.
pub(super) struct Fold {
    /// The part of each student, whether or not she has enough answers.
    pub parts: Vec<Option<Part>>,
    /// Students of meta-train, meta-validation and meta-test who have.
    pub students: [Vec<u32>; 3],
    pub inputs: Arc<Inputs>,
}

impl Loaded {
    /// Reads or simulates the answers, and divides the students.
    pub fn new(settings: &Students, asks: &Asks, source: &Source, device: Device) -> Result<Self> {
        let origin = Origin::of(settings, source)?;
        let answers = origin.answers();
        let mut notes = answers.notes.clone();
        notes.extend(too_long(&answers, settings.longest));
        let columns = columns(&answers, settings.known_from)?;
        let mut folds = Vec::new();
        for fold in 0..settings.folds() {
            let (parts, said) = settings.split.parts(&answers.students, fold, source)?;
            let (fold, left_out) = Fold::new(settings, asks, &answers, &columns, parts)?;
            notes.extend(
                said.into_iter().chain(left_out).filter(|note| !notes.contains(note)).collect::<Vec<_>>(),
            );
            folds.push(fold);
        }
        Ok(Self { settings: settings.clone(), asks: *asks, origin, answers, folds, notes, device })
    }

    /// A part's episodes with so many shots.
    pub fn of(&self, fold: usize, part: Part, shots: usize, seed: u64) -> StudentSource {
        let Fold { students, inputs, .. } = &self.folds[fold];
        let students = students[part as usize].clone();
        StudentSource::new(&self.settings, &self.answers, inputs, students, part, shots, seed, self.device)
    }
}

impl Loaded {
    /// What success is predicted for: each skill with its problems; where no skill has several, each problem.
    pub fn skills(&self) -> (Vec<String>, Vec<Vec<usize>>) {
        let answers = &self.answers;
        let mut problems = vec![Vec::new(); answers.skills.len()];
        for (problem, skills) in answers.skills_of.iter().enumerate() {
            skills.iter().for_each(|skill| problems[*skill as usize].push(problem));
        }
        if problems.iter().all(|of_skill| of_skill.len() <= 1) {
            return (
                answers.problems.clone(),
                (0..answers.problems.len()).map(|problem| vec![problem]).collect(),
            );
        }
        let some = answers.skills.iter().cloned().zip(problems).filter(|(_, problems)| !problems.is_empty());
        some.unzip()
    }

    /// A student as she is known without a model.
    pub fn profile(&self, asked: &Asked) -> Profile {
        let answers = &self.answers;
        let mine = answers.of(asked.student).take(self.settings.longest);
        let answer = |place: &usize| {
            let answer = answers.of(asked.student).start + place;
            (answers.problems[answers.problem[answer] as usize].clone(), answers.correct[answer])
        };
        let right =
            mine.clone().filter(|answer| answers.correct[*answer]).count() as f32 / mine.len().max(1) as f32;
        Profile {
            student: answers.students[asked.student as usize].clone(),
            group: answers.groups.get(asked.student as usize).cloned().flatten(),
            answers: asked.places.seen.iter().map(answer).collect(),
            right,
            mastered: self.origin.mastered(asked.student),
            aberrant: self.origin.is_aberrant(asked.student),
            ..Profile::default()
        }
    }
}

/// The column of each problem that was answered often enough.
pub(super) fn columns(answers: &Answers, known_from: u32) -> Result<Vec<Option<usize>>> {
    let mut times = vec![0u32; answers.problems.len()];
    answers.problem.iter().for_each(|problem| times[*problem as usize] += 1);
    let mut count = 0;
    let columns: Vec<Option<usize>> = times
        .iter()
        .map(|times| {
            (*times >= known_from.max(1)).then(|| {
                count += 1;
                count - 1
            })
        })
        .collect();
    if count > MOST_ITEMS {
        misuse!(
            "task.students.known_from: {count} items were answered at least {known_from} times, and each would be an input of its own; \
             at most {MOST_ITEMS} can be: raise known_from, and rarer items count as unknown ones of their skills"
        );
    }
    Ok(columns)
}

/// What is said of students with more answers than are looked at.
fn too_long(answers: &Answers, longest: usize) -> Option<String> {
    let lengths = (0..answers.students.len() as u32).map(|student| answers.of(student).len());
    let long: Vec<usize> = lengths.filter(|length| *length > longest).collect();
    let left_out: usize = long.iter().map(|length| length - longest).sum();
    (!long.is_empty()).then(|| {
        format!(
            "{} students have more than {longest} answers: {left_out} answers beyond these are left out (task.students.longest)",
            long.len()
        )
    })
}

impl Fold {
    pub fn new(
        settings: &Students,
        asks: &Asks,
        answers: &Answers,
        columns: &[Option<usize>],
        parts: Vec<Option<Part>>,
    ) -> Result<(Self, Vec<String>)> {
        let (queries, mut notes) = (settings.queries(), Vec::new());
        let mut students: [Vec<u32>; 3] = Default::default();
        let mut training = vec![[0u32; 2]; answers.problems.len()];
        for (part, name) in
            [(Part::Train, "training"), (Part::Validation, "validation"), (Part::Test, "test")]
        {
            let shots = if part == Part::Train { settings.training_range()[0] } else { asks.test_shots };
            let least = queries.least(shots);
            let all: Vec<u32> =
                (0..answers.students.len() as u32).filter(|s| parts[*s as usize] == Some(part)).collect();
            let length = |student: &u32| answers.of(*student).len().min(settings.longest);
            if part == Part::Train {
                for answer in all.iter().flat_map(|student| answers.of(*student).take(settings.longest)) {
                    let of_problem = &mut training[answers.problem[answer] as usize];
                    of_problem[0] += 1;
                    of_problem[1] += u32::from(answers.correct[answer]);
                }
            }
            let enough: Vec<u32> = all.iter().copied().filter(|student| length(student) >= least).collect();
            if enough.is_empty() && (part != Part::Validation || asks.validates) {
                let most = all.iter().map(length).max().unwrap_or(0);
                misuse!(
                    "task.students: no {name} student has the {least} answers that {shots} seen ones and something to ask take; of {} \
                     the most that one has is {most}: see fewer answers (shots, evaluate.shots), or read more students",
                    all.len()
                );
            }
            let short = all.len() - enough.len();
            if short > 0 {
                notes.push(format!(
                    "{short} of {} {name} students have fewer than {least} answers and are left out",
                    all.len()
                ));
            }
            students[part as usize] = enough;
        }
        let inputs = Inputs::new(settings.inputs, answers, columns, &training, settings.known_from);
        let [_, by_skill, by_mean] = inputs.known;
        if by_skill + by_mean > 0 {
            notes.push(format!(
                "{} of {} items are not known from training students: {by_skill} are taken as the mean of their skills' items, \
                 {by_mean} as the mean of all",
                by_skill + by_mean,
                answers.problems.len()
            ));
        }
        Ok((Self { parts, students, inputs: Arc::new(inputs) }, notes))
    }
}

impl Tasks for Loaded {
    fn interface(&self) -> Interface {
        let Inputs { width, items, .. } = *self.folds[0].inputs;
        Interface {
            inputs: width,
            outputs: 1,
            items,
            bins: None,
            loss: &Logistic,
            measures: self.settings.measures(),
        }
    }

    fn extent(&self, part: Part, shots: usize) -> Extent {
        let lengths = self.folds.iter().flat_map(|fold| &fold.students[part as usize]);
        let longest = lengths.map(|student| self.answers.of(*student).len()).max().unwrap_or(0);
        Extent {
            support: shots,
            queries: longest.min(self.settings.longest),
            inputs: self.folds[0].inputs.width,
        }
    }

    fn source(&self, fold: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>> {
        let some = !self.folds[fold].students[part as usize].is_empty();
        some.then(|| Box::new(self.of(fold, part, shots, seed)) as Box<dyn FreezableSource>)
    }

    fn count(&self, fold: usize, part: Part) -> Option<usize> {
        Some(self.folds[fold].students[part as usize].len())
    }

    /// A student has few rows and a small network: an operation on a few of them takes longer to begin than to do.
    fn at_once(&self) -> Option<usize> {
        Some(256)
    }

    fn draws(&self) -> usize {
        self.settings.draws
    }

    fn every(&self, fold: usize) -> Option<Box<dyn Iterator<Item = Episode> + '_>> {
        Some(Box::new(self.of(fold, Part::Train, 0, 0).every()))
    }

    fn best_possible(
        &self,
        fold: usize,
        seed: u64,
        tasks: usize,
        (largest, shots): (usize, usize),
    ) -> Option<Predictions> {
        let Origin::Simulated(simulation, _) = &self.origin else { return None };
        let source = self.of(fold, Part::Test, largest, seed);
        let mut best = Predictions {
            episodes: tasks,
            queries: self.settings.draws * source.rows(),
            ..Predictions::default()
        };
        let mut weights = Vec::new();
        for task in 0..tasks * self.settings.draws {
            let Asked { student, places } = source.asked(frozen::index(fold), task, shots);
            let answers = source.answers_of(student);
            let problems: Vec<u32> = answers.iter().map(|(problem, _)| *problem).collect();
            let mut seen = vec![None; answers.len()];
            places.seen.iter().for_each(|place| seen[*place] = Some(answers[*place].1));
            let padding = std::iter::repeat_n(0f32, source.rows() - answers.len());
            let logits =
                simulation.model.predict(&problems, &seen).into_iter().map(|p| (p / (1.0 - p)).ln() as f32);
            best.outputs.extend(logits.chain(padding.clone()));
            best.targets
                .extend(answers.iter().map(|(_, right)| f32::from(u8::from(*right))).chain(padding.clone()));
            weights.extend(places.asked.iter().map(|asked| f32::from(u8::from(*asked))).chain(padding));
        }
        Some(Predictions { weights: Some(weights), bins: None, ..best })
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn pooled(&self, fold: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource> {
        Box::new(Pooled { source: self.of(fold, Part::Train, shots, seed), pool })
    }

    fn parts(&self, fold: usize) -> Value {
        let [train, validation, test] = &self.folds[fold].students;
        json!({
            "students": {"train": train.len(), "validation": validation.len(), "test": test.len()},
            "items": self.folds[fold].inputs.items,
            "notes": self.notes,
        })
    }

    fn shows_every_seed(&self) -> bool {
        true
    }

    fn cohort(&self) -> Option<&dyn Cohort> {
        Some(self)
    }

    fn example(&self, show: &Show) -> Example {
        example::of(self, show)
    }
}
