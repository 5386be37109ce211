//! Checks that need more than one key: whether the parts of an experiment fit each other.

use garde::{Path, Report, Validate, util::nested_path};
use serde::Deserialize;

use super::{check_expect::check_expect, method::Method, plan::Run, spec::Experiment};
use crate::{
    algorithms::{Testing, Training},
    inner::Adapts,
    models::Role,
    tasks::{Asks, Need, form},
};

/// An experiment that was checked as a whole.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Checked(pub Experiment);

impl Validate for Checked {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        let experiment = &self.0;
        experiment.validate_into(context, parent, report);
        form::validate(&experiment.task, parent, report);
        for (name, method) in &experiment.methods {
            let mut methods = nested_path!(parent, "methods");
            method.validate_into(context, &mut nested_path!(methods, name.as_str()), report);
        }
        if !report.is_empty() {
            return; // one mistake at a time: these checks rely on sound values
        }
        for (name, method) in &experiment.methods {
            if let Some(need) = needs(method).into_iter().find(|n| !experiment.task.offers().contains(n)) {
                let mut methods = nested_path!(parent, "methods");
                report.append(methods().join(name), garde::Error::new(lacks(experiment, method, need)));
            }
        }
        if experiment.model.needs_time() && !experiment.task.offers().contains(&Need::Reviews) {
            let (model, family) = (experiment.model.name(), experiment.task.name());
            let what = format!(
                "{model} is for timed reviews, which {family} has not: use it with task: {{memory: {{}}}}"
            );
            report.append(parent().join("model"), garde::Error::new(what));
        }
        let contexts = experiment.model.build(1, 1).parameters().iter().any(|p| p.role == Role::Context);
        for (name, method) in experiment.methods.iter().filter(|_| !contexts) {
            if method.adapts == Adapts::Context || method.algorithm.needs_context() {
                let mut methods = nested_path!(parent, "methods");
                let what = "this method needs context parameters, which the model has not: use model: {decoder: {}}, {forgetting: {}} for memory, or mlp with context";
                report.append(methods().join(name), garde::Error::new(what));
            }
        }
        for problem in experiment.task.check(&asks(experiment)) {
            let keys = form::path(&experiment.task, &problem);
            let path = keys[1..].iter().fold(parent().join(keys[0]), |path, key| path.join(*key));
            report.append(path, garde::Error::new(problem.1));
        }
        check_expect(experiment, &mut parent, report);
    }
}

/// What a method needs of tasks that not every family has.
fn needs(method: &Method) -> Vec<Need> {
    let whole = (method.algorithm.testing() == Testing::WholeDataset).then_some(Need::WholeDataset);
    let copies = method.adapt.as_ref().map(|_| Need::Images);
    method.algorithm.needs().iter().copied().chain(whole).chain(copies).collect()
}

fn lacks(experiment: &Experiment, method: &Method, need: Need) -> String {
    let (what, family) = (need.what(), experiment.task.name());
    match need {
        Need::Images => format!("adapt makes copies of {what}, which {family} has not: leave it out"),
        _ => {
            format!("{} needs {what}, which {family} has not: leave this method out", method.algorithm.name())
        }
    }
}

/// What an experiment asks of its family.
pub fn asks(experiment: &Experiment) -> Asks {
    let runs = experiment.runs();
    let training = |run: &Run| run.method.algorithm.training();
    let on_tasks =
        |run: &&Run| matches!(training(run), Training::Episodes { .. } | Training::SameTasks { .. });
    let fixed = |run: &&Run| on_tasks(run) && !run.method.algorithm.takes_any_ways();
    let validated = |run: &Run| training(run) != Training::Nothing && run.train.validate.is_some();
    Asks {
        training_shots: runs.iter().filter(on_tasks).map(|run| run.training_shots).max(),
        fixed_ways: runs.iter().find(fixed).map(|run| run.method.algorithm.name()),
        pools: runs.iter().any(|run| matches!(training(run), Training::Pooled(_))),
        validates: runs.iter().any(validated),
        test_shots: experiment.largest_shots(),
    }
}
