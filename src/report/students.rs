//! What a teacher sees: each student's skills, which skills adapt fastest, who is alike, whose answers do not fit, and whom predictions serve.

use std::collections::BTreeSet;

use anyhow::Result;

use super::long_table::LongTable;
use crate::{
    figures::Results,
    measures::{Accuracy, LogLoss, Measure, reliability::BINS},
    profiles::{Ensemble, MASTERY, groups, speeds},
    records::{EvaluationRow, TaskKind},
    summary::{chosen_steps, summarise},
};

/// A paragraph with its table.
pub struct View {
    /// What it is about.
    pub heading: &'static str,
    /// What a reader must know.
    pub text: String,
    /// The numbers.
    pub table: LongTable,
}

/// What there is to see; nothing where tasks are not students.
///
/// # Errors
/// None that results can cause.
pub fn views(results: &Results) -> Result<Vec<View>> {
    let ensembles = results.ensembles_best_first();
    let mut views = Vec::new();
    if let Some(first) = ensembles.first() {
        views.push(students(&ensembles, first)?);
        views.push(skills(&ensembles, first)?);
        views.extend(alike(&ensembles)?);
        views.push(misfits(&ensembles)?);
        views.extend(by_group(results, &ensembles)?);
    }
    views.extend(reliability(results)?);
    Ok(views)
}

/// A share or another number, as tables have it.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.4}") } else { String::new() }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, number)
}

fn yes_or_no(value: Option<bool>) -> String {
    value.map_or("", |value| if value { "yes" } else { "no" }).to_owned()
}

/// Every student's predicted success with each skill.
fn students(ensembles: &[&Ensemble], first: &Ensemble) -> Result<View> {
    let header = [
        "method",
        "student",
        "group",
        "answers_seen",
        "skill",
        "predicted_success",
        "low",
        "high",
        "mastered",
        "truth",
    ];
    let rows = ensembles.iter().flat_map(|ensemble| {
        let of_student = move |student: usize| {
            let profile = &ensemble.students()[student];
            let of_skill = move |skill: usize| {
                let of_seen = move |(at, seen): (usize, &usize)| {
                    let success = ensemble.success(student, at, skill);
                    vec![
                        ensemble.method.clone(),
                        profile.student.clone(),
                        profile.group.clone().unwrap_or_default(),
                        seen.to_string(),
                        ensemble.skills()[skill].clone(),
                        number(success.mean),
                        optional(success.interval.map(|(low, _)| low)),
                        optional(success.interval.map(|(_, high)| high)),
                        success.mastery().to_string(),
                        yes_or_no(ensemble.mastered(student, skill)),
                    ]
                };
                ensemble.seen().iter().enumerate().map(of_seen)
            };
            (0..ensemble.skills().len()).flat_map(of_skill)
        };
        (0..ensemble.students().len()).flat_map(of_student)
    });
    let text = format!(
        "For each of the first {} test students: how often she is predicted to succeed with the items of each skill, before adaptation and \
         after more and more of her answers, each method after its last number of steps. A skill counts as mastered where predicted success is at \
         least {MASTERY}: yes or no where the whole interval says so, otherwise unsure. {}. Intervals say how far trainings differ, not how \
         surely a student is known from so few answers; a method that is the same with every seed has none, and then the mean decides.",
        first.students().len(),
        first.interval_is(),
    );
    let caption = "Predicted success with each skill; methods come best first.";
    Ok(View { heading: "Students", text, table: LongTable::of("students", caption, &header, rows)? })
}

