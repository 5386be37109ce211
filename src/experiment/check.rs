//! Checks that need more than one key: whether the parts of an experiment fit each other.

use garde::{Path, Report, Validate, util::nested_path};
use serde::Deserialize;

use super::{method::Method, spec::Experiment};
use crate::{
    algorithms::{Testing, Training},
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
        for problem in experiment.task.check(&asks(experiment)) {
            let keys = form::path(&experiment.task, &problem);
            let path = keys[1..].iter().fold(parent().join(keys[0]), |path, key| path.join(*key));
            report.append(path, garde::Error::new(problem.1));
        }
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
    let task = &experiment.task;
    let methods = || experiment.methods.values();
    let training = |method: &Method| method.algorithm.training();
    let shots = methods().filter_map(|method| match training(method) {
        Training::Episodes { shots } | Training::SameTasks { shots, .. } => {
            Some(shots.unwrap_or(task.training_shots()))
        }
        Training::Pooled(_) | Training::Nothing => None,
    });
    let fixed = |method: &&Method| {
        let on_tasks = matches!(training(method), Training::Episodes { .. } | Training::SameTasks { .. });
        on_tasks && !method.algorithm.takes_any_ways()
    };
    let validated = |m: &Method| m.train(&experiment.train).validate.is_some();
    Asks {
        training_shots: shots.max(),
        fixed_ways: methods().find(fixed).map(|method| method.algorithm.name()),
        pools: methods().any(|method| matches!(training(method), Training::Pooled(_))),
        validates: methods().any(|m| training(m) != Training::Nothing && validated(m)),
        test_shots: experiment.largest_shots(),
    }
}
