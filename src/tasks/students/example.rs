//! What a teacher sees of some test students: predicted success with each skill, who is alike, whose answers do not fit.

use tch::{Kind, Tensor};

use super::{
    Loaded, contexts,
    source::{Asked, StudentSource},
};
use crate::tasks::{
    Part,
    example::{Example, Profile, Profiles, ProfilesKind},
    family::Show,
    frozen,
};

/// Numbers of seen answers to show, as far as the test has so many.
const SEEN: [usize; 4] = [0, 1, 5, 10];
/// The most students.
const STUDENTS: usize = 500;
/// The most predicted successes of all students together.
const NUMBERS: usize = 24_000;
/// Students whose answers are predicted at once.
const AT_ONCE: usize = 25;

/// The first test students of a fold.
pub fn of(loaded: &Loaded, show: &Show) -> Example {
    let source = loaded.of(show.fold, Part::Test, show.largest_shots, show.seed);
    let seen: Vec<usize> = SEEN.into_iter().filter(|seen| *seen <= show.largest_shots).collect();
    let (skills, items_of) = loaded.skills();
    let students = (NUMBERS / (seen.len() * skills.len()).max(1)).clamp(1, STUDENTS).min(source.count());
    let asked: Vec<Asked> =
        (0..students).map(|student| source.first(frozen::index(show.fold), student)).collect();
    let mut profiles: Vec<Profile> = Vec::with_capacity(students);
    let mut context_rows = Vec::new();
    for asked in asked.chunks(AT_ONCE) {
        let by_seen: Vec<Vec<Vec<f32>>> = seen
            .iter()
            .map(|seen| {
                let success = success(&source, asked, *seen, show);
                success.iter().map(|of_student| means(of_student, &items_of)).collect()
            })
            .collect();
        let fits = fits(&source, asked, show);
        context_rows.extend((show.contexts)(&source.about(asked, source.rows())));
        for (place, (asked, fit)) in asked.iter().zip(fits).enumerate() {
            let success = by_seen.iter().map(|of_students| of_students[place].clone()).collect();
            profiles.push(Profile {
                success,
                likelihood: fit.likelihood,
                misfit: fit.misfit,
                ..loaded.profile(asked)
            });
        }
    }
    if !context_rows.is_empty() {
        let all = Tensor::cat(&context_rows, 0); // [students, C]
        let (places, clusters) = (contexts::places(&all), contexts::clusters(&all));
        for (profile, (place, cluster)) in profiles.iter_mut().zip(places.into_iter().zip(clusters)) {
            (profile.place, profile.cluster) = (Some(place), Some(cluster));
        }
    }
    Example::Students(Profiles {
        kind: ProfilesKind::Students,
        shots: show.largest_shots,
        steps: show.steps.to_vec(),
        seen,
        skills,
        students: profiles,
    })
}

/// Predicted success of each student with each problem, after so many seen answers: `[students][problems]`.
fn success(source: &StudentSource, asked: &[Asked], seen: usize, show: &Show) -> Vec<Vec<f32>> {
    let answers = (show.answer)(&source.about(asked, seen));
    let Some(last) = answers.last() else { return Vec::new() };
    let problems = last.size()[1].max(1) as usize;
    let values =
        Vec::<f32>::try_from(last.sigmoid().to_kind(Kind::Float).to_device(tch::Device::Cpu).flatten(0, -1));
    values.unwrap_or_default().chunks(problems).map(<[f32]>::to_vec).collect()
}

/// The mean over the problems of each skill.
fn means(of_problems: &[f32], items_of: &[Vec<usize>]) -> Vec<f32> {
    let mean = |items: &Vec<usize>| {
        items.iter().map(|item| of_problems[*item]).sum::<f32>() / items.len().max(1) as f32
    };
    items_of.iter().map(mean).collect()
}

/// How well a student's answers fit.
struct Fit {
    /// Mean log-likelihood before adaptation, and after adaptation to all answers.
    likelihood: [f32; 2],
    /// By how many standard deviations they are less likely than answers would be that fit.
    misfit: f32,
}

/// The standardised log-likelihood of all answers of each student after adaptation to them, with its sign turned (Drasgow, Levine & Williams
/// 1985, https://doi.org/10.1111/j.2044-8317.1985.tb00817.x).
fn fits(source: &StudentSource, asked: &[Asked], show: &Show) -> Vec<Fit> {
    let all = source.rows();
    let before = success(source, asked, 0, show);
    let after = success(source, asked, all, show);
    let of = |(asked, (before, after)): (&Asked, (&Vec<f32>, &Vec<f32>))| {
        let answers = source.answers_of(asked.student);
        let (mut likelihood, mut expected, mut variance) = ([0.0; 2], 0.0, 0.0);
        for (problem, right) in &answers {
            let p = [before, after].map(|of| f64::from(of[*problem as usize]).clamp(1e-6, 1.0 - 1e-6));
            for (sum, p) in likelihood.iter_mut().zip(p) {
                *sum += if *right { p.ln() } else { (1.0 - p).ln() };
            }
            let p = p[1];
            expected += p * p.ln() + (1.0 - p) * (1.0 - p).ln();
            variance += p * (1.0 - p) * (p / (1.0 - p)).ln().powi(2);
        }
        let count = answers.len().max(1) as f64;
        Fit {
            likelihood: likelihood.map(|sum| (sum / count) as f32),
            misfit: ((expected - likelihood[1]) / variance.sqrt().max(1e-9)) as f32,
        }
    };
    asked.iter().zip(before.iter().zip(&after)).map(of).collect()
}