/// How fast each skill adapts.
fn skills(ensembles: &[&Ensemble], first: &Ensemble) -> Result<View> {
    let after = |what: &str, from: usize| {
        first.seen().iter().skip(from).map(|seen| format!("{what}_{seen}")).collect::<Vec<_>>()
    };
    let all: Vec<_> = ensembles.iter().map(|ensemble| (*ensemble, speeds(ensemble))).collect();
    let known = all.iter().any(|(_, speeds)| speeds.iter().any(|speed| speed.brier.is_some()));
    let mut header = vec!["method".to_owned(), "skill".to_owned()];
    header.extend(after("change", 1));
    header.extend(if known { after("brier", 0) } else { Vec::new() });
    let rows = all.iter().flat_map(|(ensemble, speeds)| {
        let of_skill = |speed: &crate::profiles::SkillSpeed| {
            let mut row = vec![ensemble.method.clone(), speed.skill.clone()];
            row.extend(speed.change.iter().skip(1).map(|change| number(*change)));
            if known {
                let brier = |at| optional(speed.brier.as_ref().and_then(|of| of.get(at).copied()));
                row.extend((0..first.seen().len()).map(brier));
            }
            row
        };
        speeds.iter().map(of_skill).collect::<Vec<_>>()
    });
    let mut text = "Which skills adapt fastest: by how much the predicted success of students changes with their first answers, on average (mean \
                    absolute change since before adaptation, columns change_1 and so on). A skill that hardly changes is one that these answers \
                    tell little about."
        .to_owned();
    if known {
        text += " The columns brier_0 and so on are the mean squared distance of predicted success from the simulated truth, 1 for mastered \
                 and 0 for not; guesses and slips keep it above zero even for a perfect prediction.";
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let caption = "How fast skills adapt; of each method the fastest first.";
    Ok(View { heading: "Skills", text, table: LongTable::of("skills", caption, &header, rows)? })
}

/// Students grouped by their contexts.
fn alike(ensembles: &[&Ensemble]) -> Result<Option<View>> {
    let all: Vec<_> = ensembles.iter().map(|ensemble| (*ensemble, groups(ensemble))).collect();
    if all.iter().all(|(_, groups)| groups.is_empty()) {
        return Ok(None);
    }
    let header = ["method", "group", "students", "share_right", "skill", "predicted_success"];
    let rows = all.iter().flat_map(|(ensemble, groups)| {
        groups.iter().flat_map(move |group| {
            ensemble.skills().iter().zip(&group.success).map(move |(skill, success)| {
                vec![
                    ensemble.method.clone(),
                    (group.number + 1).to_string(),
                    group.size.to_string(),
                    number(group.right),
                    skill.clone(),
                    number(*success),
                ]
            })
        })
    });
    let text = "Students whose adapted contexts are alike, in at most four groups (k-means on the contexts of the first seed, the largest group \
                first): how many they are, their share of right answers, and their mean predicted success with each skill after the most \
                answers. The figure contexts shows them on a map."
        .to_owned();
    let table = LongTable::of("groups", "Groups of students by context.", &header, rows)?;
    Ok(Some(View { heading: "Groups", text, table }))
}

/// Whose answers do not fit.
fn misfits(ensembles: &[&Ensemble]) -> Result<View> {
    let header = [
        "method",
        "student",
        "group",
        "misfit",
        "likelihood_before",
        "likelihood_after",
        "share_right",
        "aberrant",
    ];
    let rows = ensembles.iter().flat_map(|ensemble| {
        let mut order: Vec<usize> = (0..ensemble.students().len()).collect();
        order.sort_by(|a, b| ensemble.misfit(*b).total_cmp(&ensemble.misfit(*a)));
        order.into_iter().map(move |student| {
            let (profile, [before, after]) = (&ensemble.students()[student], ensemble.likelihood(student));
            vec![
                ensemble.method.clone(),
                profile.student.clone(),
                profile.group.clone().unwrap_or_default(),
                number(ensemble.misfit(student)),
                number(before),
                number(after),
                number(f64::from(profile.right)),
                yes_or_no(profile.aberrant),
            ]
        })
    });
    let mut text = "Whose answers fit least: misfit is by how many standard deviations all answers of a student are less likely than answers that fit, \
                    after adaptation to them (Drasgow, Levine & Williams 1985; mean over seeds). Beside it the mean log-likelihood of an answer \
                    before and after adaptation. A high misfit is a reason to look at the answers, no verdict: luck alone leaves some students \
                    above 2."
        .to_owned();
    let found: Vec<String> = ensembles
        .iter()
        .filter_map(|ensemble| Some(format!("{} {:.3}", ensemble.method, ensemble.detector()?.area)))
        .collect();
    if !found.is_empty() {
        text += &format!(
            " As a detector of the simulated students whose answers were made not to fit, its area under the ROC curve is: {} (figure misfit).",
            found.join(", ")
        );
    }
    let caption = "Students by misfit, of each method the least fitting first; methods come best first.";
    Ok(View { heading: "Misfit", text, table: LongTable::of("misfits", caption, &header, rows)? })
}

/// Whether predictions serve all groups of the file alike.
fn by_group(results: &Results, ensembles: &[&Ensemble]) -> Result<Option<View>> {
    let Some(of_students) = ensembles.first().map(|ensemble| ensemble.students()) else { return Ok(None) };
    let names: BTreeSet<&String> = of_students.iter().filter_map(|student| student.group.as_ref()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let chosen = chosen_steps(&results.validation, results.judge);
    let last = results.evaluation.iter().map(|row| row.step).max();
    // The test episodes of the first fold are the test students, in the order of the profiles.
    let group = |row: &EvaluationRow| of_students.get(row.episode)?.group.as_ref();
    let is_shown = |row: &EvaluationRow| {
        let step = chosen.get(&(row.method.clone(), row.shots)).copied().or(last);
        row.task == TaskKind::FewShot && row.fold == 0 && Some(row.step) == step
    };
    let quantities = [LogLoss.quantity(), Accuracy.quantity()];
    let mut rows = Vec::new();
    for name in names {
        let tested: Vec<EvaluationRow> = results
            .evaluation
            .iter()
            .filter(|row| is_shown(row) && group(row) == Some(name))
            .cloned()
            .collect();
        for row in summarise(&tested, &results.methods, &quantities) {
            let mut cells = vec![
                row.method.clone(),
                name.clone(),
                row.shots.to_string(),
                row.step.to_string(),
                row.episodes.to_string(),
            ];
            for measured in &row.measured {
                cells.extend([number(measured.mean), optional(measured.interval)]);
            }
            rows.push(cells);
        }
    }
    let header = [
        "method",
        "group",
        "answers_seen",
        "steps",
        "students",
        "log_loss",
        "log_loss_interval",
        "accuracy",
        "accuracy_interval",
    ];
    let text = format!(
        "Whether predictions serve all groups of the file alike: mean log loss and accuracy of the students of each group, by the number of \
         their answers seen, each method after its best number of steps on validation students, with half-widths of 95 % intervals over \
         students and seeds. Of the first {} test students.",
        results.evaluation.iter().map(|row| row.episode + 1).max().unwrap_or(0).min(of_students.len())
    );
    let table = LongTable::of("by_group", "Means by group of the file.", &header, rows.into_iter())?;
    Ok(Some(View { heading: "Groups of the file", text, table }))
}

/// Whether answers are right as often as was predicted.
fn reliability(results: &Results) -> Result<Option<View>> {
    if results.calibrations.is_empty() {
        return Ok(None);
    }
    let header = ["method", "answers_seen", "steps", "from", "to", "answers", "predicted", "right"];
    let rows = results.calibrations.iter().flat_map(|of| {
        of.bins.iter().enumerate().map(|(bin, of_bin)| {
            let end = |place: usize| format!("{:.1}", place as f64 / BINS as f64);
            let means = of_bin.means();
            vec![
                of.method.clone(),
                of.shots.to_string(),
                of.step.to_string(),
                end(bin),
                end(bin + 1),
                of_bin.answers.to_string(),
                optional(means.map(|(predicted, _)| predicted)),
                optional(means.map(|(_, right)| right)),
            ]
        })
    });
    let text = "Whether probabilities mean what they say: of the answers to which a method gave a probability between two tenths, the share that \
                was right should be the mean of these probabilities (figure reliability). The answers of all seeds are counted."
        .to_owned();
    let table = LongTable::of("reliability", "Right answers by predicted probability.", &header, rows)?;
    Ok(Some(View { heading: "Reliability", text, table }))
}
